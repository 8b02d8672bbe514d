#!/usr/bin/env bash
# The bad inputs of docs/reliability.md by their numbers: each is refused with one line and its exit code, or taken as the page says, in
# a few seconds. Those that ranks must agree on run on 1 rank here, and some of them on 4 as well; ALL_RANKS=1 runs all on 1, 2 and 4.
#
#   BIN=.build/release ALL_RANKS=1 bash launch/tests/bad-input-table.sh
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# shellcheck disable=SC2034 # Seconds of `ends`.
limit=20
# shellcheck source=launch/mpi.sh
source "$root/launch/mpi.sh"
few=(1)
many=(1 4)
if [[ -n ${ALL_RANKS:-} ]]; then many=(1 2 4) few=(1 2 4); fi

# inspected NUMBER NAME CODE TEXT PATH
inspected() { ends "$1 $2" "$3" "$4" "$maxmin" inspect "$5"; }

# A run that reads the model of a folder, and one that reads preferences, on the ranks of `on`.
run=("$root/launch/runs/smoke.yaml" --overwrite --set run.directory=run --set simulate.comparisons_per_user=2
    --set evaluate.prompts=8 --set data.held_out_prompts=8)
on=("${few[@]}")
# reads NUMBER NAME CODE TEXT OPTION…: `simulate` with the model in `broken`, or what the options say.
reads() {
    local number=$1 name=$2 code=$3 text=$4 ranks
    shift 4
    for ranks in "${on[@]}"; do
        local command=("$maxmin" run "${run[@]}" --set 'run.stages=[simulate]' --set model.path=broken "$@")
        ((ranks == 1)) || command=(bash -c 'source "$1"; shift; on_ranks "$@"' - "$root/launch/mpi.sh" "$ranks" "${command[@]}")
        ends "$number $name, ranks $ranks" "$code" "$text" "${command[@]}"
    done
    on=("${few[@]}")
}
everywhere() { on=("${many[@]}"); }

