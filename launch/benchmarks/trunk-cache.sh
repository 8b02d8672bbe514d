#!/usr/bin/env bash
# Ten iterations of EM on a random GPT-2 of 12 layers and 124M parameters, adapters in the last two, with the trunk cache and
# without: prints how long the stage took, the ratio, and whether the results are the same bits. The argument is the number of
# rounds, 1 unless stated; RANKS the ranks, 1 unless stated. Needs jq.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source launch/mpi.sh
rounds=${1:-1}
ranks=${RANKS:-1}

swift build -c release --product maxmin
maxmin=$(swift build -c release --product maxmin --show-bin-path)/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A core type forced from outside would slow the products.
unset OPENBLAS_CORETYPE

cat >"$work/run.yaml" <<END
run: { directory: $work/run, stages: [simulate, reward] }
model: { path: $work/model }
data: { max_length: 128, held_out_prompts: 8 }
sft: { documents: 1000, vocabulary_size: 600, layers: 1, width: 16, heads: 2, steps: 1 }
simulate:
  groups: [{ name: positive, users: 6, taste: sentiment }, { name: concise, users: 2, taste: length }]
  comparisons_per_user: 24
  max_new_tokens: 104
policy: { max_new_tokens: 104 }
reward:
  trainable: lora
  lora: { rank: 8, top_layers: 2 }
  # Soft assignment does not end before its temperature is 1: all ten iterations are made.
  assignment: soft
  temperature: 100
  max_iterations: 10
  batch_comparisons: 16
  max_steps: 10
evaluate: { prompts: 8 }
END

# stage COMMAND…: a stage on these ranks; prints its seconds.
stage() {
    local command=("$maxmin" "$1" "$work/run.yaml" --json "${@:2}")
    if ((ranks > 1)); then command=(on_ranks "$ranks" "${command[@]}"); fi
    "${command[@]}" 2>>"$work/log" | jq '.stages[0].seconds' || { tail -n 3 "$work/log" >&2 && return 1; }
}

# A random GPT-2 has no tokenizer of its own; one of few tokens serves.
"$maxmin" init --preset gpt2 --out "$work/model" >/dev/null
"$maxmin" sft "$work/run.yaml" --set model.path=null --set run.directory="$work/tokenizer" 2>>"$work/log"
cp "$work"/tokenizer/reference/tokenizer*.json "$work/model"
stage simulate >/dev/null

echo "round   cached   uncached   ratio   bits"
for ((round = 1; round <= rounds; round++)); do
    hashes=()
    for cache in true false; do
        rm -rf "$work/run/reward" "$work/run/completed/reward"
        taken[${#hashes[@]}]=$(stage reward --set run.trunk_cache=$cache)
        hashes+=("$(cd "$work/run/reward" && find . -name '*.safetensors' -o -name assignments.csv | sort | xargs sha256sum | sha256sum)")
    done
    [[ ${hashes[0]} == "${hashes[1]}" ]] && bits=same || bits=DIFFERENT
    jq --null-input --raw-output --arg bits "$bits" "[${taken[0]}, ${taken[1]}] | \"$round       \(.[0] | floor) s      \(.[1] | floor) s       \(.[1] / .[0] * 100 | round / 100)    \" + \$bits"
done
[[ $bits == same ]]
