#!/usr/bin/env bash
# Wrong input through the command line: each case ends with the exit code of docs/command-line.md, having printed one clear line that
# names file and line, or key. A person without privileges is needed for the cases of permission: as root they are left out.
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
root=$OLDPWD

# A program, for `timeout`: the command on two ranks.
printf '#!/usr/bin/env bash\nsource %q\non_ranks 2 "$@"\n' "$root/launch/mpi.sh" >on_two
sed 's/on_ranks 2/on_ranks 4/' on_two >on_four
chmod +x on_two on_four

# A model, a finished reward stage, and one good line.
"$maxmin" init --preset gpt2-tiny --out model --tokenizer "$root/Tests/Fixtures/Text/tiny" >/dev/null 2>&1
smoke=("$root/launch/runs/smoke.yaml" --set sft.steps=2 --set simulate.comparisons_per_user=8 --set reward.max_steps=2
    --set reward.max_iterations=1 --set reward.batch_comparisons=4)
"$maxmin" run "${smoke[@]}" --set run.directory=fitted --set 'run.stages=[sft, simulate, reward]' >/dev/null 2>&1 ||
    echo "not ok preparation: the small run failed"
good='{"user_id": "u1", "prompt": "The film", "chosen": " was good.", "rejected": " was bad."}'

# Preference files: the line is named.
preferences() {
    local name=$1 code=$2 text=$3 content=$4
    printf '%s\n' "$good" "$content" >data.jsonl
    ends "preferences: $name" "$code" "$text" "$maxmin" inspect data.jsonl
}
preferences "a missing field" 65 'data.jsonl:2: field "rejected" is missing' '{"user_id": "u1", "prompt": "x", "chosen": "y"}'
preferences "broken JSON" 65 "data.jsonl:2:" '{"user_id": "u1", "prompt": '
preferences "a wrong type" 65 'data.jsonl:2: field "chosen" must be a string' \
    '{"user_id": "u1", "prompt": "x", "chosen": 3, "rejected": "y"}'
preferences "a list" 65 "data.jsonl:2: expected an object" '[1, 2]'
preferences "a key twice" 65 "data.jsonl:2:" '{"user_id": "u1", "user_id": "u2", "prompt": "x", "chosen": "y", "rejected": "z"}'
preferences "a control character" 65 "data.jsonl:2:" $'{"user_id": "u\x01", "prompt": "x", "chosen": "y", "rejected": "z"}'
preferences "bytes that are not UTF-8" 65 "data.jsonl:2:" $'{"user_id": "\xff", "prompt": "x", "chosen": "y", "rejected": "z"}'
preferences "an unknown role" 65 'data.jsonl:2: role "robot"' \
    '{"user_id": "u1", "prompt": [{"role": "robot", "content": "x"}], "chosen": "y", "rejected": "z"}'
printf '%s\n' "user_id,prompt,chosen" "u1,x,y" >data.csv
ends "preferences: a CSV column that is missing" 65 'data.csv:2: field "rejected" is missing' "$maxmin" inspect data.csv
: >empty.jsonl
printf '%s\n' '{"user_id": "u1"}' >data.jsonl
for file in empty.jsonl data.jsonl; do
    ends "reward on $file" 65 "$file" "$maxmin" reward "${smoke[@]}" --overwrite --set run.directory=fitted \
        --set data.preferences="$file" --set 'run.stages=[reward]'
done
ends "reward on a preference file that is missing" 66 "nowhere.jsonl" "$maxmin" reward "${smoke[@]}" --overwrite \
    --set run.directory=fitted --set data.preferences=nowhere.jsonl --set 'run.stages=[reward]'
# The same verdict on four ranks as on one.
printf '%s\n' "$good" '{"user_id": "u1", "prompt": "x", "chosen": 1, "rejected": "y"}' >data.jsonl
ends "on four ranks: a bad line" 65 "data.jsonl:2" ./on_four "$maxmin" reward "${smoke[@]}" --overwrite \
    --set run.directory=fitted --set data.preferences=data.jsonl --set 'run.stages=[reward]'
