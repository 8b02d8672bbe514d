#!/usr/bin/env bash
# Every numeric option of the command line at the ends of what a number may be: the command works or refuses it with one line and a
# code of docs/command-line.md, and never ends by a signal. Keys of the configuration have a unit test of their own.
# Alone: each command has a second to refuse a number.
set -uo pipefail
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$PWD
cd "$work" || exit 1
"$maxmin" init --preset gpt2-tiny --out model --tokenizer "$root/Tests/Fixtures/Text/tiny" >/dev/null 2>&1
echo '{"text": "a film"}' >texts.jsonl

# tries COMMAND OPTION VALUES: a command with an option at each of some values. Where a number is taken as it is, work that would
# take for ever is cut off: it did not trap.
tries() {
    local command=$1 option=$2 value status output failed=""
    for value in $3; do
        # Words of the command are apart by blanks alone.
        # shellcheck disable=SC2086
        output=$(timeout --kill-after=5 1 "$maxmin" $command "$option=$value" 2>&1 </dev/null >/dev/null)
        status=$?
        case $status in
        0 | 124) ;;
        64 | 65 | 66 | 70 | 78)
            [[ $output == *rror:* && $output != *"Fatal error"* ]] || failed+=" $value: no line of error: $output;"
            ;;
        *) failed+=" $value: status $status: ${output:0:300};" ;;
        esac
    done
    if [[ -z $failed ]]; then echo "ok $command $option"; else echo "not ok $command $option:$failed"; fi
}
whole="0 -1 2147483647 9223372036854775807 9223372036854775808"
parts="0 -1 1e-320 1e300 nan inf"

generate="generate --model model --prompt x"
tries "$generate --max-new-tokens 2" --samples "$whole"
tries "$generate" --max-new-tokens "$whole"
tries "$generate --max-new-tokens 2" --top-k "$whole"
tries "$generate --max-new-tokens 2" --seed "$whole"
tries "$generate --max-new-tokens 2" --temperature "$parts"
tries "$generate --max-new-tokens 2 --top-k 3" --temperature "$parts"
tries "$generate --max-new-tokens 2" --top-p "$parts"
echo '{"prompt": "x"}' >prompts.jsonl
compare="evaluate --policy model --against model --prompts prompts.jsonl --taste length --threads 1 --max-new-tokens 2"
for option in --samples --bootstrap; do tries "$compare" "$option" "$whole"; done
tries "score --model model --input texts.jsonl" --threads "$whole"
tries "init --preset gpt2-tiny --out new" --seed "$whole"
for option in --ranks --ranks-per-node; do tries "inspect $root/launch/runs/smoke.yaml --memory" "$option" "$whole"; done
tries "sft nowhere.yaml" --threads "$whole"
tries "sft nowhere.yaml" --max-hours "$parts"
tries "supervise --run nowhere" --restarts "$whole"

bench="bench task --preset gpt2-tiny --repeats 1"
for option in --pairs --length --prompt --lora-rank --top-layers --threads --repeats; do
    tries "${bench% --repeats 1} reward-step --lora-rank 2" "$option" "$whole"
done
for option in --batch --new --prompt; do tries "$bench generate" "$option" "$whole"; done
for option in --groups --epochs --batch; do tries "$bench policy-step --new 2" "$option" "$whole"; done
for option in --groups --epochs --pairs; do tries "$bench em-iteration --length 16" "$option" "$whole"; done
tries "$bench allreduce" --mebibytes "$whole 65536"
for option in --ranks --threads --shards-per-rank --shards --batch --length --repeats --rounds; do
    tries "bench scaling --preset gpt2-tiny --stage score" "$option" "$whole"
done
for option in --lora-rank --groups --tokens --ranks --ranks-per-node --threads --cores; do
    tries "bench predict --trainable lora" "$option" "$whole"
done
for option in --training --scoring --sampling --memory --shared --link --link-latency --shared-latency; do
    tries "bench predict" "$option" "$parts"
done
