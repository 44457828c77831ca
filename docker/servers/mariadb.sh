# The variables of the image mysql, for Debian's MariaDB. An empty disk is filled by a server that does not listen.
set -eu
data=/var/lib/mysql
options="--no-defaults --datadir=$data --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid --skip-name-resolve"
if [ ! -e $data/.filled ]; then
	[ -d $data/mysql ] || mariadb-install-db --no-defaults --datadir=$data --auth-root-authentication-method=normal --skip-test-db >/dev/null
	mariadbd $options --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\` CHARACTER SET utf8mb4;
CREATE OR REPLACE USER \`$MYSQL_USER\`@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO \`$MYSQL_USER\`@'%';
ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
SQL
	touch $data/.filled
fi
exec mariadbd $options --bind-address=0.0.0.0 --port=3306 --innodb-buffer-pool-size=64M "$@"
