mpirun -n 32 \
    --host node01:2,node02:2,node03:2,node04:2,node05:2,node06:2,node07:2,node08:2,node09:2,node10:2,node11:2,node12:2,node13:2,node14:2,node15:2,node16:2 \
    --map-by ppr:1:numa:PE=16 --bind-to core \
    --mca pml ob1 \
    --mca btl tcp,vader,self \
    --mca btl_tcp_if_include 10.0.0.0/24 \
    --mca oob_tcp_if_include 10.0.0.0/24 \
    --mca oob_tcp_keepalive_time 10 \
    --mca oob_tcp_keepalive_intvl 5 \
    --mca oob_tcp_keepalive_probes 3 \
    /opt/maxmin/bin/maxmin run launch/runs/imdb-10to1.yaml \
    --set shards=64 \
    --threads 16 --resume
