mpirun -n 4 \
    --host localhost:4 \
    --map-by ppr:1:numa:PE=16 --bind-to core \
    /opt/maxmin/bin/maxmin run launch/runs/quickstart.yaml \
    --set shards=4 \
    --threads 16 --resume
