#!/usr/bin/env bash
# Each libFuzzer target for some seconds, from its corpus: run.sh SECONDS. What is found stays in build/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --preset fuzz >build/fuzz.log 2>&1 || { tail -n 20 build/fuzz.log; exit 1; }
cmake --build --preset fuzz -j "$(nproc)" >>build/fuzz.log 2>&1 || { tail -n 20 build/fuzz.log; exit 1; }
mkdir -p build/fuzz/found
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	mkdir -p "build/fuzz/corpus/$name"
	seeds=()
	[ ! -d "tests/fuzz/corpus/${name#fuzz_}" ] || seeds=("tests/fuzz/corpus/${name#fuzz_}")
	echo "== $name, $1 s"
	"build/fuzz/tests/fuzz/$name" -max_total_time="$1" -artifact_prefix=build/fuzz/found/ -print_final_stats=1 \
		"build/fuzz/corpus/$name" "${seeds[@]}" 2>&1 | tail -n 8
done
