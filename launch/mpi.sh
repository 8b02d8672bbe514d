# shellcheck shell=bash
# Sourced by the launch scripts: starts programs on the ranks of this machine.

# Prints how many physical cores this process may use: what mpirun counts as slots.
physical_cores() {
    local cores allowed
    allowed=$(nproc)
    cores=$(lscpu --parse=core,socket 2>/dev/null | grep -v '^#' | sort -u | wc -l) || cores=$allowed
    echo $((cores > 0 && cores < allowed ? cores : allowed))
}

# on_ranks N COMMAND…: the command on N ranks. Ranks are not bound to cores, since they run several threads each; mpirun's own
# explanations of an aborted run are left out, since the rank that failed has named the cause.
on_ranks() {
    local ranks=$1
    shift
    local options=(-n "$ranks" --bind-to none --quiet)
    ((EUID == 0)) && options+=(--allow-run-as-root)
    ((ranks > $(physical_cores))) && options+=(--oversubscribe)
    # As in setup.sh: ranks that share cores must not spin.
    if [[ -z ${OMP_WAIT_POLICY:-} ]]; then
        local -x GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}
    fi
    mpirun "${options[@]}" "$@"
}
