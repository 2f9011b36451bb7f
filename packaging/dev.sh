#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything a developer and CI do with Vortex on Debian 12 or later.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

# ---- What each purpose needs, as Debian packages ----------------------------------------------

BUILD=(gcc libc6-dev meson ninja-build)
# clang's sanitizer runtimes are a package of its version: see install_clang_runtime.
TEST=(
    clang g++ binutils libcmocka-dev pkg-config python3 util-linux valgrind
    clang-format clang-tidy cppcheck shellcheck codespell mandoc
    zsh fish python3-jsonschema spin
)
# A real systemd, in a machine of its own.
SYSTEM=(systemd-container mmdebstrap procps)
# A virtual machine, emulated, and the kernel for it.
VM=(qemu-system-x86 e2fsprogs)
KERNEL=linux-image-cloud-amd64
# The Debian packages, and what judges them.
DEB=(
    build-essential debhelper dpkg-dev libcmocka-dev
    lintian devscripts abigail-tools faketime
)
# The rpms, and what judges them.
RPM=(rpm rpmlint debugedit elfutils libcmocka-dev devscripts faketime)
# What tries the recipe for Arch, and reads the image for containers.
STATIC=(makepkg fakeroot libarchive-tools skopeo)
# A compiler for Windows, and a Windows without one.
WINDOWS=(
    gcc-mingw-w64-x86-64-win32 mingw-w64-tools mingw-w64-x86-64-dev wine wine64
    wixl msitools zip clang-tidy mandoc
)
AFL=(afl++)
# Not installed but unpacked into build/servers, so that no service starts on this machine.
SERVERS=(redis-server redis-tools nginx nginx-common postgresql-15 postgresql-client-15 libpq5)
# The same, into build/peers: what the benchmark measures beside us.
PEERS=(
    daemonize daemon openrc librc1 libeinfo1 supervisor monit runit s6 libs6-2.11 libexecline2.9
    libskarnet2.13 tini dumb-init catatonit libbsd-dev libbsd0 libmd-dev
)
# The same, into build/inits: other service managers, as layers over the root file system below.
INITS=(openrc librc1 libeinfo1 s6 libs6-2.11 libexecline2.9 libskarnet2.13 runit)
SYSVINIT=(sysvinit-core sysv-rc insserv startpar initscripts)
# What that machine's own apt installs, in build/debs.
DEBS=(
    redis-server redis-tools lsb-base libjemalloc2 liblzf1 libatomic1 liblua5.1-0 lua-bitop lua-cjson
    systemd-standalone-sysusers openrc librc1 libeinfo1 "${SYSVINIT[@]}"
)
# The root file system of that machine, build/machine.
MACHINE=(systemd systemd-sysv dbus procps libpam-systemd)

# ---- The steps of `test`, in their order -------------------------------------------------------

STEPS=(
    format cppcheck shellcheck codespell mandoc tidy
    gcc clang asan tsan posix valgrind fuzz
)
# Then these, two at a time: most of theirs is waiting. The longest first.
PAIRED=(static windows systemd deb rpm vm inits model)
# Those that are asked for by name: they would take more time than CI has.
MORE=(crash)
SUITES=(unit contract command checks threads)

# What tests/fuzz has, and for how long each of them runs, two at a time: the step takes two and a
# half minutes of CI's time in all; AFL++ is asked for by name.
FUZZ=(answer args config log machine state message pidfile word)
FUZZ_SECONDS=${VORTEX_FUZZ_SECONDS:-29}
AFL_SECONDS=${VORTEX_AFL_SECONDS:-3600}

usage()
{
    cat <<END
usage: packaging/dev.sh COMMAND

  run             build, and host the built-in server in this terminal
  test [STEP...]  install what the tests need and run them all, or these steps:
                  ${STEPS[*]} ${PAIRED[*]}
                  and, only by name: ${MORE[*]}
  deps            install what run, test, torture, bench and afl need
  torture         run that suite
  bench [quick]   measure vortex and its peers (12 minutes, on a machine that does nothing else), and
                  renew the report in build/bench and tests/bench/report, and README.md's figures;
                  quick: few rounds, and build/bench alone.
  model           search the protocol's model (tests/model) in its long form; some 15 GiB of memory
  vm              cut the power of a virtual machine, in many more ways than the step does
  afl [TARGET...] run the step fuzz's targets under AFL++, for VORTEX_AFL_SECONDS each (3600)
  corpus [TARGET...]
                  keep what those two found, in tests/fuzz/corpus
  coverage        which lines and branches of the library and the system's files the tests take

Everything made is under build/.
END
}

