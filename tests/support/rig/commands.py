"""`converter` beside the daemons, as an operator types it; `converter convert` needs no server."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile

from rig.waits import expect, until

DEADLINE = 120
CORES = 2


def environment(s, **extra):
    env = {"PATH": os.environ["PATH"], **s.environment(), **extra}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if key in os.environ:
            env[key] = os.environ[key]
    return env


def converter(s, *words, input=None, stdin=subprocess.DEVNULL, **extra):
    source = {"stdin": stdin} if input is None else {"input": input}
    return subprocess.run([s.build / "services/converter/converter", *words], env=environment(s, **extra), capture_output=True, timeout=DEADLINE, **source)


def janitor(s, *options, **settings):
    """The report of one run."""
    done = converter(s, "janitor", "--json", *options, **{"JANITOR_GRACE": "2s", **settings})
    expect(done.returncode == 0, "janitor:", done)
    report = json.loads(done.stdout)
    expect(report["failed"] == 0, report)
    return report


def nothing_left(s, seconds=60):
    """What killed daemons leave is the janitor's to remove: it comes until there is nothing more."""
    until("the janitor removed all that was left", lambda: not s.left() or (janitor(s) and not s.left()), seconds)


def checked(s, name, **settings):
    """(exit code, all that it says) of --check-config; a setting that is None is taken away."""
    env = {key: value for key, value in environment(s, **settings).items() if value is not None}
    done = subprocess.run([s.build / f"services/{name}/{name}", "--check-config"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def convert(s, content, *words):
    """The ended command, the mp3 it made (None: none), and what else lies in the folder."""
    with tempfile.TemporaryDirectory(prefix="tonearm-convert-") as folder:
        source, result = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out.mp3"
        source.write_bytes(content)
        done = converter(s, "convert", source, result, *words, MONGODB_URI="mongodb://127.0.0.1:1", AMQP_URL="amqp://127.0.0.1:1/")
        made = result.read_bytes() if result.exists() else None
        return done, made, sorted(p.name for p in pathlib.Path(folder).iterdir() if p not in (source, result))


def convert_file(s, path, **settings):
    """(exit code, report, mp3 or None) of one conversion."""
    out = path.with_name(path.name + ".out.mp3")
    env = environment(s, **{"CONVERTER_CORES": str(CORES), **settings})
    done = subprocess.run([s.build / "services/converter/converter", "convert", path, out, "--json", "--force"], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=DEADLINE)
    expect(b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, path.name, done.stderr[:3000])
    report = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, report, out if out.exists() else None


def convert_all(s, paths, **settings):
    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(lambda path: convert_file(s, path, **settings), paths))
