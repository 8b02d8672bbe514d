#!/usr/bin/env bash
# The batch script of `maxmin launch` on a real Slurm of one node: warned, the run saves and ends with 75, the job is queued again, and
# ends with the bits of an undisturbed run. Needs root and ../shared/tools/one-node-slurm.
#
#   BIN=.build/debug launch/tests/slurm.sh         warns the job as Slurm would: a minute
#   BIN=.build/debug launch/tests/slurm.sh limit   waits for Slurm to warn it, before its time limit: some minutes
# Alone: it waits for jobs.
set -uo pipefail
source launch/mpi.sh
maxmin=$(realpath "$BIN/maxmin")
tool=$PWD/../shared/tools/one-node-slurm
mode=${1:-warned}
work=$(mktemp -d)
name="a Slurm job that is $([[ $mode == limit ]] && echo "at its time limit" || echo warned) resumes to the same bits"

skip() {
    echo "skip slurm: $1"
    rm -rf "$work"
    exit 0
}
[[ -x $tool ]] || skip "../shared/tools/one-node-slurm is not there"
((EUID == 0)) || skip "one-node-slurm needs root"
timeout 300 "$tool" start "$work/slurm" >"$work/start.log" 2>&1 || skip "Slurm does not start here: $(tail -n 1 "$work/start.log")"
export SLURM_CONF=$work/slurm/slurm.conf
clean_up() {
    scancel --user=root >/dev/null 2>&1
    "$tool" stop "$work/slurm"
    # slurmctld may still be writing its state.
    rm -rf "$work" 2>/dev/null || { sleep 2 && rm -rf "$work"; }
}
trap clean_up EXIT

# field NAME: of the job, as scontrol shows it.
field() { scontrol show job "$job" 2>/dev/null | grep -o "\b$1=[^ ]*" | head -n 1 | cut -d = -f 2; }

# until_true SECONDS COMMAND…: whether the command succeeds within that time.
until_true() {
    local tenths=$((10 * $1))
    shift
    while ((tenths-- > 0)); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
training() { [[ -s $work/run/metrics.jsonl ]]; }
requeued() { [[ $(field Restarts) == 1 && $(field JobState) == PENDING ]]; }
ended() { [[ $(field JobState) =~ COMPLETED|FAILED|CANCELLED|TIMEOUT ]]; }
# The first start has left the node.
idle() { [[ $(sinfo --noheader --format=%t) == idle && -z $(squeue --steps --noheader) ]]; }
# Slurm lets a job that was queued again wait for two minutes; not while its first start is being cleared away can this be changed.
released() { scontrol update JobId="$job" StartTime=now 2>/dev/null; }
# results DIRECTORY: the hash of everything that the run found out.
results() { (cd "$1" && find reference reward preferences.jsonl -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum); }

steps=300 limit='' patience=120
[[ $mode == limit ]] && steps=8000 limit='time_limit: 2, stop_lead: 90' patience=600
cat >"$work/cluster.yaml" <<CLUSTER
launcher: slurm
program: $maxmin
nodes: { cores: $(nproc) }
ranks: { per_node: 2, threads: 1 }
batch: { $limit }
environment: [{ name: GOMP_SPINCOUNT, value: "1000" }]
CLUSTER
run=(launch/runs/smoke.yaml --set "run.stages=[sft, simulate, reward]" --set "sft.steps=$steps")

if (($(nproc) < 2)); then
    skip "two ranks need two cores"
elif ! output=$("$maxmin" launch --cluster "$work/cluster.yaml" "${run[@]}" --set "run.directory=$work/run" >"$work/job" 2>&1 &&
    sbatch --parsable --output="$work/job.log" "$work/job" 2>&1); then
    echo "not ok $name: $output $(tail -n 3 "$work/job")"
    exit
fi
job=$output
until_true "$patience" training
[[ $mode == limit ]] || scancel --batch --signal=USR1 "$job"
if ! until_true "$patience" requeued; then
    echo "not ok $name: it was not queued again, but is $(field JobState): $(tail -n 5 "$work/job.log")"
    exit
fi
saved=$(find "$work/run/checkpoints" -name 'step-*' | head -n 1)
until_true 60 idle
# The node refuses steps of a job of this number for the seconds in which it ended the first start.
sleep 5
until_true 60 released
# Meanwhile, what it is to come to.
timeout "$patience" bash -c 'source launch/mpi.sh; on_ranks "$@"' - 2 "$maxmin" run "${run[@]}" --threads 1 \
    --set "run.directory=$work/undisturbed" >"$work/undisturbed.log" 2>&1 ||
    echo "not ok an undisturbed run: $(tail -n 5 "$work/undisturbed.log")"
if ! until_true "$patience" ended || [[ $(field JobState) != COMPLETED ]]; then
    echo "not ok $name: its second start is $(field JobState): $(tail -n 5 "$work/job.log")"
elif [[ -z $saved ]]; then
    echo "not ok $name: there was no checkpoint when it was queued again"
elif [[ $(results "$work/run") != "$(results "$work/undisturbed")" ]]; then
    echo "not ok $name: the bits differ"
else
    echo "ok $name"
fi

# A job array: a task for each run of a sweep, on the same node.
name="a sweep is a job array"
cat >"$work/sweep.yaml" <<SWEEP
base: launch/runs/smoke.yaml
directory: $work/sweep
grid: { run.seed: [1, 2] }
set: { run.stages: [sft], sft.steps: 5 }
SWEEP
finished() { [[ -z $(squeue --noheader --jobs="$job" 2>/dev/null) ]]; }
if ! job=$("$maxmin" launch --cluster "$work/cluster.yaml" --sweep "$work/sweep.yaml" 2>"$work/array.log" |
    sbatch --parsable --output="$work/array-%a.log" 2>>"$work/array.log"); then
    echo "not ok $name: $(tail -n 3 "$work/array.log")"
elif ! until_true 120 finished; then
    echo "not ok $name: after two minutes $(squeue --noheader --jobs="$job")"
elif [[ -e $work/sweep/seed=1/completed/sft && -e $work/sweep/seed=2/completed/sft ]]; then
    echo "ok $name"
else
    echo "not ok $name: $(tail -n 3 "$work"/array-*.log)"
fi
