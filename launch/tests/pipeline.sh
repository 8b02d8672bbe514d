#!/usr/bin/env bash
# The whole pipeline on launch/runs/smoke.yaml: on one process, under mpirun, stage by stage, with every choice of method, and how
# it ends when a rank fails. Needs jq.
set -uo pipefail
source launch/checks.sh
source launch/mpi.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
smoke=launch/runs/smoke.yaml

# on N COMMAND…: the command on N ranks, or for 0 without mpirun. The time limit tells only a program that hangs.
on() {
    local ranks=$1
    shift
    if ((ranks == 0)); then
        timeout 120 "$@"
    else
        timeout 120 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "$@"
    fi
}

# stages RANKS DIRECTORY COMMAND [OPTION…]: a command on the smoke configuration.
stages() { on "$1" "$maxmin" "$3" $smoke --set run.directory="$2" "${@:4}"; }

# complete DIRECTORY: every file of a finished run is there, whole and without temporary ones, and every metrics line has its keys.
complete() {
    local file
    for file in config.yaml environment.json metrics.jsonl preferences.jsonl tastes.json reference/model.safetensors \
        reward/{group-0,group-1,single}/{config.json,model.safetensors,tokenizer.json,tokenizer_config.json} \
        reward/{assignments.csv,mixture.json,calibration.json,diagnosis.json} evaluation.json report.html \
        policy/{maxmin,single}/{config.json,model.safetensors,tokenizer.json,tokenizer_config.json} \
        {reference,reward/{group-0,group-1,single},policy/{maxmin,single}}/README.md reward/responsibilities.json \
        completed/{sft,simulate,reward,calibrate,policy,evaluate,report}; do
        [[ -e $1/$file ]] || { echo "$file is missing" && return 1; }
    done
    [[ -z $(find "$1" -name '*tmp*') ]] || { find "$1" -name '*tmp*' && return 1; }
    for file in environment.json tastes.json evaluation.json reward/{mixture,calibration,diagnosis}.json; do
        jq --exit-status . "$1/$file" >/dev/null || return 1
    done
    grep -q '^| positive | taste | ' "$1/policy/maxmin/README.md" || { echo "no win rates in the card of maxmin" && return 1; }
    metrics "$1/metrics.jsonl"
}

# metrics FILE: the lines of each stage have what its users rely on, steps without gaps, and no number that is not finite.
metrics() {
    jq --slurp --exit-status '
        def lines(stage): map(select(.stage == stage));
        def numbers(keys): . as $line | all(keys[]; $line[.] | type == "number");
        all(.[]; numbers(["step", "seconds"]))
        and (lines("sft") | length > 0 and map(.step) == [range(1; length + 1)]
            and all(.[]; numbers(["loss", "gradient_norm", "learning_rate", "tokens_per_second"])))
        and (lines("reward") | map(.fit) | contains(["single", "mixture"]))
        and (lines("reward") | map(select(.fit == "mixture")) | all(.[];
            numbers(["log_likelihood", "log_likelihood_per_comparison", "changes", "temperature"])
            and (.group_sizes | length == 2) and (.accuracy | length == 2) and (.training | length == 2)))
        and (lines("reward") | map(select(.fit | startswith("training-"))) | group_by(.fit)
            | (map(.[0].fit) | contains(["training-final-of-2", "training-mixture-of-2", "training-single"]))
            and all(.[]; map(.step) as $steps | $steps == ($steps | unique) and .[0].step == 0 and length > 1
                and all(.[1:][]; (.learning_rate | type == "number")
                    and (.loss + .accuracy + .margin | any(type == "number")))))
        and (lines("policy") | group_by(.objective) | map([.[0].objective, map(.step)])
            == [["maxmin", [1, 2, 3, 4]], ["single", [1, 2, 3, 4]]])
        and (lines("policy") | all(.[];
            # The single model is asked in its own training alone.
            (["group-0", "group-1"] + (if .objective == "single" then ["single"] else [] end)) as $models
            | (.utility | keys == $models) and (.reward | keys == $models) and (.raw_reward | keys == $models)
            and (.weight | keys == ["group-0", "group-1"])
            and ([.utility[], .reward[], .weight[]] | all(type == "number"))
            and (.worst_group | . == "group-0" or . == "group-1") and (.worst_group_changed | type == "boolean")
            and numbers(["return", "beta", "kl", "kl_smoothed", "entropy", "response_tokens", "finished", "clip_fraction",
                "policy_loss", "value_loss", "update_kl", "gradient_norm", "learning_rate", "updates",
                "sample_tokens_per_second", "score_tokens_per_second", "reward_tokens_per_second",
                "update_tokens_per_second"])))' "$1" >/dev/null ||
        { echo "$1 lacks something" && return 1; }
}

