#!/usr/bin/env bash
# `maxmin sweep`: killed in the middle it goes on to the bits of an undisturbed run; finished runs are skipped, a failing one is
# recorded and the others go on; --only, --list, --report, Ctrl-C, mpirun, and the job array of `maxmin launch`. Needs jq.
# Alone: it kills sweeps at moments.
set -uo pipefail
source launch/checks.sh
source launch/mpi.sh
source launch/disturbing.sh
maxmin=$(realpath "$BIN/maxmin")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# file NAME GRID: a sweep of tiny runs in the folder NAME.
file() {
    cat >"$work/$1.yaml" <<SWEEP
base: launch/runs/smoke.yaml
directory: $work/$1
grid: { $2 }
set: { sft.steps: 40, sft.documents: 200, simulate.comparisons_per_user: 16, reward.max_steps: 4, reward.max_iterations: 1, reward.batch_comparisons: 4,
    policy.objectives: [maxmin], policy.steps: 1, evaluate.prompts: 8, evaluate.bootstrap: 100, data.held_out_prompts: 8, calibrate.prompts: 8, run.save_every_steps: 1 }
SWEEP
}
file undisturbed "run.seed: [1, 2]"
file killed "run.seed: [1, 2]"
printf '#!/usr/bin/env bash\nexec %q sweep %q/"$1.yaml" "${@:2}"\n' "$maxmin" "$work" >"$work/sweep"
chmod +x "$work/sweep"

ends "a sweep does its runs" 0 "run 2 of 2, seed=2" "$work/sweep" undisturbed
check "it prints a table" grep -q "maxmin, win rate % by taste" "$work/out"
check "sweep.json has both runs and their range" jq --exit-status '(.runs | map(.state) == ["done", "done"])
    and .summary[0].evaluated == 2 and (.summary[0].policies.maxmin.kl | .low <= .mean and .mean <= .high)
    and (.runs[0].policies.maxmin.by_judge.taste.worst_win_rate | .low <= .mean and .mean <= .high)' "$work/undisturbed/sweep.json"
check "sweep.html is a page" grep -q "Mean and range" "$work/undisturbed/sweep.html"

# The sweep and its run are killed in the middle of the first run.
"$work/sweep" killed >"$work/first" 2>&1 &
killed=$!
for _ in {1..300}; do compgen -G "$work/killed/seed=1/checkpoints/sft/step-*" >/dev/null && break; sleep 0.05; done
children=$(pgrep --parent "$killed")
{ kill -KILL "$killed"; } 2>/dev/null
# shellcheck disable=SC2086 # Several numbers.
{ kill -KILL $children; wait "$killed"; } 2>/dev/null
check "the first run was killed unfinished" test ! -e "$work/killed/seed=1/completed/evaluate"
ends "--list tells how runs stand" 0 "seed=1  unfinished" "$work/sweep" killed --list
ends "a killed sweep goes on" 0 "2 of 2 runs done" "$work/sweep" killed
for seed in 1 2; do
    check "run $seed has the bits of an undisturbed run" \
        test -s "$work/killed/seed=$seed/evaluation.json" -a \
        "$(hashes "$work/killed/seed=$seed")" = "$(hashes "$work/undisturbed/seed=$seed")"
done

stamp=$(stat --format=%Y.%y "$work/undisturbed/seed=1/status.json")
ends "finished runs are skipped" 0 "run 1 of 2, seed=1: done before" "$work/sweep" undisturbed
check "and not begun" test "$stamp" = "$(stat --format=%Y.%y "$work/undisturbed/seed=1/status.json")"
told=0 ends "a finished run of another configuration is not taken" 78 "sft.steps was 40, is 41" "$work/sweep" undisturbed --set sft.steps=41
check "its figures are left out" jq --exit-status '.runs[0].state == "changed" and .summary[0].evaluated == 0' "$work/undisturbed/sweep.json"
ends "--report writes it anew" 0 "2 of 2 runs done" "$work/sweep" undisturbed --report
check "from what is there" jq --exit-status '.summary[0].evaluated == 2' "$work/undisturbed/sweep.json"

