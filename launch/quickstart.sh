#!/usr/bin/env bash
# From a fresh checkout to the table of the embedded experiment: installs what is missing, builds, and runs
# launch/runs/quickstart.yaml under mpirun, two ranks where there are two cores, into runs/quickstart.
# Arguments go to `maxmin run`, as in: ./launch/quickstart.sh --set run.seed=2
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/setup.sh
source launch/mpi.sh

require_swift
install_packages "${BUILD_PACKAGES[@]}" || exit 1
build=(-c release --product maxmin)
if ! install_packages "${MPI_PACKAGES[@]}"; then
    echo "quickstart.sh: building without MPI" >&2
    build+=(--disable-default-traits --traits OneDNN)
fi

swift build "${build[@]}"
maxmin=$(swift build "${build[@]}" --show-bin-path)/maxmin
run=("$maxmin" run launch/runs/quickstart.yaml --overwrite "$@")
if [[ " ${build[*]} " == *" --disable-default-traits "* ]]; then
    exec "${run[@]}"
elif ! command -v mpirun >/dev/null; then
    echo "quickstart.sh: mpirun is not on the PATH; running as one process" >&2
    exec "${run[@]}"
fi
# As many ranks as the run has shards.
on_ranks "$(($(nproc) < 2 ? 1 : 2))" "${run[@]}"
