#!/usr/bin/env bash
# The form of the tracked files, beside what `swift format` checks: C is as clang-format 14 writes it, shellcheck has no
# warning, no line of Swift is too long (the formatter leaves comments alone), and lines and files of text end as they
# should.
set -uo pipefail

# tracked PATTERN…: the tracked files that match, each with a NUL behind it. The repository may be another user's.
tracked() { git -c safe.directory="$PWD" ls-files -z -- "$@"; }
mapfile -d '' -t c < <(tracked '*.c' '*.h')
mapfile -d '' -t swift < <(tracked '*.swift')
mapfile -d '' -t scripts < <(tracked '*.sh' .ci/run ':!Tests/Fixtures')
# What `maxmin launch` writes; some of it has no first line that names the shell.
mapfile -d '' -t written < <(tracked 'Tests/Fixtures/*.sh')
mapfile -d '' -t pages < <(tracked '*.md')
for count in ${#c[@]} ${#swift[@]} ${#scripts[@]} ${#written[@]} ${#pages[@]}; do
    ((count > 0)) || { echo "not ok lint: git lists no tracked files of some kind" && exit 1; }
done
text=("${swift[@]}" "${c[@]}" "${scripts[@]}" "${written[@]}" "${pages[@]}")

# clean NAME COMMAND…: the command succeeds and has nothing to say.
clean() {
    local name=$1 output status
    output=$("${@:2}" 2>&1)
    status=$?
    if ((status == 0)) && [[ -z $output ]]; then
        echo "ok $name"
    else
        [[ -z $output ]] || echo "$output"
        echo "not ok $name: status $status, $(grep -c . <<<"$output") lines of output"
    fi
}

# without PATTERN FILE…: succeeds where no line matches, and prints those that do as file:line:text.
without() {
    LC_ALL=C.UTF-8 grep -anHE -e "$@"
    (($? == 1))
}

lint_shell() {
    shellcheck -x -S warning "${scripts[@]}" && shellcheck -S warning --shell=bash "${written[@]}"
}

last_lines() {
    local file
    for file in "${text[@]}"; do
        # The shell drops a line feed at the end, and nothing else.
        [[ -z $(tail -c 1 "$file") ]] || echo "$file: no line feed at its end"
    done
}

clean "clang-format has nothing to change (${#c[@]} files)" clang-format --dry-run -Werror "${c[@]}"
clean "shellcheck has no warning ($((${#scripts[@]} + ${#written[@]})) scripts)" lint_shell
clean "no line of Swift has more than 120 characters (${#swift[@]} files)" without '^.{121,}' "${swift[@]}"
clean "no line ends in white space (${#text[@]} files)" without '[[:space:]]$' "${text[@]}"
clean "every file ends in a line feed (${#text[@]} files)" last_lines
