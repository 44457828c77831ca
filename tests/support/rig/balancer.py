"""A load balancer of the tests: TCP, round robin over the replicas that say they are ready, no second try.

As Kubernetes does it: a replica that is not ready gets no new connections; those that it has stay.
"""
import asyncio
import contextlib
import threading

from rig.lib import ports

LOOK_S = 0.1


class Balancer:
    """replicas is a list of (port, admin port). The caller points clients at .port."""

    def __init__(self, replicas):
        self.replicas, self.ready, self.turn = replicas, [], 0
        self.port = ports.free(1)[0]
        self.loop = asyncio.new_event_loop()
        self.up = threading.Event()
        self.ends = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.main(),))
        self.thread.start()
        self.up.wait(10)

    def stop(self):
        self.loop.call_soon_threadsafe(self.ends.set)
        self.thread.join()

    async def is_ready(self, admin):
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", admin), 1)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            head = await asyncio.wait_for(reader.readline(), 1)
            writer.close()
            return b" 200 " in head
        return False

    async def look(self):
        while True:
            states = await asyncio.gather(*(self.is_ready(admin) for _, admin in self.replicas))
            self.ready = [port for (port, _), ready in zip(self.replicas, states) if ready]
            await asyncio.sleep(LOOK_S)

    async def pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(262144):
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def serve(self, reader, writer):
        there = None
        with contextlib.suppress(OSError):
            self.turn += 1
            port = self.ready[self.turn % len(self.ready)] if self.ready else 1
            back, there = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(self.pump(reader, there), self.pump(back, writer))
        for end in (writer, there):
            if end:
                end.close()

    async def main(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=512)
        looker = asyncio.create_task(self.look())  # kept: the loop itself holds tasks weakly
        self.up.set()
        await self.ends.wait()
        server.close()
        rest = {looker, *asyncio.all_tasks()} - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
