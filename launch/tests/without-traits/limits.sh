#!/usr/bin/env bash
# A build without traits does the whole pipeline on one process, and says what it lacks where it is asked for more.
set -uo pipefail
source launch/mpi.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=("$maxmin" run launch/runs/smoke.yaml --overwrite --set "run.directory=$work/run")

if output=$(timeout 120 "${run[@]}" --set model.precision=auto 2>&1); then
    echo "ok the pipeline without traits"
else
    echo "not ok the pipeline without traits: $output"
fi
if output=$(timeout 120 "${run[@]}" --set model.precision=bf16 2>&1) && [[ $output == *"no bf16 instructions in use"* ]]; then
    echo "ok bf16 without oneDNN"
else
    echo "not ok bf16 without oneDNN: $output"
fi
grep -q '"traits": \[\]' "$work/run/environment.json" && echo "ok it knows its traits" || echo "not ok it knows its traits"

# lacks NAME TEXT COMMAND…: the command ends with 78 and one line that has the text.
lacks() {
    local name=$1 text=$2 output status
    shift 2
    output=$("$@" 2>&1)
    status=$?
    if ((status == 78)) && [[ $output == *"$text"* && $(wc -l <<<"$output") == 1 ]]; then
        echo "ok $name"
    else
        echo "not ok $name: status $status, not 78 and one line with \"$text\": $output"
    fi
}
lacks "mpirun" "built without MPI" timeout 60 bash -c 'source launch/mpi.sh; on_ranks 2 "$@"' - "${run[@]}"
