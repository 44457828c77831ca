"""Each kind of fault: what is done, and how it ends. One thread per fault, by the schedule."""
import collections
import contextlib
import json
import os
import shutil
import signal
import threading
import time

import pika
import pymongo

import network
from rig import lib
from rig.lib import until
from schedule import held
from world import server_pid, servers, signal_server

ELECTION_S = 10
BUSY_S = 4


def pid_file_of(world, target, member):
    if target != "mongodb":
        return world.run / f"{target}.pid", world.run, target, world.env
    mongod = member_of(world, member)
    return mongod.run / "mongod.pid", mongod.run, "mongod", mongod.env


def member_of(world, member):
    if member is None:
        return world.mongods[0]
    with contextlib.suppress(lib.Failed):
        until("a primary", world.primary, ELECTION_S)
    primary = world.primary() or world.mongods[0]
    return primary if member == "primary" else next(m for m in world.mongods if m is not primary)


class Fault:
    """One fault: run() does it and after its seconds undoes it; recovered() waits until all is well again, and says how long that took."""

    def __init__(self, world, plan):
        self.world, self.plan = world, plan
        self.target, self.seconds = plan["target"], plan["seconds"]
        self.daemon = world.daemons.get(self.target)
        self.ended = None

    def run(self, stop):
        if self.plan.get("busy"):
            self.find_worker()
        with contextlib.ExitStack() as undo:
            events = [self.world.event(self.plan["kind"], self.target)]
            try:
                getattr(self, self.plan["kind"].replace("-", "_"))(undo)
                stop.wait(self.seconds)
            finally:
                undo.close()
                self.ended = time.time()
                for e in events:
                    e["until"] = self.ended

    def recovered(self):
        if self.plan["kind"] in ("duplicate", "reorder"):
            return 0.0
        began = time.monotonic()
        until(f"all is well after {self.plan}", self.well, 120)
        return time.monotonic() - began

    def well(self):
        self.world.note_crashes()
        return all(lib.all_ok(d.readyz()) for d in self.concerned())

    def concerned(self):
        """Those that the fault touches, but for who is down for another reason."""
        if self.daemon:
            return [self.daemon]
        if ":" in self.target:
            return [self.world.daemons[self.target.split(":")[0]]]
        name = self.target.split("-")[0]
        users = {"mariadb": ("auth",), "rabbitmq": ("gateway", "converter", "notification")}
        wanted = users.get(name, ("gateway", "converter", "notification"))
        return [d for d in self.world.daemons.values() if d.name in wanted]

    # daemons, workers and servers

    def restart(self):
        with self.world.lock:
            if not self.daemon.alive():
                self.daemon.start()

    def end_process(self, how, undo):
        if not self.daemon:
            self.end_server(how, undo)
            return
        undo.callback(self.restart)
        try:
            code = self.daemon.stop(how)
        except lib.Failed as e:
            code = str(e)
        if code not in (0, -signal.SIGKILL):
            self.world.crashes.append(f"{self.target} on signal {how}: {code}")

    def end_server(self, how, undo):
        pid_file, run, name, env = pid_file_of(self.world, self.target, self.plan.get("member"))
        undo.callback(servers, run, "start", name, env)
        if how == signal.SIGTERM:
            servers(run, "stop", name, env)
            return
        pid = server_pid(pid_file)
        signal_server(pid_file, how)
        until(f"{name} gone", lambda: not lib.group_alive(pid))

    def kill(self, undo):
        self.end_process(signal.SIGKILL, undo)

    def term(self, undo):
        self.end_process(signal.SIGTERM, undo)

    def stop(self, undo):
        self.end_process(signal.SIGTERM, undo)

    def freeze(self, undo):
        if self.daemon:
            undo.callback(self.daemon.signal, signal.SIGCONT)
            self.daemon.signal(signal.SIGSTOP)
            return
        pid_file = pid_file_of(self.world, self.target, self.plan.get("member"))[0]
        undo.callback(signal_server, pid_file, signal.SIGCONT)
        signal_server(pid_file, signal.SIGSTOP)

    def find_worker(self):
        """A worker that runs; a converter that is idle gets a moment to take a job."""
        deadline = time.monotonic() + BUSY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, IndexError):
                return lib.workers_of(self.daemon.process.pid)[0]
            time.sleep(0.01)
        return None

    def signal_worker(self, how):
        pid = self.find_worker()
        with contextlib.suppress(OSError):
            if pid:
                os.kill(pid, how)
        return pid

    def worker_kill(self, undo):
        del undo
        self.signal_worker(signal.SIGKILL)

    def worker_term(self, undo):
        del undo
        self.signal_worker(signal.SIGTERM)

    def worker_freeze(self, undo):
        pid = self.signal_worker(signal.SIGSTOP)
        if pid:
            undo.callback(thaw, pid)

    # the network and the disk

    def cut(self, undo):
        undo.callback(self.world.proxy.command, self.target, self.plan["after"])
        self.world.proxy.command(self.target, "cut")

    def drop(self, undo):
        """Of a server: on each link to it, and on its own port."""
        routes = self.world.routes_of(self.target)
        if network.is_own():
            undo.callback(network.drop([self.world.proxy.ports[r] for r in routes] + self.world.own_ports(self.target)))
            return
        for route in routes:
            undo.callback(self.world.proxy.command, route, "pass")
            self.world.proxy.command(route, "cut")

    def delay(self, undo):
        undo.callback(self.world.proxy.command, self.target, "pass")
        self.world.proxy.command(self.target, "delay", self.plan["delay"])

    def disk_full(self, undo):
        """MongoDB's, and the folder's of the blobs where there is one."""
        mongod = member_of(self.world, "primary" if self.world.mode == "replicas" else None)
        undo.callback(servers, mongod.run, "start", "mongod", mongod.env)
        lib.expect(mongod.fill(), "no disk can be mounted here")
        undo.callback(mongod.drain)
        for disk in self.world.blob_disks:
            undo.callback(disk.drain)
            disk.fill()
        with contextlib.suppress(pymongo.errors.PyMongoError), mongod.client() as client:
            client.admin.command("fsync")  # else the next checkpoint may come after the disk has room again

    def lose_disk(self, undo):
        """A broker that comes back knows no queue and no message."""
        self.end_server(signal.SIGKILL, undo)
        shutil.rmtree(self.world.run / "rabbitmq" / "mnesia")

    def stepdown(self, undo):
        del undo
        mongod = member_of(self.world, "primary")
        with contextlib.suppress(pymongo.errors.PyMongoError), mongod.client() as client:
            client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=2, force=True)

    # messages

    def channel(self):
        parameters = pika.ConnectionParameters(
            "127.0.0.1", self.world.ports["RABBITMQ_PORT"], socket_timeout=3, blocked_connection_timeout=3, stack_timeout=5
        )
        return contextlib.closing(pika.BlockingConnection(parameters))

    def duplicate(self, undo):
        """Messages that were sent before come again, those of jobs that ended long ago too."""
        del undo
        with contextlib.suppress(pika.exceptions.AMQPError, pymongo.errors.PyMongoError, OSError), self.channel() as connection:
            channel = connection.channel()
            for job in self.recent_jobs():
                channel.basic_publish("", self.target, message_of(job, self.target), pika.BasicProperties(delivery_mode=2))

    def recent_jobs(self):
        state = {"video": {"$ne": "uploading"}, "mp3": "done", "failed": "failed"}[self.target]
        with pymongo.MongoClient(self.world.environment()["MONGODB_URI"], serverSelectionTimeoutMS=1500) as client:
            return list(client.tonearm.jobs.find({"state": state}).sort("updated_at", -1).limit(self.plan["count"]))

    def reorder(self, undo):
        """Takes messages and puts them back in the opposite order; a broker that dies meanwhile delivers them twice."""
        del undo
        with contextlib.suppress(pika.exceptions.AMQPError, OSError), self.channel() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            taken = [channel.basic_get(self.target) for _ in range(self.plan["count"])]
            for got, properties, body in [t for t in reversed(taken) if t[0]]:
                channel.basic_publish("", self.target, body, properties)
                channel.basic_ack(got.delivery_tag)


