#!/usr/bin/env bash
# Shards define a run: the smoke configuration with 8 shards on 1 rank of two threads and on 2, 3, 4 and 8 ranks of one, in fp32 and,
# where the machine has it, bf16, and with adapters and dropout, gives the same hashes of all models, assignments, comparisons and the
# evaluation, and the same metrics but for times. RANKS are the rank counts, WAYS what is tried of fp32, bf16 and adapters. Needs jq.
#
#   BIN=.build/release bash launch/tests/ranks.sh
set -uo pipefail
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a counts <<<"${RANKS:-1 2 3 4 8}"

# has_bf16: whether the CPU has instructions for bf16 products, as the setting auto asks.
has_bf16() { grep -qwE 'avx512_bf16|amx_bf16' /proc/cpuinfo; }

# hashes DIRECTORY: one line a result.
hashes() {
    (cd "$1" && find reference reward policy preferences.jsonl tastes.json evaluation.json -type f | sort | xargs sha256sum)
    jq --compact-output 'with_entries(select(.key | test("seconds|tokens_per_second") | not))' "$1/metrics.jsonl" | sha256sum
}

adapters=(--set model.precision=fp32 --set reward.trainable=lora --set reward.lora.dropout=0.2
    --set policy.trainable=lora --set policy.lora.dropout=0.2)
for way in ${WAYS:-fp32 bf16 adapters}; do
    options=(--set model.precision="$way")
    [[ $way == adapters ]] && options=("${adapters[@]}")
    if [[ $way == bf16 ]] && ! has_bf16; then
        echo "skipped ranks in bf16: this CPU has no instructions for it"
        continue
    fi
    first=
    for ranks in "${counts[@]}"; do
        # An adapter names its base, so all runs have one place.
        directory=$work/run
        if ! timeout 300 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$maxmin" run launch/runs/smoke.yaml \
            --set run.directory="$directory" "${options[@]}" --set shards=8 --set run.threads=$((ranks == 1 ? 2 : 1)) \
            --set sft.steps=40 --set sft.batch_sequences=16 --set reward.max_iterations=2 --set reward.max_steps=20 \
            --set policy.prompts_per_step=8 --set policy.steps=3 >"$directory.log" 2>&1; then
            echo "not ok $ranks ranks with $way: $(tail -n 1 "$directory.log")"
        elif [[ -z $first ]]; then
            first=$ranks
            hashes "$directory" >"$work/expected"
        elif difference=$(diff "$work/expected" <(hashes "$directory")); then
            echo "ok $ranks ranks with $way are $first"
        else
            echo "not ok $ranks ranks with $way are $first: $difference"
        fi
        rm -rf "$directory"
    done
done
