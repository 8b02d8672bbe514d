#!/usr/bin/env bash
# A soak: runs of all stages that are disturbed every few minutes, at random moments, and resumed on 1 to 4 ranks, for as many seconds as
# the argument says (7,200 unless stated). Prints the checks (the same hashes as the undisturbed run, nothing left behind) and, from /proc,
# how the memory and the open descriptors of the ranks went: the slope within the second half of a stage of a process, when its buffers are made.
#
#   BIN=.build/release SEED=7 nice -n 10 bash launch/tests-long/soak.sh 7200
#
# SEED makes the moments, the ways (kill -9 of a rank or of mpirun, SIGUSR1, SIGSTOP and SIGCONT) and the numbers of ranks; it is printed.
# LEAST and MOST bound the seconds between two disturbances (60 and 240); SIZE multiplies the steps of the trainings (120); SAMPLES keeps
# the samples in a file (time, rank's process, stage, KiB resident, KiB of it anonymous, descriptors).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
source launch/mpi.sh
source launch/disturbing.sh
maxmin=$BIN/maxmin
seconds=${1:-7200} least=${LEAST:-60} most=${MOST:-240} size=${SIZE:-120}
seed=${SEED:-$RANDOM}
RANDOM=$seed
work=$(mktemp -d)
samples=${SAMPLES:-$work/samples}
: >"$samples"
job=
trap '[[ -n $job ]] && kill -TERM $job 2>/dev/null && wait $job; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
configuration=(launch/runs/smoke.yaml --set sft.steps=$((150 * size)) --set reward.max_steps=$((10 * size))
    --set policy.steps=$((10 * size)) --set run.save_every_steps=50 --set run.save_every_minutes=null)
failed=0

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: ${*:2}" && failed=1; }
now() { printf '%(%s)T' -1; }

# sample DIRECTORY: a line for each rank that runs.
sample() {
    local rank stage
    for rank in $(ranks_of_job); do
        # Behind the first line of a file there may be the rest of a longer one.
        stage=$(head --quiet --lines=1 "$1"/watchdog/rank-*.json 2>/dev/null |
            jq --raw-output --argjson rank "$rank" 'select(.process == $rank).stage' 2>/dev/null | head -n 1)
        awk -v time="$(now)" -v rank="$rank" -v stage="${stage:-start}" -v files="$(find "/proc/$rank/fd" -type l 2>/dev/null | wc -l)" \
            '/^VmRSS/ { all = $2 } /^RssAnon/ { anonymous = $2 } END { if (all) print time, rank, stage, all, anonymous, files }' \
            "/proc/$rank/status" 2>/dev/null >>"$samples"
    done
}

# slopes: how memory and descriptors went within the second halves of stages of processes, all such stretches in one regression, each about
# its own mean.
slopes() {
    awk '
        $3 == "start" { next }
        { key = $2 " " $3 }
        NR == FNR { if (!(key in first)) first[key] = $1; last[key] = $1; next }
        $1 < (first[key] + last[key]) / 2 { next }
        { n[key]++; time[key, n[key]] = $1; memory[key, n[key]] = $5; files[key, n[key]] = $6
          if ($4 > largest) largest = $4
          if (!lowest || $6 < lowest) lowest = $6
          if ($6 > highest) highest = $6 }
        END {
            for (key in n) {
                if (n[key] < 5) continue
                t = m = f = 0
                for (i = 1; i <= n[key]; i++) { t += time[key, i]; m += memory[key, i]; f += files[key, i] }
                t /= n[key]; m /= n[key]; f /= n[key]
                for (i = 1; i <= n[key]; i++) {
                    d = time[key, i] - t
                    square += d * d; withMemory += d * (memory[key, i] - m); withFiles += d * (files[key, i] - f)
                }
                stretches++; count += n[key]
            }
            if (!square) { print "no stage lasted long enough for a slope"; exit 1 }
            printf "%d samples of %d stretches: memory %+.2f MiB/h, at most %.0f MiB; descriptors %+.2f an hour, %d to %d\n",
                count, stretches, withMemory / square * 3600 / 1024, largest / 1024, withFiles / square * 3600, lowest, highest
        }' "$samples" "$samples"
}

# leftovers: the files of Open MPI on this machine, of this user.
leftovers() { find /dev/shm "/tmp/ompi.$(hostname).$EUID" -maxdepth 1 \( -name 'vader_segment.*' -o -name 'pid.*' \) 2>/dev/null | wc -l; }

echo "soak: $seconds s, seed $seed, a disturbance every $least to $most s"
start 1 "$work/log" run "${configuration[@]}" --set run.directory="$work/whole"
wait_for_end || { not_ok "the undisturbed run" "$(tail -n 3 "$work/log")" && exit 1; }
hashes "$work/whole" >"$work/whole.hashes"
echo "the undisturbed run on one rank took $SECONDS s"

ways=(kill launcher stop freeze)
before=$(leftovers) finished=0 equal=0 began=$SECONDS
declare -A disturbed=()
for ((number = 0; SECONDS - began < seconds; number++)); do
    directory=$work/run
    rm -rf "$directory"
    for ((status = -1; status != 0; )); do
        ranks=$((1 + RANDOM % 4))
        start $ranks "$work/log" run "${configuration[@]}" --resume --set run.directory="$directory"
        next=$((SECONDS + least + RANDOM % (most - least + 1))) way=none
        while kill -0 $job 2>/dev/null; do
            sleep 5
            sample "$directory"
            # When the time is up, the last run may go on to its end.
            ((SECONDS < next || SECONDS - began >= seconds)) && continue
            way=${ways[RANDOM % 4]}
            disturb $way
            disturbed[$way]=$((${disturbed[$way]:-0} + 1))
            echo "$((SECONDS - began)) s: $way, $ranks ranks, run $number"
            [[ $way == freeze ]] || break
            next=$((SECONDS + least + RANDOM % (most - least + 1))) way=none
        done
        wait_for_end
        status=$?
        # A run that was done before the moment came is no failure.
        if ((status != 0)) && [[ $way == none || $status != "$(expected_status "$way" "$directory")" ]]; then
            not_ok "run $number" "status $status after $way on $ranks ranks: $(tail -n 3 "$work/log")"
            break
        fi
    done
    ((status == 0)) || continue
    finished=$((finished + 1))
    if difference=$(diff "$work/whole.hashes" <(hashes "$directory")); then
        equal=$((equal + 1))
        echo "$((SECONDS - began)) s: run $number done, the same hashes"
    else
        not_ok "run $number has the undisturbed one's hashes" "$difference"
    fi
done
job=

echo "soak: $((SECONDS - began)) s, seed $seed, disturbances:$(for way in "${!disturbed[@]}"; do printf ' %s %d' "$way" "${disturbed[$way]}"; done)"
((finished > 0 && equal == finished)) && ok "$equal of $finished runs have the undisturbed one's hashes" ||
    not_ok "the same hashes" "$equal of $finished runs"
slopes && ok "memory and descriptors were followed" || not_ok "memory and descriptors were followed"
# The last launcher that was killed leaves its files until the next start.
after=$(leftovers)
if pgrep -x mpirun >/dev/null; then
    echo "skip what is left of Open MPI: other jobs run on this machine"
else
    ((after <= before)) && ok "nothing of Open MPI is left" || not_ok "nothing of Open MPI is left" "$before files before, $after after"
fi
exit $failed
