#!/usr/bin/env bash
# The judge `llm`, against an endpoint on loopback (judge-server.py) that fails, waits, and answers nonsense: retries, Retry-After, time
# limits, the cache, the key that is written nowhere, --dry-run, ranks. Needs jq and python3.
set -uo pipefail
source launch/mpi.sh
maxmin=$(realpath "$BIN/maxmin")
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT

# check NAME COMMAND…: ok where the command succeeds.
check() {
    if "${@:2}" >"$work/check" 2>&1; then
        echo "ok $1"
    else
        echo "not ok $1: $(tail -n 3 "$work/check") $(tail -n 5 "$work/log" 2>/dev/null)"
    fi
}
# ends NAME CODE TEXT COMMAND…: the command ends with the code, having said the text.
ends() {
    local status
    "${@:4}" >"$work/out" 2>"$work/log" </dev/null
    status=$?
    if ((status == $2)) && grep -qF -- "$3" "$work/log"; then
        echo "ok $1"
    else
        echo "not ok $1: status $status, not $2, or not with \"$3\": $(tail -n 5 "$work/log")"
    fi
}
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
  groups: [{ name: positive, users: 4, taste: sentiment }, { name: concise, users: 2, taste: length }]
  comparisons_per_user: 16
  max_new_tokens: 24
reward: { max_iterations: 1, batch_comparisons: 4, max_steps: 4, start: labels }
calibrate: { prompts: 8, at_chance: take }
policy: { objectives: [maxmin, single], steps: 1, prompts_per_step: 2, samples_per_prompt: 2, max_new_tokens: 24 }
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
      - { group: positive, text: "They want to hear good things." }
      - { group: concise, text: "They want it short." }
shards: 2
RUN
"$maxmin" run "$work/run.yaml" >"$work/log" 2>&1 || echo "not ok a run to judge: $(tail -n 3 "$work/log")"
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
        and (.policies.reference.by_judge.llm.win_rate | .positive.mean == 0.5 and .concise.mean == 0.5)
        and (.policies | .maxmin.by_judge.llm.win_rate.concise.mean + .reference.by_judge.llm.win_rate_against_single.concise.mean > 0)
        and .policies.maxmin.by_judge.llm.win_rate.positive == .policies.maxmin.by_judge.llm.win_rate.concise' "$work/run/evaluation.json"
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

ends "an endpoint that is down ends the stage" 74 "have no answer, the last because of: HTTP 500: out of order" evaluates nonsense down --set evaluate.llm.retries=2
ends "nobody at the address" 74 "does not answer after 1 retries" evaluates nonsense x --set evaluate.llm.retries=1 \
    --set evaluate.llm.max_unanswered=1 --set evaluate.llm.url=http://127.0.0.1:9
ends "nonsense is an error" 74 "have no answer, the last because of: answers that are none" evaluates nonsense nonsense
ends "or counts as ties" 0 "left $planned questions without an answer" evaluates nonsense nonsense --set evaluate.llm.max_unanswered=1
check "all of them ties" jq --exit-status '[.policies[].by_judge.llm.win_rate[].mean] | all(. == 0.5)' "$work/nonsense/evaluation.json"
ends "a redirection is not followed" 74 "HTTP 302" evaluates nonsense redirect
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
ends "each group needs a rubric" 78 "evaluate.llm.rubrics: has none for the group positive; the groups are concise, positive" \
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
