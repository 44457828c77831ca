"""/metrics of each daemon: valid text, the families that services/README.md promises, counts that move by what was done."""
import re

from rig import media
from rig.answers import plain
from rig.exposition import Scrape
from rig.lib import DAEMONS, ROOT, Failed, expect, until
from rig.queues import depth, send
from rig.wire import ask, basic

# what everyone needs to be there once the suite has worked
SERVERS = {"auth": {"mysql"}, "gateway": {"auth", "mongodb", "rabbitmq"}, "converter": {"mongodb", "rabbitmq"},
           "notification": {"mongodb", "rabbitmq"}}
ROW = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram)(?:: ([^|]*))? \| ([^|]*) \|", re.M)


def promised(name):
    """{family: (type, labels)} of a daemon, by the table of services/README.md."""
    return {
        family: (kind, frozenset(re.findall(r"`(\w+)`", labels or "")))
        for family, kind, labels, whose in ROW.findall((ROOT / "services/README.md").read_text())
        if whose.strip() == "all" or name in whose.split(", ")
    }


def scrape(s, name):
    return Scrape(s.daemons[name].metrics())


def use_everything(s):
    """A login, a refused one, an upload that is converted, one that cannot be, a message that nobody can read on each queue."""
    expect(ask(s.gateway, "POST", "/login", s.login_header()).status == 200)
    plain(ask(s.gateway, "POST", "/login", basic("nobody@example.org", "wrong")), 401, "invalid credentials")
    fid = s.upload_job(media.video(2))
    expect(s.job_ends(fid)["state"] == "done")
    dead = {queue: depth(s, f"{queue}.dead") for queue in ("video", "mp3", "failed")}
    for queue, had in dead.items():
        send(s, queue, b"nobody can read this")
        until(f"it is in {queue}.dead", lambda q=queue, h=had: depth(s, f"{q}.dead") == h + 1)
    return fid


def moves(s, name, wanted):
    """What use_everything adds to these series of the daemon: at least so much."""
    s.mongo()["tonearm"].command("validate", "jobs")  # puts right the collection's own count, wrong since a test killed mongod
    before = scrape(s, name)
    use_everything(s)

    def missing():
        now = scrape(s, name)
        gone = {key: (before.value(key[0], **dict(key[1:])), now.value(key[0], **dict(key[1:]))) for key in wanted}
        return {key: seen for key, seen in gone.items() if seen[1] - seen[0] < wanted[key]}

    until(f"{name} counted {wanted}", lambda: not missing() or None, 10)
    return scrape(s, name)


def row(name, **labels):
    return (name, *sorted(labels.items()))


HTTP = "tonearm_http_requests_total"
COUNTS = {
    "auth": {
        row(HTTP, route="/login", method="POST", status="200"): 1, row(HTTP, route="/login", method="POST", status="401"): 1,
        row(HTTP, route="/validate", method="POST", status="200"): 2, row("tonearm_http_request_duration_seconds_count", route="/login"): 2,
        row("tonearm_http_bytes_total", direction="out"): 100, row("tonearm_logins_total", result="granted"): 1,
    },
    "gateway": {
        row(HTTP, route="/upload", method="POST", status="200"): 1, row(HTTP, route="/login", method="POST", status="401"): 1,
        row(HTTP, route="/jobs/*", method="GET", status="200"): 1, row("tonearm_http_request_duration_seconds_count", route="/upload"): 1,
        row("tonearm_http_bytes_total", direction="in"): 10_000,
    },
    "converter": {
        row("tonearm_conversions_total", result="done"): 1, row("tonearm_conversion_duration_seconds_count"): 1,
        row("tonearm_jobs", state="done"): 1, row("tonearm_messages_buried_total", queue="video"): 1,
    },
    "notification": {
        row("tonearm_notifications_total", result="said"): 1, row("tonearm_notifications_total", result="buried"): 2,
        row("tonearm_messages_buried_total", queue="mp3"): 1, row("tonearm_messages_buried_total", queue="failed"): 1,
    },
}


def counts(name):
    def test(s):
        seen = moves(s, name, COUNTS[name])
        table = promised(name)
        expect(len(table) > 8, "the README's table:", table)
        expect({f: (kind, seen.labels(f)) for f, kind in seen.types.items()} == table, "not what the README says:",
               {f: (kind, seen.labels(f)) for f, kind in seen.types.items()}, table)
        up = {server: seen.value("tonearm_dependency_up", name=server) for server in SERVERS[name]}
        expect(set(up.values()) == {1.0}, up)
        expect(seen.value("process_resident_memory_bytes") > 1 << 20 and seen.value("process_cpu_seconds_total") > 0, "the process' own")
        if "tonearm_mongodb_clients" in table:
            used, most = (seen.value("tonearm_mongodb_clients", kind=kind) for kind in ("used", "max"))
            expect(0 <= used <= most and most >= 4, "clients of MongoDB:", used, most)

    return test


def cases():
    for name in DAEMONS:
        yield f"the metrics of {name} are valid, are those that the README names, and count what happens", counts(name)


def test_the_reader_of_metrics_refuses_what_a_scraper_would(s):
    whole = s.daemons["auth"].metrics()
    Scrape(whole)
    used = next(line for line in whole.splitlines() if line.startswith("tonearm_mysql_connections_used "))
    for broken in (whole[:-1], whole + used + "\n", whole.replace(used, used + "\n" + used), whole.replace(used, used + " x"),
                   whole.replace("# HELP tonearm_mysql_connections_used", "# HELP tonearm_mysql_connections"),
                   whole.replace("tonearm_mysql_connections_used gauge", "tonearm_mysql_connections_used counter"),
                   whole.replace('version="', "version="), re.sub(r'(le="\+Inf"}) \d+', r"\1 99999", whole)):
        try:
            Scrape(broken)
        except Failed:
            continue
        raise Failed("it was taken: " + broken[:200])