# safetensors HEADER BYTES: a file with that header and so many bytes of data.
safetensors() {
    local LC_ALL=C
    local length=${#1} i
    for ((i = 0; i < 8; i++)); do printf '%b' "\\x$(printf %02x $((length >> (8 * i) & 255)))"; done
    printf %s "$1"
    head -c "$2" /dev/zero
}
# weights NUMBER NAME TEXT [CODE]: standard input is the model's weights.
weights() {
    cat >broken/model.safetensors
    reads "$1" "$2" "${4:-65}" "$3"
}
fresh() { rm -rf broken && cp -r model broken; }

"$maxmin" sft "${run[@]}" --set sft.steps=2 --set run.directory=made >/dev/null 2>&1 && cp -r made/reference model ||
    echo "not ok preparation: the model cannot be made"
fresh
file=broken/model.safetensors
one='"dtype":"F32","shape":[2],"data_offsets":[0,8]'

# safetensors.
weights 1 "no bytes" "too short" </dev/null
printf 1234567 | weights 1 "seven bytes" "too short"
{ printf '\0\0\0\0\0\0\0\x80'; cat model/model.safetensors; } | weights 2 "a header of 2⁶³ bytes" "header of 9223372036854775808 bytes"
{ printf '\xff\xff\xff\xff\xff\xff\xff\xff'; cat model/model.safetensors; } | weights 2 "a header of 2⁶⁴ − 1 bytes" "more than the limit"
printf '\x00\x01\0\0\0\0\0\0{}' | weights 3 "a header longer than the file" "header of 256 bytes in a file of 10"
printf '\0\0\0\x06\0\0\0\0' >"$file"
if truncate --size=1T "$file" 2>/dev/null; then
    reads 4 "a header beyond the limit in 1 TB" 65 "more than the limit of 16777216"
else
    echo "skip 4 a header beyond the limit in 1 TB: no sparse file of this size here"
fi
rm "$file"
for header in '' '{' 'weights' '[]'; do safetensors "$header" 0 | weights 5 "the header \"$header\"" "$file"; done
safetensors ' {"a":{'"$one"'}}  ' 8 >spaces.safetensors
inspected 6 "white space around a header" 0 '"a"' spaces.safetensors
safetensors '{"a":{'"$one"$'}}\x01\x01' 8 | weights 6 "other padding of a header" "$file:1:"
safetensors $'{"\xff":{'"$one"'}}' 8 | weights 7 "a name that is no UTF-8" "$file:1:"
safetensors $'{"\xc0\xaf":{'"$one"'}}' 8 | weights 7 "a name in overlong UTF-8" "$file:1:"
safetensors $'\xef\xbb\xbf{"a":{'"$one"'}}' 8 | weights 8 "a byte-order mark" "$file:1:"
{ printf '\x0a\0\0\0\0\0\0\0'; printf '{\0"\0a\0"\0}\0'; } | weights 8 "a header in UTF-16" "$file:1:"
safetensors '{"a":{'"$one"'},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}' 16 | weights 9 "a name twice" "twice"
safetensors '{"a":{'"$one"'},"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}' 16 |
    weights 9 "a name twice, once escaped" "twice"
safetensors $'{"\u00e9":{'"$one"$'},"e\u0301":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}' 16 >twins.safetensors
ends "10 names that only look alike" 0 2 bash -c '"$0" inspect --json twins.safetensors | jq ".tensors | length"' "$maxmin"
safetensors '{"a":{'"$one"'},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}' 12 | weights 11 "an overlap" "overlaps"
safetensors '{"a":{'"$one"'},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}' 20 | weights 12 "a hole" "leaves a hole"
for offsets in '8,0' '-8,0' '0.5,8' '1e2,8' '"0","8"'; do
    safetensors '{"a":{"dtype":"F32","shape":[2],"data_offsets":['"$offsets"']}}' 8 | weights 13 "offsets $offsets" "data_offsets"
done
fresh && truncate --size=-2 "$file"
everywhere && reads 14 "a file short of 2 bytes" 65 "truncated or has extra bytes"
fresh && printf 'PK\3\4' >>"$file"
reads 14 "a file with something behind it" 65 "truncated or has extra bytes"
safetensors '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}' 8 | weights 15 "a shape of other bytes" "cover 8 bytes"
for shape in '2,18446744073709551614' '2,9223372036854775807'; do
    safetensors '{"a":{"dtype":"F32","shape":['"$shape"'],"data_offsets":[0,8]}}' 8 | weights 16 "the shape $shape" "shape"
done
safetensors '{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}' 4 \
    >empty.safetensors
inspected 17 "no elements, no dimensions" 0 '"b"' empty.safetensors
everywhere && weights 17 "the same as a model" "is missing" <empty.safetensors
for type in F4 C64; do
    safetensors '{"a":{"dtype":"'$type'","shape":[2],"data_offsets":[0,8]}}' 8 | weights 18 "the type $type" "supported: "
done
safetensors '{"a":{"dtype":"F32","shape":['"$(yes 1, | head -n 999999 | tr -d '\n')"'1],"data_offsets":[0,4]}}' 4 |
    weights 19 "a million dimensions" "1000000 dimensions"
safetensors "{$(seq 1 200000 | sed 's/.*/"t&":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},/' | tr -d '\n')\"a\":{$one}}" 8 |
    weights 20 "200,001 tensors" "200001 tensors, more than the limit"
safetensors '{"__metadata__":{"a":{}},"a":{'"$one"'}}' 8 | weights 21 "nested metadata" "__metadata__"
safetensors '{"__metadata__":{"a":1},"a":{'"$one"'}}' 8 | weights 21 "metadata that is no text" "__metadata__"
safetensors '{"__metadata__":{"a":"'"$(head -c 10000000 /dev/zero | tr '\0' x)"'"},"a":{'"$one"'}}' 8 |
    weights 21 "metadata of 10 MB" "__metadata__ of 10000001 bytes"
nan='\x00\x00\xc0\x7f'
fresh && printf "$nan" | dd of="$file" bs=1 seek=$(($(stat --format %s "$file") - 4)) conv=notrunc status=none
everywhere && reads 22 "a weight that is NaN" 70 "$file"
fresh
ends "23 a file that becomes shorter" 74 "became shorter" bash -c \
    '(sleep 1; truncate --size=4096 broken/model.safetensors; echo "{\"text\": \"a film\"}") | "$0" score --model broken --input -' "$maxmin"
fresh && echo 'version https://git-lfs.github.com/spec/v1' >"$file"
reads 24 "a Git LFS pointer" 65 "LFS pointer"
fresh && mv "$file" broken/pytorch_model.bin
reads 25 "a pickle" 66 "safetensors"
fresh && rm "$file" && mkfifo "$file"
everywhere && reads 26 "a FIFO" 65 "not a regular file"
rm "$file" && mkdir "$file"
reads 26 "a folder" 65 "not a regular file"
rmdir "$file" && ln -s /dev/zero "$file"
# A link out of the folder needs consent (28); with it, what lies there counts.
reads 26 "a device" 65 "not a regular file" --set model.follow_symlinks=true

# model.safetensors.index.json.
index=broken/model.safetensors.index.json
# sharded MAP: the model with its weights in two files, and this index.
fresh && mv "$file" broken/whole.safetensors
tensors=$("$maxmin" inspect --json broken/whole.safetensors | jq -r '.tensors[].name')
whole=$(jq -Rn '[inputs] | map({(.): "whole.safetensors"}) | add' <<<"$tensors")
indexed() {
    jq -n --argjson map "$whole" "$2" >"$index"
    reads "$1" "$3" "$4" "$5"
}
for name in ../whole.safetensors "$PWD/broken/whole.safetensors" a/../../b 'a\\b' 'a\u0000b' ''; do
    indexed 27 "{weight_map: (\$map + {x: \"$name\"})}" "the file \"$name\"" 65 "must name a file of the model's own folder"
done
mkdir -p elsewhere && cp broken/whole.safetensors elsewhere && rm broken/whole.safetensors
ln -s ../elsewhere/whole.safetensors broken/whole.safetensors
everywhere && indexed 28 '{weight_map: $map}' "a link that leads out" 65 "a symbolic link to a file outside"
rm broken/whole.safetensors && ln -s whole.safetensors broken/whole.safetensors
indexed 28 '{weight_map: $map}' "a link to itself" 65 "whole.safetensors"
rm broken/whole.safetensors
everywhere && indexed 29 '{weight_map: $map}' "a file that is missing" 66 "whole.safetensors"
cp elsewhere/whole.safetensors broken
indexed 30 '{weight_map: ($map + {"more": "whole.safetensors"})}' "a tensor that its file lacks" 65 "'more' is not in the file"
cp broken/whole.safetensors broken/again.safetensors
indexed 30 '{weight_map: ($map + {"more": "again.safetensors"})}' "a tensor in two files" 65 "again.safetensors"
rm broken/again.safetensors
indexed 31 '{weight_map: $map, metadata: {total_size: 1}}' "another total size" 0 "total_size is 1"
indexed 32 '{weight_map: ([range(100000)] | map({("t\(.)"): "s\(.).safetensors"}) | add)}' "100,000 files" 65 "names 100000 files"

# config.json.
fresh
config=broken/config.json
# configured NUMBER NAME CODE TEXT FILTER: what jq's filter makes of the model's.
configured() {
    jq "$5" model/config.json >"$config"
    reads "$1" "$2" "$3" "$4"
}
rm "$config"
everywhere && reads 33 "no file" 66 "$config"
: >"$config"
reads 33 "no bytes" 65 "$config"
echo '[]' >"$config"
reads 33 "an array" 65 "$config"
head -c 100000 /dev/zero | tr '\0' '[' >"$config"
reads 33 "100,000 brackets" 65 "$config"
for width in 0 -1 4611686018427387904 '"768"' 768.5 true null; do
    on=("${few[@]}")
    [[ $width == 0 ]] && everywhere
    configured 34 "a width of $width" 78 n_embd ".n_embd = $width"
done
configured 35 "heads that do not divide" 78 n_head '.n_head = 7'
llama='{model_type: "llama", architectures: ["LlamaForCausalLM"], vocab_size: 512, hidden_size: 32, intermediate_size: 64,
    num_hidden_layers: 1, num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, rms_norm_eps: 1e-5,
    rope_theta: 10000, hidden_act: "silu", tie_word_embeddings: false}'
