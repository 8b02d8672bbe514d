#!/usr/bin/env bash
# MPI itself: every collective at 1 to 4 ranks, and how a run ends when a rank fails.
# Alone: it waits for deadlines of the watchdog.
set -uo pipefail
shopt -s extglob
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

# An error beside a thread that is in a collective ends all ranks without MPI_Abort, which may not be called then. mpirun tells of one
# where it is not quiet.
root=()
((EUID == 0)) && root=(--allow-run-as-root)
# told NAME RANKS MODE PATTERN: the mode ends with 65, and what is printed matches.
told() {
    local name="$1 at $2 ranks" output status
    # shellcheck disable=SC2086 # MODE is a word or two.
    output=$(timeout 30 mpirun "${root[@]}" --oversubscribe --bind-to none -n "$2" "$selftest" $3 2>&1)
    status=$?
    # shellcheck disable=SC2053 # PATTERN is one.
    if ((status == 65)) && [[ $output == $4 ]]; then
        echo "ok $name"
    else
        echo "not ok $name: status $status (124: it hung): $output"
    fi
}
for ranks in 2 4; do
    # Open MPI 4.1 sometimes loses that message on its way to mpirun, which then says where.
    told "an error alone calls MPI_Abort" $ranks "throw 1" "@(*MPI_ABORT was invoked*|*show_help.c*)"
    told "an error beside a collective does not" $ranks "throw-beside 1" "!(*MPI_ABORT*)"
done

# Without a launcher MPI is never initialized: no daemon is started, and the program says what it is for.
"$selftest" >/dev/null 2>&1
status=$?
((status == 64)) && echo "ok no launcher" || echo "not ok no launcher: status $status, not 64"
