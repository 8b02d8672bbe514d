#!/usr/bin/env bash
# Judges. `llm`, against an endpoint on loopback (judge-server.py) that fails, waits, and answers nonsense: retries, Retry-After, time
# limits, the cache, the key that is written nowhere, --dry-run, ranks. `held-out`: reward models of comparisons that no other has seen,
# killed and resumed. Gold policies. Two models without a run. Needs jq and python3.
set -uo pipefail
source launch/checks.sh
source launch/mpi.sh
maxmin=$(realpath "$BIN/maxmin")
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT

# requests: how many the server got so far.
requests() { wc -l <"$work/requests"; }
# evaluates RUN KIND [OPTION…]: the stage evaluate of a run, judged by the endpoint that behaves like that.
evaluates() { timeout 120 "$maxmin" evaluate "$work/run.yaml" --set run.directory="$work/$1" --set evaluate.llm.url="$address/$2/v1" --overwrite "${@:3}"; }

touch "$work/requests"
python3 launch/tests/judge-server.py "$work/requests" >"$work/port" &
server=$!
for _ in {1..100}; do
    [[ -s $work/port ]] && break
    sleep 0.1
done
address=http://127.0.0.1:$(cat "$work/port")
export no_proxy=127.0.0.1

cat >"$work/run.yaml" <<RUN
run: { name: judged, directory: $work/run, threads: 1, stages: [sft, simulate, reward, calibrate, policy] }
data: { max_length: 48, held_out_prompts: 6 }
sft: { documents: 200, vocabulary_size: 400, layers: 1, width: 32, heads: 2, positions: 48, steps: 20, batch_sequences: 4 }
simulate:
  groups: [{ name: plain, users: 4, taste: word-length }, { name: concise, users: 2, taste: length }]
  comparisons_per_user: 40
  max_new_tokens: 24
reward: { max_iterations: 1, batch_comparisons: 4, max_steps: 4, start: labels, judge_fraction: 0.5 }
calibrate: { prompts: 8, at_chance: take }
policy: { objectives: [maxmin, single, gold-maxmin, gold-only-1], steps: 1, prompts_per_step: 2, samples_per_prompt: 2, max_new_tokens: 24 }
evaluate:
  judges: [llm]
  prompts: 6
  bootstrap: 100
  sample_texts: 1
  llm:
    model: loopback
    timeout: 2
    backoff: 0.05
    concurrency: 3
    prompt_price: 2.5
    rubrics:
      - { group: plain, text: "They want short words." }
      - { group: concise, text: "They want it short." }
shards: 2
RUN
if ! "$maxmin" run "$work/run.yaml" >"$work/log" 2>&1; then
    echo "not ok a run to judge: $(tail -n 3 "$work/log")"
    exit 1
fi
for copy in flaky nonsense ranks; do cp -r "$work/run" "$work/$copy"; done

# What would be asked is what is then asked, and asking twice costs nothing.
ends "--dry-run prints the requests" 0 "were not sent" "$maxmin" evaluate "$work/run.yaml" --set evaluate.llm.url="$address/good/v1" --dry-run
planned=$(wc -l <"$work/out")
check "--dry-run sends and writes nothing" test "$(requests)" = 0 -a ! -e "$work/run/judgments.jsonl" -a ! -e "$work/run/evaluation.json"
cp "$work/out" "$work/planned"
ends "both orders of each pair are judged" 0 "llm: $planned requests (0 repeated)" evaluates run good
sent() { diff <(jq --compact-output .body "$work/requests" | sort) <(jq --compact-output . "$work/planned" | sort); }
check "the requests are those of --dry-run" sent
judged() {
    jq --exit-status --argjson planned "$planned" '.llm.requests == $planned and .llm.model == "loopback"
        and .llm.pairs * 2 == $planned and .llm.contradicted == 0 and .llm.cost == $planned * 100 * 2.5 / 1e6
        and (.policies.reference.by_judge.llm.win_rate | .plain.mean == 0.5 and .concise.mean == 0.5)
        and (.policies | .maxmin.by_judge.llm.win_rate.concise.mean + .reference.by_judge.llm.win_rate_against_single.concise.mean > 0)
        and .policies.maxmin.by_judge.llm.win_rate.plain == .policies.maxmin.by_judge.llm.win_rate.concise' "$work/run/evaluation.json"
}
check "evaluation.json holds the win rates and what they took" judged
cp "$work/run/evaluation.json" "$work/first.json"
before=$(requests)
ends "--overwrite asks nothing twice" 0 "llm: 0 requests (0 repeated), $planned answers from the cache" evaluates run good
check "no request was sent again" test "$(requests)" = "$before"
same() { diff <(jq .policies "$work/first.json") <(jq .policies "$work/$1/evaluation.json"); }
check "the cache gives the same win rates" same run