configured 35 "heads of keys that do not divide" 78 num_key_value_heads "$llama + {num_key_value_heads: 3}"
configured 35 "rotary halves of odd heads" 78 odd "$llama + {hidden_size: 36, num_key_value_heads: 4}"
configured 36 "another number of tokens than embeddings" 78 "vocab_size 700, but the embedding has 600 rows" '.vocab_size = 700'
configured 37 "a million layers" 78 n_layer '.n_layer = 1000000'
configured 37 "10,000 layers of 10,000" 78 memory '.n_layer = 10000 | .n_embd = 10000 | .n_head = 100'
configured 37 "2³¹ positions" 78 positions '.n_positions = 2147483648'
configured 38 "an unknown kind of model" 78 model_type '.model_type = "bert"'
configured 38 "an unknown activation" 78 activation_function '.activation_function = "swish9"'
configured 38 "code of its own" 78 auto_map '. + {auto_map: {AutoModel: "evil.Model"}}'
configured 38 "quantized weights" 78 quantization_config '. + {quantization_config: {bits: 4}}'
configured 39 "ε = 0" 78 layer_norm_epsilon '.layer_norm_epsilon = 0'
configured 39 "a negative rotary base" 78 rope_theta "$llama + {rope_theta: -1}"
configured 39 "a scaling that is not supported" 78 rope_scaling "$llama + {rope_scaling: {rope_type: \"yarn\", factor: 2}}"
everywhere && configured 40 "more layers than there are" 65 "and 26 more" '.n_layer = 4'
fresh

