#!/bin/sh
# Makes the Secrets that the manifests name, as files that git ignores: base/secrets/*.yaml, overlays/keda/secret.yaml.
#   secrets.sh           makes all, from random values; what is set in the environment is taken instead:
#                        MYSQL_PASSWORD JWT_SECRET MONGODB_URI AMQP_URL NAMESPACE (of the suite, for KEDA: default)
#   secrets.sh rotate    a new JWT_SECRET; the old one still verifies (JWT_ACCEPT). Apply, and after 24 hours:
#   secrets.sh forget    the old one no longer does. Apply again.
#   secrets.sh compose   docker/.env for docker/compose.yaml
# Values are never arguments. TONEARM_MANIFESTS: the folder to write to (default: this script's).
set -eu
cd "${TONEARM_MANIFESTS:-$(dirname "$0")}"
umask 077

fail() { echo "secrets: $*" >&2; exit 1; }
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
base64_of() { printf %s "$1" | base64 | tr -d '\n'; }
value() { sed -n "s/^  $2: //p" "$1" | base64 -d; }

# secret FILE NAME ROLLS KEY VALUE...: with ROLLS=yes a change of it rolls the pods
secret() {
	file=$1 name=$2 rolls=$3
	shift 3
	{
		printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  labels:\n    app.kubernetes.io/part-of: tonearm\n' "$name"
		[ "$rolls" = no ] || printf '  annotations:\n    internal.config.kubernetes.io/needsHashSuffix: enabled\n'
		printf 'type: Opaque\ndata:\n'
		while [ $# -gt 0 ]; do
			printf '  %s: %s\n' "$1" "$(base64_of "$2")"
			shift 2
		done
	} >"$file.part"
	mv "$file.part" "$file"
}

make_all() {
	if [ -e base/secrets/auth.yaml ]; then
		echo "secrets: there already ($PWD/base/secrets); remove them to make new ones"
		return 0
	fi
	mysql=${MYSQL_PASSWORD:-$(random)} jwt=${JWT_SECRET:-$(random)} mongodb=$(random) rabbitmq=$(random)
	uri=${MONGODB_URI:-mongodb://tonearm:$mongodb@mongodb:27017/?authSource=admin}
	amqp=${AMQP_URL:-amqp://tonearm:$rabbitmq@rabbitmq:5672/}
	for daemon in gateway converter notification; do
		secret "base/secrets/$daemon.yaml" "$daemon-secret" yes MONGODB_URI "$uri" AMQP_URL "$amqp"
	done
	secret base/secrets/mysql.yaml mysql-secret no MYSQL_PASSWORD "$mysql" MYSQL_ROOT_PASSWORD "$(random)"
	secret base/secrets/mongodb.yaml mongodb-secret no MONGO_INITDB_ROOT_USERNAME tonearm MONGO_INITDB_ROOT_PASSWORD "$mongodb"
	secret base/secrets/rabbitmq.yaml rabbitmq-secret no RABBITMQ_DEFAULT_USER tonearm RABBITMQ_DEFAULT_PASS "$rabbitmq"
	# KEDA looks from a namespace of its own
	secret overlays/keda/secret.yaml keda-rabbitmq-secret no \
		host "${AMQP_URL:-amqp://tonearm:$rabbitmq@rabbitmq.${NAMESPACE:-default}.svc:5672/}"
	secret base/secrets/auth.yaml auth-secret yes MYSQL_PASSWORD "$mysql" JWT_SECRET "$jwt"
	echo "secrets: made in $PWD/base/secrets"
}

auth() { [ -e base/secrets/auth.yaml ] || fail "no base/secrets/auth.yaml: make them first"; value base/secrets/auth.yaml "$1"; }

rotate() {
	mysql=$(auth MYSQL_PASSWORD) old=$(auth JWT_SECRET)
	secret base/secrets/auth.yaml auth-secret yes MYSQL_PASSWORD "$mysql" JWT_SECRET "$(random)" JWT_ACCEPT "$old"
	echo "secrets: a new JWT_SECRET, the old one in JWT_ACCEPT; apply, and run 'secrets.sh forget' after 24 hours"
}

forget() {
	mysql=$(auth MYSQL_PASSWORD) jwt=$(auth JWT_SECRET)
	secret base/secrets/auth.yaml auth-secret yes MYSQL_PASSWORD "$mysql" JWT_SECRET "$jwt"
	echo "secrets: JWT_ACCEPT is gone; apply"
}

compose() {
	file=../docker/.env
	[ ! -e $file ] || { echo "secrets: docker/.env is there already"; return 0; }
	for name in MYSQL_PASSWORD MYSQL_ROOT_PASSWORD MONGODB_PASSWORD RABBITMQ_PASSWORD JWT_SECRET; do
		printf '%s=%s\n' "$name" "$(random)"
	done >$file.part
	mv $file.part $file
	echo "secrets: made docker/.env"
}

case ${1:-make} in
compose) compose ;;
make) make_all ;;
rotate) rotate ;;
forget) forget ;;
*) sed -n '2,9s/^# //p' "$0" >&2; exit 2 ;;
esac
