#!/usr/bin/env bash
# `maxmin launch` and `maxmin supervise`: signals to the supervisor, a shipped cluster file run with mpirun, and wrong use.
# Alone: it kills launchers at moments.
set -uo pipefail
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A run that saves when told to, ends with 75, and at its second start is done. It says when it is ready to be told.
cat >"$work/saves" <<'RUN'
#!/usr/bin/env bash
echo start >>"$1/starts"
(($(wc -l <"$1/starts") == 2)) && exit 0
trap 'echo USR1 >>"$1/signals"; mkdir -p "$1/checkpoints/sft/step-1"; exit 75' USR1
touch "$1/ready"
for _ in {1..600}; do sleep 0.1; done
RUN
# A run that cannot be told anything.
cat >"$work/deaf" <<'RUN'
#!/usr/bin/env bash
trap 'echo USR1 >>"$1/signals"' USR1
touch "$1/ready"
while :; do sleep 0.1; done
RUN
chmod +x "$work/saves" "$work/deaf"

# wait_for FILE: until it is there, at most 30 s.
wait_for() { for _ in {1..300}; do [[ -e $1 ]] && return; sleep 0.1; done; }

# signaled NAME PROGRAM STATUS SIGNALS SIGNAL…: the supervisor of PROGRAM, sent these signals one by one, ends with STATUS, and the
# program has had SIGNALS.
signaled() {
    local name=$1 program=$2 expected=$3 had=$4 directory status got signal
    shift 4
    directory=$(mktemp -d -p "$work")
    "$maxmin" supervise --run "$directory" -- "$work/$program" "$directory" 2>"$directory/log" &
    local supervisor=$!
    wait_for "$directory/ready"
    for signal; do
        kill -"$signal" "$supervisor"
        sleep 0.3
    done
    wait "$supervisor"
    status=$?
    got=$(tr '\n' ' ' 2>/dev/null <"$directory/signals")
    if ((status == expected)) && [[ $got == "$had" ]]; then
        echo "ok $name"
    else
        echo "not ok $name: status $status, not $expected; signals \"$got\", not \"$had\": $(cat "$directory/log")"
    fi
}
signaled "USR1 has the run save" saves 75 "USR1 " USR1
signaled "TERM has the run save" saves 75 "USR1 " TERM
signaled "INT has the run save" saves 75 "USR1 " INT
signaled "a second INT ends the run" deaf 143 "USR1 " INT INT

# A run that was told by somebody else is not left there.
directory=$(mktemp -d -p "$work")
"$maxmin" supervise --run "$directory" -- "$work/saves" "$directory" 2>"$directory/log" &
supervisor=$!
wait_for "$directory/ready"
pkill -USR1 -P "$supervisor"
wait "$supervisor" && [[ $(wc -l <"$directory/starts") == 2 ]] && echo "ok a stopped run goes on" ||
    echo "not ok a stopped run goes on: $(cat "$directory/log")"

# A real run by a shipped file: a rank is killed after a checkpoint, the supervisor starts the ranks again, and the bits are those of
# an undisturbed run.
laptop() {
    "$maxmin" launch --cluster cluster-configs/laptop.yaml launch/runs/smoke.yaml --set "run.stages=[sft]" --set sft.steps=200 \
        --set run.save_every_steps=20 --set "run.directory=$work/$1" --execute >"$work/$1.log" 2>&1
}
name="a run whose rank is killed is started again and gives the same bits"
laptop killed &
launched=$!
for _ in {1..600}; do
    [[ -n $(find "$work/killed/checkpoints" -name 'step-*' 2>/dev/null) ]] && break
    sleep 0.1
done
# A rank: a child of the mpirun that the launcher started.
mpirun=$(pgrep -P "$launched" -f -- '--execute' | head -n 1)
mpirun=$(pgrep -P "${mpirun:-$launched}" mpirun | head -n 1)
rank=$(pgrep -P "$mpirun" maxmin | tail -n 1)
kill -9 "$rank"
wait "$launched"
status=$?
laptop undisturbed || echo "not ok an undisturbed run: $(tail -n 3 "$work/undisturbed.log")"
if ((status != 0)) || ! grep -q 'starting it again' "$work/killed.log"; then
    echo "not ok $name: status $status: $(tail -n 5 "$work/killed.log")"
elif ! cmp -s "$work"/{killed,undisturbed}/reference/model.safetensors; then
    echo "not ok $name: the bits differ"
else
    echo "ok $name"
fi

# fails NAME STATUS TEXT COMMAND…: the command ends with the status and one line that has the text.
fails() {
    local name=$1 expected=$2 text=$3 output status
    shift 3
    output=$(timeout 60 "$@" 2>&1 >/dev/null)
    status=$?
    if ((status == expected)) && [[ $output == *"$text"* && $(wc -l <<<"$output") == 1 ]]; then
        echo "ok $name"
    else
        echo "not ok $name: status $status, not $expected and one line with \"$text\": $output"
    fi
}
printf 'launcher: slurm\nnodes: { cores: 1 }\n' >"$work/slurm.yaml"
printf 'launcher: mpirun\nnodes: { cores: 1000 }\n' >"$work/large.yaml"
launch=("$maxmin" launch launch/runs/smoke.yaml --cluster)
fails "a missing cluster file" 66 "$work/none.yaml: no such" "${launch[@]}" "$work/none.yaml"
fails "a wrong key of the run" 78 "did you mean policy.beta" "${launch[@]}" cluster-configs/laptop.yaml --set policy.bata=1
fails "a machine that is too small" 78 "nodes.cores: 1000, but this process" "${launch[@]}" "$work/large.yaml" --execute
fails "no batch system" 66 "sbatch: no such program" env PATH=/usr/bin/none "${launch[@]}" "$work/slurm.yaml" --execute
