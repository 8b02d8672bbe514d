#!/usr/bin/env bash
# Does EM find who the groups are? Simulated users whose groups are known.
#
#   launch/experiments/groups.sh OUT [comparisons|trainable|starts|repair|count|share]...
#
# Runs the parts named (all without a name), skips what OUT has already, and prints a line a run. `comparisons` and `trainable` have film
# reviews on the 10M model and need the files that launch/runs/imdb-10to1.yaml names; the others have the embedded corpus and the small model of
# launch/runs/quickstart.yaml. Needs jq. One thread a run: several parts may run side by side.
#
# What was expected, written before the first run:
#
# comparisons  20 users like positive reviews and 2 concise ones; 200, 100 and 50 comparisons each, seeds 1 to 3, adapters. The
#              residual start is to find 22 of 22 at 200 and at 100; at 50, 20 of 22 with the minority together, or a diagnosis of too
#              little data. Refuted by one user misplaced at 200 or 100, or a minority that is wrong at 50 while the diagnosis is sure.
#              The groups' models are to be as accurate on their users as those of the known groups, within a point.
# trainable    The same users at 200 comparisons, seed 1, by what is trained: full, lora, shared, shared-lora. All are to find 22 of 22. The
#              minority's 400 comparisons train little of a model of its own, so a backbone that 20 other users train too is to predict
#              them at least as well (SharedRep-RLHF's claim). Refuted where a shared one is more than 3 points below its own kind.
# starts       Ten random starts at 200 comparisons. 11 + 11: 22 of 22 in 8 at least. 20 + 2: a random halving gives both models the
#              same mixture, and only noise tells two users by; the residual start is there for that. Its share is stated.
# repair       EM starts from labels of which 5 of 22 are wrong, those of the first ids; it is to mend all 5.
# count        groups: auto, up to 5, on 1, 2, 3 and 4 groups of 5 users (10 where there is one), 200 comparisons, seeds 1 to 3: K right
#              in 11 of 12, and one group never split.
# share        The accuracy of one reward for all users as the minority's share falls, 20 users to 20, 10, 5 and 2, with the opposed
#              tastes of launch/runs/ten-to-one.yaml (correlation -.5), 300 comparisons each, seeds 1 to 3. A reward that weighs users alike
#              correlates with a taste by ((1 - x) rho + x) / sqrt(1 - 2 x (1 - x) (1 - rho)), x the taste's share; choices of sharpness 4 are
#              predicted in 1/2 + asin(.92 r) / pi. So the minority is to be at 65, 50, 42 and 37 %, the majority at 65, 79, 85 and 87 %
#              (the paper: from 70 to 42 %). Refuted where a mean over seeds is more than 6 points off, or the order of the four is another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(realpath -m "$1")
shift
parts=${*:-comparisons trainable starts repair count share}
maxmin=${MAXMIN:-$(swift build -c release --product maxmin --show-bin-path)/maxmin}
mkdir -p "$out"

# run NAME STAGE OUTPUT CONFIGURATION OPTION...: one stage, unless its output is there.
run() {
    local name=$1 stage=$2 output=$3 configuration=$4
    shift 4
    [[ -e $out/$name/$output ]] || "$maxmin" run "$configuration" --threads 1 --overwrite --set run.directory="$out/$name" \
        --set run.stages="[$stage]" "$@" 2>"$out/$name.log"
}
# simulate NAME SEED GROUPS [COMPARISONS]: preferences of the embedded corpus; the groups as a list in YAML, with so many comparisons
# a user (200).
simulate() {
    run corpus sft reference launch/runs/quickstart.yaml --set sft.steps=4000 --set shards=4
    run "$1" simulate preferences.jsonl launch/runs/quickstart.yaml --set model.path="$out/corpus/reference" --set run.seed="$2" \
        --set simulate.comparisons_per_user="${4:-200}" --set simulate.groups="$3" --set shards=4
}
two() { simulate "sim-$1-$2" 1 "[{ name: positive, users: $1, taste: sentiment }, { name: concise, users: $2, taste: length }]"; }
# first N FILE: the first N comparisons of each user.
first() { jq -c --argjson most "$1" -n 'foreach inputs as $row ({}; .[$row.user_id] += 1; select(.[$row.user_id] <= $most) | $row)' "$2"; }

