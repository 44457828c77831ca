# shellcheck shell=bash
# Sourced: sets tool to what builds images here: TOOL, else the first of docker, podman and buildah that works.
works() { case $1 in docker | podman) "$1" info >/dev/null 2>&1 ;; *) command -v "$1" >/dev/null ;; esac; }

tool=${TOOL:-}
for t in docker podman buildah; do
	[ -n "$tool" ] || ! works "$t" || tool=$t
done
[ -n "$tool" ] || { echo "no docker, podman or buildah that works" >&2; exit 1; }
