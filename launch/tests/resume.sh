#!/usr/bin/env bash
# Runs that are killed or told to stop, resumed, and compared with an undisturbed one: the same hashes of everything, each step of the
# metrics once. The argument is the number of disturbances, dealt to all six stages in turn, 6 unless stated. A run that was done before its
# moment came is compared as well, and does not count. SEED makes the moments (1), RANKS the ranks of the runs that are disturbed (2);
# WAYS are what is done to them in turn: kill (-9 of a rank), stop (SIGUSR1), launcher (kill -9 of mpirun). Needs jq.
#
#   BIN=.build/release SEED=3 WAYS=kill bash launch/tests/resume.sh 100
# Alone: it kills runs at moments.
set -uo pipefail
source launch/checks.sh
source launch/mpi.sh
source launch/disturbing.sh
maxmin=$BIN/maxmin
wanted=${1:-6}
ranks=${RANKS:-2}
read -ra ways <<<"${WAYS:-kill stop}"
RANDOM=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# start_in DIRECTORY RANKS OPTION…: the whole run in the background, resuming what is there.
start_in() {
    start "$2" "$1.log" run launch/runs/smoke.yaml --resume --set run.directory="$1" --set run.save_every_steps=3 \
        --set run.save_every_minutes=null "${@:3}"
}

# finish RANKS: resumes the run in $directory to its end.
finish() {
    start_in "$directory" "$1"
    wait_for_end
}

# seconds STAGE: how long the stage took in the undisturbed run.
seconds() { jq --arg stage "$1" '.stages[] | select(.stage == $stage).seconds' "$work/whole.json"; }

# await STAGE DIRECTORY: until the ranks have started and all earlier stages are complete, or the run has ended.
await() {
    local stage before=status.json
    for stage in "${stages[@]}"; do
        [[ $stage == "$1" ]] && break
        before=completed/$stage
    done
    while [[ ! -e $2/$before ]] && kill -0 $job 2>/dev/null; do sleep 0.02; done
}

on_ranks "$ranks" "$maxmin" run launch/runs/smoke.yaml --json --set run.directory="$work/whole" \
    >"$work/whole.json" 2>"$work/log" || { not_ok "the undisturbed run" "$(tail -n 5 "$work/log")" && exit 1; }
hashes "$work/whole" >"$work/whole.hashes"

stages=(sft simulate reward calibrate policy evaluate)
directory=$work/run
hits=0 same=0
declare -A hits_of=()
for ((moment = 0; hits < wanted && moment < 3 * wanted + 10; moment++)); do
    # As many of each stage: the next one's turn comes with the next hit.
    stage=${stages[hits % 6]}
    way=${ways[(hits + hits / 6) % ${#ways[@]}]}
    share=$((RANDOM % 1000)) resumed_on=$((1 + moment % 4))
    name="$stage, $way at $share/1000, resumed on $resumed_on ranks"
    start_in "$directory" "$ranks"
    await "$stage" "$directory"
    sleep "$(jq --null-input "$(seconds "$stage") * $share / 1000")"
    disturb "$way"
    wait_for_end
    status=$?
    state=$(state "$directory")
    if ((status != 0)) && [[ $state != "done" ]]; then
        hits=$((hits + 1))
        hits_of[$stage]=$((${hits_of[$stage]:-0} + 1))
    fi
    if ((status != 0 && status != $(expected_status "$way" "$directory"))); then
        not_ok "$name" "status $status, not $(expected_status "$way" "$directory"): $(tail -n 3 "$directory.log")"
    elif [[ $way == stop && $status == 75 && $state != stopped ]]; then
        not_ok "$name" "status.json says $state"
    elif ! finish $resumed_on; then
        not_ok "$name" "resuming failed: $(tail -n 3 "$directory.log")"
    elif ! difference=$(diff "$work/whole.hashes" <(hashes "$directory")); then
        not_ok "$name" "$difference"
    else
        same=$((same + 1))
        echo "-- $name: status $status, then the same bits"
    fi
    rm -rf "$directory" "$directory.log"
done
name="${ways[*]} at $hits random moments ($(for stage in "${!hits_of[@]}"; do printf '%s %d ' "$stage" "${hits_of[$stage]}"; done)), \
resumed on 1 to 4 ranks: the same bits $same of $moment times"
((hits == wanted && same == moment)) && ok "$name" || not_ok "$name" "of $wanted moments that were asked for"

# A signal to one rank alone stops them all; the time limit does too.
directory=$work/one
start_in "$directory" "$ranks"
await reward "$directory"
mapfile -t victims < <(ranks_of_job)
kill -TERM "${victims[${#victims[@]} - 1]}"
wait_for_end
status=$?
if [[ $status == 75 && $(jq .exit_code "$directory/status.json") == 75 ]]; then
    ok "SIGTERM to one rank stops all with 75"
else
    not_ok "SIGTERM to one rank stops all with 75" "status $status: $(tail -n 3 "$directory.log")"
fi
start_in "$directory" "$ranks" --max-hours 0.00001
wait_for_end
status=$?
if [[ $status == 75 ]]; then ok "--max-hours stops with 75"; else not_ok "--max-hours stops with 75" "status $status"; fi
