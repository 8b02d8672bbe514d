#!/usr/bin/env bash
# Every parser of untrusted bytes on inputs made from the corpus in Tests/Fixtures/Fuzz, with a fixed seed: none may trap, take 5 s or
# 1 GiB (Tests/fuzz). An input that does is kept and named. Only the debug build, which must be there, can fuzz.
#
#   bash launch/tests/fuzz.sh                              as the tests run it
#   FUZZ_INPUTS=100000 FUZZ_SEED=7 bash launch/tests/fuzz.sh   longer, on other inputs
#   FUZZ_SECONDS=600 bash launch/tests/fuzz.sh             with the toolchain's libFuzzer, so long for each parser
set -uo pipefail
found=${FUZZ_FOUND:-$(mktemp -d)}
fuzz=$(swift build --show-bin-path)/fuzz
# Each input has files of its own: in memory.
[[ -w /dev/shm ]] && export TMPDIR=/dev/shm

if [[ -n ${FUZZ_SECONDS:-} ]]; then
    build=(--scratch-path .build/fuzz --product fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -DLIBFUZZER)
    swift build "${build[@]}" >"$found/build" 2>&1 || { echo "not ok fuzz: $(grep -m 3 error: "$found/build")"; exit 1; }
    fuzzer=$(swift build "${build[@]}" --show-bin-path)/fuzz
    for parser in $("$fuzz"); do
        mkdir -p "$found/$parser"
        number=0
        for file in "Tests/Fixtures/Fuzz/$parser"/*; do
            { printf '%b' "\\x$(printf %02x $((number++)))"; cat "$file"; } >"$found/$parser/${file##*/}"
        done
        if FUZZ_PARSER=$parser "$fuzzer" -max_total_time="$FUZZ_SECONDS" -timeout=5 -rss_limit_mb=1024 \
            -artifact_prefix="$found/$parser-" "$found/$parser" >"$found/$parser.log" 2>&1; then
            echo "ok fuzz $parser: $(tail -n 1 "$found/$parser.log")"
        else
            echo "not ok fuzz $parser: $(grep -m 1 -E 'Fatal error|ERROR' "$found/$parser.log"); see $found/$parser.log"
        fi
    done
else
    "$fuzz" | xargs -P "$(nproc)" -I {} "$fuzz" {} "${FUZZ_SEED:-1}" "${FUZZ_INPUTS:-5000}" "$found"
fi
# What went wrong is kept.
[[ -n $(ls -A "$found") ]] || rmdir "$found"
