#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `packaging/build.sh oci` promises of its image.
#
#   oci.sh IMAGE SPREAD
#
# SPREAD: tests/command/spread.c, static: a server that leaves orphans. The image is unpacked by its own
# words, and run as a container is: as process 1 of namespaces, in its own root. Needs root; prints TAP.
set -u

IMAGE=$(realpath "$1") SPREAD=$(realpath "$2")
SELF=$(realpath "$0")

# shellcheck source=tests/command/tap.sh
. "$(dirname "$SELF")/../../command/tap.sh"
alone -- "$SELF" "$@"

top=$(mktemp -d /tmp/vortex-oci-XXXXXX)
trap 'umount "$top/root/dev" 2>/dev/null; rm -rf --one-file-system "$top"' EXIT

# As an image's reader does it: every size and sum is compared, the layers are laid over one another.
fresh
python3 - "$IMAGE" "$top/root" >"$top/entrypoint" 2>"$top/error" <<'END' ||
import gzip, hashlib, io, json, sys, tarfile

image = tarfile.open(sys.argv[1])
read = lambda name: image.extractfile("./" + name).read()

def blob(of):
    content = read("blobs/" + of["digest"].replace(":", "/"))
    assert len(content) == of["size"], of
    assert "sha256:" + hashlib.sha256(content).hexdigest() == of["digest"], of
    return content

assert json.loads(read("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
(entry,) = json.loads(read("index.json"))["manifests"]
manifest = json.loads(blob(entry))
config = json.loads(blob(manifest["config"]))
assert (config["os"], config["rootfs"]["type"]) == ("linux", "layers")
assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"]) == 1
for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"]):
    content = gzip.decompress(blob(layer))
    assert "sha256:" + hashlib.sha256(content).hexdigest() == diff_id
    tarfile.open(fileobj=io.BytesIO(content)).extractall(sys.argv[2])
print("\n".join(config["config"]["Entrypoint"]))
END
    problem+="$(cat "$top/error")\n"
mapfile -t ENTRYPOINT <"$top/entrypoint"
check test "$(find "$top/root" -type f -printf '%P %m %U:%G\n')" = 'vortex 755 0:0'
kept the_image_is_what_its_words_say_and_holds_one_file

# As those read it whom it is for: of skopeo, buildah and podman the reader is one library.
fresh
expect 0 '"Created": "20.*"Architecture": "'"$(dpkg --print-architecture)"'"' skopeo inspect "oci-archive:$IMAGE"
expect 0 '' skopeo --insecure-policy copy "oci-archive:$IMAGE" "dir:$dir/copy"
layer=$(skopeo inspect --format '{{index .Layers 0}}' "oci-archive:$IMAGE")
check test "$(tar -xzOf "$dir/copy/${layer#sha256:}" ./vortex | sha256sum)" = "$(sha256sum <"$top/root/vortex")"
kept skopeo_reads_and_copies_it

root=$top/root
mkdir "$root/proc" "$root/dev"
mount --bind /dev "$root/dev"
cp "$SPREAD" "$root/spread"

# boot ARGUMENT...: the container, up when its state says so; the pid of its process 1 out here: $one.
boot()
{
    P=$root/run/vortex/vortex.pid
    # shellcheck disable=SC2016 # for the shell in there
    unshare --mount --pid --fork --kill-child --propagation private sh -c \
        'root=$1 && shift && mount -t proc proc "$root/proc" && exec chroot "$root" "$@"' \
        sh "$root" "${ENTRYPOINT[@]}" "$@" >"$dir/out" 2>&1 &
    container=$!
    eventually is_up
    one=$(pgrep -P $container)
}

is_up()
{
    has_value phase ready && has_value pid 1
}

ended()
{
    local status
    wait $container
    status=$?
    [ $status -eq "$1" ] || problem+="the container ended with $status, not $1: $(cat "$dir/out")\n"
}

orphans()
{
    pgrep -P "$one" -x spread
}

has_children()
{
    [ "$(orphans | wc -l)" -eq "$1" ]
}

fresh
boot
expect 0 'vortex: running' nsenter --target "$one" --mount --pid chroot "$root" /vortex status
kill -TERM "$one"
ended 0
check test ! -e "$P"
kept without_arguments_the_built_in_server_runs_until_term

fresh
boot -- /spread 5
eventually has_children 6 # the server, and its grandchildren
first=$(orphans | tail -n 1)
kill -KILL "$first"
eventually has_children 5
check test ! -e "/proc/$first"
kill -TERM "$one"
ended 143
kept process_1_reaps_orphans_forwards_term_and_ends_with_the_servers_status

fresh
mkdir -p "$root/etc/vortex"
printf '%s\n' '[server]' 'command = /spread 2' '[restart]' 'policy = always' 'delay = 0' \
    >"$root/etc/vortex/vortex.conf"
boot
server=$(orphans | head -n 1)
kill -KILL "$server"
eventually has_value restarts 1
eventually is_up
kill -TERM "$one"
ended 143
kept the_configuration_in_the_image_is_the_servers
finish
