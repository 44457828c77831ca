# Shared by the scripts of this folder: processes by pid file, ports, waits with a deadline. Sourced by bash.
# A pid file holds "PID START", where START is the process's start time: a number that was used again is not ours.

fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "$1 is missing: run $2"; }

# of a process that has not ended: one that nobody has waited for yet has
start_time() { sed 's/.*) //; /^[ZX]/d' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# running PIDFILE: whether the process that we started is still there
running() {
	local pid started
	[ -s "$1" ] && read -r pid started <"$1" && [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# launch NAME COMMAND...: in a session of its own and in $run (crash dumps go there), output to $run/NAME.log, pid to
# $run/NAME.pid
launch() {
	local name=$1
	shift
	env -C "$run" setsid "$@" </dev/null >>"$run/$name.log" 2>&1 &
	printf '%s %s\n' "$!" "$(start_time $!)" >"$run/$name.pid"
}

# stop_pid PIDFILE SIGNAL [AGAIN]: asks (AGAIN: every so many tenths of a second), waits at most 30 s, then kills; only what we started
stop_pid() {
	local pid started i again=${3:-300}
	if running "$1"; then
		read -r pid started <"$1"
		for ((i = 0; i < 300; i++)); do
			running "$1" || break
			((i % again)) || kill "-$2" "$pid" 2>/dev/null || true
			sleep 0.1
		done
		! running "$1" || kill -KILL "$pid" 2>/dev/null || true
	fi
	rm -f "$1"
}

port_is_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port PORT WHO VARIABLE
free_port() {
	! port_is_busy "$1" || fail "port $1 is busy, $2 needs it: set $3 to another one"
}

# await WHO NAME COMMAND...: until the command succeeds; says so if the process ends or 60 s pass
await() {
	local who=$1 name=$2 i
	shift 2
	for ((i = 0; i < 600; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		running "$run/$name.pid" || fail "$who ended at its start: see $run/$name.log"
		sleep 0.1
	done
	fail "$who did not answer in 60 s: see $run/$name.log"
}
