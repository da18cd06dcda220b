# shellcheck shell=bash
# What the scripts share. Sourced, never run; the caller has set -euo pipefail.

# What is built and fetched is read by users of less rights, QEMU's for one.
umask 022

# What spares work and may be thrown away at any time, for all working copies.
cache_home=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vm-launch

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $1"
    shift
    local hint
    for hint in "$@"; do say "  hint: $hint"; done
    exit 1
}

# as_root CMD…: runs CMD with root's rights, or says which command somebody with these rights has to run.
as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "installing packages needs root, and there is no sudo here" "as root, run: $*"
    fi
}

require_debian() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
        die "this script installs Debian packages, and there is no apt-get here" \
            "use Debian 12 or 13, or a container of it"
}

# first_known NAME…: the first of these packages that apt could install, or nothing.
first_known() {
    local name
    for name in "$@"; do
        if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
    done
}

# make_whole DIR COMMAND…: runs COMMAND with a fresh folder beside DIR as its last argument, and renames that folder to
# DIR once COMMAND has succeeded. So DIR is there whole or not at all, however a run was interrupted. What such a run
# left beside DIR is removed here: the caller holds a lock. Not for use in a condition, where bash ignores `set -e`.
make_whole() {
    local target=$1 fresh
    shift
    rm -rf "$target".making.??????
    fresh=$(mktemp -d "$target.making.XXXXXX")
    chmod 755 "$fresh"
    "$@" "$fresh"
    rm -rf "$target"
    mv -T "$fresh" "$target"
}

# recipe FUNCTION|FILE|WORD…: changes when what they make would change.
recipe() {
    local part
    for part in "$@"; do
        declare -f "$part" || cat "$part" 2>/dev/null || printf '%s\n' "$part"
    done | sha256sum | cut -c 1-16
}

# once DIR RECIPE COMMAND…: makes DIR, unless it is there and was made by this recipe.
once() {
    local dir=$1 recipe=$2
    shift 2
    [[ -e $dir && $(cat "$dir.recipe" 2>/dev/null) == "$recipe" ]] && return
    rm -f "$dir.recipe"
    make_whole "$dir" "$@"
    printf '%s\n' "$recipe" >"$dir.recipe"
}
