#!/usr/bin/env bash
# Runs that are killed or told to stop, resumed, and compared with an undisturbed one: the same hashes of everything, each step of the
# metrics once. The argument is the number of moments per stage, 1 unless stated; RANKS the ranks, 2 unless stated. SEED makes
# the moments. Runs are resumed on 1, 2, 3 and 4 ranks in turn. Needs jq.
#
#   BIN=.build/release SEED=3 bash launch/tests/resume.sh 20
set -uo pipefail
maxmin=$BIN/maxmin
moments=${1:-1}
ranks=${RANKS:-2}
RANDOM=${SEED:-1}
smoke=launch/runs/smoke.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: ${*:2}"; }

# start DIRECTORY OPTION…: the whole run in the background, resuming what is there; its mpirun is process $job.
start() {
    bash -c 'source launch/mpi.sh
        mpirun() { exec mpirun "$@"; }
        on_ranks "$@"' - "$ranks" "$maxmin" run $smoke --resume --set run.directory="$1" --set run.save_every_steps=3 \
        --set run.save_every_minutes=null "${@:2}" >"$1.log" 2>&1 &
    job=$!
}

# finish DIRECTORY RANKS: resumes to the end on another number of ranks.
finish() {
    local ranks=$2
    start "$1"
    wait $job
}

# hashes DIRECTORY: one line a result: models, assignments, comparisons, evaluation, and the metrics without times.
hashes() {
    (cd "$1" && find reference reward policy preferences.jsonl evaluation.json -type f | sort | xargs sha256sum)
    jq --compact-output 'with_entries(select(.key | test("seconds|tokens_per_second") | not))' "$1/metrics.jsonl" | sha256sum
}

# seconds STAGE: how long the stage took in the undisturbed run.
seconds() { jq --arg stage "$1" '.stages[] | select(.stage == $stage).seconds' "$work/whole.json"; }

# await STAGE DIRECTORY: until the ranks have started and all earlier stages are complete, or the run has ended.
await() {
    local stages=(sft simulate reward calibrate policy evaluate) stage before=status.json
    for stage in "${stages[@]}"; do
        [[ $stage == "$1" ]] && break
        before=completed/$stage
    done
    while [[ ! -e $2/$before ]] && kill -0 $job 2>/dev/null; do sleep 0.02; done
}

# disturb HOW STAGE DIRECTORY: starts the run and disturbs it at a random moment of the stage; prints the status it ended with.
disturb() {
    local how=$1 stage=$2 directory=$3 share=$((RANDOM % 1000)) victim status
    start "$directory"
    await "$stage" "$directory"
    sleep "$(jq --null-input "$(seconds "$stage") * $share / 1000")"
    case $how in
    stop) kill -USR1 $job ;;
    kill)
        mapfile -t victims < <(pgrep --parent $job --full "$maxmin")
        victim=${victims[RANDOM % (${#victims[@]} > 0 ? ${#victims[@]} : 1)]:-}
        [[ -n $victim ]] && kill -KILL "$victim"
        ;;
    esac 2>/dev/null
    wait $job
    status=$?
    echo "$status $share"
}

bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$maxmin" run $smoke --json --set run.directory="$work/whole" \
    >"$work/whole.json" 2>"$work/log" || { not_ok "the undisturbed run" "$(tail -n 5 "$work/log")" && exit 1; }
hashes "$work/whole" >"$work/whole.hashes"

for stage in sft reward policy; do
    same=0 hits=0
    for ((moment = 0; moment < moments; moment++)); do
        directory=$work/$stage-$moment
        how=$([[ $(((moment + ${#stage}) % 2)) == 0 ]] && echo kill || echo stop)
        read -r status share < <(disturb "$how" "$stage" "$directory")
        resumed_on=$((1 + (moment + ${#stage}) % 4))
        name="$stage, $how at $share/1000, resumed on $resumed_on ranks"
        # A run that was done before the moment came is no failure, nor a test.
        ((status != 0)) && hits=$((hits + 1))
        expected=$([[ $how == kill ]] && echo 137 || echo 75)
        state=$(jq --raw-output .state "$directory/status.json" 2>/dev/null)
        if [[ $status != "$expected" && $status != 0 ]]; then
            not_ok "$name" "status $status, not $expected: $(tail -n 3 "$directory.log")"
        elif [[ $how == stop && $status == 75 && $state != stopped ]]; then
            not_ok "$name" "status.json says $state"
        elif ! finish "$directory" $resumed_on; then
            not_ok "$name" "resuming failed: $(tail -n 3 "$directory.log")"
        elif ! difference=$(diff "$work/whole.hashes" <(hashes "$directory")); then
            not_ok "$name" "$difference"
        else
            same=$((same + 1))
        fi
        rm -rf "$directory" "$directory.log"
    done
    # All may come too late by chance, but not all of many.
    ((moments < 5 || hits > 0)) || not_ok "$stage" "none of $moments moments came before the run was done"
    ((same == moments)) && ok "$stage, killed or stopped at $hits of $moments random moments, resumed on other ranks: the same bits"
done

# A signal to one rank alone stops them all; the time limit does too.
directory=$work/one
start "$directory"
await reward "$directory"
mapfile -t victims < <(pgrep --parent $job --full "$maxmin")
kill -TERM "${victims[${#victims[@]} - 1]}"
wait $job
status=$?
if [[ $status == 75 && $(jq .exit_code "$directory/status.json") == 75 ]]; then
    ok "SIGTERM to one rank stops all with 75"
else
    not_ok "SIGTERM to one rank stops all with 75" "status $status: $(tail -n 3 "$directory.log")"
fi
start "$directory" --max-hours 0.00001
wait $job
status=$?
if [[ $status == 75 ]]; then ok "--max-hours stops with 75"; else not_ok "--max-hours stops with 75" "status $status"; fi