def thaw(pid):
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGCONT)


def message_of(job, queue):
    message = {"video_fid": str(job["_id"]), "mp3_fid": None, "username": job["username"]}
    if queue == "mp3":
        message["mp3_fid"] = str(job["mp3_fid"])
    if queue == "failed":
        message["error"] = job["error"]
    return json.dumps(message).encode()


class Runner:
    """Runs a schedule; notes of each fault its plan, when it ended, and the seconds until all was well, or None."""

    def __init__(self, world, plans, say):
        self.world, self.plans, self.say = world, plans, say
        self.done, self.lock, self.stop = [], threading.Lock(), threading.Event()
        self.holds = collections.defaultdict(threading.Lock)

    def one(self, plan, hold):
        fault, recovered = Fault(self.world, plan), None
        try:
            with hold:  # on a slow machine a server may need longer to come back than the schedule allows
                fault.run(self.stop)
            recovered = fault.recovered()
        except Exception as e:  # a fault that could not be made is said, and the others go on
            self.say(f"fault not made or not recovered: {plan}: {type(e).__name__}: {e}")
        with self.lock:
            self.done.append({"plan": plan, "ended": fault.ended, "recovered": recovered})

    def run(self):
        began, threads = time.monotonic(), []
        for plan in self.plans:
            self.stop.wait(max(0, began + plan["at"] - time.monotonic()))
            self.world.note_crashes()
            thread = threading.Thread(target=self.one, args=(plan, self.holds[held(plan)]), daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(180)
