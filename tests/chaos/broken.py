#!/usr/bin/env python3
"""The checker's proof: broken.py BUILD_DIR

Each broken/*.patch breaks one rule that keeps uploads from being lost. A copy of the source is built with it, the
shortest schedule that shows it is run, and the checker must name it, for the right reason; on the sound build the same
schedule must pass. TONEARM_RUN_DIR keeps the logs.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import chaos  # first: it puts tests/support on the path
import check
import collect
from clients import Clients, Sample, tone
from rig import lib
from rig.lib import ROOT, expect, until
from rig.wire import Reader, connect, encode
from world import World, server_pid, servers, signal_server

LABELS = ("auth-1", "gateway-1", "converter-1", "notification-1")
PIECE = 8 * 261120  # of a body: enough to fill any batch of chunks
SOUND_S, BROKEN_S = 40, 8
QUIET_S = 1


# schedules: each begins and ends with all servers and daemons there


def ledger_frozen_when_a_message_comes(world, clients):
    """A converter that took a message cannot lease: the message must come again."""
    converter = world.daemons["converter-1"]
    converter.signal(signal.SIGSTOP)
    clients.send(clients.users[0], clients.users[0].good[0], world.gateways()[0])
    signal_server(world.mongods[0].run / "mongod.pid", signal.SIGSTOP)
    converter.signal(signal.SIGCONT)
    until("the converter gave up on the message", lambda: "event=message_given_back" in converter.log_text(), 30)
    signal_server(world.mongods[0].run / "mongod.pid", signal.SIGCONT)


def broker_cut_off_when_an_upload_ends(world, clients):
    """What a gateway wrote to the broker's connection never arrived. The converter's relay must not help it out, and
    the gateway must know the queue already."""
    clients.send(clients.users[0], clients.users[0].good[0], world.gateways()[0])
    until("the first upload settled", lambda: chaos.settled(world), SOUND_S)
    world.daemons["converter-1"].signal(signal.SIGSTOP)
    world.proxy.command("gateway-1:rabbitmq", "cut")
    clients.send(clients.users[0], clients.users[0].good[0], world.gateways()[0])
    world.proxy.command("gateway-1:rabbitmq", "reset")
    world.daemons["converter-1"].signal(signal.SIGCONT)


def chunks(world):
    with world.mongods[0].client() as client:
        return client.videos["fs.chunks"].count_documents({})


def stored(world, least):
    """At least so many chunks, and no more to come: a batch that the kill cut off would fail the upload itself."""
    seen, since = -1, 0.0

    def quiet():
        nonlocal seen, since
        count = chunks(world)
        if count != seen:
            seen, since = count, time.monotonic()
        return count >= least and time.monotonic() - since > QUIET_S

    until(f"{least} chunks are stored, and the gateway waits for more", quiet, 30)
    return seen


def power_cut(mongod, between):
    """The disk holds what it held before between(): what was not yet flushed is gone."""
    snapshot = mongod.run / "snapshot"
    signal_server(mongod.run / "mongod.pid", signal.SIGSTOP)
    shutil.rmtree(snapshot, ignore_errors=True)
    shutil.copytree(mongod.path, snapshot)
    signal_server(mongod.run / "mongod.pid", signal.SIGCONT)
    between()
    pid = server_pid(mongod.run / "mongod.pid")
    signal_server(mongod.run / "mongod.pid", signal.SIGKILL)
    until("mongod gone", lambda: not lib.group_alive(pid))
    for path in mongod.path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(snapshot, mongod.path, dirs_exist_ok=True)
    shutil.rmtree(snapshot)
    servers(mongod.run, "start", "mongod", mongod.env)


def power_cut_in_mid_upload(world, clients):
    """Chunks that the server had acknowledged to the gateway are gone before the upload ends."""
    gateway = world.daemons["gateway-1"]

    def exchange(port, method, path, headers, body, timeout):
        with connect(port, timeout) as sock:
            sock.sendall(encode(method, path, {**headers, "Content-Length": str(len(body))}, body[:PIECE]))
            before = stored(world, 4)

            def more():
                sock.sendall(body[PIECE : 2 * PIECE])
                stored(world, before + 1)

            power_cut(world.mongods[0], more)
            until("the gateway has MongoDB back", lambda: lib.all_ok(gateway.readyz()), 30)
            sock.sendall(body[2 * PIECE :])
            return Reader(sock).answer()

    large = Sample("mov", tone("large.mov", 75, "-c:a", "pcm_s16le"), "done", 75.0)
    expect(len(large.content) > 3 * PIECE)
    clients.send(clients.users[0], large, gateway.port, exchange)


# (patch, the program that has it, schedule, what the checker must say)
CASES = [
    ("ack-first", "converter", ledger_frozen_when_a_message_comes, "was acknowledged and is queued"),
    ("publish-unconfirmed", "gateway", broker_cut_off_when_an_upload_ends, "was acknowledged and is queued"),
    ("chunks-uncounted", "gateway", power_cut_in_mid_upload, "was acknowledged and chunks of its video are missing"),
]


def run_tool(cwd, *words):
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(cwd.parent)}  # the copy is no part of any repository
    done = subprocess.run(list(map(str, words)), cwd=cwd, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"broken builds: {' '.join(map(str, words))}: {(done.stdout + done.stderr)[-2000:]}")


class Builds:
    """The programs under test: those of the sound build, one of which is replaced for a while."""

    def __init__(self, run, build):
        self.sound, self.source, self.place = build, run / "source", run / "build"
        for name in lib.DAEMONS:
            shutil.copytree(build / "services" / name, self.place / "services" / name, ignore=shutil.ignore_patterns("CMakeFiles", "*.a"))
        shutil.copytree(ROOT, self.source, ignore=shutil.ignore_patterns("build", "run", ".git", "__pycache__"))
        run_tool(self.source, "cmake", "--preset", "dev", "-DTONEARM_WERROR=OFF")

    def broken(self, patch, program):
        patch = ROOT / "tests/chaos/broken" / f"{patch}.patch"
        run_tool(self.source, "git", "apply", patch)
        run_tool(self.source, "cmake", "--build", "--preset", "dev", "--target", program)
        self.put(self.source / "build/dev", program)
        run_tool(self.source, "git", "apply", "-R", patch)

    def put(self, build, program):
        place = self.place / "services" / program / program
        place.unlink()
        shutil.copy2(build / "services" / program / program, place)


def renew(world, clients, program):
    """Nothing is left of the last case, and the program that was put in place runs."""
    daemon = world.daemons[f"{program}-1"]
    daemon.stop()
    for database in ("tonearm", "videos", "mp3s"):
        for name in world.mongo()[database].list_collection_names():
            world.mongo()[database][name].delete_many({})
    clients.uploads.clear()
    daemon.start()
    world.calm()


def judged(world, clients, schedule, seconds):
    schedule(world, clients)
    world.calm()
    try:
        until("everything settled", lambda: chaos.settled(world), seconds)
    except lib.Failed:
        pass  # the checker says what did not
    facts = collect.facts(world, clients, janitor=False)
    return [v for v in check.violations(facts) if v[0] != "other"]


def try_case(world, clients, builds, case):
    """The sound build passes, the broken one is named. 1 when not."""
    patch, program, schedule, words = case
    builds.put(builds.sound, program)
    renew(world, clients, program)
    found = judged(world, clients, schedule, SOUND_S)
    builds.broken(patch, program)
    renew(world, clients, program)
    named = judged(world, clients, schedule, BROKEN_S)
    builds.put(builds.sound, program)
    right = not found and any(kind == "lost" and words in text for kind, text in named)
    print(f"{'passed' if right else 'FAILED'}  {patch}: sound: {found or 'nothing lost'}; broken: {named or 'not noticed'}", flush=True)
    return 0 if right else 1


def main():
    kept = os.environ.get("TONEARM_RUN_DIR")
    run = pathlib.Path(kept or tempfile.mkdtemp(prefix="tonearm-broken-"))
    run.mkdir(parents=True, exist_ok=True)
    builds = Builds(run, pathlib.Path(sys.argv[1]).resolve())
    world = World(run / "stack", builds.place, "single", LABELS)
    failed = len(CASES)
    try:
        world.start()
        clients = Clients(world, "broken")
        clients.make_users()
        failed = sum(try_case(world, clients, builds, case) for case in CASES)
    finally:
        world.stop()
        if not kept and not failed:
            shutil.rmtree(run, ignore_errors=True)
    print(f"broken builds: {len(CASES) - failed} named, {failed} not" + (f"; logs: {run}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
