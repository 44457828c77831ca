#!/usr/bin/env bash
# Real servers on loopback under a run directory, on ports of their own.
#   servers.sh start|stop|status RUN_DIR [mariadb] [mongod] [rabbitmq]     (default: all three)
# Ports by MARIADB_PORT, RABBITMQ_PORT (and the next one for Erlang), EPMD_PORT, MONGOD_PORT. start writes RUN_DIR/servers.env.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/docker/local/lib.sh"

usage() { echo "usage: servers.sh start|stop|status RUN_DIR [mariadb] [mongod] [rabbitmq]" >&2; exit 2; }
[ $# -ge 2 ] || usage
mkdir -p "$2"
run=$(cd "$2" && pwd)
: "${MARIADB_PORT:=13306}" "${RABBITMQ_PORT:=15673}" "${EPMD_PORT:=14369}" "${MONGOD_PORT:=17017}"
names=("${@:3}")
[ ${#names[@]} -gt 0 ] || names=(rabbitmq mariadb mongod)
mongod=$(command -v mongod || echo "$root/build/deps/bin/mongod")

secret() {
	[ -s "$run/$1" ] || (umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$run/$1")
}

start_mariadb() {
	running "$run/mariadb.pid" && return 0
	need mariadbd "make deps"
	free_port "$MARIADB_PORT" MariaDB MARIADB_PORT
	secret mysql-root.secret
	# a server that starts removes all temporary tables of its folder: it must not share /tmp with another
	local as=(--tmpdir="$run/mariadb-tmp") init="$run/mariadb-init.sql"
	mkdir -p "$run/mariadb-tmp"
	[ "$(id -u)" != 0 ] || as+=(--user=root)
	if [ ! -d "$run/mariadb/mysql" ]; then
		mariadb-install-db --no-defaults "${as[@]}" --datadir="$run/mariadb" --auth-root-authentication-method=normal \
			--skip-test-db >"$run/mariadb-install.log" 2>&1 || fail "MariaDB: see $run/mariadb-install.log"
	fi
	# the server reads one statement a line, and no more of a line
	(umask 077 && cat >"$init" <<SQL
CREATE USER IF NOT EXISTS root@'127.0.0.1';
ALTER USER root@'127.0.0.1' IDENTIFIED BY '$(cat "$run/mysql-root.secret")';
ALTER USER root@localhost IDENTIFIED BY '$(cat "$run/mysql-root.secret")';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS auth CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS auth_user@'127.0.0.1';
ALTER USER auth_user@'127.0.0.1' IDENTIFIED BY '$(cat "$run/mysql-auth.secret")';
GRANT ALL ON auth.* TO auth_user@'127.0.0.1';
SQL
	)
	launch mariadb mariadbd --no-defaults "${as[@]}" --datadir="$run/mariadb" --socket="$run/mariadb.sock" --port="$MARIADB_PORT" \
		--bind-address=127.0.0.1 --pid-file="$run/mariadb.own-pid" --skip-name-resolve --init-file="$init" \
		--innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=64M
}

start_mongod() {
	running "$run/mongod.pid" && return 0
	[ -x "$mongod" ] || fail "mongod is missing: run make deps"
	free_port "$MONGOD_PORT" MongoDB MONGOD_PORT
	mkdir -p "$run/mongod"
	launch mongod "$mongod" --bind_ip 127.0.0.1 --port "$MONGOD_PORT" --dbpath "$run/mongod" --nounixsocket \
		--wiredTigerCacheSizeGB "${MONGOD_CACHE_GB:-1}" --setParameter diagnosticDataCollectionEnabled=false ${MONGOD_OPTIONS:-}
}

rabbit_env() {
	# RUNNING_UNDER_SYSTEMD: the broker takes its script's place, so that what is signalled is the broker
	export RUNNING_UNDER_SYSTEMD=1 HOME="$run/rabbitmq" RABBITMQ_NODENAME="tonearm-$RABBITMQ_PORT@localhost" RABBITMQ_BASE="$run/rabbitmq" \
		RABBITMQ_MNESIA_BASE="$run/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$run/rabbitmq/log" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
		RABBITMQ_NODE_PORT="$RABBITMQ_PORT" RABBITMQ_DIST_PORT=$((RABBITMQ_PORT + 1)) RABBITMQ_CONFIG_FILE="$run/rabbitmq/none" \
		RABBITMQ_ENABLED_PLUGINS_FILE="$run/rabbitmq/plugins" RABBITMQ_PID_FILE="$run/rabbitmq/pid" LC_ALL=C.UTF-8 \
		ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1 \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2 -start_epmd false -erl_epmd_port $((RABBITMQ_PORT + 1))"
}

start_rabbitmq() {
	running "$run/rabbitmq.pid" && return 0
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || fail "rabbitmq-server is missing: run make deps"
	free_port "$RABBITMQ_PORT" RabbitMQ RABBITMQ_PORT
	free_port $((RABBITMQ_PORT + 1)) "RabbitMQ (Erlang)" RABBITMQ_PORT
	mkdir -p "$run/rabbitmq"
	(
		rabbit_env
		launch rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server
	)
}

rabbitmq_answers() {
	python3 - "$RABBITMQ_PORT" <<'PY'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)
s.settimeout(1)
s.sendall(b"AMQP\x00\x00\x09\x01")
sys.exit(0 if s.recv(7)[:1] == b"\x01" else 1)
PY
}
# refused without a password is an answer too: it serves
mariadb_answers() {
	local said
	said=$(mariadb-admin --no-defaults --socket="$run/mariadb.sock" -uroot --connect-timeout=1 status 2>&1 || true)
	case $said in *Uptime* | *"Access denied"*) ;; *) return 1 ;; esac
}
mongod_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$MONGOD_PORT") 2>/dev/null && grep -q 'Waiting for connections' "$run/mongod.log"; }

start() {
	local name
	secret mysql-auth.secret
	for name in "${names[@]}"; do "start_$name"; done
	for name in "${names[@]}"; do await "$name" "$name" "${name}_answers"; done
	(umask 077 && cat >"$run/servers.env" <<ENV
MARIADB_PORT=$MARIADB_PORT
RABBITMQ_PORT=$RABBITMQ_PORT
EPMD_PORT=$EPMD_PORT
MONGOD_PORT=$MONGOD_PORT
ENV
	)
}

stop_rabbitmq() {
	# Erlang forgets a signal of its first moments
	stop_pid "$run/rabbitmq.pid" TERM 20
	# RabbitMQ's start left Erlang's port mapper behind; it ends only when no node is registered
	! command -v epmd >/dev/null || epmd -port "$EPMD_PORT" -kill >/dev/null 2>&1 || true
}
stop_mariadb() { stop_pid "$run/mariadb.pid" TERM; }
stop_mongod() { stop_pid "$run/mongod.pid" TERM; }

stop() {
	local name
	[ ! -s "$run/servers.env" ] || . "$run/servers.env"
	for name in "${names[@]}"; do "stop_$name"; done
}

status() {
	local name
	for name in "${names[@]}"; do
		if running "$run/$name.pid"; then echo "$name up (pid $(cut -d' ' -f1 "$run/$name.pid"))"; else echo "$name down"; fi
	done
}

for name in "${names[@]}"; do
	case $name in mariadb | mongod | rabbitmq) ;; *) usage ;; esac
done
case $1 in
start | stop | status) "$1" ;;
*) usage ;;
esac