# Failures: 500, 429 with Retry-After: 2, no answer in time, no completion, nonsense, a closed connection; the results are the same.
started=$(date +%s%N)
ends "a flaky endpoint is asked again" 0 "5 repeated" evaluates flaky flaky
took=$((($(date +%s%N) - started) / 1000000))
check "Retry-After is heeded (${took} ms)" test "$took" -ge 2000
flaky_rates() { diff <(jq '.policies[].by_judge' "$work/first.json") <(jq '.policies[].by_judge' "$work/flaky/evaluation.json"); }
# Another address is another endpoint: nothing came from the cache.
check "its win rates are the same" flaky_rates

ends "an endpoint that is down ends the stage" 74 "does not answer after 2 retries (HTTP 500: out of order)" evaluates nonsense down --set evaluate.llm.retries=2 \
    --set evaluate.llm.max_unanswered=1
ends "nobody at the address" 74 "does not answer after 1 retries" evaluates nonsense x --set evaluate.llm.retries=1 \
    --set evaluate.llm.max_unanswered=1 --set evaluate.llm.url=http://127.0.0.1:9
ends "nonsense is an error" 74 "have no answer, the last because of: answers that are none" evaluates nonsense nonsense
ends "or counts as ties" 0 "left $planned questions without an answer" evaluates nonsense nonsense --set evaluate.llm.max_unanswered=1
check "all of them ties" jq --exit-status '[.policies[].by_judge.llm.win_rate[].mean] | all(. == 0.5)' "$work/nonsense/evaluation.json"
ends "a redirection is not followed" 74 "HTTP 302" evaluates nonsense redirect
# The first one ends the stage while others are under way: a race that ended one process in four with a trap.
redirected() {
    local status
    for _ in {1..5}; do
        evaluates nonsense redirect
        status=$?
        ((status == 74)) || return 1
    done
}
check "nor are several at once, five times" redirected
check "and a run can go on from there" evaluates nonsense good

# The key.
key=(--set evaluate.llm.key_variable=JUDGE_KEY)
ends "a key that is not there is told before anything is done" 78 "the environment variable JUDGE_KEY is not set" evaluates nonsense key "${key[@]}"
ends "a wrong key ends the stage" 74 "HTTP 401: no such key: Bearer …; is the key in JUDGE_KEY right?" env JUDGE_KEY=wrong-key \
    "$maxmin" evaluate "$work/run.yaml" --set run.directory="$work/nonsense" --set evaluate.llm.url="$address/key/v1" --overwrite "${key[@]}"
JUDGE_KEY=right-key check "the right one is taken" evaluates nonsense key "${key[@]}"
hidden() { ! grep -rqE 'right-key|wrong-key' "$work/nonsense" "$work/log" "$work/check"; }
check "a key is written nowhere" hidden

# Wrong use.
ends "each group needs a rubric" 78 "evaluate.llm.rubrics: has none for the group plain; the groups are plain, concise" \
    evaluates run good --set 'evaluate.llm.rubrics=[{group: concise, text: short}]'
ends "an endpoint needs an address" 78 "evaluate.llm.url: is missing" "$maxmin" run "$work/run.yaml" --set 'run.stages=[evaluate]'
ends "--dry-run needs the judge" 78 "evaluate.judges: has no llm" "$maxmin" evaluate "$work/run.yaml" --set 'evaluate.judges=[taste]' --dry-run
echo '{"request": 1}' >>"$work/run/judgments.jsonl"
ends "a damaged cache is named" 65 "remove the file, then everything is asked again" evaluates run good

# The root alone asks, and the result is the same.
before=$(requests)
on_ranks 2 "$maxmin" evaluate "$work/run.yaml" --set run.directory="$work/ranks" --set evaluate.llm.url="$address/good/v1" >"$work/log" 2>&1
check "two ranks send each request once" test "$(($(requests) - before))" = "$planned"
check "two ranks give the same win rates" same ranks
ends "and all end where the judge does" 74 "HTTP 401" bash -c 'source launch/mpi.sh; on_ranks 2 "$@"' - \
    "$maxmin" evaluate "$work/run.yaml" --set run.directory="$work/ranks" --set evaluate.llm.url="$address/key/v1" --overwrite

# Reward models that no policy was trained on.
ends "held-out judges are asked" 0 "win rate % by held-out" evaluates run good --set 'evaluate.judges=[taste, reward, held-out]'
held_out() {
    jq --exit-status '.policies.maxmin.by_judge | keys_unsorted == ["taste", "reward", "held-out"]' "$work/run/evaluation.json" &&
        jq --exit-status '.comparisons > 60 and .comparisons < 180 and (.test_accuracy | keys == ["group-0", "group-1"])' \
            "$work/run/reward/held-out-judges.json" &&
        ! cmp "$work/run/reward/held-out-group-0/model.safetensors" "$work/run/reward/group-0/model.safetensors"
}
check "they are other models, of some of the comparisons" held_out

