#!/usr/bin/env bash
# The C kernels under the address and undefined-behavior sanitizers, driven by Tests/kernel-selftest, which compares each with plain
# loops. The clang of the Swift toolchain compiles them here, without SwiftPM.
set -uo pipefail
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sanitizers=("-fsanitize=address,undefined" -fno-sanitize-recover=undefined)
compile=("$clang" -std=gnu17 -O1 -g -fno-omit-frame-pointer "${sanitizers[@]}" -DCK_ONEDNN -ISources/CKernels/include)
# shellcheck disable=SC2046 # Several flags.
if printf '%s\n' Sources/CKernels/*.c Tests/kernel-selftest/main.c | WORK=$work xargs -P "$(nproc)" -I {} bash -c \
    'source=$1; shift; exec "$@" -c "$source" -o "$WORK/$(basename "$source").o"' - {} "${compile[@]}" \
    $(pkg-config --cflags openblas) >"$work/log" 2>&1 &&
    "$clang" "${sanitizers[@]}" -fuse-ld=lld "$work"/*.o -o "$work/selftest" $(pkg-config --libs openblas) -ldnnl -lgomp -lm \
        >>"$work/log" 2>&1; then
    if "$work/selftest" >"$work/log" 2>&1; then
        echo "ok kernels under sanitizers: $(tail -n 1 "$work/log")"
    else
        echo "not ok kernels under sanitizers: $(head -n 20 "$work/log")"
    fi
else
    echo "not ok kernels under sanitizers: they do not compile: $(head -n 20 "$work/log")"
fi