ends "on four ranks: a file that is missing" 66 "nowhere.jsonl" ./on_four "$maxmin" reward "${smoke[@]}" --overwrite \
    --set run.directory=fitted --set data.preferences=nowhere.jsonl --set 'run.stages=[reward]'
ends "on four ranks: an unknown key" 78 "did you mean policy.beta?" ./on_four "$maxmin" run "${smoke[@]}" --set policy.bata=1
ends "on four ranks: a folder that holds something else" 78 "is not empty" ./on_four "$maxmin" sft "${smoke[@]}" \
    --set run.directory=model
ends "control bytes are escaped" 78 'unknown key reward.\u{1B}[31mx' "$maxmin" run "${smoke[@]}" \
    --set $'reward.\e[31mx=1'
rm -rf fitted
"$maxmin" run "${smoke[@]}" --set run.directory=fitted --set 'run.stages=[sft, simulate, reward]' >/dev/null 2>&1

# Configurations: file, line and key are named.
configuration() {
    local name=$1 text=$2 content=$3
    printf '%s\n' "$content" >run.yaml
    ends "configuration: $name" 78 "$text" "$maxmin" run run.yaml
}
configuration "an unknown key" "run.yaml:2: unknown key reward.learning_rat; did you mean reward.learning_rate?" \
    $'reward:\n  learning_rat: 1'
configuration "an unknown section" "did you mean policy?" 'polcy: {}'
configuration "not a number" 'run.yaml:1: policy.beta: needs number ≥ 0, not "high"' 'policy: { beta: high }'
configuration "a number out of range" "run.yaml:1: policy.lambda: needs number 0 to 1" 'policy: { lambda: 2 }'
configuration "a list for a number" "policy.beta: needs number ≥ 0, not a list" 'policy: { beta: [1] }'
configuration "an unknown choice" "did you mean ppo?" 'policy: { algorithm: ppoo }'
configuration "a key twice" 'run.yaml:1: key "shards" is given twice' $'shards: 2\nshards: 3'
configuration "an anchor" "run.yaml:1" 'run: &a { name: x }'
configuration "broken YAML" "run.yaml" 'run: {'
configuration "keys that contradict" "sft.heads: 3 does not divide" 'sft: { width: 10, heads: 3 }'
ends "configuration: a file that is missing" 66 "nowhere.yaml" "$maxmin" run nowhere.yaml
ends "configuration: a folder" 78 "not a regular file" "$maxmin" run model
ends "configuration: a wrong --set" 78 "did you mean policy.beta?" "$maxmin" run "${smoke[@]}" --set policy.bata=1
ends "configuration: --set without a value" 78 "needs the form section.key=value" "$maxmin" run "${smoke[@]}" --set policy.beta
ends "configuration: on two ranks" 78 "did you mean policy.beta?" ./on_two "$maxmin" run "${smoke[@]}" --set policy.bata=1

# Models: the file is named.
model() {
    local name=$1 code=$2 text=$3
    ends "model: $name" "$code" "$text" "$maxmin" inspect broken
}
fresh() { rm -rf broken && cp -r model broken; }
size=$(stat --format %s model/model.safetensors)
fresh && printf '\x00\x00\xc0\x7f' | dd of=broken/model.safetensors bs=1 seek=$((size - 4)) conv=notrunc status=none
model "a weight that is NaN" 70 "broken/model.safetensors"
fresh && truncate --size=$((size - 2)) broken/model.safetensors
model "a truncated file" 65 "broken/model.safetensors"
fresh && echo 'version https://git-lfs.github.com/spec/v1' >broken/model.safetensors
model "a Git LFS pointer" 65 "broken/model.safetensors"
fresh && rm broken/model.safetensors
model "no weights" 66 "broken"
fresh && echo '{' >broken/config.json
model "a broken config.json" 65 "broken/config.json"
fresh && sed -i 's/"n_head": *[0-9]*/"n_head": 7/' broken/config.json
model "heads that do not divide the width" 78 "broken/config.json"
fresh && echo '{' >broken/tokenizer.json
model "a broken tokenizer.json" 65 "broken/tokenizer.json"
fresh && echo '{}' >broken/tokenizer.json
model "a tokenizer.json of another kind" 65 "broken/tokenizer.json: 'model' is missing"
fresh && rm broken/tokenizer.json
model "no tokenizer" 66 "broken/tokenizer.json"
ends "model: nothing there" 66 "nowhere" "$maxmin" inspect nowhere
cp -r fitted nan
size=$(stat --format %s nan/reward/single/model.safetensors)
printf '\x00\x00\xc0\x7f' | dd of=nan/reward/single/model.safetensors bs=1 seek=$((size - 4)) conv=notrunc status=none
ends "model: a reward model with other weights than were written, on two ranks" 65 "single/model.safetensors" \
    ./on_two "$maxmin" calibrate "${smoke[@]}" --set run.directory=nan

