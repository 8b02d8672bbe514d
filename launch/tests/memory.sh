#!/usr/bin/env bash
# Memory is as predicted: full fine-tuning of a small GPT-2, and adapters of a Llama, on two ranks; the plan is at most MARGIN per
# cent above each stage's peak, and at most a third of that below it, with bf16 operands on every CPU. A run that cannot fit is refused before it begins. Then
# launch/runs/tulu2-7b-p3.yaml runs as it is on a tiny model of the same family. Needs jq; the last two need ../shared/tokenizers/llama2.
#
#   BIN=.build/release bash launch/tests/memory.sh
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
margin=${MARGIN:-15}

# run RANKS OPTION…: a run; its summary goes to $work/summary.
run() {
    local ranks=$1
    shift
    timeout 300 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$maxmin" run "$@" --json \
        >"$work/summary" 2>"$work/log"
}

# as_planned NAME: each stage of the last run took what was predicted.
as_planned() {
    local stage peak planned
    while read -r stage peak planned; do
        if jq --null-input --exit-status "($planned / $peak - 1) * 100 | . <= $margin and . >= -$margin / 3" >/dev/null; then
            ok "$1: memory of $stage"
        else
            not_ok "$1: memory of $stage" "$((peak >> 20)) MiB, predicted $((planned >> 20))"
        fi
    done < <(jq --raw-output '.stages[] | "\(.stage) \(.peak_bytes) \(.planned_bytes)"' "$work/summary")
}

# Documents as long as the model takes them, since that is what is planned for.
awk 'BEGIN {
    srand(1)
    for (i = 0; i < 200; i++) { s = ""; for (j = 0; j < 70; j++) s = s int(1 + 99999 * rand()) " "; print "{\"text\": \"" s "\"}" }
}' >"$work/text.jsonl"
cat >"$work/full.yaml" <<YAML
run: { name: memory, directory: $work/full, stages: [sft, simulate, reward, calibrate, policy, evaluate], threads: 1 }
model: { precision: bf16, sampling_memory: 64, micro_batch_tokens: 1024 }
data: { text: $work/text.jsonl, max_length: 96, held_out_prompts: 8 }
sft: { vocabulary_size: 1000, layers: 4, width: 384, heads: 6, positions: 96, steps: 1, batch_sequences: 32 }
simulate:
  groups: [{ name: positive, users: 2, taste: sentiment }, { name: concise, users: 2, taste: length }]
  comparisons_per_user: 12
  prompt_tokens: 16
  max_new_tokens: 80
reward: { max_iterations: 1, max_steps: 1, evaluate_every: 1, batch_comparisons: 16 }
calibrate: { prompts: 4, at_chance: take }
policy: { objectives: [maxmin], steps: 1, prompts_per_step: 8, samples_per_prompt: 2, max_new_tokens: 80 }
evaluate: { prompts: 8, bootstrap: 100 }
shards: 2
YAML
name="full fine-tuning"
if run 2 "$work/full.yaml"; then as_planned "$name"; else not_ok "$name" "$(tail -n 2 "$work/log")"; fi

# What cannot fit is refused, with the table and the keys, before anything is written.
run 2 "$work/full.yaml" --set run.directory="$work/refused" --set run.memory_limit=300
status=$?
if ((status == 78)) && grep -q 'gradients' "$work/log" && grep -q 'run.memory_limit: the stage .* model.micro_batch_tokens' "$work/log" &&
    [[ ! -e $work/refused ]]; then
    ok "a run that cannot fit"
else
    not_ok "a run that cannot fit" "status $status: $(tail -n 3 "$work/log")"
fi
if "$maxmin" inspect "$work/full.yaml" --memory --ranks 2 --json |
    jq --exit-status '.ranks == 2 and all(.stages[]; .rank_bytes == ([.components[]] | add))' >/dev/null; then
    ok "inspect --memory"
else
    not_ok "inspect --memory"
fi

# Adapters of a Llama, and the shipped 7B configuration on a tiny one and a handful of comparisons: their vocabulary needs its tokenizer.
tokenizer=../shared/tokenizers/llama2
if [[ ! -e $tokenizer/tokenizer.json ]]; then
    echo "skip adapters: $tokenizer is not there"
    exit
fi
"$maxmin" init --preset llama-160m --out "$work/llama" --tokenizer "$tokenizer" 2>/dev/null
name="adapters"
if run 2 "$work/full.yaml" --set run.directory="$work/lora" --set model.path="$work/llama" --set reward.trainable=lora \
    --set reward.lora.top_layers=4 --set policy.trainable=lora --set data.max_length=40 --set 'run.stages=[simulate, reward, calibrate, policy]' --set simulate.max_new_tokens=24 \
    --set policy.max_new_tokens=24; then
    as_planned "$name"
else
    not_ok "$name" "$(tail -n 2 "$work/log")"
fi

"$maxmin" init --preset llama-tiny --out "$work/tiny" --tokenizer "$tokenizer" 2>/dev/null
for user in $(seq 1 6); do
    for question in $(seq 1 12); do
        echo "{\"user_id\": \"u$user\", \"group\": \"g$((user % 2))\", \"user_input\": \"Question $question of $user?\"," \
            "\"completion_a\": \"$((user % 2 ? question : user)) it is.\", \"completion_b\": \"It is not $question.\"}"
    done
done >"$work/p3.jsonl"
for question in $(seq 1 40); do echo "{\"prompt\": \"What is $question?\"}"; done >"$work/prompts.jsonl"
if run 2 launch/runs/tulu2-7b-p3.yaml --set run.directory="$work/p3" --set model.path="$work/tiny" --set data.preferences="$work/p3.jsonl" \
    --set data.prompts="$work/prompts.jsonl" --set data.held_out_prompts=8 --set evaluate.prompts=8 --set reward.max_steps=2 \
    --set reward.max_iterations=1 --set policy.steps=1 --set policy.max_new_tokens=16 --set calibrate.prompts=8 --set calibrate.at_chance=take &&
    [[ -e $work/p3/policy/maxmin/adapter_model.safetensors ]]; then
    ok "tulu2-7b-p3.yaml on a tiny model"
else
    not_ok "tulu2-7b-p3.yaml on a tiny model" "$(tail -n 2 "$work/log")"
fi
