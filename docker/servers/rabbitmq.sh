# The variables of the image rabbitmq, for Debian's RabbitMQ 3.10, which reads its first user from its configuration.
set -eu
umask 077
printf 'default_user = %s\ndefault_pass = %s\n' "$RABBITMQ_DEFAULT_USER" "$RABBITMQ_DEFAULT_PASS" >/tmp/30-user.conf
export HOME=/var/lib/rabbitmq LC_ALL=C.UTF-8 RABBITMQ_NODENAME="rabbit@$(hostname)"
mkdir -p /tmp/conf.d
cp /etc/rabbitmq/conf.d/*.conf /tmp/30-user.conf /tmp/conf.d/
export RABBITMQ_CONFIG_FILES=/tmp/conf.d RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