# tokenizer.json.
tokenizer=broken/tokenizer.json
# tokens NUMBER NAME CODE TEXT FILTER: what jq's filter makes of the model's.
tokens() {
    jq "$5" model/tokenizer.json >"$tokenizer"
    reads "$1" "$2" "$3" "$4"
}
everywhere && tokens 36 "a tokenizer of more tokens than the model" 78 "601" '.added_tokens += [.added_tokens[0] + {id: 600, content: "<|x|>"}]'
tokens 41 "no merges" 65 "merges" 'del(.model.merges)'
everywhere && tokens 41 "a merge of an unknown token" 65 "not in the vocabulary" '.model.merges[0] = ["zzz", "yyy"]'
tokens 42 "an id twice" 65 "id" '.model.vocab["!"] = 5 | .model.vocab["\""] = 5'
tokens 42 "a gap in the ids" 65 "id" '.model.vocab |= with_entries(if .value == 599 then .value = 700 else . end)'
tokens 42 "a negative id" 65 "must be an id in 0...2147483647" '.model.vocab["!"] = -1'
tokens 42 "an id of 2³¹" 65 "must be an id in 0...2147483647" '.model.vocab["!"] = 2147483648'
tokens 44 "an empty added token" 65 "is empty" '.added_tokens[0].content = ""'
tokens 45 "a pattern of its own" 78 "pre_tokenizer" \
    '.pre_tokenizer = {type: "Split", pattern: {Regex: "(a+)+$"}, behavior: "Isolated", invert: false}'
for letter in a ' '; do
    head -c 1000000 /dev/zero | tr '\0' "$letter" | jq -cR '{text: .}' >long.jsonl
    ends "46 a megabyte of \"$letter\"" 0 "" bash -c '"$0" tokenize --model model --input long.jsonl >/dev/null' "$maxmin"
done
fresh
reads 47 "a template without its token" 78 "which chat_template chatml needs" --set data.chat_template=chatml
printf '%s\n' '{"text": "a\u0000b \ud83d\udc68\u200d\ud83d\udc69 \r\n e\u0301"}' >odd.jsonl
ends "48 NUL, emoji and CRLF come back" 0 same bash -c '"$0" tokenize --model model --input odd.jsonl --json >ids.jsonl &&
    [[ $("$0" tokenize --decode --model model --input ids.jsonl --json | jq -c .text) == "$(jq -c .text odd.jsonl)" ]] && echo same' "$maxmin"
fresh

