#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A container image of nothing but vortex, as process 1: packaging/oci/build.sh OUTDIR
# It is an OCI image layout in a tar, as podman load, skopeo (oci-archive:) and docker load take it.
# A layout is a few JSON files named after their sums, so no tool for images is needed here, and the
# same source gives the same bytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=packaging/common.sh
. packaging/common.sh

out=$1
version=$(project_version)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
layout=$top/layout blobs=$top/layout/blobs/sha256

# reproducible_tar DIRECTORY: its files, as of the source's date and of nobody in particular.
reproducible_tar()
{
    tar -C "$1" --sort=name --mtime="@$(source_date)" --owner=0 --group=0 --numeric-owner \
        --format=ustar -c .
}

sum()
{
    sha256sum "$1" | cut -d' ' -f1
}

# blob MEDIA-TYPE FILE: move it to where its sum says, and print the descriptor of it.
blob()
{
    local digest
    digest=$(sum "$2")
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s}' \
        "$1" "$digest" "$(stat -c %s "$2")"
    mv "$2" "$blobs/$digest"
}

case $(uname -m) in # as Go calls them
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) architecture=$(uname -m) ;;
esac

mkdir -p "$top"/{exe,root/{etc/vortex,run}} "$blobs"
bash packaging/static/build.sh "$top/exe"
install -m 755 "$top"/exe/vortex-* "$top/root/vortex"
chmod 755 "$top/root" "$top"/root/{etc,etc/vortex,run}

reproducible_tar "$top/root" >"$top/layer.tar"
diff_id=$(sum "$top/layer.tar")
gzip -9n "$top/layer.tar"
layer=$(blob layer.v1.tar+gzip "$top/layer.tar.gz")
created=$(date -u -d "@$(source_date)" +%Y-%m-%dT%H:%M:%SZ)

cat >"$top/config.json" <<END
{"created":"$created","architecture":"$architecture","os":"linux","config":{"Entrypoint":["/vortex","run"],"WorkingDir":"/","Labels":{"org.opencontainers.image.title":"vortex","org.opencontainers.image.version":"$version","org.opencontainers.image.licenses":"Apache-2.0"}},"rootfs":{"type":"layers","diff_ids":["sha256:$diff_id"]},"history":[{"created":"$created","created_by":"packaging/oci/build.sh"}]}
END
config=$(blob config.v1+json "$top/config.json")
cat >"$top/manifest.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$layer]}
END
manifest=$(blob manifest.v1+json "$top/manifest.json")
cat >"$layout/index.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[${manifest%\}},"annotations":{"org.opencontainers.image.ref.name":"vortex:$version"}}]}
END
printf '{"imageLayoutVersion":"1.0.0"}\n' >"$layout/oci-layout"
find "$layout" -type d -exec chmod 755 {} + -o -exec chmod 644 {} +
reproducible_tar "$layout" >"$out/vortex-$version-linux-$architecture.oci.tar"