# Texts and token ids: the line is named.
scored() {
    local name=$1 code=$2 text=$3
    printf '%s\n' '{"text": "a film"}' "$4" >texts.jsonl
    ends "score: $name" "$code" "$text" "$maxmin" score --model model --input texts.jsonl
}
scored "a token id out of range" 65 "texts.jsonl:2: token id 999999" '{"token_ids": [1, 999999]}'
scored "a negative token id" 65 "texts.jsonl:2" '{"token_ids": [-1]}'
scored "a token id that is no number" 65 "texts.jsonl:2" '{"token_ids": ["a"]}'
scored "a fraction" 65 "texts.jsonl:2" '{"token_ids": [1.5]}'
scored "no text" 65 'texts.jsonl:2: needs "text"' '{"txt": "a"}'
scored "a prompt without response" 65 "texts.jsonl:2: 'response' is missing" '{"prompt": "a"}'
scored "an empty text" 65 "texts.jsonl:2: has no tokens" '{"text": ""}'
ends "tokenize: an id out of range" 65 "texts.jsonl:1" bash -c \
    'echo "{\"ids\": [999999]}" >texts.jsonl; exec "$0" tokenize --decode --model model --input texts.jsonl' "$maxmin"
ends "score: a file that is missing" 66 "nowhere.jsonl" "$maxmin" score --model model --input nowhere.jsonl
ends "score: on two ranks" 64 "works on one process" ./on_two "$maxmin" score --model model --input texts.jsonl
ends "generate: from a reward model" 78 "is a reward model" "$maxmin" generate --model fitted/reward/single --prompt x
ends "generate: a wrong option" 64 "temperature" "$maxmin" generate --model model --prompt x --temperature -1
ends "usage: an unknown command" 64 "polcy" "$maxmin" polcy
ends "usage: an unknown option" 64 "--seeed" "$maxmin" run run.yaml --seeed 1
ends "init: an unknown preset" 64 "gpt9" "$maxmin" init --preset gpt9 --out new

# Run directories and stages.
ends "policy on rewards without calibration" 66 "the stage calibrate makes it" "$maxmin" policy "${smoke[@]}" \
    --set run.directory=fitted
ends "a stage whose input is missing, on two ranks" 66 "the stage sft makes it" ./on_two "$maxmin" simulate "${smoke[@]}" \
    --set run.directory=new
mkdir thesis && echo mine >thesis/chapter.tex
ends "a folder that holds something else" 78 "thesis: is not empty" "$maxmin" sft "${smoke[@]}" --set run.directory=thesis
[[ -e thesis/chapter.tex && ! -e thesis/config.yaml ]] && echo "ok it is left alone" || echo "not ok it is left alone"
ends "results that are there" 78 "use --resume" "$maxmin" reward "${smoke[@]}" --set run.directory=fitted
ends "a file where the folder should be" 73 "run.yaml" "$maxmin" sft "${smoke[@]}" --set run.directory=run.yaml/run
ends "a folder inside the model" 78 "run.directory" "$maxmin" run "${smoke[@]}" --set model.path=model \
    --set run.directory=model/run --set 'run.stages=[simulate]'
ln -s model model-link
for path in "$PWD/model/run" model-link/run fitted/../model-link/../model; do
    ends "a folder inside the model: $path" 78 "run.directory" "$maxmin" run "${smoke[@]}" --set model.path=model \
        --set run.directory="$path" --set 'run.stages=[simulate]'
done

