#!/usr/bin/env bash
# make check: check.sh [format] [layers] [structure] [patches] [tidy]; without words all of them. layers is structure without
# the test that breaks its rules. patches: the broken builds of tests/chaos can still be made of these sources.
set -uo pipefail
cd "$(dirname "$0")/../.."
rc=0

format() { git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' | cut -d: -f1 | sort | uniq -c; return "${PIPESTATUS[1]}"; }
layers() { tests/support/check_structure.py; }
structure() { tests/support/test_structure.py 2>&1 | tail -n 40 && [ "${PIPESTATUS[0]}" = 0 ] && layers; }
patches() { local patch bad=0; for patch in tests/chaos/broken/*.patch; do git apply --check "$patch" || bad=1; done; return "$bad"; }
tidy() {
	[ -f build/dev/compile_commands.json ] || cmake --preset dev >/dev/null || return 1
	git ls-files 'common/*.c' 'services/*.c' | xargs -P "$(nproc)" -n 8 clang-tidy-14 -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' 2>/dev/null
}

[ $# -gt 0 ] || set -- format structure patches tidy
for what in "$@"; do
	case $what in
	format | layers | structure | patches | tidy) "$what" || { echo "check: $what failed" >&2; rc=1; } ;;
	*) echo "usage: check.sh [format] [layers] [structure] [patches] [tidy]" >&2; exit 2 ;;
	esac
done
exit "$rc"
