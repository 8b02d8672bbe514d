#!/usr/bin/env bash
# A save that is killed, or meets an error, at each of its system calls, and disks that are full or read-only: the checkpoints before
# it are intact, nothing is left of it, and resuming gives the undisturbed run's hash. The argument is how many calls to
# try of each kind and rank, 1 unless stated; `all` tries every one. RANKS: numbers of ranks, one of which meets the fault, "1 2"
# unless stated; on several, a call's number is only nearly that of the trace. Needs jq and strace; reports a skip where tracing or mounting is not allowed.
#
#   BIN=.build/release RANKS="1 2 4" bash launch/tests/save-faults.sh all
# Alone: it kills runs while they save.
set -uo pipefail
source launch/checks.sh
maxmin=$BIN/maxmin
limit=${1:-1}
work=$(mktemp -d)
trap 'umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT

cat >"$work/run.yaml" <<'END'
run: { threads: 1, save_every_steps: 5, save_every_minutes: null, stages: [sft] }
model: { precision: fp32 }
sft: { documents: 60, vocabulary_size: 300, layers: 1, width: 16, heads: 2, positions: 32, steps: 9, batch_sequences: 4 }
evaluate: { prompts: 8 }
policy: { max_new_tokens: 8 }
simulate: { max_new_tokens: 8 }
data: { held_out_prompts: 8, max_length: 24 }
shards: 2
END
export OMP_NUM_THREADS=1

# sft DIRECTORY [OPTION…]: trains, resuming what is there.
sft() { "$maxmin" sft "$work/run.yaml" --resume --set run.directory="$1" "${@:2}"; }
hash() { sha256sum <"$1/reference/model.safetensors"; }

sft "$work/whole" 2>"$work/log" || { not_ok "the undisturbed run" "$(cat "$work/log")" && exit 1; }
# Killed with two checkpoints, the later of step 2 to 4 of 9: the one save that then comes, five steps later, also removes one.
base=$work/base
for _ in {1..20}; do
    rm -rf "$base"
    # Not by the function: the kill is for the program, not for a shell around it.
    "$maxmin" sft "$work/run.yaml" --set run.directory="$base" --set run.save_every_steps=1 2>/dev/null &
    while [[ ! -e $base/checkpoints/sft/step-2/COMMIT ]] && kill -0 $! 2>/dev/null; do :; done
    kill -KILL $!
    wait $!
    last=$(find "$base/checkpoints/sft" -name COMMIT 2>/dev/null | sed 's|.*/step-\([0-9]*\)/.*|\1|' | sort -n | tail -n 1)
    [[ ${last:-9} -le 4 && ! -e $base/completed/sft ]] && break
done 2>/dev/null
((${last:-9} <= 4)) || { not_ok "a run killed after two checkpoints" "the last is of step $last" && exit 1; }

cat >"$work/victim" <<'END'
#!/usr/bin/env bash
# victim RANK OPTION… -- COMMAND…: the command, on that rank under strace with these options.
rank=$1 options=()
while shift && [[ $1 != -- ]]; do options+=("$1"); done
shift
if [[ ${OMPI_COMM_WORLD_RANK:-0} == "$rank" ]]; then exec strace "${options[@]}" "$@"; fi
exec "$@"
END
chmod +x "$work/victim"

# traced RANK DIRECTORY OPTION…: resumes the run there, that rank under strace with these options.
traced() {
    local command=("$work/victim" "$1" "${@:3}" -- "$maxmin" sft "$work/run.yaml" --resume --set run.directory="$2")
    if ((ranks == 1)); then
        timeout 60 "${command[@]}"
    else
        timeout 60 bash -c 'source launch/mpi.sh; on_ranks "$@"' - "$ranks" "${command[@]}"
    fi
}

# sound DIRECTORY: every checkpoint there is whole, there is one, and resuming gives the undisturbed result.
sound() {
    local report
    report=$("$maxmin" inspect "$1" --json) || return 1
    # A run that the fault did not end has no checkpoints any more.
    jq --exit-status '.complete == ["sft"] or (.checkpoints | length > 0 and all(.[]; .whole))' <<<"$report" >/dev/null ||
        { echo "damaged: $report" && return 1; }
    sft "$1" >"$work/log" 2>&1 || { cat "$work/log" && return 1; }
    [[ $(hash "$1") == $(hash "$work/whole") ]] || { echo "another result" && return 1; }
    [[ -z $(find "$1" -name '*.tmp-*' -o -name '.old-*') ]] || { find "$1" -name '.*' && return 1; }
}