# ---- Packages ----------------------------------------------------------------------------------

install_clang_runtime()
{
    local version
    command -v apt-get >/dev/null || return 0
    version=$(clang -dumpversion | cut -d. -f1)
    # Up to clang 13 they are in a package which clang depends on.
    [ "$version" -lt 14 ] || install_packages "libclang-rt-$version-dev"
}

# download DIRECTORY PACKAGE...
download()
(
    mkdir -p "$1"
    cd "$1"
    shift
    apt-get -q -o "APT::Sandbox::User=$(id -un)" download "$@"
)

# unpack DIRECTORY PACKAGE...: these and the packages which they need and this machine lacks. What apt
# would only upgrade ("Inst NAME [OLD] (NEW") is left as it is here; nothing needs PostgreSQL's
# compiler.
unpack()
{
    local dir=$1 packages name
    shift
    echo "fetching: $*"
    update_lists
    rm -rf "$dir"
    mapfile -t packages < <(
        {
            printf '%s\n' "$@"
            apt-get -s install --no-install-recommends "$@" |
                sed -n '/^Inst libllvm/d; s/^Inst \([^ ]*\) (.*/\1/p'
        } | sort -u
    )
    download "$dir/deb" "${packages[@]}"
    for name in "$dir"/deb/*.deb; do
        dpkg-deb -x "$name" "$dir"
    done
    rm -rf "$dir/deb"
}

# Unpack the real servers and their libraries; bin/ runs them in place.
fetch_servers()
{
    local dir=$PWD/build/servers libraries name program
    local programs=(
        usr/bin/redis-server usr/bin/redis-cli usr/sbin/nginx
        usr/lib/postgresql/15/bin/{postgres,initdb,pg_isready}
    )
    [ ! -e "$dir/bin/pg_isready" ] || return 0
    unpack "$dir.new" "${SERVERS[@]}"
    rm -rf "$dir"
    mv "$dir.new" "$dir"
    libraries=$(find "$dir" -name '*.so*' -printf '%h\n' | grep -v /postgresql/ | sort -u |
        paste -sd:)
    mkdir "$dir/bin.new"
    for name in "${programs[@]}"; do
        program=$dir/bin.new/${name##*/}
        printf "#!/bin/sh\nexport LD_LIBRARY_PATH='%s'\nexec '%s' \"\$@\"\n" \
            "$libraries" "$dir/$name" >"$program"
        chmod +x "$program"
        if [ "${name##*/}" = nginx ]; then "$program" -v; else "$program" --version; fi
    done
    mv "$dir/bin.new" "$dir/bin"
}

# A root file system with systemd as pid 1, of the same release as this machine and by its sources.
fetch_machine()
{
    local dir=$PWD/build/machine sources=() release
    [ ! -e "$dir" ] || return 0
    command -v mmdebstrap >/dev/null || return 0
    # shellcheck disable=SC1091 # not ours
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mapfile -t sources < <(
        find /etc/apt/sources.list /etc/apt/sources.list.d \
            \( -name '*.list' -o -name '*.sources' \) -size +0 2>/dev/null
    )
    echo "making a root file system: ${MACHINE[*]}"
    as_root rm -rf "$dir.new"
    if as_root mmdebstrap --quiet --variant=minbase --mode=root \
        --include="$(IFS=, && echo "${MACHINE[*]}")" "$release" "$dir.new" "${sources[@]}"; then
        as_root mv "$dir.new" "$dir"
    else # a sandbox may forbid it; the step systemd then says that it was skipped
        echo 'dev.sh: no root file system can be made here' >&2
    fi
}

fetch_debs()
{
    local dir=$PWD/build/debs
    [ ! -e "$dir" ] || return 0
    command -v apt-get >/dev/null || return 0
    update_lists
    rm -rf "$dir.new"
    download "$dir.new" "${DEBS[@]}"
    mv "$dir.new" "$dir"
}

