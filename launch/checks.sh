# Sourced by the scripts of launch/tests/, which have a folder $work: one line for each thing that they check.
# shellcheck shell=bash
# shellcheck disable=SC2154 # work is the script's.

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: ${*:2}"; }

# check NAME COMMAND…: the command succeeds. What it says is in $work/check.
check() {
    if "${@:2}" >"$work/check" 2>&1; then
        ok "$1"
    else
        not_ok "$1" "$(tail -n 5 "$work/check") $(tail -n 5 "$work/log" 2>/dev/null)"
    fi
}

# ends NAME CODE TEXT COMMAND…: within $limit seconds (120) the command ends with the code, having said the text; beside progress, it
# prints one line of error, or none where the code is 0; or $told lines. Its output is in $work/out, what it says beside it in $work/log.
ends() {
    local name=$1 code=$2 text=$3 command=("${@:4}") status errors said
    # A function has no process that a time limit could end.
    [[ $(type -t "$4") == function ]] || command=(timeout "${limit:-120}" "${command[@]}")
    "${command[@]}" >"$work/out" 2>"$work/log" </dev/null
    status=$?
    said=$(cat "$work/log" "$work/out" | head -c 100000 | tr "\0" " ")
    errors=$(grep -ciE '^(maxmin: )?error: ' <<<"$said")
    if ((status == code && errors == ${told:-$((code != 0))})) && [[ $said == *"$text"* ]]; then
        ok "$name"
    else
        not_ok "$name" "status $status, not $code, or $errors lines of error, or not with \"$text\": ${said:0:2000}"
    fi
}