# Weights that are a link out of their folder, as in a Hub cache, need consent.
mkdir blobs cached
cp fitted/reference/*.json cached
cp fitted/reference/model.safetensors blobs/weights
ln -s ../blobs/weights cached/model.safetensors
link="cached/model.safetensors: a symbolic link to a file outside the model's folder; --follow-symlinks"
ends "a link out of the model: inspect" 65 "$link" "$maxmin" inspect cached
ends "a link out of the model: generate" 65 "$link" "$maxmin" generate --model cached --prompt x
ends "a link out of the model: bench" 65 "$link" "$maxmin" bench generate --model cached --batch 1 --new 1 --repeats 1
ends "a link out of the model: a run on two ranks" 65 "$link" ./on_two "$maxmin" simulate "${smoke[@]}" --set model.path=cached \
    --set 'run.stages=[simulate]' --set run.directory=linked
# consents NAME COMMAND…: the command goes well.
consents() {
    local output
    output=$("${@:2}" 2>&1 </dev/null) && echo "ok a link out of the model with consent: $1" ||
        echo "not ok a link out of the model with consent: $1: $output"
}
consents inspect "$maxmin" inspect cached --follow-symlinks
consents generate "$maxmin" generate --model cached --prompt x --max-new-tokens 1 --follow-symlinks
consents bench "$maxmin" bench generate --model cached --batch 1 --new 1 --repeats 1 --follow-symlinks
consents "a run on two ranks" ./on_two "$maxmin" simulate "${smoke[@]}" --set model.path=cached --set model.follow_symlinks=true \
    --set 'run.stages=[simulate]' --set simulate.max_new_tokens=4 --set run.directory=linked

# ~ is a name like any other, and that is told.
cp -r fitted/reference '~'
output=$("$maxmin" generate --model '~' --prompt x --max-new-tokens 1 2>&1) && echo "ok ~ is literal in an option" ||
    echo "not ok ~ is literal in an option: $output"
output=$("$maxmin" generate --model=~/model --prompt x 2>&1)
[[ $output == *"warning: --model=~/model: ~ is not expanded"* ]] && echo "ok ~ in an option is told" ||
    echo "not ok ~ in an option is told: $output"
cp fitted/preferences.jsonl '~'
home=("$maxmin" reward "${smoke[@]}" --set 'run.directory=~/run' --set 'model.path=~/' --set 'data.preferences=~/preferences.jsonl'
    --set 'run.stages=[reward]')
ends "~ in a configuration: a folder inside the model" 78 "run.directory" "${home[@]}"
output=$("${home[@]}" --set 'run.directory=~~/run' 2>&1) && [[ $output == *"warning: model.path: ~ is not expanded"* && -d ./~~/run/reward ]] &&
    echo "ok ~ in a configuration is literal, and that is told" || echo "not ok ~ in a configuration: $output"

ends "a taste that is missing" 66 "nowhere.json" "$maxmin" simulate "${smoke[@]}" --overwrite --set run.directory=fitted \
    --set simulate.groups.0.taste=nowhere.json
mix="[{ name: a, users: 1, taste: mix, components: [{ taste: words, words: [zebra], weight: 1 }] }]"
ends "a taste that is unknown" 78 "did you mean sentiment?" "$maxmin" simulate "${smoke[@]}" --overwrite --set run.directory=fitted \
    --set simulate.groups.0.taste=sentimant
ends "a mix without components" 78 "simulate.groups[0].components" "$maxmin" simulate "${smoke[@]}" --overwrite \
    --set run.directory=fitted --set simulate.groups.0.taste=mix
ends "a component that does not vary, on two ranks" 65 "simulate.groups[0].components[0]" ./on_two "$maxmin" simulate "${smoke[@]}" \
    --overwrite --set run.directory=fitted --set simulate.groups="$mix"
ends "more evaluation prompts than there are" 78 "evaluate.prompts" "$maxmin" run "${smoke[@]}" --set evaluate.prompts=900
if ((EUID != 0)); then
    mkdir --mode=500 locked
    ends "a folder that may not be written" 77 "locked" "$maxmin" sft "${smoke[@]}" --set run.directory=locked/run
    chmod 000 data.jsonl
    ends "a file that may not be read" 77 "data.jsonl" "$maxmin" inspect data.jsonl
fi
