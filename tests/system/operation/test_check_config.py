"""`--check-config`: every value is read as the daemon will read it, and all that is wrong is told at once."""
import contextlib

from rig.commands import checked
from rig.lib import DAEMONS, expect

AMQP, MONGODB = "AMQP_URL: is not of the form amqp://user:password@host:port/vhost", "MONGODB_URI: is not a MongoDB connection string"
ALL = DAEMONS
SERVED, QUEUED = ("auth", "gateway"), ("gateway", "converter", "notification")

# daemons, a setting, the line that it gives
WRONG = (
    (SERVED, {"TRUSTED_PROXIES": "foo"}, 'TRUSTED_PROXIES: "foo" is no address or network such as 10.0.0.0/8'),
    (SERVED, {"TRUSTED_PROXIES": "10.0.0.0/8, 10.0.0.0/33"}, "TRUSTED_PROXIES: 10.0.0.0/33: the prefix is not in 0 to 32"),
    (QUEUED, {"MONGODB_URI": "foo"}, MONGODB),
    (QUEUED, {"AMQP_URL": "http://bar"}, AMQP),
    (ALL, {"LISTEN_ADDRESS": "300.1.1.1"}, 'LISTEN_ADDRESS: "300.1.1.1" is no IPv4 or IPv6 address'),
    (ALL, {"LISTEN_ADDRESS": "localhost"}, 'LISTEN_ADDRESS: "localhost" is no IPv4 or IPv6 address'),
    (SERVED, {"LISTEN_PORT": "7000", "ADMIN_PORT": "7000"}, "LISTEN_PORT: has the value of ADMIN_PORT too"),
    (SERVED, {"LISTEN_PORT": "9100", "ADMIN_PORT": None}, "LISTEN_PORT: has the value of ADMIN_PORT too"),
    (("gateway", "converter"), {"VIDEO_QUEUE": "mp3", "MP3_QUEUE": None}, "MP3_QUEUE: has the value of VIDEO_QUEUE too"),
    (QUEUED, {"MP3_QUEUE": "q", "FAILED_QUEUE": "q"}, "FAILED_QUEUE: has the value of MP3_QUEUE too"),
    (QUEUED, {"MP3_QUEUE": "video.dead"}, 'MP3_QUEUE: "video.dead": names that end with .dead are of dead letters'),
    (("gateway",), {"MAX_UPLOAD_BYTE": "5"}, "MAX_UPLOAD_BYTE: did you mean MAX_UPLOAD_BYTES?"),
    (("gateway",), {"AUTH_SVC_ADRESS_FILE": "/x"}, "AUTH_SVC_ADRESS_FILE: did you mean AUTH_SVC_ADDRESS_FILE?"),
    (QUEUED, {"AMQP_URI": "amqp://x"}, "AMQP_URI: did you mean AMQP_URL?"),
    (QUEUED, {"MONGO_URI": "mongodb://x"}, "MONGO_URI: did you mean MONGODB_URI?"),
    (ALL, {"LOGLEVEL": "info"}, "LOGLEVEL: did you mean LOG_LEVEL?"),
    (ALL, {"LOG_LEVEL": "loud"}, 'LOG_LEVEL: "loud" is none of debug, info, warn, error'),
    (("converter",), {"LEASE_DURATION": "1s"}, 'LEASE_DURATION: "1s" is not in 3s to 1h'),
    (("auth",), {"ARGON2_MEMORY": "5GB"}, 'ARGON2_MEMORY: "5GB" is not in 8KiB to 4GiB'),
    (("auth",), {"MYSQL_HOST": "mysql:3306"}, 'MYSQL_HOST: "mysql:3306" is no host\'s name or address (its port is MYSQL_PORT)'),
    (("auth",), {"JWT_SECRET": None, "JWT_SECRET_FILE": "/no/such"}, "JWT_SECRET: JWT_SECRET_FILE: /no/such: No such file or directory"),
    (("converter",), {"CONVERTER_WORKER": "/no/such"}, "CONVERTER_WORKER: /no/such: No such file or directory"),
    *((("gateway",), {"AUTH_SVC_ADDRESS": wrong}, f'AUTH_SVC_ADDRESS: "{wrong}" is neither host:port nor an http URL: ')
      for wrong in (":::", "auth:50000000", "ftp://auth:5000", "auth:x", "two words:5000")),
)