# A virtual machine's kernel, into build/vm: unpacked, since this machine would boot an installed one.
# Where there is none, or nothing to emulate a machine, the step vm says that it was skipped.
fetch_vm()
{
    local dir=$PWD/build/vm name
    [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || return 0
    install_packages "${VM[@]}" || echo 'dev.sh: nothing that emulates a machine here' >&2
    [ ! -e "$dir" ] || return 0
    update_lists
    rm -rf "$dir.new"
    name=$(apt-cache depends "$KERNEL" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    if download "$dir.new/deb" "$name"; then
        dpkg-deb -x "$dir.new"/deb/*.deb "$dir.new"
        mv "$dir.new"/boot/vmlinuz-* "$dir.new/kernel"
        rm -rf "$dir.new"/{deb,boot,lib,usr}
        mv "$dir.new" "$dir"
    else
        echo 'dev.sh: no kernel for a virtual machine here' >&2
    fi
}

# unpack_merged DIRECTORY PACKAGE...: the same, as Debian has it today, with all of /bin in /usr/bin.
unpack_merged()
{
    local name
    unpack "$@"
    for name in bin sbin lib; do
        if [ -d "$1/$name" ]; then
            cp -a "$1/$name" "$1/usr/"
            rm -r "${1:?}/$name"
        fi
    done
}

# Unpack the other service managers. Two of them have files at the same paths.
fetch_inits()
{
    local dir=$PWD/build/inits
    [ ! -e "$dir" ] || return 0
    unpack_merged "$dir.new/openrc" "${INITS[@]}"
    unpack_merged "$dir.new/sysvinit" "${SYSVINIT[@]}"
    mv "$dir.new" "$dir"
}

# Unpack the peers as a layer for /usr: the benchmark lays it there, for itself alone.
fetch_peers()
{
    local dir=$PWD/build/peers
    [ "$(cat "$dir/packages" 2>/dev/null)" != "${PEERS[*]}" ] || return 0
    unpack_merged "$dir.new" "${PEERS[@]}"
    rm -rf "$dir"
    mv "$dir.new/usr" "$dir"
    rm -rf "$dir.new"
    echo "${PEERS[*]}" >"$dir/packages"
}

install_for_tests()
{
    install_packages "${BUILD[@]}" "${TEST[@]}" "${SYSTEM[@]}" "${DEB[@]}" "${RPM[@]}" "${STATIC[@]}" \
        "${WINDOWS[@]}"
    install_clang_runtime
    fetch_servers
    fetch_machine
    fetch_vm
    fetch_debs
    fetch_inits
    fetch_subprojects || echo 'dev.sh: no sources for Windows here' >&2
}

# ---- Builds ------------------------------------------------------------------------------------

# setup NAME COMPILER OPTION...: configure build/build-NAME, once.
setup()
{
    local dir=build/build-$1 compiler=$2
    shift 2
    [ -e "$dir/build.ninja" ] || CC=$compiler meson setup "$dir" --werror "$@"
}

setup_gcc() { setup gcc gcc; }
setup_clang() { setup clang clang; }
setup_posix() { setup posix gcc -Dos=posix; }

# setup_fuzzer NAME COMPILER: all code counts for the fuzzer, so the flag is for all;
# tests/fuzz/meson.build looks for it.
setup_fuzzer()
{
    setup "$1" "$2" -Db_sanitize=address,undefined -Db_lundef=false \
        "-Dc_args=['-fno-sanitize-recover=all', '-fsanitize=fuzzer-no-link']"
    ninja -C "build/build-$1" "${FUZZ[@]/#/tests/fuzz/fuzz_}"
}

setup_fuzz() { setup_fuzzer fuzz clang; }
setup_afl() { AFL_QUIET=1 setup_fuzzer afl afl-clang-fast; }

# At -O0, where each branch of the source is one of the program. By b_coverage the linker's first try
# would lack what the dump needs.
setup_coverage()
{
    local dump=$PWD/build/coverage_dump.o
    gcc -c -fPIC -o "$dump" tests/checks/coverage_dump.c
    setup coverage gcc --buildtype=debug -Db_lundef=false \
        "-Dc_args=['--coverage', '-fprofile-abs-path', '-fprofile-update=atomic']" \
        "-Dc_link_args=['--coverage', '-Wl,--wrap=_exit,--wrap=execve,--wrap=execvp', '$dump']"
}

# To meson, a suite without a test is a success.
require_tests()
{
    meson test -C "$1" --no-rebuild --list --suite "$2" | grep ' / ' >/dev/null ||
        die "$1: no test is registered in the suite '$2'"
}

# suites NAME SUITE... [-- ARGUMENT...]: build build/build-NAME and run these suites in it.
suites()
{
    local dir=build/build-$1 suite arguments=()
    shift
    ninja -C "$dir"
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        suite=$1
        shift
        require_tests "$dir" "$suite"
        arguments+=(--suite "$suite")
    done
    [ $# -eq 0 ] || shift
    # A log of its own: another step may be using the same build.
    local status=0 log=testlog-$suite
    rm -f "$dir/meson-logs/$log"*
    meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$log" --no-suite torture \
        --no-suite bench "${arguments[@]}" "$@" </dev/null || status=$?
    python3 - "$dir/meson-logs/$log" <<'END'
import glob, json, sys
for path in glob.glob(sys.argv[1] + "*.json"):
    for test in map(json.loads, open(path, encoding="utf-8")):
        if test["result"] == "SKIP":
            print("SKIPPED:", test["name"])
        if test["duration"] > 100:
            print("SLOW:", test["name"], round(test["duration"]), "s")
        for line in (test.get("stdout") or "").splitlines():
            if line.startswith("SKIPPED:"):
                print(line)
END
    return "$status"
}

# ThreadSanitizer wants its usual addresses: newer kernels spread them wider than clang 14 knows.
tsan_wrapper()
{
    local probe=build/tsan-probe
    echo 'int main(void) { return 0; }' | clang -fsanitize=thread -x c - -o "$probe"
    if ! "$probe" 2>/dev/null; then
        setarch -R "$probe" || die 'ThreadSanitizer does not run here, even under setarch -R'
        echo setarch -R
    fi
}

# ---- The steps ---------------------------------------------------------------------------------

sources()
{
    find "$@" -name '*.[ch]' | sort
}

# What a person wrote.
all_files()
{
    find . \( -path ./.git -o -path ./build -o -path ./dist -o -path './build-*' \
        -o -path './subprojects/*-*' -o -path ./subprojects/packagecache \
        -o -path ./tests/fuzz/corpus -o -path ./tests/fuzz/seeds \) -prune -o -type f -print | sort
}

shell_files()
{
    local file line
    all_files | while read -r file; do
        case $file in
        *.sh | *.bash | *.confd | *.default) echo "$file" ;;
        *)
            IFS= read -r line 2>/dev/null <"$file" || true
            [[ ! $line =~ ^\#!.*[/\ ]((ba|da|k)?sh|openrc-run)(\ |$) ]] || echo "$file"
            ;;
        esac
    done
}

step_format()
{
    sources src tests | xargs clang-format --dry-run -Werror
}

# resourceLeak: it takes "return fd < 0 ? -errno : fd" for one. readdirCalled: readdir_r is obsolete.
step_cppcheck()
{
    cppcheck --quiet --enable=warning,performance,portability --std=c11 --inline-suppr \
        --library=posix --library=gnu --suppress=readdirCalled --suppress=resourceLeak \
        --error-exitcode=1 -j 2 -I src src
}

step_shellcheck()
{
    shell_files | xargs shellcheck -x
}

step_codespell()
{
    all_files | grep -v '^./LICENSE$' | xargs codespell
}

step_mandoc()
{
    local pages
    mapfile -t pages < <(find src -name '*.[1-9]')
    if [ ${#pages[@]} -eq 0 ]; then
        echo 'SKIPPED: there are no manual pages in src'
        return
    fi
    mandoc -T lint -W warning "${pages[@]}"
}

# Each file as the build that has it compiles it; those of Windows are the step windows'.
step_tidy()
{
    local file dir todo=()
    setup_clang
    setup_posix
    for dir in build/build-clang build/build-posix; do
        ninja -C "$dir" build.ninja # an older build may know fewer files
    done
    while read -r file; do
        for dir in build/build-clang build/build-posix; do
            if grep -q "\"file\": \".*/$file\"" "$dir/compile_commands.json"; then
                todo+=("$dir" "$file")
                continue 2
            fi
        done
        die "$file is in no build, so nothing checks it"
    done < <(find src -name '*.c' ! -name 'windows*' ! -name '*_windows.c' | sort)
    printf '%s %s\n' "${todo[@]}" | xargs -P 2 -L 1 clang-tidy --quiet -p
}

step_gcc()
{
    setup_gcc
    suites gcc "${SUITES[@]}" -- -t 2
}

# The suite command has another build by clang: that of the step asan.
step_clang()
{
    setup_clang
    suites clang unit contract checks threads -- -t 2
}

step_asan()
{
    # b_lundef: the runtime is in the program, not in the library.
    setup asan clang -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fno-sanitize-recover=all
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        suites asan unit contract command threads -- -t 4
}

step_tsan()
{
    local wrapper
    wrapper=$(tsan_wrapper)
    setup tsan clang -Db_sanitize=thread -Db_lundef=false
    TSAN_OPTIONS=exitcode=99 suites tsan threads -- -t 10 ${wrapper:+--wrapper "$wrapper"}
}

step_posix()
{
    setup_posix
    suites posix unit contract command -- -t 2
}

step_valgrind()
{
    setup_gcc
    suites gcc unit -- -t 10 --wrapper \
        'valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
}

# say_broken TARGET FOLDER: the inputs in there broke it; as text to copy.
say_broken()
{
    local file
    for file in "$2"/*; do
        [ ! -e "$file" ] || echo "$1: FAILED by $file, in base64: $(base64 -w 0 "$file")"
    done
}

# fuzz_one TARGET SECONDS: its whole log, and the inputs that broke it. The way is the same each time, as far as
# the code is, so that a change is not refused for what another one did; VORTEX_FUZZ_SEED=0 is for a new one.
fuzz_one()
{
    local target=$1 seconds=$2 crashes=build/fuzz/crashes/$1 log=build/fuzz/$1.log status=0
    rm -rf "$crashes"
    mkdir -p "build/fuzz/$target" "$crashes"
    # What it finds goes to the first folder.
    "build/build-fuzz/tests/fuzz/fuzz_$target" -dict="tests/fuzz/$target.dict" \
        -artifact_prefix="$crashes/" -max_len=4200 -timeout=60 -max_total_time="$seconds" \
        -seed="${VORTEX_FUZZ_SEED:-1}" -print_final_stats=1 "build/fuzz/$target" "tests/fuzz/corpus/$target" \
        "tests/fuzz/seeds/$target" >"$log" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        grep -E '^#[0-9]+[[:space:]]+(INITED|DONE)' "$log" | sed "s/^/$target: /"
        return 0
    fi
    tail -n 80 "$log"
    say_broken "$target" "$crashes"
    echo "$target: FAILED with status $status"
    return 1
}

# afl_one TARGET SECONDS: the same under AFL++; what it finds goes where the other one begins.
afl_one()
{
    local target=$1 seconds=$2 out=build/afl/$1 log=build/afl/$1.log stats
    rm -rf "$out"
    mkdir -p "$out/in" "build/fuzz/$target"
    cp "tests/fuzz/corpus/$target"/* "tests/fuzz/seeds/$target"/* "$out/in"
    stats=$out/out/default/fuzzer_stats
    AFL_NO_UI=1 AFL_NO_COLOR=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -V "$seconds" -G 4200 -t 10000 -m none -x "tests/fuzz/$target.dict" -i "$out/in" \
        -o "$out/out" "build/build-afl/tests/fuzz/fuzz_$target" >"$log" 2>&1 || {
        tail -n 80 "$log"
        say_broken "$target" "$out/out/default/crashes"
        echo "$target: FAILED: AFL++ did not run to its end"
        return 1
    }
    cp "$out"/out/default/queue/id* "build/fuzz/$target"
    grep -E '^(execs_|corpus_count|edges_found|saved_)' "$stats" | sed "s/^/$target: /"
    if ! grep -Eq '^saved_crashes +: 0$' "$stats" || ! grep -Eq '^saved_hangs +: 0$' "$stats"; then
        say_broken "$target" "$out/out/default/crashes"
        say_broken "$target" "$out/out/default/hangs"
        return 1
    fi
}

step_fuzz()
{
    setup_fuzz
    export -f fuzz_one say_broken
    printf '%s\n' "${FUZZ[@]}" | xargs -P 2 -I{} bash -euo pipefail -c "fuzz_one {} $FUZZ_SECONDS"
}

# A taste of what `torture` does at every system call, which needs namespaces.
step_crash()
{
    setup_gcc
    ninja -C build/build-gcc
    require_tests build/build-gcc crash
    as_root meson test -C build/build-gcc --no-rebuild --verbose --suite crash
}

# The protocol and its mutants: all that three processes can do to each other, the short form.
step_model()
{
    bash tests/model/run.sh short build/model
}

# What a user would install, in a machine that systemd has booted.
step_systemd()
{
    setup_gcc
    suites gcc system
}

# The same in a virtual machine that is rebooted, and whose power is cut.
step_vm()
{
    setup_gcc
    suites gcc vm
}

# The same under other service managers.
step_inits()
{
    setup_gcc
    suites gcc inits
}

# The Debian packages: made, judged, and installed with systemd, without, and under other inits.
step_deb()
{
    bash tests/system/deb/build.sh build/deb
    setup_gcc
    suites gcc deb
}

# The rpms: made, judged, and installed into a machine whose other packages are Debian's.
step_rpm()
{
    bash tests/system/rpm/build.sh build/rpm
    setup_gcc
    suites gcc rpm
}

# What packaging/build.sh makes for any Linux: it is one file, stands in for the command that the suite
# tries, is process 1 of its image, and has the same bytes when the tarball is built elsewhere.
step_static()
{
    local exe image elsewhere=build/static/elsewhere name
    setup_gcc
    ninja -C build/build-gcc # before that file, which then counts as newer than what it stands in for
    bash packaging/build.sh static oci
    exe=$(echo dist/static/vortex-*) image=$(echo dist/oci/vortex-*)
    rm -rf build/static
    mkdir -p build/static $elsewhere/out
    for name in alive spread; do
        musl-gcc -static -D_GNU_SOURCE -o build/static/$name "tests/command/$name.c"
    done
    bash tests/system/static/static.sh "$exe" build/static/alive
    bash tests/system/static/oci.sh "$image" build/static/spread
    export -f suites require_tests die
    # shellcheck disable=SC2016 # for the shell in there
    as_root unshare --mount --propagation private bash -euc \
        'mount --bind --read-only "$1" build/build-gcc/src/vortex && suites gcc command -- -t 2' bash "$exe"

    source_tarball build/static/source.tar.gz
    bash tests/system/static/alpine.sh . build/static/source.tar.gz
    bash tests/system/static/arch.sh . build/static/source.tar.gz
    tar -xf build/static/source.tar.gz -C $elsewhere --strip-components 1
    (
        umask 077
        cd $elsewhere
        for name in static oci; do
            TZ=Asia/Tokyo LC_ALL=C.UTF-8 bash packaging/$name/build.sh "$PWD/out"
        done
    )
    cmp "$exe" $elsewhere/out/"${exe##*/}"
    cmp "$image" $elsewhere/out/"${image##*/}"
    check_dist
}

# meson's own tarball is the same source; it is built and installed by meson itself.
check_dist()
{
    if [ ! -e .git ]; then
        echo 'SKIPPED: meson dist needs git'
        return
    fi
    rm -rf build/build-dist
    meson setup build/build-dist -Dtests=false
    meson dist -C build/build-dist --allow-dirty --formats gztar
    diff <(tar -tf build/build-dist/meson-dist/vortex-*.tar.gz | grep -v '/$' | LC_ALL=C sort) \
        <(git archive --prefix="vortex-$(project_version)/" HEAD | tar -t | grep -v '/$' | LC_ALL=C sort)
}

# What step_tidy leaves out.
tidy_windows()
{
    find src -name 'windows*.c' -o -name '*_windows.c' | sort |
        xargs -P 2 -n 1 clang-tidy --quiet -p build/build-windows \
            --extra-arg-before=--target=x86_64-w64-mingw32 \
            --extra-arg=-isystem/usr/x86_64-w64-mingw32/include
}

# Cross-compiled, packaged, and tried under Wine. Where that doesn't run, the programs are only built.
step_windows()
{
    local dir=build/build-windows here=tests/system/windows status=0 script
    local setup=("$dir" --cross-file packaging/windows/mingw64.ini --werror --wrap-mode=nodownload)
    if ! fetch_subprojects; then
        echo 'SKIPPED: cmocka and tre, as Debian has their sources, are not to be had here'
        return
    fi
    mkdir -p build
    printf "[binaries]\nexe_wrapper = '%s'\n" "$PWD/$here/run.sh" >build/wine.ini
    export -f suites require_tests die
    # shellcheck disable=SC2016 # for the shell in there
    bash $here/in_wine.sh build bash -euo pipefail -c '
        [ -e "$1/build.ninja" ] || meson setup "$@" --cross-file build/wine.ini
        suites windows unit contract threads -- -t 4' bash "${setup[@]}" || status=$?
    if [ $status -eq 77 ]; then
        echo 'SKIPPED: Wine does not run here, so nothing for Windows is tried'
        [ -e $dir/build.ninja ] || meson setup "${setup[@]}"
        ninja -C $dir
        tidy_windows
        return
    fi
    [ $status -eq 0 ] || return $status
    tidy_windows
    for script in hosting service; do
        bash $here/$script.sh $dir/src/vortex.exe build
    done
    bash $here/build.sh build/windows
    for script in files msi; do
        bash $here/$script.sh build/windows build
    done
}

# What a test may rely on.
test_environment()
{
    export MESON_TESTTHREADS=2
    export VORTEX_TEST_SERVERS=$PWD/build/servers # what bin/ has
    export VORTEX_BENCH_PEERS=$PWD/build/peers
    export VORTEX_TEST_MACHINE=$PWD/build/machine # a root file system with systemd
    export VORTEX_TEST_VM=$PWD/build/vm           # a kernel, and room for a disk
    export VORTEX_TEST_DEBS=$PWD/build/deb        # what tests/system/deb/build.sh made
    export VORTEX_TEST_RPMS=$PWD/build/rpm        # what tests/system/rpm/build.sh made
    export VORTEX_TEST_ARCHIVE=$PWD/build/debs    # what an apt in a machine may install
    export VORTEX_TEST_INITS=$PWD/build/inits     # layers over that with other service managers
    export VORTEX_TEST_ALL=1                      # a missing tool is a failure, not a skip
}

# ---- The commands ------------------------------------------------------------------------------

# run_step NAME: its output is in its log, and shown where it fails; how it ended stands beside that.
run_step()
{
    local log=build/logs/$1.log start=$SECONDS
    # A program of its own, since `set -e` means nothing inside of an `if`.
    if bash packaging/dev.sh step "$1" >"$log" 2>&1 </dev/null; then
        echo "ok      $1 ($((SECONDS - start)) s)" | tee "$log.end"
        sed -n 's/^\(Ok\|Skipped\): *\([1-9][0-9]*\) *$/        \1: \2/p' "$log"
    else
        tail -n 300 "$log"
        echo "FAILED  $1 ($((SECONDS - start)) s), see $log" | tee "$log.end"
    fi
}

# run_steps NAME...: those that may be are run in pairs, after the others.
run_steps()
{
    local name alone=() paired=() failed
    for name in "$@"; do
        if [[ " ${PAIRED[*]} " == *" $name "* ]]; then
            paired+=("$name")
        else
            alone+=("$name")
        fi
    done
    rm -rf build/logs
    mkdir -p build/logs
    for name in "${alone[@]}"; do
        run_step "$name"
    done
    if [ ${#paired[@]} -gt 0 ]; then
        setup_gcc >/dev/null
        ninja --quiet -C build/build-gcc # or two of them would make it at once
        export -f run_step
        printf '%s\n' "${paired[@]}" | xargs -P 2 -I{} bash -euo pipefail -c 'run_step {}'
    fi

    echo '== summary'
    for name in "$@"; do
        cat "build/logs/$name.log.end"
    done
    for name in "$@"; do
        sed -nE "s/^(SKIPPED|SLOW):/\\1 in $name:/p" "build/logs/$name.log" | sort -u
    done
    for name in "$@"; do # once more, where a reader of the end finds it
        ! grep -q ^FAILED "build/logs/$name.log.end" ||
            grep -aE 'FAIL|TIMEOUT|ERROR|not ok|error:|LINE ' "build/logs/$name.log" |
            tail -n 20 | sed "s/^/$name: /" || true
    done
    failed=$(cat build/logs/*.end | grep -c ^FAILED || true)
    echo "$(($# - failed)) passed, $failed failed"
    [ "$failed" -eq 0 ]
}

is_step()
{
    [[ " ${STEPS[*]} ${PAIRED[*]} ${MORE[*]} " == *" $1 "* ]]
}

command_test()
{
    local name
    for name in "$@"; do
        is_step "$name" || die "test: there is no step '$name', but: ${STEPS[*]} ${PAIRED[*]} ${MORE[*]}"
    done
    [ $# -gt 0 ] || set -- "${STEPS[@]}" "${PAIRED[@]}"
    install_for_tests
    run_steps "$@"
}

command_run()
{
    install_packages "${BUILD[@]}"
    mkdir -p build/run
    if [ ! -e build/build.ninja ]; then
        meson setup build -Dtests=false >build/run/setup.log || {
            cat build/run/setup.log
            exit 1
        }
    fi
    ninja --quiet -C build
    echo "hosting here, until Ctrl-C; from a second terminal:" \
        "$PWD/build/src/vortex status -p $PWD/build/run/vortex.pid"
    exec build/src/vortex run -p "$PWD/build/run/vortex.pid"
}

# A peer that is a library: the benchmark's daemon with it, beside the other peers.
build_libbsd_daemon()
{
    local peers=build/peers
    gcc -O2 -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L -isystem $peers/include \
        tests/bench/daemon.c tests/bench/claim_libbsd.c -o $peers/bin/daemon-of-libbsd \
        "-L$peers/lib/$(gcc -print-multiarch)" -lbsd
}

# command_suite SUITE: torture, bench and vm-long run alone, on what a user would install.
command_suite()
{
    local dir=build/build-release
    test_environment
    install_packages "${BUILD[@]}" "${TEST[@]}"
    fetch_servers
    if [ "$1" != torture ]; then
        install_packages "${SYSTEM[@]}"
        fetch_machine
    fi
    if [ "$1" = bench ]; then
        fetch_peers
        build_libbsd_daemon
    fi
    [ "$1" != vm-long ] || fetch_vm
    setup release gcc --buildtype=release
    ninja -C "$dir"
    require_tests "$dir" "$1"
    meson test -C "$dir" --no-rebuild --verbose --num-processes 1 -t 0 --suite "$1"
}

# command_bench [quick]: all figures anew, in the report and in README.md.
command_bench()
{
    local report=(python3 tests/bench/report.py)
    case ${1-} in
    quick) export VORTEX_BENCH_QUICK=1 ;;
    ?*) die "bench: '$1' is not 'quick'" ;;
    esac
    rm -rf build/build-release/tests/bench/*.jsonl build/bench
    command_suite bench
    "${report[@]}" make build/build-release/tests/bench build/peers build/bench
    [ "${1-}" = quick ] || "${report[@]}" keep build/bench tests/bench/report README.md
}

command_model()
{
    install_packages "${BUILD[@]}" "${TEST[@]}"
    bash tests/model/run.sh long build/model-long
}

command_afl()
{
    [ $# -gt 0 ] || set -- "${FUZZ[@]}"
    install_packages "${BUILD[@]}" "${TEST[@]}" "${AFL[@]}"
    install_clang_runtime
    setup_afl
    export -f afl_one say_broken
    printf '%s\n' "$@" | xargs -P 2 -I{} bash -euo pipefail -c "afl_one {} $AFL_SECONDS"
}

# Users other than root are to add to what was counted, so the files are made before.
command_coverage()
{
    local dir=build/build-coverage status=0
    test_environment
    install_packages "${BUILD[@]}" "${TEST[@]}"
    fetch_servers
    setup_coverage
    find $dir -name '*.gcda' -delete
    export GCOV_ERROR_FILE=/dev/null # a file that can't be written is no error of the program
    suites coverage unit contract -- -t 10 || status=$?
    $dir/src/vortex version
    find $dir -name '*.gcda' -exec chmod a+rw {} +
    suites coverage command -- -t 10 || status=$?
    python3 -B tests/checks/coverage.py $dir tests/checks/coverage.txt || status=$?
    return $status
}

# As few inputs as reach every line that all of them reach.
command_corpus()
{
    local target new
    [ $# -gt 0 ] || set -- "${FUZZ[@]}"
    install_packages "${BUILD[@]}" "${TEST[@]}"
    install_clang_runtime
    setup_fuzz
    for target in "$@"; do
        new=build/fuzz/kept/$target
        rm -rf "$new"
        mkdir -p "$new" "build/fuzz/$target"
        "build/build-fuzz/tests/fuzz/fuzz_$target" -set_cover_merge=1 -use_counters=0 \
            -max_len=4000 "$new" "build/fuzz/$target" "tests/fuzz/corpus/$target" \
            "tests/fuzz/seeds/$target" 2>&1 | tail -n 1
        rm -rf "tests/fuzz/corpus/$target"
        mv "$new" "tests/fuzz/corpus/$target"
    done
}

case ${1-} in
run) command_run ;;
test) command_test "${@:2}" ;;
step)
    is_step "${2-}" || die "there is no step '${2-}'"
    test_environment
    "step_$2"
    ;;
deps)
    install_packages "${BUILD[@]}" "${TEST[@]}" "${SYSTEM[@]}" "${DEB[@]}" "${RPM[@]}" \
        "${STATIC[@]}" "${WINDOWS[@]}" "${AFL[@]}"
    install_clang_runtime
    fetch_servers
    fetch_machine
    fetch_vm
    fetch_debs
    fetch_inits
    fetch_peers
    fetch_subprojects
    ;;
torture) command_suite torture ;;
bench) command_bench "${@:2}" ;;
vm) command_suite vm-long ;;
model) command_model ;;
afl) command_afl "${@:2}" ;;
corpus) command_corpus "${@:2}" ;;
coverage) command_coverage ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