# same_assignments A B: the same group of each user, log-likelihoods within 1e-3.
same_assignments() {
    diff <(cut -d , -f 1,2 "$1/reward/assignments.csv") <(cut -d , -f 1,2 "$2/reward/assignments.csv") &&
        paste -d , "$1/reward/assignments.csv" "$2/reward/assignments.csv" | awk -F , '
            NR > 1 && (($3 - $9) ^ 2 > 1e-6 || ($4 - $10) ^ 2 > 1e-6) { print; failed = 1 } END { exit failed }'
}

# overlapping A B: every win rate's interval overlaps the other run's.
overlapping() {
    jq --slurp --raw-output '
        def rates: [.policies | to_entries[] | .key as $policy | .value.win_rate | to_entries[]
            | {name: "\($policy), \(.key)", low: .value.low, high: .value.high}];
        [(.[0] | rates), (.[1] | rates)] | if map(length) != [6, 6] then "not 6 win rates" else transpose[]
            | select(.[0].low > .[1].high or .[1].low > .[0].high) | "\(.)" end' \
        "$1/evaluation.json" "$2/evaluation.json" 2>&1 | { ! grep .; }
}

# The whole run, on every number of ranks.
for ranks in 0 1 2 3 4; do
    name="run on $ranks ranks"
    ((ranks == 0)) && name="run without mpirun"
    if output=$(stages $ranks "$work/$ranks" run --json 2>&1); then
        check "$name: files and metrics" complete "$work/$ranks"
    else
        not_ok "$name" "$output"
    fi
done
one=$work/0

# From the same reference and comparisons, the same result. (Another number of ranks sums in another order, and a reference that
# differs in its last bits writes other texts: whole runs cannot be compared.)
for ranks in 2 3 4; do
    name="the same on $ranks ranks"
    cp -r "$one" "$work/same-$ranks"
    if output=$(stages $ranks "$work/same-$ranks" run --overwrite --set 'run.stages=[reward, calibrate, policy, evaluate, report]' 2>&1); then
        check "$name: assignments" same_assignments "$one" "$work/same-$ranks"
        check "$name: win rates" overlapping "$one" "$work/same-$ranks"
        check "$name: metrics, no line twice" metrics "$work/same-$ranks/metrics.jsonl"
    else
        not_ok "$name" "$output"
    fi
done

# Every stage alone, on what the earlier ones left; without --overwrite it is refused.
alone=$work/alone
cp -r "$one" "$alone"
for stage in sft simulate reward calibrate policy evaluate report; do
    output=$(stages 0 "$one" $stage 2>&1)
    if [[ $? == 78 && $output == *"results of the stage $stage; use --resume"* ]]; then
        ok "stage $stage keeps results"
    else
        not_ok "stage $stage keeps results" "$output"
    fi
    check "stage $stage alone" stages 0 "$alone" $stage --overwrite
done
check "stage by stage: files and metrics" complete "$alone"
check "stage by stage: assignments" same_assignments "$one" "$alone"

# A report of a run that did only some stages says so; two runs side by side.
early=$work/early
check "stages before policies" stages 0 "$early" run --set 'run.stages=[sft, simulate, reward, calibrate, report]'
check "their report" grep -q "has no stage <code>policy</code>" "$early/report.html"
check "runs side by side" "$maxmin" report --compare "$one" "$early" --out "$work/both.html"
check "their page" grep -q "2 runs side by side" "$work/both.html"

# form NAME FILTER COMMAND…: every line that the command prints on standard output is JSON of this form.
form() {
    local name=$1 filter=$2 output
    shift 2
    if output=$(timeout 60 "$@" 2>"$work/stderr") && jq --slurp --exit-status "$filter" <<<"$output" >/dev/null 2>&1; then
        ok "$name"
    else
        not_ok "$name" "$(cat "$work/stderr") $output"
    fi
}
policy=$one/policy/maxmin
printf '%s\n' '{"text": "The film was good."}' '{"prompt": "The film", "response": " was bad."}' '{"token_ids": [5, 6, 7]}' \
    >"$work/texts"
