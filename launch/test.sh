#!/usr/bin/env bash
# Builds and runs every test: the format, the unit tests, the scripts of launch/tests/ (MPI at 1, 2, 3 and 4 ranks), and the unit
# tests of a build without traits that its kernels and collectives reach. The last line is "N passed, N failed"; the exit status is 1
# where anything failed.
#
# A script of launch/tests/ runs in the repository's root with the programs of a release build in the folder $BIN, and prints a line
# "ok NAME" or "not ok NAME: why" for each thing that it checks, and "skip NAME: why" for what this machine cannot do, which counts
# as neither; those in launch/tests/without-traits/ have the programs of the build without traits. Two scripts run at a time, but one
# that waits for deadlines or kills at moments runs alone: it says so in a line "# Alone: why".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/setup.sh

require_swift
install_packages "${BUILD_PACKAGES[@]}" "${MPI_PACKAGES[@]}" "${TEST_PACKAGES[@]}" || exit 1

# Read by Package.swift: our own targets must compile without a warning.
export MAXMIN_WARNINGS_AS_ERRORS=1
passed=0 failed=0 skipped=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# took: says how long the part since the last call took.
took() {
    echo "-- $((SECONDS - part_started)) s: $1"
    part_started=$SECONDS
}
part_started=$SECONDS

# one NAME COMMAND…: a check that is one command; its output is shown where it fails.
one() {
    local name=$1
    shift
    if "$@" >"$logs/one" 2>&1; then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        cat "$logs/one"
        echo "not ok $name: ${*} failed"
    fi
    took "$name"
}

# unit_tests NAME OPTIONS…: runs a built package's tests and counts them. How many there were is in the run's closing line: of the lines
# of single tests some run into each other.
unit_tests() {
    local name=$1 all ok bad status=0
    shift
    swift test --skip-build "$@" >"$logs/tests" 2>&1 || status=$?
    grep -E '^✘|^↳|^➜|error:|Fatal error|Test run' "$logs/tests"
    all=$(grep -oE 'Test run with [0-9]+ test' "$logs/tests" | tail -n 1 | grep -oE '[0-9]+')
    bad=$(grep -E '^✘ Test .* failed after' "$logs/tests" | grep -cv '^✘ Test run with')
    ok=$((${all:-$bad} - bad))
    if ((status != 0 && bad == 0)); then
        tail -n 40 "$logs/tests"
        bad=1
    elif ((status == 0 && ok == 0)); then
        echo "not ok $name: no test ran"
        bad=1
    fi
    echo "$name: $ok passed, $bad failed"
    took "$name"
    passed=$((passed + ok)) failed=$((failed + bad))
}

# run_script FILE: runs a script of launch/tests/ and keeps what it prints, its exit status and its time.
run_script() {
    local file=$1 name=$logs/${1##*/} status=0 started=$SECONDS
    bash "$file" >"$name" 2>&1 || status=$?
    echo "$status $((SECONDS - started))" >"$name.end"
}
export -f run_script
export logs

# count_script FILE: shows what a script printed and adds up its lines.
count_script() {
    local file=$1 name=$logs/${1##*/} ok bad skip status seconds
    read -r status seconds <"$name.end"
    cat "$name"
    ok=$(grep -c '^ok ' "$name")
    bad=$(grep -c '^not ok ' "$name")
    skip=$(grep -c '^skip ' "$name")
    if ((bad == 0 && (status != 0 || ok + skip == 0))); then
        echo "not ok $file: exit status $status after $ok checks"
        bad=1
    fi
    echo "-- $seconds s: $file"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
}

one "format" swift format lint --recursive --strict Sources Tests

one "build" swift build --build-tests
unit_tests "unit tests"
# The scripts try what people run, which takes half the time of a debug build.
one "release build" swift build -c release --product maxmin
one "release build of the self-test of MPI" swift build -c release --product mpi-selftest
BIN=$(swift build -c release --show-bin-path)
export BIN
mapfile -t alone < <(grep -l '^# Alone: ' launch/tests/*.sh)
mapfile -t beside < <(grep -L '^# Alone: ' launch/tests/*.sh)
# shellcheck disable=SC2016 # The inner shell expands it.
printf '%s\n' "${beside[@]}" | xargs -P 2 -I {} bash -c 'run_script "$1"' - {}
for file in "${beside[@]}"; do count_script "$file"; done
took "scripts, two at a time"
for file in "${alone[@]}"; do run_script "$file"; count_script "$file"; done
took "scripts that run alone"

plain=(--disable-default-traits --scratch-path .build/plain)
# The rooms whose own code meets other kernels or collectives; limits.sh does the whole pipeline.
export MAXMIN_TESTED_ROOMS="Collectives Tensors Optimizers LanguageModels Training"
one "build without traits" swift build --build-tests "${plain[@]}"
unit_tests "unit tests without traits" "${plain[@]}"
BIN=$(swift build --show-bin-path "${plain[@]}")
run_script launch/tests/without-traits/limits.sh
count_script launch/tests/without-traits/limits.sh

((skipped == 0)) || echo "$skipped checks skipped on this machine"
echo "$passed passed, $failed failed"
((failed == 0))
