#!/usr/bin/env bash
# Ten iterations of EM over adapters in the last 2 of GPT-2 124M's 12 blocks, with and without the trunk cache: prints the seconds of
# both, their ratio, and whether the bits are the same. 8 users of two tastes, 30 comparisons each; one rank, every CPU. Needs jq and
# a GPT-2 tokenizer, ../shared/tokenizers/gpt2 unless TOKENIZER names another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

swift build -c release --product maxmin
maxmin=$(swift build -c release --product maxmin --show-bin-path)/maxmin
unset OPENBLAS_CORETYPE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$maxmin" init --preset gpt2 --tokenizer "${TOKENIZER:-../shared/tokenizers/gpt2}" --out "$work/gpt2"

# The first four users like praise, the others short texts.
awk 'function text(n, praise,   s) {
         for (s = ""; n > 0; n--) s = s " " (rand() < praise ? good[int(rand() * 5) + 1] : words[int(rand() * 20) + 1])
         return s
     }
     BEGIN {
         srand(1)
         split("great wonderful lovely superb fine", good)
         split("the a film story actor scene music plot ending camera light slow quick sad long short warm cold dark city", words)
         for (user = 0; user < 8; user++)
             for (i = 0; i < 30; i++)
                 printf "{\"user_id\": \"u%d\", \"prompt\": \"I saw this film and\", \"chosen\": \"%s\", \"rejected\": \"%s\"}\n", user,
                     user < 4 ? text(44, 0.25) : text(40, 0.1), user < 4 ? text(44, 0.02) : text(48, 0.1)
     }' >"$work/preferences.jsonl"
cat >"$work/run.yaml" <<YAML
run: { name: trunk-cache, directory: $work/run, stages: [reward], save_every_minutes: null }
model: { path: $work/gpt2 }
data: { preferences: $work/preferences.jsonl, max_length: 64, split: user }
reward:
  groups: 2
  trainable: lora
  lora: { rank: 8, top_layers: 2 }
  assignment: soft
  # Its temperature is 1 in the last iteration alone, so that it makes all of them.
  temperature_decay: 0.857
  max_iterations: 10
  tolerance: 0
  max_steps: 10
  evaluate_every: 5
  batch_comparisons: 16
  learning_rate: 1e-3
  warmup_steps: 0
YAML

# run true|false: seconds of the stage, and a hash of the adapters.
run() {
    if ! "$maxmin" run "$work/run.yaml" --overwrite --json --set run.trunk_cache="$1" >"$work/summary" 2>"$work/log"; then
        cat "$work/log" >&2
        return 1
    fi
    jq '.stages[0].seconds' "$work/summary"
    find "$work/run/reward" -name '*.safetensors' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}
{ read -r with && read -r bits; } < <(run true)
grep iteration "$work/log" | tail -n 1
{ read -r without && read -r others; } < <(run false)
printf 'with the trunk cache %.1f s, without %.1f s: %.2f times; bits %s and %s\n' \
    "$with" "$without" "$(jq --null-input "$without / $with")" "$bits" "$others"
[[ $bits == "$others" ]]
