#!/usr/bin/env bash
# A run over two nodes, which are network namespaces of this machine joined by a pair of virtual Ethernet devices: the same bits as on
# one node, a short cut of the network survived, a lasting one noticed. Launched by `maxmin launch`, with the keepalive that it
# ships with; mpirun's remote shell enters the other namespace. Needs root and iproute2.
# Alone: it waits for deadlines of the watchdog.
set -uo pipefail
source launch/mpi.sh
work=$(mktemp -d)
maxmin=$(realpath "$BIN/maxmin")
a=maxmin-$$-a b=maxmin-$$-b

skip() {
    echo "skip two nodes: $1"
    exit 0
}
((EUID == 0)) || skip "network namespaces need root"
command -v ip >/dev/null || skip "the command ip is missing (iproute2)"
unshare --net --uts true 2>/dev/null || skip "this machine allows no network namespaces"

# What runs is ended by the pids that it left, and the devices go with their namespaces.
clean_up() {
    local namespace
    for namespace in "$a" "$b"; do
        ip netns pids "$namespace" 2>/dev/null | xargs --no-run-if-empty kill -9 2>/dev/null
        ip netns delete "$namespace" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
ip netns add "$a" && ip netns add "$b" &&
    ip link add name veth-a netns "$a" type veth peer name veth-b netns "$b" &&
    ip -n "$a" address add 10.217.0.1/24 dev veth-a && ip -n "$b" address add 10.217.0.2/24 dev veth-b &&
    ip -n "$a" link set lo up && ip -n "$b" link set lo up &&
    ip -n "$a" link set veth-a up && ip -n "$b" link set veth-b up || skip "this machine allows no virtual Ethernet devices"

# on-node NAMESPACE COMMAND: a shell command on the machine of that name, as ssh would run it: mpirun's remote shell.
cat >"$work/on-node" <<'NODE'
#!/usr/bin/env bash
exec ip netns exec "$1" unshare --uts bash -c 'hostname "$1"; cd "$2"; shift 2; exec bash -c "$*"' node "$1" "$PWD" "${@:2}"
NODE
chmod +x "$work/on-node"

cat >"$work/cluster.yaml" <<CLUSTER
launcher: mpirun
program: $maxmin
nodes: { count: 2, hosts: [$a, $b], cores: 1 }
ranks: { per_node: 1 }
network: { transport: tcp, interface: 10.217.0.0/24, remote_shell: $work/on-node }
environment: [{ name: GOMP_SPINCOUNT, value: "1000" }]
supervise: { restarts: 0 }
CLUSTER
run=(launch/runs/smoke.yaml --set "run.stages=[sft, simulate, reward]")

# launch NAME: the run over both nodes into the directory NAME, in the background; its pid is $launched.
launch() {
    local command=("$maxmin" launch --cluster "$work/cluster.yaml" "${run[@]}" --set "run.directory=$work/$1" --execute)
    {
        "$work/on-node" "$a" "$(printf '%q ' "${command[@]}")" >"$work/$1.log" 2>&1
        local status=$?
        echo "$SECONDS" >"$work/$1.ended"
        exit "$status"
    } &
    launched=$!
}

# training NAME: waits, at most 60 s, until the run has made steps.
training() { for _ in {1..600}; do [[ -s $work/$1/metrics.jsonl ]] && return; sleep 0.1; done; }

# ends SECONDS: waits for $launched at most so long; 124 where it still runs.
ends() {
    local tenths=$((10 * $1))
    while ((tenths-- > 0)) && kill -0 "$launched" 2>/dev/null; do sleep 0.1; done
    kill -0 "$launched" 2>/dev/null && return 124
    wait "$launched"
}

# results NAME: the hash of everything that the run found out.
results() {
    (cd "$work/$1" && find reference reward preferences.jsonl -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

launch short
training short
ip -n "$a" link set veth-a down
sleep 5
ip -n "$a" link set veth-a up
ends 120
short=$?

launch lasting
training lasting
ip -n "$a" link set veth-a down
cut=$SECONDS
# Meanwhile, what the other run was to give.
timeout 120 bash -c 'source launch/mpi.sh; on_ranks "$@"' - 2 "$maxmin" run "${run[@]}" --threads 1 \
    --set "run.directory=$work/one" >"$work/one.log" 2>&1
one=$?
ends 60
lasting=$?
took=$(($(cat "$work/lasting.ended" 2>/dev/null || echo "$SECONDS") - cut))
# The other node's ranks end by themselves as well.
for _ in {1..300}; do
    [[ -z $(ip netns pids "$b") ]] && break
    sleep 0.1
done

name="two nodes, their network cut for 5 s, give the bits of one"
if ((short != 0 || one != 0)); then
    echo "not ok $name: statuses $short and $one: $(tail -qn 5 "$work"/{short,one}.log)"
elif [[ $(results short) != "$(results one)" ]]; then
    echo "not ok $name: they differ"
else
    echo "ok $name"
fi
name="a lasting cut of the network ends the run"
if ((lasting == 0 || lasting == 124)); then
    echo "not ok $name: status $lasting after $took s: $(tail -n 5 "$work/lasting.log")"
elif [[ -n $(ip netns pids "$a"; ip netns pids "$b") ]]; then
    echo "not ok $name: ranks are left"
else
    echo "ok $name"
    echo "it took $took s"
fi
