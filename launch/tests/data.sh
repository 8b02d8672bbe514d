#!/usr/bin/env bash
# Preference data as other people have them, through the command line: compressed files, published data sets, foreign fields, what is
# refused with a command that helps, prompts of the preferences, and docs/tutorial.md from `inspect` on.
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# same NAME A B: two texts are equal.
same() { if [[ -n $2 && $2 == "$3" ]]; then echo "ok $1"; else echo "not ok $1: \"$2\" is not \"$3\""; fi; }
# found FILE OPTION…: what inspect found, without what differs between forms of the same comparisons.
found() { "$maxmin" inspect "$@" --json | jq -cS '{users, kept, prompts, pairs, choices, rankings, scores, ties, most_comparisons}'; }

# Published data sets: converted, they are the same comparisons, and converting again changes nothing.
for preset in prism multipref openai-comparisons ultrafeedback personalized-soups community-alignment; do
    file=("$root/Tests/Fixtures/Preferences/$preset".*)
    gzip -c "${file[0]}" >"in.${file[0]##*.}.gz"
    "$maxmin" convert "in.${file[0]##*.}.gz" --preset "$preset" --out ours.jsonl 2>log || echo "not ok $preset: $(tail -n 1 log)"
    same "$preset: inspected as converted" "$(found "${file[0]}" --preset "$preset")" "$(found ours.jsonl)"
done
"$maxmin" convert ours.jsonl -o again.jsonl 2>>log
same "converting again changes nothing" "$(sha256sum <ours.jsonl)" "$(sha256sum <again.jsonl)"
prism=$root/Tests/Fixtures/Preferences/prism.jsonl
ends "a published data set without its preset" 65 "use data.preset: prism" "$maxmin" inspect "$prism"
ends "inspect says which fields were read" 0 "scores ← conversation_history[turn=*, role=model].score" \
    "$maxmin" inspect "$prism" --preset prism
ends "inspect says which were not" 0 "unused_fields: conversation_id" "$maxmin" inspect "$prism" --preset prism
ends "inspect says what was dropped" 0 "prism.jsonl:2: two responses are the same" "$maxmin" inspect "$prism" --preset prism
ends "a field that is mapped and absent" 65 'field "user" is missing; did you mean "user_id"?' \
    "$maxmin" inspect "$prism" --fields '{user_id: user, prompt: opening_prompt}'
ends "a mapping of no field" 64 'has no field "promt"; did you mean "prompt"?' "$maxmin" inspect "$prism" --fields '{promt: x}'
ends "a preset and a mapping" 64 "exclude each other" "$maxmin" convert "$prism" -o x.jsonl --preset prism --fields '{prompt: x}'
ends "a mapping of no preferences" 78 "data.preset: tells of the rows of data.preferences" "$maxmin" run \
    "$root/launch/runs/smoke.yaml" --set data.preset=prism
ends "an unknown preset" 78 "did you mean multipref?" "$maxmin" run "$root/launch/runs/smoke.yaml" --set data.preset=multpref

# convert never writes over its input, nor half a file.
cp ours.jsonl kept.jsonl && ln -s kept.jsonl link.jsonl
ends "convert to its input" 64 "is the input" "$maxmin" convert kept.jsonl -o ./kept.jsonl
ends "convert to its input by a link" 64 "is the input" "$maxmin" convert link.jsonl -o kept.jsonl
ends "convert to a table" 64 "name it .jsonl" "$maxmin" convert kept.jsonl -o kept.csv
{ cat kept.jsonl; echo '{}'; } >bad.jsonl
ends "convert of a bad line" 65 "bad.jsonl:4" "$maxmin" convert bad.jsonl -o out.jsonl
same "which writes nothing" "none" "$([[ -e out.jsonl ]] || echo none)"

# What is refused, in inspect as in a run, with a command that helps.
"$maxmin" run "$root/launch/runs/smoke.yaml" --set run.directory=first --set 'run.stages=[sft]' --set sft.steps=2 >/dev/null 2>&1
mv first/reference model
run=(run "$root/launch/runs/smoke.yaml" --set run.directory=run --set model.path=model --set 'run.stages=[reward]')
# What sft learns from, in words and, with a model, in tokens.
for text in "Hello." "$(printf 'Again, and at length. %.0s' {1..40})"; do
    jq -cn --arg text "$text" '{messages: [{role: "user", content: $text}, {role: "assistant", content: "It was good."}]}'
done >talks.jsonl
same "inspect conversations" '["conversations",2,2]' \
    "$("$maxmin" inspect talks.jsonl --json | jq -c '[.kind, .kept, .answers]')"
{ echo '{"text": "First a text."}'; cat talks.jsonl; } >mixed.jsonl
same "inspect conversations behind a text" '["conversations",1,2]' \
    "$("$maxmin" inspect mixed.jsonl --json | jq -c '[.kind, .texts, .conversations]')"
echo '{"prompt": "Say a.", "messages": [{"role": "user", "content": "Say a."}]}' >asked.jsonl
same "inspect prompts that have messages too" '"prompts"' "$("$maxmin" inspect asked.jsonl --json | jq -c .kind)"
printf 'model: { path: model }\ndata: { text: talks.jsonl, chat_template: none, max_length: 96 }\n' >talks.yaml
same "inspect conversations: how many answers fit" '["none",48,1]' \
    "$("$maxmin" inspect talks.jsonl --config talks.yaml --json | jq -c '[.chat_template, .max_length, .left_out]')"
