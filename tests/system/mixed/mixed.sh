#!/usr/bin/env bash
# The mixed fleet: MSGQ_DIR is a checkout of MsgQ whose Python packages MSGQ_PYTHON (default python3) can import.
# Each of MsgQ's services takes its turn as the only one of theirs, and as the only one of ours. Exit 77: skipped.
#   MSGQ_DIR=... tests/system/mixed/mixed.sh [BUILD_DIR]
set -euo pipefail
cd "$(dirname "$0")/../../.."
if [ -z "${MSGQ_DIR:-}" ]; then
	echo "skipped: MSGQ_DIR is not set (a checkout of MsgQ with its Python packages)"
	exit 77
fi
exec build/deps/venv/bin/python tests/system/mixed/mixed.py "${1:-build/release}"
