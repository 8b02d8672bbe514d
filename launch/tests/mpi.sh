#!/usr/bin/env bash
# MPI itself: every collective at 1 to 4 ranks, and how a run ends when a rank fails.
set -uo pipefail
source launch/mpi.sh
selftest=$BIN/mpi-selftest

for ranks in 1 2 3 4; do
    if output=$(timeout 60 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$selftest" 2>&1); then
        echo "ok collectives at $ranks ranks"
    else
        echo "not ok collectives at $ranks ranks: $output"
    fi
done

# ends MODE STATUS TEXT: three ranks of which one or all fail must end, not hang, with the status, having printed exactly the one
# line, where one is given.
ends() {
    local mode=$1 expected=$2 line=$3 output status
    # shellcheck disable=SC2086 # MODE is a word or two.
    output=$(SWIFT_BACKTRACE=enable=no timeout 60 bash -c 'source launch/mpi.sh; on_ranks "$@"' - 3 "$selftest" $mode 2>&1)
    status=$?
    if ((status != expected)); then
        echo "not ok ranks end after $mode: status $status, not $expected (124: it hung): $output"
    elif [[ -n $line && $output != "$line" ]]; then
        echo "not ok ranks end after $mode: printed: $output"
    else
        echo "ok ranks end after $mode"
    fi
}
ends "throw 2" 65 "rank 2: mpi-selftest: broken as asked"
ends "throw 0" 65 "rank 0: mpi-selftest: broken as asked"
ends "throw-all" 66 "rank 0: mpi-selftest: broken as asked"
ends "trap 1" 132 ""
ends "exit 1" 1 ""

# Without a launcher MPI is never initialised: no daemon is started, and the program says what it is for.
"$selftest" >/dev/null 2>&1
status=$?
((status == 64)) && echo "ok no launcher" || echo "not ok no launcher: status $status, not 64"
