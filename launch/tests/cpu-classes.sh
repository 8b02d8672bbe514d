#!/usr/bin/env bash
# Every class of CPU that this one can play: the self-test of the kernels, the unit tests of kernels and models, and one pipeline on
# bf16 operands. ONEDNN_MAX_CPU_ISA lowers our kernels and oneDNN, OPENBLAS_CORETYPE OpenBLAS. An emulated CPU without AVX-512 shows
# that nothing uses it there.
set -uo pipefail
source launch/checks.sh
source launch/mpi.sh
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$1"; }

# shellcheck disable=SC2046 # Several flags.
compile_selftest() {
    printf '%s\n' Sources/CKernels/*.c Tests/kernel-selftest/main.c | WORK=$work xargs -P "$(nproc)" -I {} bash -c \
        'source=$1; shift; exec "$@" -c "$source" -o "$WORK/$(basename "$source").o"' - {} \
        "$clang" -std=gnu17 -O2 -DCK_ONEDNN -ISources/CKernels/include $(pkg-config --cflags openblas) &&
        "$clang" -fuse-ld=lld "$work"/*.o -o "$work/selftest" $(pkg-config --libs openblas) -ldnnl -lgomp -lm
}

# Weights and assignments of a run on N ranks, as one hash.
results_on() {
    rm -rf "$work/run"
    on_ranks "$1" "$BIN/maxmin" run launch/runs/smoke.yaml --set run.directory="$work/run" --set model.precision=bf16 \
        >"$work/log" 2>&1 || return 1
    (cd "$work/run" && find . \( -name '*.safetensors' -o -name assignments.csv \) -not -path '*/checkpoints/*' -print0 |
        sort -z | xargs -0 sha256sum | sha256sum)
}

# of_class ISA OPENBLAS CLASS: the tests as on such a CPU, of the class that we call so; without arguments, on this one.
of_class() {
    local name=${1:-this CPU}
    if [[ -n ${1:-} ]]; then
        local -x ONEDNN_MAX_CPU_ISA=$1
        [[ -z ${2:-} ]] || local -x OPENBLAS_CORETYPE=$2
        check "$name: unit tests" swift test --skip-build --filter 'TensorsTests|LanguageModelsTests|FrozenTests'
    fi
    check "$name: kernels" "$work/selftest"
    local one two
    one=$(results_on 1) && two=$(results_on 2) && [[ -n $one && $one == "$two" ]] &&
        echo "ok $name: a pipeline, the same bits on 1 and 2 ranks" ||
        echo "not ok $name: a pipeline: $one and $two, $(tail -n 3 "$work/log")"
    grep -q "^CPU class ${3:-}" "$work/log" && [[ $(jq -r .kernels.cpu_class "$work/run/environment.json") == "${3:-}"* ]] &&
        echo "ok $name: the run names its class" || echo "not ok $name: the run does not name its class: $(head -n 3 "$work/log")"
}

check "the self-test of the kernels compiles" compile_selftest
of_class
if has avx2; then of_class AVX2 Haswell AVX2; else echo "skip AVX2: this CPU is of a lesser class"; fi
if has avx512f && has avx512_bf16; then
    of_class AVX512_CORE SkylakeX AVX-512
else
    echo "skip AVX512_CORE: this CPU is of this class or a lesser one"
fi
# An emulated CPU's class is its own, whatever this script is run as.
unset OPENBLAS_CORETYPE ONEDNN_MAX_CPU_ISA
check "an emulated CPU without AVX-512: kernels" qemu-x86_64-static -cpu Haswell "$work/selftest"
check "an emulated CPU without AVX: kernels" qemu-x86_64-static -cpu Nehalem "$work/selftest"

# Ranks of different classes would compute different bits.
ranks=("$BIN/maxmin" run launch/runs/smoke.yaml --set run.directory="$work/mixed")
options=(--bind-to none --oversubscribe --quiet)
((EUID == 0)) && options+=(--allow-run-as-root)
if has avx2; then
    mpirun "${options[@]}" -n 1 env ONEDNN_MAX_CPU_ISA=SSE41 "${ranks[@]}" : -n 1 "${ranks[@]}" >"$work/log" 2>&1
    status=$?
    if ((status == 78)) && grep -q "ranks differ in the CPU's class" "$work/log"; then
        echo "ok ranks of different classes are refused"
    else
        echo "not ok ranks of different classes: exit $status, $(tail -n 3 "$work/log")"
    fi
fi
