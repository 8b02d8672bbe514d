#!/usr/bin/env bash
# Numbers that are not finite, and models that learned nothing: no stage saves or judges the former, whatever policy.max_bad_steps, and
# the latter are warned of.
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$PWD
cd "$work" || exit 1
smoke=("$root/launch/runs/smoke.yaml" --set sft.steps=2 --set simulate.comparisons_per_user=8 --set reward.max_steps=2
    --set reward.max_iterations=1 --set reward.batch_comparisons=4 --set run.directory=run
    --set 'policy.objectives=[maxmin]' --set policy.steps=3 --set policy.max_bad_steps=1000)

# gone NAME FILE: nothing was written there.
gone() { if [[ -e $2 ]]; then echo "not ok $1: $2 is there"; else echo "ok $1"; fi; }

ends "a reward model that learns nothing" 0 "warning: the reward model single is untrained" "$maxmin" run "${smoke[@]}" \
    --set reward.learning_rate=1e-30 --set 'run.stages=[sft, simulate, reward, calibrate]'
ends "a reward model at chance is refused" 65 "reward/mixture.json: the reward model of group-" "$maxmin" calibrate "${smoke[@]}" \
    --set reward.learning_rate=1e-30 --set calibrate.at_chance=refuse --overwrite
ends "and taken by a key" 0 "calibrate: done" "$maxmin" calibrate "${smoke[@]}" --set reward.learning_rate=1e-30 --overwrite
ends "it is noted" 0 "single is untrained" grep -F warnings -A 4 run/reward/mixture.json

# A step in the middle is passed over; the last one is not, and nothing of it is kept.
ends "policy: the last step" 70 "the last step gave numbers that are not finite" \
    env MAXMIN_FAULT=backward:0:3:nan "$maxmin" policy "${smoke[@]}" --set run.save_every_steps=1
gone "policy: the last step is not saved" run/policy/maxmin
gone "policy: nor is its checkpoint" run/checkpoints/policy/maxmin/step-3
ends "policy: it is done again" 0 "policy maxmin" "$maxmin" policy "${smoke[@]}" --resume
ends "policy: a step in the middle" 0 "policy maxmin" env MAXMIN_FAULT=backward:0:2:nan \
    "$maxmin" policy "${smoke[@]}" --overwrite
# Weights beyond what fp32 can multiply.
ends "sft: a learning rate of 1e30" 70 "not finite" "$maxmin" sft "${smoke[@]}" --overwrite --set sft.learning_rate=1e30
gone "sft: nothing is saved" run/reference/model.safetensors
ends "policy: a rate beyond every number" 78 "policy.mirror_rate" "$maxmin" policy "${smoke[@]}" --set policy.mirror_rate=1e300