# Preferences. `good` has users of all splits.
data=preferences.jsonl
row='{"user_id": "u%d", "prompt": "The film %d", "chosen": " was good.", "rejected": " was bad."}\n'
for i in {1..300}; do printf "$row" $((i % 4)) "$i"; done >good.jsonl
fit=(--set 'run.stages=[reward]' --set model.path=model --set data.preferences="$data" --set reward.max_iterations=1 --set reward.max_steps=1)
# prefers NUMBER NAME CODE TEXT OPTION…: a reward stage on $data.
prefers() { reads "${@:1:4}" "${fit[@]}" "${@:5}"; }
# after LINE: the good rows with this one as the fifth.
after() { { head -n 4 good.jsonl; printf '%b\n' "$1"; tail -n +5 good.jsonl; } >$data; }
for value in '' ', "rejected": null' ', "rejected": 3' ', "rejected": ["x"]'; do
    after '{"user_id": "u1", "prompt": "x", "chosen": "y"'"$value}"
    [[ -n $value ]] || everywhere
    prefers 49 "a row with no text${value:+ but${value#,}}" 65 "$data:5"
done
everywhere && prefers 49 "the same, skipped" 0 "1 of 301 lines left out" --set data.on_bad_line=skip
for i in {1..4}; do echo '{}'; done >>$data
prefers 49 "more than one per cent of bad lines" 65 "more than 1 %" --set data.on_bad_line=skip
: >$data
everywhere && prefers 50 "no bytes" 65 "empty file"
echo '{"user_id": "u", "prompt": "x", "chosen": "y", "rejected": "y"}' >$data
prefers 50 "no usable row" 65 "no usable row"
head -n 1 good.jsonl >$data
on=(4) && prefers 50 "fewer rows than ranks" 65 "fewer than the 4 needed"
{ printf '\xef\xbb\xbf'; sed 's/$/\r/; 7s/$/\n\n  /' good.jsonl | head -c -2; } >$data
everywhere && prefers 51 "a byte-order mark, CRLF, blank lines, no last line feed" 0 "reward: done"
for byte in '\x00' '\x01' '\xff' '\xc0\xaf'; do
    after '{"user_id": "u'"$byte"'", "prompt": "x", "chosen": "y", "rejected": "z"}'
    prefers 52 "the byte $byte" 65 "$data:5"
done
{ printf '{'; head -c 1100000000 /dev/zero | tr '\0' ' '; } >huge.jsonl
for command in "inspect huge.jsonl" "score --model model --input huge.jsonl" "tokenize --model model --input huge.jsonl"; do
    # shellcheck disable=SC2086 # The command's words.
    ends "53 a line of 1.1 GB, ${command%% *}" 65 "huge.jsonl" bash -c 'ulimit -d 500000; exec "$@"' - "$maxmin" $command
done
rm huge.jsonl
{ cat good.jsonl; echo '{"user_id": "u1", "prompt": "x", "chosen": "y", "rejected": "y"}'; } >$data
prefers 54 "the same response twice" 0 "1 comparisons of identical responses dropped"
{ cat good.jsonl; head -n 3 good.jsonl; } >$data
everywhere && prefers 55 "rows that repeat others" 0 "3 comparisons repeat an earlier one"
prefers 55 "the same, dropped" 0 "300 comparisons" --set data.duplicates=drop
{ cat good.jsonl; printf '{"user_id": "u1", "prompt": "%s", "chosen": " y", "rejected": " z"}\n' "$(yes word | head -n 500 | tr '\n' ' ')"; } >$data
prefers 56 "a prompt longer than the context" 0 "1 comparisons: prompt cut"
{ cat good.jsonl; echo '{"user_id": "u1", "prompt": "x", "chosen": "", "rejected": "z"}'; } >$data
prefers 56 "an empty response" 0 "1 rows with an empty text dropped"
iconv -t UTF-16 good.jsonl >$data
prefers 57 "UTF-16" 65 "iconv"
gzip -c good.jsonl >$data
everywhere && prefers 57 "gzip" 0 "reward: done"
gzip -c good.jsonl | head -c 500 >$data
everywhere && prefers 57 "a gzip file that was cut" 65 "ends too early"
jq -s . good.jsonl >$data
prefers 57 "an array" 65 "write one object a line: python3 -c"
ends "58 a special token is text" 0 '[' bash -c 'echo "{\"text\": \"<|endoftext|>\"}" |
    "$0" tokenize --model model --input - --json | jq -c "select(.ids | length > 3)"' "$maxmin"
