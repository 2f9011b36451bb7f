# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sources to make packages of, for the tests of packages. Sourced after packaging/common.sh.

# make_versions DIR: what the tests of packages try, by the caller's
#
#   make_this    DIR/this    the packages
#   make_twin    DIR/twin    the same, in a source where somebody else builds them at another time
#   make_next    DIR/next    those of a next version, whose number is in $next
make_versions()
{
    local twin
    rm -rf "$1"
    mkdir -p "$1"/{this,twin,next}
    dir=$(realpath "$1")
    # A copy has no git to ask.
    SOURCE_DATE_EPOCH=$(source_date)
    export SOURCE_DATE_EPOCH

    make_this
    (
        copy_of_source "$dir/elsewhere/source"
        become_somebody "$dir/elsewhere"
        make_twin
    ) >"$dir/twin.log" 2>&1 &
    twin=$!
    (
        copy_of_source "$dir/later"
        cd "$dir/later" || exit
        next=$(become_next)
        make_next
    )
    wait $twin || {
        cat "$dir/twin.log"
        die 'the second build failed'
    }
    rm -rf "$dir"/{elsewhere,later}
}

# copy_of_source FOLDER: this source, without git.
copy_of_source()
{
    mkdir -p "$1"
    source_files | tar --no-recursion --files-from=- --create | tar -C "$1" --extract
}

# become_next: the source here is that of the next version, which is printed, and whose sample
# configuration has changed.
become_next()
{
    local version next
    version=$(project_version)
    next=${version%.*}.$((${version##*.} + 1))
    sed -i "s/^\( *version: '\)$version',/\1$next',/" meson.build
    echo '# Of the next version.' >>packaging/vortex.conf
    echo "$next"
}

# become_somebody FOLDER: to build in FOLDER/source, as nobody builds elsewhere.
become_somebody()
{
    cd "$1/source" || exit 1
    umask 077
    chmod -R go= .
    mkdir "$1/tmp"
    export TMPDIR=$1/tmp HOME=/nonexistent LOGNAME=somebody
    export TZ=Pacific/Chatham LC_ALL=C LANG=tr_TR.UTF-8
}