scored='length == 3 and all(.[]; (.token_ids | length) == (.logprobs | length) + 1 and all(.logprobs[]; . < 0))'
form "score a policy" "$scored and all(.[]; has(\"reward\") | not)" "$maxmin" score --model "$policy" --input "$work/texts" --json
form "score a reward model" "$scored and all(.[]; .reward | type == \"number\")" \
    "$maxmin" score --model "$one/reward/single" --input "$work/texts" --json
sampled='length == 4 and all(.[]; (.prompt | type) == "string" and (.response | type) == "string"
    and (.token_ids | length) == (.logprobs | length) and (.finished | type) == "boolean")'
form "generate" "$sampled" "$maxmin" generate --model "$policy" --prompt "The film" --prompt "We" --samples 2 --json \
    --max-new-tokens 8
head -n 1 "$work/texts" >"$work/text"
form "tokenize" 'length == 1 and (.[0].ids | length > 3 and all(type == "number"))' \
    "$maxmin" tokenize --model "$policy" --input "$work/text" --json
"$maxmin" tokenize --model "$policy" --input "$work/text" --json >"$work/ids"
form "tokenize --decode" '.[0].text == "The film was good."' \
    "$maxmin" tokenize --model "$policy" --input "$work/ids" --decode --json
form "assign" 'length == 8 and all(.[]; (.group | . == 0 or . == 1) and (.posterior | add > 0.999 and add < 1.001)
    and (.log_likelihoods | length == 2) and .comparisons > 0)' \
    "$maxmin" assign --run "$one" --input "$one/preferences.jsonl" --json
form "diagnose" 'length == 1 and (.[0] | .groups == 2 and (.verdict | type == "string") and (.users | length == 8)
    and (.log_likelihood | length == 2) and (.diversity[0][1].mean > 0) and (.correlation | length == 3)
    and (.predictions.maxmin | length == 2))' "$maxmin" diagnose "$one" --json
form "inspect" 'length == 1 and .[0].kind == "run" and (.[0].complete | length == 7) and .[0].incomplete == []' \
    "$maxmin" inspect "$one" --json
form "inspect a reward model" '.[0].kind == "reward model"' "$maxmin" inspect "$one/reward/group-0" --json

# Every choice of method works, from the run's reference and comparisons on.
variant() {
    local name=$1
    shift
    rm -rf "$work/variant"
    cp -r "$one" "$work/variant"
    check "$name" stages 0 "$work/variant" run --overwrite --set reward.max_steps=10 --set reward.max_iterations=2 \
        --set policy.steps=1 --set policy.objectives='[maxmin]' "$@"
}
rewards='run.stages=[reward]'
variant "head only" --set reward.trainable=head --set reward.learning_rate=0.03 --set "$rewards"
variant "one backbone" --set reward.trainable=shared --set "$rewards"
variant "one backbone's adapters" --set reward.trainable=shared-lora --set "$rewards"
variant "soft assignment" --set reward.assignment=soft --set reward.temperature=2 --set "$rewards"
variant "random starts" --set reward.start=random --set reward.restarts=2 --set "$rewards"
variant "round-robin start" --set reward.start=round-robin --set "$rewards"
variant "known groups" --set reward.assignment=known --set "$rewards"
check "known groups are found" grep -q '"assignment_agreement": 1.0' "$work/variant/reward/mixture.json"
variant "one group" --set reward.groups=1 --set "$rewards"
check "a model's accuracy on all users has an interval" jq --exit-status '.rewards.single |
    .test_accuracy, .unseen_accuracy | .low < .mean and .mean < .high' "$work/variant/reward/mixture.json"
variant "as many groups as there are" --set reward.groups=auto --set reward.max_groups=3 --set "$rewards"
check "every number of groups is noted" jq --exit-status '.log_likelihood | map(.groups) == [1, 2, 3]' \
    "$work/variant/reward/mixture.json"
