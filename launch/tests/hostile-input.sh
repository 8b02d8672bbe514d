#!/usr/bin/env bash
# Input that would be waited for, read or expanded without end, and limits of the system: each case ends soon, with the exit code of
# docs/command-line.md and one line that names what is wrong, and leaves no run directory and no lock.
set -uo pipefail
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
root=$OLDPWD
smoke=$root/launch/runs/smoke.yaml

# ends NAME CODE TEXT COMMAND…: within 20 s the command ends with the code and one line of error with the text, of printable characters
# and at most 4 KiB.
ends() {
    local name=$1 code=$2 text=$3 output status errors
    shift 3
    output=$(timeout 20 "$@" 2>&1 </dev/null)
    status=$?
    errors=$(grep -ciE '^(maxmin: )?error: ' <<<"$output")
    if ((status != code || errors != 1)) || [[ $output != *"$text"* ]]; then
        echo "not ok $name: status $status, not $code, or not one line with \"$text\": ${output:0:600}"
    elif ((${#output} > 4400)) || LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' <<<"$output"; then
        echo "not ok $name: ${#output} characters, or not all printable"
    else
        echo "ok $name"
    fi
}
for ranks in 2 4; do
    printf '#!/usr/bin/env bash\nsource %q\non_ranks %s "$@"\n' "$root/launch/mpi.sh" "$ranks" >"on_$ranks"
    chmod +x "on_$ranks"
done
printf '#!/usr/bin/env bash\nexec "$@"\n' >on_1
# bounded LIMIT COMMAND…: the command under `ulimit LIMIT`.
printf '#!/usr/bin/env bash\nulimit $1 || exit 1\nshift\nexec "$@"\n' >bounded
chmod +x on_1 bounded

"$maxmin" init --preset gpt2-tiny --out model --tokenizer "$root/Tests/Fixtures/Text/tiny" >/dev/null 2>&1
mkfifo fifo fifo.csv
mkdir folder

# Of every kind on one rank; on several what opening alone would wait for.
for input in fifo fifo.csv /dev/zero folder; do
    ends "preferences: $input" 65 "$input: not a regular file" "$maxmin" reward "$smoke" --set run.directory=run \
        --set 'run.stages=[reward]' --set data.preferences="$input"
done
for ranks in 2 4; do
    ends "preferences: a FIFO on $ranks ranks" 65 "fifo: not a regular file" "./on_$ranks" "$maxmin" reward "$smoke" \
        --set run.directory=run --set 'run.stages=[reward]' --set data.preferences=fifo
    ends "texts: a device on $ranks ranks" 65 "/dev/zero: not a regular file" "./on_$ranks" "$maxmin" sft "$smoke" \
        --set run.directory=run --set data.text=/dev/zero
done
ends "texts: a FIFO" 65 "fifo: not a regular file" "$maxmin" sft "$smoke" --set run.directory=run --set data.text=fifo
ends "prompts: a FIFO" 65 "fifo: not a regular file" "$maxmin" policy "$smoke" --set run.directory=run --set data.prompts=fifo
for file in config.json tokenizer.json model.safetensors; do
    rm -rf broken && cp -r model broken && rm "broken/$file" && mkfifo "broken/$file"
    ends "model: $file is a FIFO" 65 "broken/$file: not a regular file" "$maxmin" simulate "$smoke" --set run.directory=run \
        --set 'run.stages=[simulate]' --set model.path=broken
    ends "inspect: $file is a FIFO" 65 "broken/$file: not a regular file" "$maxmin" inspect broken
done
ends "model: a FIFO on 2 ranks" 65 "broken/model.safetensors: not a regular file" ./on_2 "$maxmin" simulate "$smoke" \
    --set run.directory=run --set 'run.stages=[simulate]' --set model.path=broken
ends "configuration: a FIFO" 78 "fifo: not a regular file" "$maxmin" run fifo
ends "configuration: a device on 2 ranks" 78 "/dev/zero: not a regular file" ./on_2 "$maxmin" run /dev/zero
ends "cluster file: a FIFO" 78 "fifo: not a regular file" "$maxmin" launch --cluster fifo "$smoke"
ends "score: a device" 65 "/dev/zero: not a regular file" "$maxmin" score --model model --input /dev/zero
[[ ! -e run ]] && echo "ok no run directory is left" || echo "not ok no run directory is left: $(ls -A run)"

# Lines without end, in a file that takes no room and on standard input.
truncate --size=64G long.jsonl
ends "score: a line of 64 GB" 65 "long.jsonl:1: line longer than 16 MiB" "$maxmin" score --model model --input long.jsonl
ends "score: endless standard input" 65 "standard input:1: line longer than 16 MiB" bash -c \
    'exec "$0" score --model model --input - </dev/zero' "$maxmin"
ends "inspect: a line of 64 GB" 65 "long.jsonl:1: line longer than 16 MiB" "$maxmin" inspect long.jsonl

# 417 bytes that would become gigabytes, behind what looks like the start of a quoted text; in 1 GB of address space.
{
    echo 'x: {a:"b}'
    for i in {1..24}; do echo "k$i: &a$i [*a$((i - 1)),*a$((i - 1)),*a$((i - 1))]"; done
} >bomb.yaml
ends "configuration: anchors that hide" 78 "bomb.yaml:2: anchors" ./bounded "-v 1000000" "$maxmin" run bomb.yaml
for i in {1..5000}; do echo "unknown$i: 1"; done >many.yaml
ends_many=$(timeout 20 "$maxmin" run many.yaml 2>&1 </dev/null)
[[ $? == 78 && ${#ends_many} -lt 8192 && $ends_many == *"more" ]] && echo "ok of many errors the first are told" ||
    echo "not ok of many errors the first are told: ${#ends_many} characters, ${ends_many: -100}"

# What would act on a terminal or turn a line around is shown, not done.
ends "control characters of an argument" 64 'u{1B}[31m' "$maxmin" run "$smoke" $'--no\e[31m\u202esuch'
ends "control characters of a path" 66 'u{202E}' "$maxmin" run $'no\u202e\u0085where.yaml'
ends "a long unknown option" 64 "Unknown option" "$maxmin" run "$smoke" "--$(printf '%0100000d' 0)"
ends "a long argument" 78 "needs the form section.key=value" "$maxmin" run "$smoke" --set "$(printf '%0100000d' 0)"

# Limits of the system: more address space than the loader needs and less than we do is told before OpenBLAS waits for it.
for limit in 250000 400000 500000; do
    ends "ulimit -v $limit" 78 "ulimit -v" ./bounded "-v $limit" "$maxmin" score --model model --input -
done
echo '{"text": "a film was good"}' >text.jsonl
for limit in 550000 600000 650000 700000 800000 1000000 1500000; do
    output=$(timeout 20 ./bounded "-v $limit" "$maxmin" score --model model --input text.jsonl --threads 2 2>&1)
    status=$?
    if ((status == 0)) || { ((status == 78)) && [[ $output == *"ulimit -v"* ]]; }; then
        echo "ok ulimit -v $limit ends"
    else
        echo "not ok ulimit -v $limit ends: status $status: $output"
    fi
done
ends "ulimit -v on 2 ranks" 78 "ulimit -v" ./on_2 ./bounded "-v 400000" "$maxmin" run "$smoke" --set run.directory=run
name="ulimit -n 64: a run on 2 ranks"
output=$(timeout 120 ./bounded "-n 64" ./on_2 "$maxmin" run "$smoke" --set run.directory=few --set 'run.stages=[sft, simulate]' \
    --set sft.steps=2 2>&1)
status=$?
((status == 0)) && echo "ok $name" || echo "not ok $name: status $status: ${output: -600}"
