# shellcheck shell=bash disable=SC2154 # $maxmin is the caller's.
# Sourced by the tests that disturb runs (launch/tests/resume.sh, launch/tests-long/soak.sh): starts runs in the background, disturbs
# them, and compares what they left. Needs jq, and launch/mpi.sh sourced; $maxmin is the program.

# start RANKS LOG COMMAND OPTION…: the program in the background; its mpirun is process $job.
start() {
    local ranks=$1 log=$2
    bash -c 'source launch/mpi.sh
        mpirun() { exec mpirun "$@"; }
        on_ranks "$@"' - "$ranks" "$maxmin" "${@:3}" >"$log" 2>&1 &
    job=$!
}

# ranks_of_job: the processes of the ranks that mpirun $job started, those of this node.
ranks_of_job() { pgrep --parent "$job" --full "$maxmin"; }

# hashes DIRECTORY: one line a result: models, assignments, comparisons, evaluation, and the metrics without times.
hashes() {
    (cd "$1" && find reference reward policy preferences.jsonl evaluation.json -type f | sort | xargs sha256sum)
    jq --compact-output 'with_entries(select(.key | test("seconds|tokens_per_second") | not))' "$1/metrics.jsonl" | sha256sum
}

# disturb HOW: notes the ranks in victims, and kills a random rank (kill) or mpirun (launcher) of $job, asks the run to stop (stop), or freezes a random rank for some
# seconds (freeze).
victims=()
disturb() {
    local victim
    mapfile -t victims < <(ranks_of_job)
    victim=${victims[RANDOM % (${#victims[@]} > 0 ? ${#victims[@]} : 1)]:-}
    case $1 in
    stop) kill -USR1 "$job" ;;
    launcher) kill -KILL "$job" ;;
    kill) [[ -n $victim ]] && kill -KILL "$victim" ;;
    freeze) [[ -n $victim ]] && kill -STOP "$victim" && sleep $((1 + RANDOM % 5)) && kill -CONT "$victim" ;;
    esac 2>/dev/null
}

# wait_for_end: waits for $job and returns its status when the ranks that were there when it was disturbed are gone too: mpirun may be
# killed before them.
wait_for_end() {
    local status rank
    { wait "$job"; } 2>/dev/null
    status=$?
    for rank in "${victims[@]}"; do
        while [[ -e /proc/$rank ]]; do sleep 0.05; done
    done
    victims=()
    return $status
}

# state DIRECTORY: the run's state, by its status.json.
state() { jq --raw-output .state "$1/status.json" 2>/dev/null; }

# expected_status HOW DIRECTORY: how a run ends that was disturbed so. mpirun outlives its ranks a little: a SIGUSR1 that it no longer
# handles ends it when the run is done.
expected_status() {
    case $1-$(state "$2") in
    stop-done) echo 138 ;;
    stop-*) echo 75 ;;
    *) echo 137 ;;
    esac
}