variant "one split" --set reward.folds=1 --set "$rewards"
variant "split by user" --set data.split=user --set reward.folds=3 --set "$rewards"
variant "held-out users, known baseline" --set reward.held_out_users=0.25 --set reward.known_baseline=true --set "$rewards"
check "held-out users are assigned" jq --exit-status '.held_out_users | .users == 2 and .accuracy.mean > 0' "$work/variant/reward/mixture.json"
check "the known baseline is noted" jq --exit-status '.known_groups | has("group-1")' "$work/variant/reward/mixture.json"
variant "center" --set calibrate.method=center --set 'run.stages=[calibrate, policy]'
variant "log-sigmoid" --set calibrate.method=log-sigmoid --set 'run.stages=[calibrate, policy]'
variant "no calibration" --set calibrate.method=none --set 'run.stages=[calibrate, policy]'
variant "ppo" --set policy.algorithm=ppo --set policy.epochs=2 --set policy.minibatches=2 \
    --set policy.target_kl=0.5 --set 'run.stages=[policy]'
check "ppo has a value loss" jq --slurp --exit-status 'map(select(.stage == "policy")) | length == 1 and .[0].value_loss > 0
    and .[0].updates == 4' "$work/variant/metrics.jsonl"
variant "a value head a group" --set policy.algorithm=ppo --set policy.value_heads=per-group --set 'run.stages=[policy]'
check "value heads have a value loss" jq --slurp --exit-status 'map(select(.stage == "policy")) | .[0].value_loss > 0' \
    "$work/variant/metrics.jsonl"
variant "grpo" --set policy.algorithm=grpo --set policy.epochs=2 --set 'run.stages=[policy]'
check "grpo has no value loss" jq --slurp --exit-status 'map(select(.stage == "policy")) | .[0].value_loss == 0 and .[0].updates == 2' \
    "$work/variant/metrics.jsonl"
variant "a training ends at its KL" --set policy.steps=40 --set policy.learning_rate=1e-3 --set policy.max_kl=0.3 \
    --set 'run.stages=[policy]'
check "its last step makes no update" jq --slurp --exit-status 'map(select(.stage == "policy")) | length < 40
    and (.[-1] | .reached_max_kl and .kl_smoothed >= 0.3 and .updates == 0)
    and (.[:-1] | all(.[]; .kl_smoothed < 0.3 and .updates == 1))' "$work/variant/metrics.jsonl"
check "the policy is at that KL" jq --exit-status '.reached_max_kl and .kl > 0.29 and .kl < 0.31 and .max_kl == 0.3' \
    "$work/variant/policy/maxmin/training.json"
variant "a training that does not get to its KL" --set policy.max_kl=50 --set evaluate.prompts=8 --set 'run.stages=[policy, evaluate]'
check "its row is said not to be at matched KL" jq --exit-status '(.warnings | any(contains("maxmin is not at policy.max_kl 50")))
    and (.policies.maxmin | .matches_max_kl == false and .max_kl == 50) and .policies.reference.matches_max_kl == null' \
    "$work/variant/evaluation.json"
variant "best of n" --set evaluate.prompts=8 --set 'evaluate.best_of=[4, 2]' --set 'run.stages=[policy, evaluate]'
check "best of n stands beside the policies" jq --exit-status '.policies | keys_unsorted == ["reference", "maxmin", "best-of-4",
    "best-of-4-maxmin", "best-of-2", "best-of-2-maxmin"] and (.["best-of-4"] | .kl_is_bound and .kl > 0.636 and .kl < 0.637)
    and ([.["best-of-4"], .["best-of-2"]] | map(.by_judge.reward.win_rate | [.[].mean] | add) | .[0] > .[1])' \
    "$work/variant/evaluation.json"
objectives=(maxmin single utilitarian per-response softmin mirror nash alpha-fair proportional maxmin-uncalibrated only-0 only-1
    regret)
variant "every objective" --set "policy.objectives=[$(IFS=,; echo "${objectives[*]}")]" --set evaluate.prompts=8 \
    --set 'run.stages=[policy, evaluate]'
check "regret compares with policies as they were saved" jq --exit-status '.utilities | keys == ["group-0", "group-1"]
    and all(.[]; type == "number")' "$work/variant/policy/only-0/training.json"
check "every objective is evaluated" jq --exit-status '.policies | length == 14' "$work/variant/evaluation.json"
variant "the reference alone is evaluated" --set policy.objectives=[] --set evaluate.prompts=8 --set 'run.stages=[evaluate]'
variant "a chat template" --set data.chat_template=tulu --set simulate.max_new_tokens=12 --set policy.max_new_tokens=12 \
    --set 'run.stages=[simulate, reward, calibrate, policy, evaluate]'
