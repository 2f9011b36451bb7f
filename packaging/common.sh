# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What packaging/dev.sh and packaging/build.sh share. Sourced from the project's folder.

die()
{
    echo "${0##*/}: $*" >&2
    exit 1
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        env "$@"
    elif command -v sudo >/dev/null; then
        sudo env "$@"
    else
        die "needs root, or sudo, for: $*"
    fi
}

missing_packages()
{
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016 # dpkg-query expands it
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed*) ;;
        *) echo "$package" ;;
        esac
    done
}

updated=no
update_lists()
{
    [ "$updated" = no ] || return 0
    as_root DEBIAN_FRONTEND=noninteractive apt-get -q update
    updated=yes
}

install_packages()
{
    local missing
    command -v apt-get >/dev/null || {
        echo "${0##*/}: no apt-get here, so these must be there already: $*" >&2
        return 0
    }
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    update_lists
    as_root DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${missing[@]}"
}

# The sources which a Windows lacks, as the wraps in subprojects/ name them. False where one isn't to
# be had.
fetch_subprojects()
{
    local wrap url file hash
    mkdir -p subprojects/packagecache
    for wrap in subprojects/*.wrap; do
        url=$(sed -n 's/^source_url = //p' "$wrap")
        file=subprojects/packagecache/$(sed -n 's/^source_filename = //p' "$wrap")
        hash=$(sed -n 's/^source_hash = //p' "$wrap")
        [ ! -e "$file" ] || continue
        # apt's own: it knows the way to Debian's archive, be there a proxy.
        /usr/lib/apt/apt-helper -o "APT::Sandbox::User=$(id -un)" \
            download-file "$url" "$file.new" "SHA256:$hash" || return 1
        mv "$file.new" "$file"
    done
}

# ---- The source --------------------------------------------------------------------------------

project_version()
{
    sed -n "s/^ *version: '\([^']*\)',\$/\1/p" meson.build | head -n 1
}

# source_files: what the source consists of, by git where there is git, else all that nobody made.
source_files()
{
    if [ -e .git ]; then
        git ls-files
    else
        find . -path ./build -prune -o -path ./dist -prune -o -name __pycache__ -prune -o \
            \( -type f -o -type l \) -printf '%P\n'
    fi | LC_ALL=C sort
}

# source_date: seconds since 1970; what is built twice from one source must have the same bytes.
source_date()
{
    if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
        echo "$SOURCE_DATE_EPOCH"
    elif [ -e .git ]; then
        git log -1 --format=%ct
    else # a tarball's files are all of its date
        stat -c %Y meson.build
    fi
}

# source_tarball FILE: the source as vortex-VERSION.tar.gz has it, the same bytes each time.
source_tarball()
{
    local prefix
    prefix=vortex-$(project_version)
    source_files | tar --no-recursion --files-from=- --mtime="@$(source_date)" --owner=0 --group=0 \
        --numeric-owner --mode=go-w,u+rw,a+rX --format=gnu --transform "flags=r;s,^,$prefix/," \
        --create | gzip -9n >"$1"
}