# find_points: a trace of a resumed run tells which calls of each rank belong to saves: those that name the folder of checkpoints.
calls=(mkdir openat write fsync fallocate rename renameat2 unlink unlinkat rmdir close)
find_points() {
    all_points=
    for ((rank = 0; rank < ranks; rank++)); do
        rm -rf "$work/traced"
        cp -r "$base" "$work/traced"
        traced $rank "$work/traced" -o "$work/trace" -y -e trace="$(IFS=,; echo "${calls[*]/#/?}")" 2>"$work/log" || return
        # One line a point: the rank, the call and the number of it among the rank's calls of that kind.
        all_points+=$(awk -F '(' -v rank=$rank '{ count[$1]++ } /checkpoints\/sft/ { print rank, $1, count[$1] }' "$work/trace")$'\n'
    done
}

# points: those points, at most $limit of a kind and rank, spread evenly.
points() {
    if [[ $limit == all ]]; then echo -n "$all_points"; else
        awk -v limit="$limit" 'NF { kind = $1 " " $2; at[kind] = at[kind] " " $3; n[kind]++ }
            END { for (kind in at) { split(at[kind], list, " ");
            for (i = 0; i < limit && i < n[kind]; i++) print kind, list[1 + int(i * n[kind] / (n[kind] < limit ? n[kind] : limit))] } }' \
            <<<"$all_points"
    fi
}

# faults NAME INJECTION CHECK: at every point, the run with the fault, CHECK of its status, and what is left.
faults() {
    local name=$1 injection=$2 check=$3 rank call number tried=0 hit=0 bad=0 status why
    while read -r rank call number; do
        # On several ranks the number may be that of a call of MPI's own: a kill there is as good as any, but what MPI does with an
        # error of its sockets is not ours to test.
        [[ $injection == error=* && $ranks != 1 && $call =~ ^(write|openat|close)$ ]] && continue
        rm -rf "$work/run"
        cp -r "$base" "$work/run"
        # In a shell of its own, whose word of the kill is not wanted.
        {
            (traced "$rank" "$work/run" -o /dev/null -e trace="$call" -e inject="$call:$injection:when=$number") \
                >"$work/output" 2>&1 </dev/null
            status=$?
        } 2>/dev/null
        tried=$((tried + 1))
        ((status != 0)) && hit=$((hit + 1))
        if ! why=$($check "$status") || ! why=$(sound "$work/run"); then
            not_ok "$name at $call $number of rank $rank" "status $status: $why $(tail -n 2 "$work/output")"
            bad=$((bad + 1))
        fi
    done < <(points)
    ((bad == 0 && hit > 0)) && ok "$name: $hit of $tried points ended the run, none did harm, on $ranks ranks"
    ((hit > 0)) || not_ok "$name" "no point ended the run"
}

# Killed, or finished because the call was the last.
killed() { (($1 == 137 || $1 == 0)); }

# An error ends the run with 74 and one line, at once without leftovers; a close or a removal that fails may be passed over.
failed() {
    (($1 == 0)) && return
    (($1 == 74)) || { echo "not 74" && return 1; }
    # Ranks after the first speak a second later, and do so where the machine is too busy for the first to end them by then.
    local lines
    lines=$(sed -n 's/^maxmin: error: \(rank [0-9]*: \)\?//p' "$work/output" | sort -u | wc -l)
    ((lines == 1)) || { echo "$lines different errors" && return 1; }
    [[ -z $(find "$work/run/checkpoints" -name '.tmp-step*' -newer "$base") ]] || { echo "a temporary directory is left" && return 1; }
}

for ranks in ${RANKS:-1 2}; do
    find_points || { echo "skip: strace cannot trace here: $(tail -n 1 "$work/log")" && break; }
    faults "a save killed at its system calls" signal=KILL killed
    faults "a save that meets ENOSPC" error=ENOSPC failed
    faults "a save that meets EIO" error=EIO failed
done

# A file system that cannot reserve room (NFS before 4.2) is not made to by writing into every block, as glibc would: what is written are
# whole files, and the results are the same.
ranks=1 why=
if strace -o /dev/null true 2>/dev/null; then
    traced 0 "$work/unreserved" -o "$work/trace" -e trace=fallocate,pread64,pwrite64 -e inject=fallocate:error=EOPNOTSUPP \
        >"$work/output" 2>&1
    status=$?
    asked=$(grep -c '^fallocate.*EOPNOTSUPP' "$work/trace") emulated=$(grep -c '^pwrite64.* 1, [0-9]*) *= 1$' "$work/trace")
    if ((status == 0 && asked > 0 && emulated == 0)) && why=$(sound "$work/unreserved"); then
        ok "a file system that cannot reserve room"
    else
        not_ok "a file system that cannot reserve room" "status $status, $asked times asked, $emulated emulated: $why $(tail -n 2 "$work/output")"
    fi
else
    echo "skip a file system that cannot reserve room: strace cannot trace here"
fi

# Real disks, too small for the checkpoints of the run: the free space is known before the first save.
mkdir "$work/disk"
if ((EUID != 0)) || ! mount -t tmpfs -o size=1M tmpfs "$work/disk" 2>/dev/null; then
    echo "skip: file systems cannot be mounted here"
    exit 0
fi
umount "$work/disk"
checkpoint=$(du --bytes --summarize "$base/checkpoints/sft/step-$last" | cut -f 1)
others=$(du --summarize --block-size=1 --exclude=checkpoints "$work/whole" | cut -f 1)
for tenths in 5 10 19; do
    mount -t tmpfs -o size=$((others + checkpoint * tenths / 10)) tmpfs "$work/disk"
    sft "$work/disk/run" >"$work/output" 2>&1
    status=$?
    if ((status == 74)) && grep -q 'maxmin: error: .*bytes' "$work/output"; then
        ok "a disk with room for $tenths/10 checkpoints is refused"
    else
        not_ok "a disk with room for $tenths/10 checkpoints is refused" "status $status: $(tail -n 2 "$work/output")"
    fi
    umount "$work/disk"
done
mount -t tmpfs -o size=64M tmpfs "$work/disk"
cp -r "$base" "$work/disk/run"
mount -o remount,ro "$work/disk"
sft "$work/disk/run" >"$work/output" 2>&1
status=$?
if ((status == 77)); then ok "a read-only run directory"; else not_ok "a read-only run directory" "status $status: $(tail -n 2 "$work/output")"; fi
