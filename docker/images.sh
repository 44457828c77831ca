#!/usr/bin/env bash
# Builds the images tonearm/<service>:VERSION, says how large they are, and puts their SBOMs into build/images.
#   images.sh [test] [NAME...]     test: also Debian's servers for the overlay `test`
# TOOL: docker, podman or buildah (the first one found). BASE: the base image. Where no registry can be reached, docker/base.sh makes it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(tonearm VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
base=${BASE:-docker.io/library/debian:12-slim}
out=build/images

fail() { echo "images: $*" >&2; exit 1; }
. docker/tool.sh

# BUILD_OPTIONS: more options, e.g. --network host
build() {
	local file=$1 target=$2 name=$3 how=(build)
	shift 3
	[ "$tool" != buildah ] || how=(bud --layers --isolation "${BUILDAH_ISOLATION:-chroot}")
	# shellcheck disable=SC2086
	"$tool" "${how[@]}" ${BUILD_OPTIONS:-} -f "$file" --target "$target" --build-arg "BASE=$base" "$@" -t "$name" . >"$out/$target.log" 2>&1 ||
		{ tail -n 15 "$out/$target.log" >&2; fail "$name could not be built (see $out/$target.log)"; }
}

# the files of an image, as a folder's path for the command that follows: with_root NAME COMMAND...
with_root() {
	local name=$1 container rc=0
	shift
	if [ "$tool" = buildah ]; then
		container=$(buildah from --pull-never "$name")
		"$@" "$(buildah mount "$container")" || rc=$?
		buildah rm "$container" >/dev/null
	else
		container=$("$tool" create "$name")
		mkdir -p "$out/root"
		"$tool" export "$container" | tar -x -C "$out/root"
		"$tool" rm "$container" >/dev/null
		"$@" "$out/root" || rc=$?
		rm -rf "$out/root"
	fi
	return "$rc"
}
size() { du -sxm "$1" | cut -f1; }
# config NAME FIELD: of the image's OCI configuration
config() {
	if [ "$tool" = buildah ]; then
		buildah inspect --type image --format "{{.OCIv1.Config.$2}}" "$1"
	else
		"$tool" image inspect --format "{{.Config.$2}}" "$1"
	fi
}
# what a cluster of others relies on: a numeric user, labels, a bounded size
check() {
	local name=$1 over=$2 label
	[ "$(config "$name" User)" = 65532:65532 ] || fail "$name runs as '$(config "$name" User)'"
	for label in title version revision licenses base.name; do
		[[ $(config "$name" Labels) = *"org.opencontainers.image.$label:"?* ]] || fail "$name has no label $label"
	done
	[ "$over" -le "$3" ] || fail "$name is $over MB over its base, more than $3"
}
sbom() { cp "$2/usr/share/tonearm/sbom.spdx.json" "$out/$1.spdx.json"; }

mkdir -p "$out"
names=() test=no
for a in "$@"; do if [ "$a" = test ]; then test=yes; else names+=("$a"); fi; done
[ ${#names[@]} -gt 0 ] || [ $test = yes ] || names=(auth gateway converter notification)
[ $test = no ] || [ ${#names[@]} -gt 0 ] || names=(auth gateway converter notification)
for name in "${names[@]}"; do
	build docker/Dockerfile "$name" "tonearm/$name:$version" --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
	with_root "tonearm/$name:$version" sbom "$name"
	over=$(($(with_root "tonearm/$name:$version" size) - $(with_root "$base" size)))
	check "tonearm/$name:$version" "$over" $([ "$name" = converter ] && echo 250 || echo 60)
	echo "images: tonearm/$name:$version, $over MB over the base"
done
if [ $test = yes ]; then
	docker/servers/prepare.sh
	for pair in test-mariadb:10.11 test-rabbitmq:3.10 test-mongod:6.0; do
		build docker/servers/Dockerfile "${pair%%:*}" "tonearm/$pair"
		echo "images: tonearm/$pair"
	done
fi
