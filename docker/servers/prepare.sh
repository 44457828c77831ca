#!/bin/sh
# The mongod of `make deps`, where the Dockerfile of this folder copies it from.
set -eu
cd "$(dirname "$0")/../.."
mongod=$(command -v mongod || echo build/deps/bin/mongod)
[ -x "$mongod" ] || { echo "mongod is missing: run make deps" >&2; exit 1; }
mkdir -p build/images
cmp -s "$mongod" build/images/mongod || cp "$mongod" build/images/mongod
