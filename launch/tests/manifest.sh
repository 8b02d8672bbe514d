#!/usr/bin/env bash
# The manifest is the architecture: every Swift target imports exactly the targets that it declares, and declares only targets above it
# in Package.swift; a C target is imported by one Swift target of Sources/. docs/architecture.md shows the same targets, and names no
# file or function that is not there. Needs jq.
set -uo pipefail

# imports FOLDER: the modules that its Swift files import.
imports() {
    grep -rhoE --include='*.swift' '^ *(@testable |package |private )?import +((struct|enum|class|func|var|protocol) +)?[A-Za-z_0-9]+' "$1" |
        awk '{ print $NF }' | sort -u
}

wrong=()
declare -A above=() importer=()
# What the toolchain brings is not declared.
toolchain=" Foundation FoundationNetworking Glibc Synchronization Testing PackageDescription Dispatch "

while IFS=$'\t' read -r name folder rooms products; do
    for dependency in $rooms; do
        [[ -n ${above[$dependency]:-} ]] || wrong+=("$name uses $dependency, which is not above it in Package.swift")
    done
    above[$name]=1
    [[ -n $(find "$folder" -name '*.swift' -print -quit) ]] || continue
    imported=" $(imports "$folder" | tr '\n' ' ')"
    # Of the package Yams we use libyaml alone.
    dependencies="$rooms ${products/Yams/CYaml}"
    for dependency in $dependencies; do
        [[ $imported == *" $dependency "* ]] || wrong+=("$name declares $dependency and does not import it")
    done
    for module in $imported; do
        [[ $toolchain == *" $module "* || " $dependencies " == *" $module "* ]] ||
            wrong+=("$name imports $module and does not declare it")
        if [[ $module == C[A-Z]* && $folder == Sources/* && -d Sources/$module ]]; then
            [[ -z ${importer[$module]:-} ]] || wrong+=("$name and ${importer[$module]} both import $module")
            importer[$module]=$name
        fi
    done
done < <(swift package dump-package | jq --raw-output '.targets[] |
    [.name, .path // ((if .type == "test" then "Tests/" else "Sources/" end) + .name),
     ([.dependencies[] | (.byName // .target // empty)[0]] | join(" ")), ([.dependencies[] | (.product // empty)[0]] | join(" "))]
    | join("\t")')

if ((${#above[@]} > 0 && ${#wrong[@]} == 0)); then
    echo "ok the manifest declares what is imported (${#above[@]} targets)"
else
    printf '%s\n' "${wrong[@]}"
    echo "not ok the manifest declares what is imported: ${#wrong[@]} lines of it are wrong"
fi

name="docs/architecture.md shows the manifest, and files that are there"
if differences=$(bash docs/architecture.sh --check 2>&1); then
    echo "ok $name"
else
    echo "$differences"
    echo "not ok $name: correct the page; docs/architecture.sh draws the diagram"
fi
