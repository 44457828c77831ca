#!/usr/bin/env bash
# All tests: static checks; the tests of label threads under TSan; unit, contract and service tests, then the system
# tests, each on the release build and under ASan+UBSan; the system tests once more on the release build with blobs in a
# folder (BLOBS=dir:). The last line is the sum. TESTS_FOLDER keeps logs there.
#   tests/run.sh [release] [asan]      (default: both)
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=${TESTS_FOLDER:-$(mktemp -d "${TMPDIR:-/tmp}/tonearm-tests.XXXXXX")}
mkdir -p "$work"
python=$root/build/deps/venv/bin/python
passed=0 failed=0 skipped=0 elsewhere=0
failures=() suites=() layout=()
[ $# -gt 0 ] || set -- release asan

say() { printf '\n== %s\n' "$*"; }
count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }
# the outcome of one step: passed when its command was
step() {
	local name=$1
	shift
	if "$@"; then count 1 0 0; else count 0 1 0 && failures+=("$name"); fi
}

stop_servers() {
	[ ! -d "$work/servers" ] || docker/local/servers.sh stop "$work/servers" || true
}
finish() {
	[ ${#suites[@]} = 0 ] || { kill "${suites[@]}" && wait "${suites[@]}"; } 2>/dev/null
	stop_servers
	[ -n "${TESTS_FOLDER:-}" ] || rm -rf "$work"
}
trap finish EXIT

static_checks() {
	local what
	for what in format structure patches tidy; do
		say "$what"
		step "$what" tests/support/check.sh "$what"
	done
}

# the real servers of the contract suites, on free ports
start_servers() {
	local ports
	read -r -a ports < <(PYTHONPATH=tests/support "$python" -c 'from rig import ports; print(*ports.free(4))')
	export MARIADB_PORT=${ports[0]} RABBITMQ_PORT=${ports[1]} EPMD_PORT=${ports[2]} MONGOD_PORT=${ports[3]}
	docker/local/servers.sh start "$work/servers" || return 1
	export TONEARM_TEST_MONGODB_URI=mongodb://127.0.0.1:$MONGOD_PORT TONEARM_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:$RABBITMQ_PORT/ \
		TONEARM_TEST_MYSQL_HOST=127.0.0.1 TONEARM_TEST_MYSQL_PORT=$MARIADB_PORT TONEARM_TEST_MYSQL_USER=root
	TONEARM_TEST_MYSQL_PASSWORD=$(cat "$work/servers/mysql-root.secret")
	export TONEARM_TEST_MYSQL_PASSWORD
}

build() {
	say "build ($1)"
	cmake --preset "$1" >"$work/cmake-$1.log" 2>&1 && cmake --build --preset "$1" -j "$(nproc)" >"$work/build-$1.log" 2>&1 && return 0
	tail -n 40 "$work/cmake-$1.log" "$work/build-$1.log" 2>/dev/null
	return 1
}

# ctest's own report is what counts: a test that did not run is skipped, never passed
run_ctest() {
	local preset=$1
	shift
	rm -f "$work/ctest-$preset.xml"
	"${layout[@]}" ctest --test-dir "build/$preset" --output-on-failure --output-junit "$work/ctest-$preset.xml" --timeout 180 -j 2 "$@" 2>&1 |
		grep -v '^ *Start '
	read -r p f s < <("$python" tests/support/junit.py "$work/ctest-$preset.xml")
	count "$p" "$f" "$s"
	while read -r name; do failures+=("$preset: $name"); done < <("$python" tests/support/junit.py --failed "$work/ctest-$preset.xml")
}

# TSan's shadow does not fit every random layout of a process; where a container forbids setarch, the layout stays as it is
run_threads() {
	local layout=()
	! setarch -R true 2>/dev/null || layout=(setarch -R)
	say "threaded tests (tsan)"
	TSAN_OPTIONS=suppressions=$root/tests/support/tsan.supp run_ctest tsan -L '^threads$'
}

# The suites run side by side, each on servers and ports of its own: they wait more than they compute. "dir" is the
# release build with blobs in a folder; what is about MongoDB's documents does not apply there, and is no test that passed.
run_systems() {
	local preset share=0
	for preset in "$@"; do
		: >"$work/system-$preset.log"
		TONEARM_PORTS=$share/$# TONEARM_RUN_DIR=$work/system-$preset TONEARM_SANITIZED=$([ "$preset" != asan ] || echo 1) \
			TONEARM_BLOBS=$([ "$preset" = dir ] && echo dir || echo gridfs) \
			"$python" tests/system/run.py "build/${preset/#dir/release}" >"$work/system-$preset.log" 2>&1 &
		suites+=($!)
		tail -n +1 -f --pid=$! "$work/system-$preset.log" | sed -u "s/^/$preset: /" &
		share=$((share + 1))
	done
	wait
	suites=()
	for preset in "$@"; do
		read -r p f s < <(sed -n 's/^system tests: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$work/system-$preset.log") ||
			read -r p f s <<<"0 1 0"
		count "$p" "$f" "$s"
		elsewhere=$((elsewhere + $(sed -n 's/^not applicable to BLOBS=dir: \([0-9]*\) of .*/\1/p' "$work/system-$preset.log" | grep . || echo 0)))
		while read -r name; do failures+=("$preset: $name"); done < <(sed -n 's/^FAILED //p' "$work/system-$preset.log")
	done
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
static_checks
say "servers"
step "start of the servers" start_servers
step "build (tsan)" build tsan
run_threads
for preset in "$@"; do
	step "build ($preset)" build "$preset"
	say "unit, contract and service tests ($preset)"
	run_ctest "$preset"
done
stop_servers
systems=("$@")
[[ " $* " != *" release "* ]] || systems+=(dir)
say "system tests (${systems[*]})"
run_systems "${systems[@]}"
if [[ " $* " = *" release "* ]]; then
	say "README"
	step README tests/support/readme_config.py --check build/release
	say "manifests"
	step manifests "$python" tests/manifests/check.py build/release
	say "chaos"
	step "chaos: its checker" "$python" tests/chaos/test_check.py
	step chaos env CHAOS_SEED=1 TONEARM_RUN_DIR="$work/chaos" "$python" tests/chaos/chaos.py build/release fixed
	step "chaos (dir)" env CHAOS_BLOBS=dir CHAOS_SEED=1 TONEARM_RUN_DIR="$work/chaos-dir" "$python" tests/chaos/chaos.py build/release fixed
	say "broken builds, which chaos must notice"
	step "broken builds" env TONEARM_RUN_DIR="$work/broken" "$python" tests/chaos/broken.py build/release
	say "bench, a small round: it fails when a figure cannot be had, not when it is a bad one"
	cmake --build --preset release --target peer_gridfs >"$work/build-peer.log" 2>&1
	step bench env BENCH_QUICK=1 timeout 240 "$python" tests/bench/bench.py
fi
say "mixed fleet"
tests/system/mixed/mixed.sh
case $? in
0) count 1 0 0 ;;
77) count 0 0 1 ;;
*) count 0 1 0 && failures+=("mixed fleet") ;;
esac
[ "$failed" = 0 ] || printf '\nFAILED %s' "${failures[@]}"
[ "$elsewhere" = 0 ] || printf '\n%d do not apply to BLOBS=dir' "$elsewhere"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