mkdir -p one two && cp good.jsonl one/$data && head -n 200 good.jsonl >two/$data && cp -r model one && cp -r model two
ends "59 other data on another rank" 78 "ranks differ in" bash -c 'root=(); ((EUID)) || root=(--allow-run-as-root)
    exec mpirun "${root[@]}" --oversubscribe --bind-to none --quiet -n 1 --wdir one "$@" : -n 1 --wdir two "$@"' - \
    "$maxmin" run "${run[@]}" "${fit[@]}" --set run.directory="$work/run"
cp good.jsonl $data
prefers 59 "data as they were" 0 "reward: done"
head -n 200 good.jsonl >$data
ends "59 other data on resuming" 78 "$data" "$maxmin" run "${run[@]/--overwrite/--resume}" "${fit[@]}" --set 'run.stages=[reward, calibrate]'
for value in NaN 1e400; do
    after '{"user_id": "u1", "prompt": "x", "chosen": "y", "rejected": "z", "score": '$value'}'
    prefers 60 "the number $value" 65 "$data:5"
done
after '{"user_id": "u1", "prompt": "x", "chosen": "y", "rejected": "z", "score": "5"}'
prefers 60 "a field that is not read" 0 "reward: done"

# Configurations: with the rest of the smoke run's.
everywhere
# configures NUMBER NAME TEXT YAML
configures() {
    local ranks
    printf '%b\n' "$4" >run.yaml
    for ranks in "${on[@]}"; do
        local command=("$maxmin" run run.yaml)
        ((ranks == 1)) || command=(bash -c 'source "$1"; shift; on_ranks "$@"' - "$root/launch/mpi.sh" "$ranks" "${command[@]}")
        ends "$1 $2, ranks $ranks" 78 "$3" "${command[@]}"
    done
    on=("${few[@]}")
}
lol='a: &a [x, x]\nb: &b [*a, *a]\nrun: [*b, *b]'
configures 61 "anchors" "run.yaml:1: anchors" "$lol"
configures 61 "a tag" "run.yaml:1: tags" 'shards: !!int 3'
configures 61 "a merge key" "run.yaml:1: merge keys" '<<: {shards: 3}'
configures 61 "two documents" "run.yaml" 'shards: 3\n---\nshards: 4'
everywhere && configures 62 "an unknown key" "did you mean policy.beta?" 'policy: {bata: 1}'
configures 62 "a key twice" "is given twice" 'shards: 2\nshards: 2'
for value in -1 .nan nan inf; do configures 63 "a learning rate of $value" learning_rate "policy: {learning_rate: $value}"; done
configures 63 "no comparison in a batch" batch_comparisons 'reward: {batch_comparisons: 0}'
configures 63 "a checkpoint every -1 steps" "run.save_every_steps" 'run: {save_every_steps: -1}'
on=(4) && configures 63 "fewer shards than ranks" "start fewer ranks" 'shards: 3'
configures 64 "a word for a number" "sft.steps" 'sft: {steps: no}'
configures 64 "a word for a switch" "run.reproducible" 'run: {reproducible: 1}'
configures 65 "a tab" "run.yaml:2: not valid YAML" 'run:\n\tname: x'
configures 65 "10,000 brackets" "nested too deeply" "run: $(head -c 10000 /dev/zero | tr '\0' '[')"
{ echo 'shards: 3'; head -c 100000000 /dev/zero | tr '\0' '#'; } >big.yaml
ends "65 a file of 100 MB" 78 "more than the limit of 1048576" "$maxmin" run big.yaml
# shellcheck disable=SC2088 # Nobody expands it: that is the test.
for path in '~/nowhere' '$HOME/nowhere' '${HOME}'; do
    ends "66 the path $path" 66 "$path" "$maxmin" run "${run[@]}" --set model.path="$path" --set 'run.stages=[simulate]'
done

# Files and processes.
sft=("$maxmin" sft "${run[@]}" --set sft.steps=2)
echo mine >file
ends "67 a file where the folder should be" 73 "file/run" "${sft[@]}" --set run.directory=file/run
ends "67 a folder that nobody may make" 73 "/proc/run" "${sft[@]}" --set run.directory=/proc/run
if ((EUID == 0)); then
    echo "skip 67 no permission: root may write anywhere"
