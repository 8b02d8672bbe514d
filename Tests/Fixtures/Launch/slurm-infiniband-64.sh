#!/usr/bin/env bash
#SBATCH --job-name=maxmin-imdb-10to1
#SBATCH --nodes=64
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=1440
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
#SBATCH --partition=compute
#SBATCH --exclusive
#SBATCH --threads-per-core=1
export OMPI_MCA_pml=ucx
export UCX_NET_DEVICES=mlx5_0:1
module load openmpi/4.1
/opt/maxmin/bin/maxmin supervise --run runs/imdb-10to1 --restarts 3 --leave-stopped -- \
    srun --mpi=pmix --ntasks=256 --cpus-per-task=16 \
    --cpu-bind=ldoms --kill-on-bad-exit=1 \
    /opt/maxmin/bin/maxmin run launch/runs/imdb-10to1.yaml \
    --set shards=256 \
    --threads 16 --resume &
job=$!
# Slurm signals this shell before the time limit; the supervisor has the run save, and ends with 75.
trap 'kill -USR1 "$job"' USR1
# A trapped signal ends `wait` early; bash keeps the status for the last one.
wait "$job"
while kill -0 "$job" 2>/dev/null; do wait "$job"; done
wait "$job"
status=$?
if ((status == 75)); then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