# film SEED COMPARISONS: film-review users, each with so many; sets data.
film() {
    run "film-$1" simulate preferences.jsonl launch/runs/imdb-10to1.yaml --set run.seed="$1"
    data=$out/film-$1-$2.jsonl
    [[ -f $data ]] || first "$2" "$out/film-$1/preferences.jsonl" >"$data"
}
# fit NAME SEED PREFERENCES OPTION...: a reward stage on preferences of the embedded corpus.
fit() {
    local name=$1 seed=$2 preferences=$3
    shift 3
    run "$name" reward reward/mixture.json launch/runs/quickstart.yaml --set model.path="$out/corpus/reference" \
        --set run.seed="$seed" --set data.preferences="$preferences" --set shards=4 --set reward.max_steps=300 \
        --set reward.evaluate_every=10 --set reward.patience=12 --set reward.validation_comparisons=512 "$@"
}
# scorer WEIGHTS: a taste for words.
scorer() {
    echo '{ "kind": "linear-ngram", "lowercase": true, "token_pattern": "[a-z\u0027]+", "ngrams": [1, 2], "binary": true, "bias": 0,
        "weights": {'"$1"'} }'
}
# tell NAME: what a fit found.
tell() {
    [[ -f $out/$1/diagnosis.json ]] || "$maxmin" diagnose --json "$out/$1" >"$out/$1/diagnosis.json"
    jq -r --arg name "$1" --slurpfile diagnosis "$out/$1/diagnosis.json" '
        def percent: if . == null then "-" else (1000 * . | round / 10 | tostring) + " %" end;
        # Of each label the accuracy of its own group.
        def own($models): . as $all | [$all.label_of_group | to_entries[] | select(.value != null) |
            "\(.value) \($models["group-\(.key)"].accuracy[.value].mean | percent)"] | sort | join(", ");
        [$name, "K \(.group_sizes | length)", (.group_sizes | map(round | tostring) | join(" + ")),
         "right \(.assignment_agreement | percent), seed \(.seed_agreement | percent)", own(.rewards),
         (if .known_groups then "known: " + ([.known_groups | del(.single) | .[].accuracy // empty | map_values(.mean) | to_entries | max_by(.value) |
             "\(.key) \(.value | percent)"] | join(", ")) else empty end),
         $diagnosis[0].verdict] | join("\t")' "$out/$1/reward/mixture.json"
}