else
    mkdir --mode=500 locked
    ends "67 no permission" 77 "locked" "${sft[@]}" --set run.directory=locked/run
fi
echo "skip 68 a full disk: save-faults.sh tries it"
fresh
everywhere && reads 69 "a run in its model" 78 "run.directory" --set run.directory=broken/run
mkdir foreign && echo mine >foreign/thesis
ends "70 a folder that holds something else" 78 "is not empty" "${sft[@]}" --set run.directory=foreign
ends "70 results that are there" 78 "use --resume" "$maxmin" sft "${run[@]/--overwrite/--json}" --set run.directory=made
# A run that stopped at a checkpoint.
stopped=("${run[@]/--overwrite/--resume}" --set 'run.stages=[sft]' --set run.directory=stopped --set run.save_every_steps=2 --set sft.steps=6)
MAXMIN_FAULT=backward:0:5:throw FAULT=backward:0:5:throw "$maxmin" run "${stopped[@]}" >/dev/null 2>&1
step=stopped/checkpoints/sft/step-4
cp -r stopped kept
# resumes NUMBER NAME CODE TEXT OPTION…: on the checkpoints that are there, then as they were.
resumes() {
    local ranks
    for ranks in "${on[@]}"; do
        cp -r stopped trial
        local command=("$maxmin" run "${stopped[@]}" --set run.directory=trial "${@:5}")
        ((ranks == 1)) || command=(bash -c 'source "$1"; shift; on_ranks "$@"' - "$root/launch/mpi.sh" "$ranks" "${command[@]}")
        ends "$1 $2, ranks $ranks" "$3" "$4" "${command[@]}"
        rm -rf trial
    done
    on=("${few[@]}")
    rm -rf stopped && cp -r kept stopped
}
truncate --size=-1 $step/part-0.safetensors
everywhere && resumes 71 "a part that was cut" 0 "going back to the checkpoint before step 4"
rm $step/manifest.json
resumes 71 "no manifest" 0 "going back to the checkpoint before step 4"
cp "$root/README.md" $step/part-0.safetensors
resumes 71 "a foreign file" 0 "going back to the checkpoint before step 4"
rm stopped/checkpoints/sft/step-*/COMMIT
resumes 71 "nothing that is whole" 65 "none of the checkpoints can be read"
everywhere && resumes 71 "another configuration" 78 "sft.learning_rate" --set sft.learning_rate=0.02
jq '.format = 99' kept/checkpoints/sft/step-4/manifest.json >$step/manifest.json
resumes 71 "a newer format, unsealed" 0 "going back to the checkpoint before step 4"
touch --date=2001-01-01 stopped/checkpoints/sft/step-4 && touch --date=2030-01-01 stopped/checkpoints/sft/step-2
resumes 75 "times that lie" 0 "step 4"
ends "76 a closed standard output" 0 "" bash -c '"$@" >&-' - "${sft[@]}" --set run.directory=closed
ends "76 a reader that leaves" 0 "" bash -c '("$@"; echo $? >code) 2>&1 | head -n 1 >/dev/null; exit "$(<code)"' - "${sft[@]}" --set run.directory=left
ends "76 a full disk for the log" 0 "" bash -c '"$@" >/dev/full 2>&1' - "${sft[@]}" --set run.directory=full
if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
    # Without --quiet, so that Open MPI says what it lacks, in words that differ from time to time.
    ends "77 a /dev/shm of 1 MB" 0 "sft: done" unshare --mount bash -c \
        'mount -t tmpfs -o size=1m none /dev/shm; exec mpirun --allow-run-as-root --oversubscribe --bind-to none -n 2 "$@"' \
        - "${sft[@]}" --set run.directory=shm
else
    echo "skip 77 a /dev/shm of 1 MB: no namespaces of mounts here"
fi
ends "78 16 descriptors" 0 "" bash -c 'ulimit -n 16; exec "$@"' - "${sft[@]}" --set run.directory=descriptors
ends "78 2 GB of addresses" 78 "ulimit -v" bash -c 'ulimit -v 2000000; exec "$@"' - "$maxmin" sft "${run[@]}" --set run.directory=addresses \
    --set sft.width=8192 --set sft.layers=24 --set sft.heads=32