ends "inspect a conversation without an answer" 65 'bare.jsonl:1: "messages"' \
    bash -c "echo '{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}' >bare.jsonl; '$maxmin' inspect bare.jsonl"
printf 'PAR1rest' >votes.parquet
printf 'ARROW1\0\0' >votes.arrow
printf '[{"user_id": "u"}]' >votes.json
mkdir -p saved && touch saved/state.json saved/dataset_info.json
head -c 100 in.csv.gz >cut.csv.gz
while IFS='|' read -r file code text; do
    ends "inspect $file" "$code" "$text" "$maxmin" inspect "$file"
    [[ $file == *.parquet || $file == *.gz ]] || continue
    ends "run on $file" "$code" "$text" "$maxmin" "${run[@]}" --set data.preferences="$file"
done <<'TABLE'
votes.parquet|65|python3 -c 'import pandas; pandas.read_parquet("votes.parquet").to_json("votes.jsonl", orient="records", lines=True)'
votes.arrow|65|python3 -c 'from datasets import Dataset; Dataset.from_file("votes.arrow").to_json("votes.jsonl")'
votes.json|65|python3 -c 'import json; [print(json.dumps(row)) for row in json.load(open("votes.json"))]' >votes.jsonl
saved|65|python3 -c 'from datasets import load_from_disk; load_from_disk("saved").to_json("saved.jsonl")'
HannahRoseKirk/prism-alignment|66|load_dataset("HannahRoseKirk/prism-alignment", "conversations", split="train").to_json("prism-alignment.jsonl")', then use data.preset: prism
cut.csv.gz|65|compressed data ends too early
TABLE
if command -v python3 >/dev/null; then
    python3 -c 'import json; [print(json.dumps(row)) for row in json.load(open("votes.json"))]' >votes.jsonl
    same "the command for arrays" "$(cat votes.jsonl)" '{"user_id": "u"}'
fi

# docs/tutorial.md: the table, the configuration and the commands are those of the page.
block() { awk -v kind="$1" '$0 ~ "^ *```" { inside = $0 ~ "```" kind "$"; next } inside' "$root/docs/tutorial.md"; }
block yaml >mine.yaml
(($(wc -l <mine.yaml) <= 15)) && echo "ok the tutorial's configuration has at most 15 lines" ||
    echo "not ok the tutorial's configuration: $(wc -l <mine.yaml) lines"
block csv | head -n 1 >ratings.csv
for rater in {1..12}; do
    for question in {1..40}; do
        short="It is $question." long="It is $question, \"as everybody knows\", and no one will ever doubt it again."
        if ((rater % 3)); then better=$short worse=$long; else better=$long worse=$short; fi
        printf 'rater %d,What is %d and %d?,"%s","%s"\n' "$rater" $((question - rater)) "$rater" "${better//\"/\"\"}" "${worse//\"/\"\"}"
    done
done >>ratings.csv
gzip -k ratings.csv
quick=(--set reward.trainable=head --set reward.max_steps=4 --set reward.max_iterations=1 --set policy.steps=1 --set policy.trainable=full
    --set policy.prompts_per_step=8 --set policy.max_new_tokens=4 --set calibrate.prompts=8 --set evaluate.prompts=8
    --set data.max_length=96 --set calibrate.at_chance=take)
mapfile -t commands < <(block sh | sed 's/^ *//')
same "the tutorial has five commands" 5 "${#commands[@]}"
read -ra words <<<"${commands[2]}"
ends "tutorial: ${commands[2]}" 0 "users: 12" "$maxmin" "${words[@]:1}" --set data.max_length=96
ends "the same, lengths in tokens of a model of 48 positions" 0 $'max_length: 48\nmedian_tokens: 51' "$maxmin" "${words[@]:1}" --set data.max_length=96
read -ra words <<<"${commands[3]}"
ends "too many prompts held out: known before anything is trained" 65 "distinct prompts, but 5000 are to be held out" \
    "$maxmin" "${words[@]:1}" "${quick[@]}" --set data.held_out_prompts=5000
same "and nothing was written" "none" "$([[ -e runs ]] || echo none)"
"$maxmin" "${words[@]:1}" "${quick[@]}" >first.log 2>&1
ends "tutorial: ${commands[3]}" 0 "win rate" cat first.log
ends "which takes the prompts of the preferences, and says so" 0 "prompts: 416 of data.preferences, and 64 others of them" cat first.log
ends "the table compressed" 0 "reward: done" "$maxmin" "${words[@]:1}" "${quick[@]}" --set data.preferences=ratings.csv.gz \
    --set run.directory=runs/gz --set 'run.stages=[reward]'
same "gives the same models" "$(cd runs/mine && sha256sum reward/group-*/model.safetensors)" \
    "$(cd runs/gz && sha256sum reward/group-*/model.safetensors)"
read -ra words <<<"${commands[4]}"
ends "tutorial: ${commands[4]}" 0 "" "$maxmin" "${words[@]:1}"
ends "assign reads the same form" 0 "rater 12" "$maxmin" assign --run runs/mine --input ratings.csv.gz
