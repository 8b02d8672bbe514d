#!/usr/bin/env bash
# Results that somebody changed after the stage that wrote them: later stages and --resume refuse to go on from them, name the file
# and end with 65 (66 where it is gone, 78 where it is an input), on one rank and on two. What is put back, or does not matter, goes on.
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$PWD
cd "$work" || exit 1
printf '#!/usr/bin/env bash\nsource %q\non_ranks 2 "$@"\n' "$root/launch/mpi.sh" >on_two
chmod +x on_two
smoke=("$root/launch/runs/smoke.yaml" --set sft.steps=2 --set simulate.comparisons_per_user=8 --set reward.max_steps=2
    --set reward.max_iterations=1 --set reward.batch_comparisons=4 --set run.directory=run)
run() { timeout 120 "$maxmin" run "${smoke[@]}" --set 'policy.objectives=[maxmin]' --set policy.steps=1 "$@" >log 2>&1; }

run --set 'run.stages=[sft, simulate, reward, calibrate]' || echo "not ok preparation: $(tail -n 3 log)"
cp -r run whole
# changed FILE COMMAND: a change of the file that the command would go on from.
changed() {
    local file=$1 change=$2
    rm -rf run && cp -r whole run
    (cd run && eval "$change")
    ends "$file, changed: the next stage" 65 "run/$file" "$maxmin" policy "${smoke[@]}"
    ends "$file, changed: --resume on two ranks" 65 "run/$file" ./on_two "$maxmin" run "${smoke[@]}" --resume
}
changed preferences.jsonl "sed -i 1,20d preferences.jsonl"
changed tastes.json "sed -i s/positive/Positive/ tastes.json"
changed reward/mixture.json "sed -i '0,/[1-9]/s//8/' reward/mixture.json"
changed reward/calibration.json "sed -i '0,/[1-9]/s//8/' reward/calibration.json"
changed reward/group-1/model.safetensors "printf x | dd of=reward/group-1/model.safetensors bs=1 seek=5000 conv=notrunc status=none"
changed reference/tokenizer.json "echo >>reference/tokenizer.json"
changed completed/reward "echo '{}' >completed/reward"
rm -rf run && cp -r whole run && rm run/reward/assignments.csv
ends "a file that is gone" 66 "run/reward/assignments.csv" "$maxmin" policy "${smoke[@]}"
ends "assign: a file that is gone" 66 "run/reward/assignments.csv" "$maxmin" assign --run run --input run/preferences.jsonl
rm -rf run && cp -r whole run && sed -i 1,20d run/preferences.jsonl
timeout 120 "$maxmin" reward "${smoke[@]}" --overwrite >log 2>&1 &&
    echo "not ok preferences.jsonl, changed: the stage that reads them went on"
grep -qF run/preferences.jsonl log && echo "ok preferences.jsonl, changed: reward --overwrite" ||
    echo "not ok preferences.jsonl, changed: reward --overwrite: $(tail -n 3 log)"
[[ -e run/reward/mixture.json ]] && echo "ok nothing is cleared before" || echo "not ok nothing is cleared before"
cp whole/preferences.jsonl run/preferences.jsonl
timeout 120 "$maxmin" reward "${smoke[@]}" --overwrite >log 2>&1 && echo "ok what is put back goes on" ||
    echo "not ok what is put back goes on: $(tail -n 3 log)"

# A status that a run cannot have left, and metrics that the report would draw.
rm -rf run && cp -r whole run
sed -i 's/"starts_without_progress" : [0-9]*/"starts_without_progress" : 9223372036854775807/' run/status.json
ends "status.json, changed" 65 "run/status.json" "$maxmin" run "${smoke[@]}" --resume
rm -rf run && cp -r whole run
run --resume --set 'run.stages=[sft, simulate, reward, calibrate, policy, evaluate]' || echo "not ok the rest: $(tail -n 3 log)"
sed -i '1s/"loss": [0-9.]*/"loss": 1/' run/metrics.jsonl
ends "metrics.jsonl, changed" 65 "run/metrics.jsonl" "$maxmin" report "${smoke[@]}"

# Inputs from outside: a finished stage that read them is of the old ones.
rm -rf run && cp -r whole run && cp run/preferences.jsonl mine.jsonl && cp -r run/reference model
outside=(--set data.preferences=mine.jsonl --set model.path=model --set run.directory=outside --set 'run.stages=[reward, calibrate]')
timeout 120 "$maxmin" reward "${smoke[@]}" "${outside[@]}" >log 2>&1 || echo "not ok outside: $(tail -n 3 log)"
printf x | dd of=model/model.safetensors bs=1 seek=5000 conv=notrunc status=none
ends "model.path, changed" 78 "contents of model/model.safetensors" "$maxmin" run "${smoke[@]}" "${outside[@]}" --resume
cp whole/reference/model.safetensors model/model.safetensors
sed -i '1s|"chosen": *"|&so |' mine.jsonl
ends "data.preferences, changed" 78 "contents of mine.jsonl" "$maxmin" run "${smoke[@]}" "${outside[@]}" --resume
