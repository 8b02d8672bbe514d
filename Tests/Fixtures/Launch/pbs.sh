#!/usr/bin/env bash
#PBS -N maxmin-imdb-10to1
#PBS -l select=8:ncpus=48:mpiprocs=2:ompthreads=24
#PBS -l place=scatter:excl
#PBS -l walltime=12:00:00
#PBS -r y
#PBS -j oe
#PBS -q workq
#PBS -A maxmin
cd "$PBS_O_WORKDIR" || exit 73
export OMPI_MCA_orte_default_hostfile="$PBS_NODEFILE"
export OMPI_MCA_pml=ob1
export OMPI_MCA_btl=tcp,vader,self
export OMPI_MCA_btl_tcp_if_include=ib0
export OMPI_MCA_oob_tcp_if_include=ib0
export OMPI_MCA_oob_tcp_keepalive_time=10
export OMPI_MCA_oob_tcp_keepalive_intvl=5
export OMPI_MCA_oob_tcp_keepalive_probes=3
module load openmpi/4.1
/opt/maxmin/bin/maxmin supervise --run runs/imdb-10to1 --restarts 3 --leave-stopped -- \
    mpirun -n 16 \
    --map-by ppr:2:node:PE=24 --bind-to core \
    /opt/maxmin/bin/maxmin run launch/runs/imdb-10to1.yaml \
    --set shards=32 \
    --threads 24 --resume &
job=$!
# PBS gives no warning before the time limit: this does; the supervisor has the run save, and ends with 75.
trap 'kill -USR1 "$job"' USR1
{ sleep 42600 && kill -USR1 $$; } &
# A trapped signal ends `wait` early; bash keeps the status for the last one.
wait "$job"
while kill -0 "$job" 2>/dev/null; do wait "$job"; done
wait "$job"
status=$?
if ((status == 75)); then
    /opt/maxmin/bin/maxmin launch --cluster cluster-configs/pbs.yaml launch/runs/imdb-10to1.yaml \
        --set shards=32 \
        --execute
fi
exit "$status"
