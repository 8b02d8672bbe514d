#!/usr/bin/env bash
# Blocks that are not plain Llama's: all stages on a tiny random Qwen3 with adapters, and on a tiny random OLMo 2 in full, give the same
# hashes of all models, assignments, comparisons and the evaluation on 1 rank of two threads and on 2 ranks of one; and the written
# models are read again. Needs ../shared/tokenizers/llama2.
#
#   BIN=.build/release bash launch/tests/families.sh
set -uo pipefail
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tokenizer=../shared/tokenizers/llama2
if [[ ! -e $tokenizer/tokenizer.json ]]; then
    echo "skip families: $tokenizer is not there"
    exit
fi

hashes() { (cd "$1" && find reward policy preferences.jsonl evaluation.json -type f | sort | xargs sha256sum); }

for family in qwen3 olmo2; do
    model=$work/$family
    trained=full
    [[ $family == qwen3 ]] && trained=lora
    "$maxmin" init --preset "$family-tiny" --out "$model" --tokenizer "$tokenizer" 2>/dev/null
    # An adapter names its base, and results their place: both runs have the same.
    directory=$work/run
    name="$family, $trained, on 2 ranks is as on 1"
    for ranks in 1 2; do
        if ! timeout 120 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$maxmin" run launch/runs/smoke.yaml \
            --set run.directory="$directory" --set run.threads=$((3 - ranks)) --set model.path="$model" --set shards=2 \
            --set 'run.stages=[simulate, reward, calibrate, policy, evaluate]' --set reward.trainable="$trained" \
            --set policy.trainable="$trained" --set simulate.comparisons_per_user=24 --set simulate.max_new_tokens=8 \
            --set reward.max_iterations=1 --set reward.max_steps=2 --set policy.objectives='[maxmin]' --set policy.steps=1 \
            --set policy.max_new_tokens=8 --set evaluate.prompts=4 --set data.held_out_prompts=4 --set calibrate.prompts=4 \
            >"$work/log" 2>&1; then
            echo "not ok $name: $(tail -n 1 "$work/log")"
            continue 2
        fi
        hashes "$directory" >"$work/hashes-$ranks"
        ((ranks == 1)) && rm -rf "$directory"
    done
    if difference=$(diff "$work/hashes-1" "$work/hashes-2"); then echo "ok $name"; else echo "not ok $name: $difference"; fi
    options=(--model "$directory/policy/maxmin")
    [[ $trained == lora ]] && options=(--model "$model" --adapter "$directory/policy/maxmin")
    if output=$("$maxmin" generate "${options[@]}" --prompt "A film" --max-new-tokens 4 2>&1); then
        echo "ok $family, $trained: the policy generates"
    else
        echo "not ok $family, $trained: the policy generates: $output"
    fi
    rm -rf "$directory"
done
