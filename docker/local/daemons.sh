#!/usr/bin/env bash
# The four daemons as plain processes on loopback, over the servers of servers.sh.
#   daemons.sh start|stop|status RUN_DIR     (TONEARM_BUILD: build directory, default build/release)
# start migrates first. Ports by AUTH_PORT GATEWAY_PORT and ADMIN_PORTS (four, from this one on).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/docker/local/lib.sh"
[ $# = 2 ] || { echo "usage: daemons.sh start|stop|status RUN_DIR" >&2; exit 2; }
run=$(cd "$2" && pwd)
build=$(cd "${TONEARM_BUILD:-$root/build/release}" && pwd)
: "${AUTH_PORT:=15000}" "${GATEWAY_PORT:=18080}" "${ADMIN_PORTS:=19101}"
names=(auth gateway converter notification)

secret() { [ -s "$run/$1" ] || (umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$run/$1"); }
program() { echo "$build/services/$1/$1"; }
admin_port() { echo $((ADMIN_PORTS + $1)); }

environment() {
	. "$run/servers.env"
	secret jwt.secret
	export MYSQL_HOST=127.0.0.1 MYSQL_PORT=$MARIADB_PORT MYSQL_USER=auth_user MYSQL_DB=auth MYSQL_PASSWORD_FILE="$run/mysql-auth.secret" \
		JWT_SECRET_FILE="$run/jwt.secret" MONGODB_URI="mongodb://127.0.0.1:$MONGOD_PORT" \
		AMQP_URL="amqp://guest:guest@127.0.0.1:$RABBITMQ_PORT/" AUTH_SVC_ADDRESS="127.0.0.1:$AUTH_PORT" \
		LISTEN_ADDRESS=127.0.0.1 DRAIN_DELAY=0 TRUSTED_PROXIES=127.0.0.1/32
}

ready() { curl -fsS -m 2 "http://127.0.0.1:$1/readyz"; }

start_one() {
	local name=$1 port=$2 admin=$3
	running "$run/$name.pid" && return 0
	[ -x "$(program "$name")" ] || fail "$(program "$name") is not built: run make build"
	[ -z "$port" ] || free_port "$port" "$name" "${name^^}_PORT"
	free_port "$admin" "$name (admin)" ADMIN_PORTS
	ADMIN_PORT=$admin LISTEN_PORT=$port launch "$name" "$(program "$name")"
}

start() {
	local i
	environment
	running "$run/auth.pid" || "$(program auth)" migrate >>"$run/migrate.log" 2>&1 || fail "migration failed: see $run/migrate.log"
	start_one auth "$AUTH_PORT" "$(admin_port 0)"
	start_one gateway "$GATEWAY_PORT" "$(admin_port 1)"
	start_one converter "" "$(admin_port 2)"
	start_one notification "" "$(admin_port 3)"
	for i in "${!names[@]}"; do
		await "${names[$i]}" "${names[$i]}" ready "$(admin_port "$i")"
	done
	printf 'AUTH_PORT=%s\nGATEWAY_PORT=%s\nADMIN_PORTS=%s\n' "$AUTH_PORT" "$GATEWAY_PORT" "$ADMIN_PORTS" >"$run/daemons.env"
}

stop() {
	local name
	for name in gateway notification converter auth; do
		stop_pid "$run/$name.pid" TERM
	done
}

status() {
	local name
	for name in "${names[@]}"; do
		if running "$run/$name.pid"; then echo "$name up (pid $(cut -d' ' -f1 "$run/$name.pid"))"; else echo "$name down"; fi
	done
}

case $1 in
start | stop | status) "$1" ;;
*) echo "usage: daemons.sh start|stop|status RUN_DIR" >&2; exit 2 ;;
esac
