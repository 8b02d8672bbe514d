mpirun -n 2 \
    --host localhost:2 \
    --map-by ppr:2:node --bind-to none \
    -x GOMP_SPINCOUNT=1000 \
    /opt/maxmin/bin/maxmin run launch/runs/quickstart.yaml \
    --threads 4 --resume