for part in $parts; do
    case $part in
    comparisons)
        for seed in 1 2 3; do
            for most in 200 100 50; do
                film "$seed" "$most"
                run "comparisons-$most-$seed" reward reward/mixture.json launch/runs/imdb-10to1.yaml --set run.seed="$seed" \
                    --set data.preferences="$data" --set reward.trainable=lora --set reward.lora.top_layers=2 \
                    --set reward.learning_rate=2e-3
                tell "comparisons-$most-$seed"
            done
        done
        ;;
    trainable)
        film 1 200
        for trainable in full lora shared shared-lora; do
            # Whole models at the rate of launch/runs/imdb-10to1.yaml.
            rate=()
            [[ $trainable != *lora ]] || rate=(--set reward.learning_rate=2e-3)
            run "trainable-$trainable" reward reward/mixture.json launch/runs/imdb-10to1.yaml --set run.seed=1 \
                --set data.preferences="$data" --set reward.trainable="$trainable" --set reward.lora.top_layers=2 "${rate[@]}"
            tell "trainable-$trainable"
        done
        ;;
    starts)
        for mix in "11 11" "20 2"; do
            read -r majority minority <<<"$mix"
            two "$majority" "$minority"
            name=starts-$majority-$minority
            fit "$name" 1 "$out/sim-$majority-$minority/preferences.jsonl" --set reward.groups=2 --set reward.start=random \
                --set reward.restarts=10
            jq -r --arg name "$name" '.starts[] |
                "\($name)\t\(.iterations) iterations\t\(.log_likelihood_per_comparison)\tright \(100 * .assignment_agreement | round) %"' \
                "$out/$name/reward/mixture.json"
        done
        ;;
    repair)
        for mix in "11 11" "20 2"; do
            read -r majority minority <<<"$mix"
            two "$majority" "$minority"
            truth=$out/sim-$majority-$minority/preferences.jsonl
            name=repair-$majority-$minority
            # The first 5 users by id change their label.
            jq -c --slurpfile all "$truth" -n '($all | map(.user_id) | unique | .[:5]) as $wrong | $all[] |
                if .user_id | IN($wrong[]) then .group = (if .group == "concise" then "positive" else "concise" end) else . end' \
                >"$out/$name.jsonl"
            fit "$name" 1 "$out/$name.jsonl" --set reward.groups=2 --set reward.start=labels
            join -t, <(jq -r '[.user_id, .group] | join(",")' "$truth" | sort -u) \
                <(tail -n +2 "$out/$name/reward/assignments.csv" | tr -d '"' | sort) |
                awk -F, -v name="$name" '{ n[$2 " in " $3]++ } END { for (k in n) printf "%s\t%d of %s\n", name, n[k], k }'
        done
        ;;
    count)
        for seed in 1 2 3; do
            # Those who like reviews of what one lived through oneself, and of what one did in company.
            scorer '"i": 1, "my": 1, "me": 1, "am": 1' >"$out/personal.json"
            scorer '"we": 1, "our": 1, "everyone": 1, "friends": 1, "family": 1' >"$out/company.json"
            simulate "sim-count-$seed" "$seed" "[{ name: positive, users: 10, taste: sentiment },
                { name: concise, users: 5, taste: length },
                { name: personal, users: 5, taste: $out/personal.json }, { name: company, users: 5, taste: $out/company.json }]"
            for groups in 1 2 3 4; do
                data=$out/count-$groups-$seed.jsonl
                jq -c --slurpfile all "$out/sim-count-$seed/preferences.jsonl" --argjson groups "$groups" -n '
                    def users($name): [$all[] | select(.group == $name) | .user_id] | unique;
                    ((["positive", "concise", "personal", "company"][:$groups] | map(users(.)[:5]) | add)
                        + (if $groups == 1 then users("positive") else [] end)) as $taken |
                    $all[] | select(.user_id | IN($taken[]))' >"$data"
                fit "count-$groups-$seed" "$seed" "$data" --set reward.groups=auto --set reward.max_groups=5
                tell "count-$groups-$seed"
            done
        done
        ;;
    share)
        for seed in 1 2 3; do
            simulate "sim-share-$seed" "$seed" "[{ name: positive, users: 20, taste: mix, components: [{ taste: sentiment, weight: 1 }] },
                { name: critical, users: 20, taste: mix,
                  components: [{ taste: sentiment, weight: -0.5 }, { taste: setting, weight: 0.87 }] }]" 300
            for users in 20 10 5 2; do
                data=$out/share-$users-$seed.jsonl
                jq -c --slurpfile all "$out/sim-share-$seed/preferences.jsonl" --argjson users "$users" -n '
                    ([$all[] | select(.group == "critical") | .user_id] | unique | .[:$users]) as $taken |
                    $all[] | select(.group == "positive" or (.user_id | IN($taken[])))' >"$data"
                fit "share-$users-$seed" "$seed" "$data" --set reward.groups=1 --set reward.folds=1
                jq -r --arg name "share-$users-$seed" '.rewards.single.accuracy | [$name, (to_entries[] |
                    "\(.key) \(1000 * .value.mean | round / 10) % (\(1000 * .value.low | round / 10) to \(1000 * .value.high | round / 10))")] |
                    join("\t")' "$out/share-$users-$seed/reward/mixture.json"
            done
        done
        ;;
    *) echo "groups.sh: no part \"$part\"" >&2 && exit 64 ;;
    esac
done