# The first of these runs has no such data; only reading them shows it.
file failing "run.stages: [[reward], [sft]], run.seed: [3]"
ends "a run that fails does not end the sweep" 66 "run 2 of 2" "$work/sweep" failing
check "it is recorded, and the other done" jq --exit-status \
    '.runs | map(.state) == ["failed", "done"] and .[0].exit_code == 66' "$work/failing/sweep.json"

file only "run.stages: [[sft]], run.seed: [1, 2]"
ends "--only does one run" 0 "run 2 of 2, stages=sft,seed=2" "$work/sweep" only --only 2 --threads 1
check "and no other, and no report" test -d "$work/only/stages=sft,seed=2" -a ! -e "$work/only/stages=sft,seed=1" -a ! -e "$work/only/sweep.json"
ends "--only out of the grid" 64 "the sweep has 2 runs" "$work/sweep" only --only 3

# Ctrl-C: the run saves, the sweep ends with 75 and goes on.
file stopped "run.stages: [[sft]], run.seed: [1, 2]"
sed -i "s/sft.steps: 40/sft.steps: 4000/" "$work/stopped.yaml"
# Without job control bash has background processes ignore SIGINT.
set -m
"$work/sweep" stopped >"$work/log" 2>&1 &
stopped=$!
set +m
for _ in {1..300}; do compgen -G "$work/stopped/*/checkpoints/sft/step-*" >/dev/null && break; sleep 0.05; done
kill -INT "$stopped"
wait "$stopped"
status=$?
check "Ctrl-C ends it with 75" test "$status" = 75
check "with the run saved and the next not begun" test "$(state "$work/stopped/stages=sft,seed=1")" = stopped -a ! -e "$work/stopped/stages=sft,seed=2"

ends "--report counts what is there" 0 "1 of 2 runs done" "$work/sweep" only --report
ends "a wrong key" 78 "bad.yaml:3: unknown key policy.bta; did you mean policy.beta?" bash -c "sed 's/grid: .*/grid: { policy.bta: [1] }/' '$work/only.yaml' >'$work/bad.yaml'
    '$maxmin' sweep '$work/bad.yaml'"
check "before any run" test ! -e "$work/bad"
if command -v mpirun >/dev/null; then
    ends "mpirun of the sweep itself is refused" 64 "maxmin sweep FILE -- mpirun -n 4" \
        bash -c 'source launch/mpi.sh; on_ranks 2 "$@"' - "$maxmin" sweep "$work/only.yaml"
    printf '#!/usr/bin/env bash\nsource %q\non_ranks 2 "$@"\n' "$PWD/launch/mpi.sh" >"$work/on_two"
    chmod +x "$work/on_two"
    ends "a run on two ranks" 0 "run 1 of 2" "$work/sweep" only --only 1 -- "$work/on_two"
    check "has two" jq --exit-status '.ranks == 2' "$work/only/stages=sft,seed=1/environment.json"
else
    echo "skip sweep under mpirun: it is not there"
fi

# A job array: sbatch takes the script, and each task does its run.
printf 'launcher: slurm\nnodes: { cores: 1 }\nprogram: %s\n' "$maxmin" >"$work/slurm.yaml"
mkdir "$work/bin"
printf '#!/usr/bin/env bash\ncat >%q\n' "$work/job" >"$work/bin/sbatch"
printf '#!/usr/bin/env bash\nwhile [[ $1 == --* ]]; do shift; done\nexec "$@"\n' >"$work/bin/srun"
chmod +x "$work"/bin/*
file array "run.stages: [[sft]], run.seed: [1, 2, 3]"
check "launch --sweep submits a job array" env PATH="$work/bin:$PATH" "$maxmin" launch --cluster "$work/slurm.yaml" --sweep "$work/array.yaml" --execute
check "with a task for each run" grep -qxF "#SBATCH --array=1-3" "$work/job"
ends "a task does its run" 0 "run 3 of 3" env PATH="$work/bin:$PATH" SLURM_ARRAY_TASK_ID=3 bash "$work/job"
check "and no other" test -e "$work/array/stages=sft,seed=3/completed/sft" -a ! -e "$work/array/stages=sft,seed=1"
ends "no job arrays but Slurm's" 78 "a sweep is a job array of Slurm" "$maxmin" launch --cluster cluster-configs/laptop.yaml --sweep "$work/array.yaml"
