#!/usr/bin/env bash
# Makes a Debian 12 machine ready to build maxmin: checks Swift and installs the apt packages that are missing, as root or
# through sudo. Does nothing where nothing is missing. Run it by itself, or source it for its functions.

BUILD_PACKAGES=(pkg-config libopenblas-openmp-dev libdnnl-dev zlib1g-dev)
MPI_PACKAGES=(libopenmpi-dev openmpi-bin)
# shellcheck disable=SC2034 # Used by launch/test.sh.
TEST_PACKAGES=(
    jq strace iproute2 clang-format shellcheck python3
    libc6-dev-arm64-cross libgcc-12-dev-arm64-cross libgomp1-arm64-cross qemu-user-static
)

# OpenMP's threads spin between parallel loops, by default for so long that ranks, or programs beside this one, that share the
# cores run ten times slower. Set here for all scripts, unless the user has an opinion.
[[ -n ${OMP_WAIT_POLICY:-} ]] || export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000}

# Ends the script with one line.
fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Ends the script where Swift is absent or older than 6.2.
require_swift() {
    command -v swift >/dev/null || fail "Swift 6.2 or later is not on the PATH; install it from https://swift.org/install"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ -n $version && $(printf '%s\n' 6.2 "$version" | sort -V | head -n 1) == 6.2 ]] ||
        fail "Swift 6.2 or later is needed, this is ${version:-unknown}; install it from https://swift.org/install"
}

# Prints those of the named packages that are not installed.
missing_packages() {
    local package
    for package; do
        # pkgconf brings the pkg-config command too.
        [[ $package == pkg-config ]] && command -v pkg-config >/dev/null && continue
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            echo "$package"
    done
}

# Installs those of the named packages that are missing; where it cannot, says why in one line and returns 1.
install_packages() {
    local missing as_root=() log
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    local remedy="install them as root: apt-get install ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "${0##*/}: packages are missing and apt-get is not here to install them: ${missing[*]}" >&2
        return 1
    elif ((EUID == 0)); then
        as_root=(env)
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    elif command -v sudo >/dev/null && [[ -t 0 ]]; then
        as_root=(sudo)
    else
        echo "${0##*/}: packages are missing and this user may not use sudo; $remedy" >&2
        return 1
    fi
    echo "${0##*/}: installing ${missing[*]}" >&2
    log=$(mktemp)
    local install=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends)
    # The package lists may be absent or old: fetch them only where the first try fails.
    if "${install[@]}" "${missing[@]}" >"$log" 2>&1 ||
        { "${as_root[@]}" apt-get update >"$log" 2>&1 && "${install[@]}" "${missing[@]}" >"$log" 2>&1; }; then
        rm -f "$log"
        return 0
    fi
    echo "${0##*/}: apt-get could not install packages ($(grep '^E:' "$log" | head -n 1)); $remedy" >&2
    rm -f "$log"
    return 1
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    require_swift
    install_packages "${BUILD_PACKAGES[@]}" "${MPI_PACKAGES[@]}"
fi
