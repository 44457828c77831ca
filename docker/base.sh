#!/usr/bin/env bash
# The base image under the name that the Dockerfiles ask for, from Debian's packages: for where no registry can be reached.
#   base.sh [NAME]     (default: docker.io/library/debian:12-slim; as root; needs debootstrap)
# TOOL: docker, podman or buildah (the first one found)
set -euo pipefail
. "$(dirname "$0")/tool.sh"
name=${1:-docker.io/library/debian:12-slim}
mirror=http://deb.debian.org/debian
command -v debootstrap >/dev/null || { echo "base: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/tonearm-base.XXXXXX")
trap 'rm -rf "$folder"' EXIT

debootstrap --variant=minbase --components=main bookworm "$folder/root" "$mirror" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }
cat >"$folder/root/etc/apt/sources.list" <<LIST
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror}-security bookworm-security main
LIST
# as Debian's own slim images do
cat >"$folder/root/etc/dpkg/dpkg.cfg.d/slim" <<CFG
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/info/*
CFG
cp /etc/resolv.conf "$folder/root/etc/resolv.conf"
chroot "$folder/root" sh -c 'apt-get update -qq && apt-get upgrade -y -qq' >>"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }
find "$folder/root/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$folder/root"/usr/share/{man,locale,info}/* "$folder/root"/var/lib/apt/lists/* "$folder/root"/var/cache/apt/*.bin \
	"$folder/root"/var/cache/apt/archives/*.deb "$folder/root"/var/log/*.log "$folder/root/etc/resolv.conf"
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [ "$tool" = buildah ]; then
	container=$(buildah from scratch)
	buildah add -q "$container" "$folder/root" / >/dev/null
	buildah config --cmd bash --env "PATH=$path" "$container"
	buildah commit -q --rm "$container" "$name" >/dev/null
else
	tar -C "$folder/root" --numeric-owner -c . | "$tool" import --change 'CMD ["bash"]' --change "ENV PATH=$path" - "$name" >/dev/null
fi
echo "base: made $name"
