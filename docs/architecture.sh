#!/usr/bin/env bash
# Draws the diagram of the rooms in docs/architecture.md, between the two markers, from what Package.swift declares. The
# page's table of the rooms gives the layer of each, and the order. An edge that follows from others is left out. Needs jq.
#
#   bash docs/architecture.sh            writes the diagram
#   bash docs/architecture.sh --check    prints what is wrong with the page, and exits with 1 if anything is
#
# What is wrong: the diagram, a table with other rooms than the manifest, a file that the page names and that is not
# there, and a `NAME` (`FILE`) where the file does not have the name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

page=docs/architecture.md
begin='<!-- The diagram is made by docs/architecture.sh. -->'
end='<!-- End of the diagram. -->'
wrong=()

# The rooms with what they use; a trait where only builds with it use it.
rooms=$(swift package dump-package | jq '[.targets[]
    | select(.type != "test" and (.path // "Sources" | startswith("Tests/") | not))
    | {name, uses: [.dependencies[] | (.byName // .target // empty) | {name: .[0], trait: .[1].traits[0]}]}]')

# Rows of the table: | Layer | `Room` | what it does |.
table=$(jq --raw-input --null-input '[inputs | capture("^\\| (?<layer>[A-Z][^|]*) \\| `(?<name>[A-Za-z]+)` \\| ")]' "$page")

names() { jq --raw-output '.[].name' <<<"$1"; }
if ! difference=$(diff <(names "$rooms") <(names "$table")); then
    wrong+=("the table is not the rooms (<) of Package.swift in order, it has (>): $(grep '^[<>]' <<<"$difference" | xargs)")
fi

diagram=$(jq --null-input --raw-output --argjson rooms "$rooms" --argjson table "$table" '
    # Of each room all that it uses in every build, itself or through others. The manifest has what a room uses above it.
    (reduce $rooms[] as $room ({}; . as $all
        | .[$room.name] = [$room.uses[] | select(.trait == null) | .name, $all[.name][]])) as $all
    | def layers: reduce $table[] as $row ([];
        if .[-1].layer == $row.layer then .[-1].names += [$row.name]
        else . + [{layer: $row.layer, names: [$row.name]}] end);
    "```mermaid", "flowchart TD",
    (layers | to_entries | reverse[]
        | "    subgraph layer\(.key)[\"\(.value.layer)\"]", (.value.names[] | "        \(.)"), "    end"),
    ($rooms | reverse[] | .name as $name | [.uses[] | select(.trait == null).name] as $always
        | ($always - [$always[] | $all[.][]] | select(length > 0) | "    \($name) --> \(join(" & "))"),
        (.uses[] | select(.trait != null) | "    \($name) -. \(.trait) .-> \(.name)")),
    "```"')

if [[ ${1:-} != --check ]]; then
    DIAGRAM=$diagram awk -v begin="$begin" -v end="$end" '
        $0 == end { inside = 0 }
        !inside
        $0 == begin { inside = 1; print "\n" ENVIRON["DIAGRAM"] "\n" }' "$page" >"$page.new"
    mv "$page.new" "$page"
fi
written=$(awk -v begin="$begin" -v end="$end" '
    $0 == end { inside = 0 }
    inside && NF
    $0 == begin { inside = 1 }' "$page")
[[ $written == "$diagram" ]] || wrong+=("the diagram is not that of Package.swift")

# Files, and names in files. A line may break between the two.
# shellcheck disable=SC2016 # These backticks are Markdown's.
while read -r file; do
    [[ -e $file ]] || wrong+=("$file is not there")
done < <(grep -oE '`(Sources|Tests|docs|launch)/[^` ]+`' "$page" | tr -d '`' | sort -u)
while IFS=$'\t' read -r name file; do
    [[ ! -e $file ]] || grep -qF -e "$name" -- "$file" || wrong+=("$file does not have \`$name\`")
done < <(sed '/^```/,/^```/d' "$page" | tr -s '\n ' ' ' |
    grep -oE '(`[^`]+`(,| and| or) )*`[^`]+` \(`(Sources|Tests|docs|launch)/[^` ]+`\)' |
    awk -F '`' '{ for (i = 2; i < NF - 2; i += 2) print $i "\t" $(NF - 1) }')

if ((${#wrong[@]} > 0)); then
    printf '%s\n' "${wrong[@]/#/$page: }"
    exit 1
fi