# Rewards that are the true tastes, on the scale of the same samples.
gold() {
    jq --exit-status --slurp '.[0].models == ["plain", "concise"] and .[0].samples_hash == .[1].samples_hash
        and .[2].weights == {"plain": 0, "concise": 1}' "$work/run/policy/gold-calibration.json" \
        "$work/run/reward/calibration.json" "$work/run/policy/gold-only-1/training.json" &&
        jq --exit-status '.policies | has("gold-maxmin") and has("gold-only-1")' "$work/run/evaluation.json" &&
        jq --exit-status --slurp 'map(select(.objective == "gold-maxmin"))[0] | (.utility | keys == ["concise", "plain"])
            and (.worst_group == "plain" or .worst_group == "concise")' "$work/run/metrics.jsonl" &&
        ! cmp "$work/run/policy/gold-maxmin/model.safetensors" "$work/run/policy/maxmin/model.safetensors"
}
check "gold policies are trained on true tastes" gold

# Killed while the groups' models and the judges train, resumed on two ranks: the same bits.
resumed() {
    local step
    cp -r "$work/run" "$work/resumed" && rm -rf "$work/resumed"/{reward,policy,evaluation.json,completed/{reward,calibrate,policy,evaluate}}
    for step in 9 16 19; do
        MAXMIN_FAULT=save:0:$step:kill on_ranks 2 "$maxmin" run "$work/run.yaml" --resume --set run.directory="$work/resumed" \
            --set run.save_every_steps=1 && return 1
    done
    on_ranks 2 "$maxmin" run "$work/run.yaml" --resume --set run.directory="$work/resumed" || return 1
    local file
    for file in reward/{group-0,single,held-out-group-0,held-out-group-1} policy/{maxmin,gold-maxmin,gold-only-1}; do
        cmp "$work/run/$file/model.safetensors" "$work/resumed/$file/model.safetensors" || return 1
    done
    cmp "$work/run/reward/held-out-judges.json" "$work/resumed/reward/held-out-judges.json"
}
check "killed and resumed they have the same bits" resumed

# Two models without a run.
printf '{"prompt": "%s"}\n' "The film was" "I saw it" "The actors" >"$work/prompts.jsonl"
cat >"$work/judge.yaml" <<JUDGE
url: $address/good/v1
model: loopback
rubrics: [{ group: concise, text: "They want it short." }]
JUDGE
models=("$maxmin" evaluate --policy "$work/run/policy/maxmin" --against "$work/run/reference" --prompts "$work/prompts.jsonl" --threads 1
    --max-new-tokens 12 --samples 2)
judges=(--reward-model "$work/run/reward/group-0" --taste length --llm "$work/judge.yaml" --answers "$work/answers.jsonl")
ends "two models: requests" 0 "were not sent" "${models[@]}" --llm "$work/judge.yaml" --dry-run
two_requests=$(wc -l <"$work/out")
ends "two models are compared" 0 "$two_requests requests (0 repeated)" "${models[@]}" "${judges[@]}" --json
compared() {
    # The judge on loopback prefers the shorter text, the taste the fewer tokens.
    jq --exit-status --argjson requests "$two_requests" '(.judges | map(.judge) == ["taste", "reward", "llm"]) and .prompts == 3
        and all(.judges[].win_rate; .low <= .mean and .mean <= .high) and .mean_tokens.policy > 0
        and (.kl | type == "number") and .llm.requests == $requests' "$work/out"
}
check "with win rates, lengths and divergence" compared
cp "$work/out" "$work/compared.json"
ends "asked again, all answers are there" 0 "0 requests (0 repeated), $two_requests answers" "${models[@]}" "${judges[@]}" --json
check "and say the same" diff <(jq 'del(.llm)' "$work/compared.json") <(jq 'del(.llm)' "$work/out")
ends "two models need a judge" 64 "name a judge" "${models[@]}"
ends "a language model is no reward model" 78 "is no reward model" "${models[@]}" --reward-model "$work/run/reference"
ends "a reward model is no policy" 78 "is a reward model" "$maxmin" evaluate --policy "$work/run/reward/group-0" \
    --against "$work/run/reference" --prompts "$work/prompts.jsonl" --taste length
sed -i 's/rubrics:.*/rubric: x/' "$work/judge.yaml"
ends "a key that is none is named" 78 "unknown key rubric; did you mean rubrics?" "${models[@]}" --llm "$work/judge.yaml"
ends "not a run and two models" 64 "not both" "$maxmin" evaluate "$work/run.yaml" --policy x --against y --prompts z --taste length