check "the template is noted" jq --exit-status '.chat_template == "tulu"' \
    "$work/variant"/{reward/group-0,reward/single,policy/maxmin}/provenance.json
rm -rf "$work/chat"
cp -r "$work/variant" "$work/chat"
echo '{"prompt": [{"role": "user", "content": "Hi"}], "response": "x", "complete": true}' >"$work/turns"
form "score under the template noted" ".[0].token_ids | length > 20" \
    "$maxmin" score --model "$work/chat/reward/group-0" --input "$work/turns" --json
form "assign under the template noted" 'length == 8' \
    "$maxmin" assign --run "$work/chat" --input "$work/chat/preferences.jsonl" --json

# fails NAME RANKS CODE TEXT COMMAND…: the command ends, not hangs, with the code, having printed one line, which has the text; and
# leaves no process behind.
fails() {
    local name=$1 ranks=$2 code=$3 text=$4 output status errors
    shift 4
    output=$(on "$ranks" "$@" 2>&1)
    status=$?
    errors=$(grep -c '^maxmin: error: ' <<<"$output")
    if ((status != code || errors != 1)) || [[ $output != *"$text"* ]]; then
        not_ok "$name" "status $status, not $code; expected one line with \"$text\": $output"
    elif pgrep -f "$work/.*$maxmin|$maxmin .*$work" >/dev/null; then
        not_ok "$name" "processes are left: $(pgrep -af "$work")"
    else
        ok "$name"
    fi
}
check "a run as tables" "$maxmin" export csv "$one"
check "its tables" test -s "$one/csv/policy.csv"
check "a run for MLflow" "$maxmin" export mlflow "$one" --out "$work/mlruns"
fails "an export that is there" 0 73 "is there already" "$maxmin" export mlflow "$one" --out "$work/mlruns"
fails "a comparison with what is no run" 0 66 "is no run directory" \
    "$maxmin" report --compare "$one" "$work/none" --out "$work/none.html"
fails "another template than in training" 0 78 "was trained under chat_template tulu, not none" \
    "$maxmin" score --model "$work/chat/reward/group-0" --input "$work/turns" --chat-template none
echo >>"$work/chat/reward/single/tokenizer.json"
fails "another tokenizer than in training" 0 78 "another tokenizer.json" \
    "$maxmin" score --model "$work/chat/reward/single" --input "$work/turns"
fails "a template that the tokenizer has no tokens for" 0 78 "has no token <|im_start|>" \
    "$maxmin" reward $smoke --overwrite --set run.directory="$work/chat" --set data.chat_template=chatml
broken=$work/broken
cp -r "$one" "$broken"
head -n 3 "$one/preferences.jsonl" >"$work/bad.jsonl"
echo '{"user_id": "u1", "prompt": "x", "chosen": 1, "rejected": "y"}' >>"$work/bad.jsonl"
fails "a bad line on 3 ranks" 3 65 "bad.jsonl:4" "$maxmin" reward $smoke --overwrite --set run.directory="$broken" \
    --set data.preferences="$work/bad.jsonl" --set 'run.stages=[reward]'
head -c 5000 "$one/reward/single/model.safetensors" >"$broken/reference/model.safetensors"
fails "a truncated model on 2 ranks" 2 65 "reference/model.safetensors" \
    "$maxmin" simulate $smoke --overwrite --set run.directory="$broken"
fails "more ranks than shards" 4 78 "shards: 2" "$maxmin" run $smoke --set shards=2 --set run.directory="$work/few"
fails "a numeric failure on 2 ranks" 2 70 "rank 0" "$maxmin" sft $smoke --set run.directory="$work/nan" \
    --set sft.learning_rate=1e30 --set sft.warmup_steps=0

# An OpenBLAS that does not know the CPU: here it is told so.
if grep -qw avx2 /proc/cpuinfo; then
    output=$(OPENBLAS_CORETYPE=Nehalem stages 0 "$work/old" sft 2>&1)
    if [[ $output == *"warning: OpenBLAS runs its kernels for Nehalem"* ]]; then
        ok "kernels for older CPUs are told"
    else
        not_ok "kernels for older CPUs are told" "$output"
    fi
fi
