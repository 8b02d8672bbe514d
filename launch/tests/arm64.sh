#!/usr/bin/env bash
# The C targets compiled for arm64, and the self-test of the kernels run there in an emulator, with a plain product in the place of
# OpenBLAS and no oneDNN.
set -uo pipefail
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

target=(--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include)
compile=("$clang" "${target[@]}" -std=gnu17 -O3 -Wall -Werror -ISources/CKernels/include)
# The headers of OpenBLAS and Open MPI declare the same functions for every CPU.
# shellcheck disable=SC2046 # Several flags.
if ! printf '%s\n' Sources/CKernels/*.c Sources/CCollectives/*.c Sources/CStart/*.c Tests/kernel-selftest/*.c | WORK=$work xargs -P "$(nproc)" -I {} \
    bash -c 'source=$1; shift; exec "$@" -c "$source" -o "$WORK/$(basename "$(dirname "$source")")-$(basename "$source").o"' \
    - {} "${compile[@]}" -DCC_MPI -ISources/CCollectives/include -ISources/CStart/include $(pkg-config --cflags openblas ompi-c) >"$work/log" 2>&1; then
    echo "not ok C targets for arm64: they do not compile: $(head -n 20 "$work/log")"
    exit 1
fi
echo "ok C targets compile for arm64"

if ! "$clang" "${target[@]}" -fuse-ld=lld -B/usr/lib/gcc-cross/aarch64-linux-gnu/12 -L/usr/lib/gcc-cross/aarch64-linux-gnu/12 \
    -L/usr/aarch64-linux-gnu/lib "$work"/CKernels-*.o "$work"/kernel-selftest-*.o -o "$work/selftest" -l:libgomp.so.1 -lm \
    >"$work/log" 2>&1; then
    echo "not ok kernels on arm64: they do not link: $(head -n 20 "$work/log")"
elif qemu-aarch64-static -L /usr/aarch64-linux-gnu "$work/selftest" >"$work/log" 2>&1; then
    echo "ok kernels on arm64, emulated: $(tail -n 1 "$work/log")"
else
    echo "not ok kernels on arm64, emulated: $(head -n 20 "$work/log")"
fi