def cases():
    for daemons, settings, line in WRONG:
        words = " ".join(f"{key}={value}" for key, value in settings.items())
        yield f"{words} is told by {' '.join(daemons)}", lambda s, d=daemons, c=settings, said=line: is_told(s, d, c, said)


def is_told(s, daemons, settings, line):
    for name in daemons:
        code, said = checked(s, name, **settings)
        told = said.splitlines()
        expect(code == 100 and (told[0] == line or line.endswith(": ") and told[0].startswith(line)), name, settings, code, said)
        expect(len(told) == 2 and told[1].startswith(f"{name}: bad configuration"), name, settings, said)


def test_what_an_operator_writes_is_understood(s):
    for name, settings in (
        *((name, {"LOG_LEVEL": "INFO", "LOG_FORMAT": "Json"}) for name in ALL),
        *(("gateway", {"MAX_UPLOAD_BYTES": size}) for size in ("5GB", "5Gi", "5g", "5368709120", "5120MiB")),
        *(("gateway", {"AUTH_SVC_ADDRESS": address}) for address in ("auth:5000", "auth", "http://auth:5000/", "https://auth", "[::1]:5000", "127.0.0.1:80")),
        ("gateway", {"ALLOW_OWNERLESS": "False"}),
        *((name, {"LISTEN_ADDRESS": address}) for name in ALL for address in ("::", "127.0.0.1", "::1", "")),
        *((name, {"TRUSTED_PROXIES": "10.0.0.0/8, ::1 192.168.1.1,fc00::/7"}) for name in SERVED),
        ("auth", {"LISTEN_PORT": "0", "ADMIN_PORT": "0"}),
        ("gateway", {"HOME": "/root", "HOSTNAME": "gateway-1", "KUBERNETES_PORT": "tcp://10.0.0.1:443", "AUTH_PORT": "tcp://10.0.0.2:5000"}),
    ):
        code, said = checked(s, name, **settings)
        expect(code == 0 and said == f"{name}: the configuration is good\n", name, settings, code, said)


def test_all_wrong_values_are_told_at_once_a_line_each(s):
    code, said = checked(s, "gateway", TRUSTED_PROXIES="foo", MONGODB_URI="mongo://me:hush@x", AMQP_URL="http://bar", AUTH_SVC_ADDRESS=":::",
                         LISTEN_ADDRESS="300.1.1.1", LISTEN_PORT="7000", ADMIN_PORT="7000", VIDEO_QUEUE="q", MP3_QUEUE="q", FAILED_QUEUE="q",
                         MAX_UPLOAD_BYTE="5", HEAD_TIMEOUT="2h", MIN_BODY_RATE="x", LOG_FORMAT="xml")
    keys = [line.split(":")[0] for line in said.splitlines()]
    expect(code == 100 and keys == ["MAX_UPLOAD_BYTE", "LOG_FORMAT", "LISTEN_ADDRESS", "AUTH_SVC_ADDRESS", "MONGODB_URI", "AMQP_URL", "TRUSTED_PROXIES",
                                    "HEAD_TIMEOUT", "MIN_BODY_RATE", "LISTEN_PORT", "MP3_QUEUE", "FAILED_QUEUE", "gateway"], code, said)
    expect("hush" not in said, said)


def test_a_daemon_that_starts_logs_what_is_nearly_a_key_and_serves(s):
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(s.beside("gateway", MAX_UPLOAD_BYTE="5")).ready()
        lines = [line for line in gateway.log_text().splitlines() if "event=unknown_key" in line]
        expect(len(lines) == 1 and "name=MAX_UPLOAD_BYTE did_you_mean=MAX_UPLOAD_BYTES" in lines[0], lines)
