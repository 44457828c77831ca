#!/usr/bin/env bash
# Each libFuzzer target for some seconds, from its corpus, as many at once as there are cores: run.sh SECONDS [TARGET...].
# One line of each; what is found stays in build/fuzz/found, and fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."

one() {
	local name=$1 seconds=$2 log=build/fuzz/$1.log rc=0 seeds=() longest=4096
	[ "$name" != media ] || longest=16384
	mkdir -p "build/fuzz/corpus/$name" build/fuzz/found
	[ ! -d "tests/fuzz/corpus/$name" ] || seeds=("tests/fuzz/corpus/$name")
	"build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len="$longest" "-artifact_prefix=build/fuzz/found/$name-" \
		-print_final_stats=1 "build/fuzz/corpus/$name" "${seeds[@]}" >"$log" 2>&1 || rc=$?
	sed -n "s/^#\([0-9]*\)\tDONE *cov: \([0-9]*\) .*exec.s: \([0-9]*\).*/$name: \1 runs, \3 per second, \2 edges/p" "$log"
	[ "$rc" = 0 ] || { echo "$name: FOUND something (exit $rc)"; tail -n 20 "$log"; }
	return "$rc"
}

if [ "${2:-}" = --one ]; then
	one "$3" "$1"
	exit
fi
seconds=$1
shift
cmake --preset fuzz >build/fuzz.log 2>&1 || { tail -n 20 build/fuzz.log; exit 1; }
[ $# -gt 0 ] || for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	set -- "$@" "${name#fuzz_}"
done
cmake --build --preset fuzz -j "$(nproc)" --target "${@/#/fuzz_}" >>build/fuzz.log 2>&1 || { tail -n 20 build/fuzz.log; exit 1; }
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 tests/fuzz/run.sh "$seconds" --one
