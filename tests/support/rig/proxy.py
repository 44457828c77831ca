#!/usr/bin/env python3
"""A TCP proxy that is the network between daemons and servers: it passes, delays, or drops without a FIN.

proxy.py NAME=PORT:TARGET... ; commands by standard input, one a line, each answered by "ok":
    NAME pass             from now on all goes through; what was held back goes too, as after a short cut
    NAME reset            as pass, but every connection that lived through the cut is reset, as a firewall does that forgot it
    NAME cut              nothing goes through, nothing is closed; new connections are taken and hang
    NAME delay SECONDS    each piece waits this long
"""
import asyncio
import contextlib
import socket
import struct
import sys

PIECE = 65536
OPEN_FILES_BACKLOG = 512


def forget(writer):
    """Closes by RST."""
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(Exception):
        writer.transport.abort()


class Route:
    def __init__(self, target):
        self.target, self.delay = target, 0.0
        self.open = asyncio.Event()
        self.open.set()
        self.writers = set()

    def command(self, verb, *words):
        if verb == "cut":
            self.open.clear()
            return
        if verb == "reset":
            for writer in list(self.writers):
                forget(writer)
        self.delay = float(words[0]) if verb == "delay" else 0.0
        self.open.set()

    async def pump(self, reader, writer):
        while True:
            data = await reader.read(PIECE)
            if self.delay:
                await asyncio.sleep(self.delay)
            await self.open.wait()
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        there = None
        try:
            await self.open.wait()
            if writer.transport.is_closing():
                return
            far, there = await asyncio.open_connection("127.0.0.1", self.target)
            self.writers.add(there)
            await asyncio.gather(self.pump(reader, there), self.pump(far, writer))
            writer.close()
            there.close()
        except (OSError, asyncio.CancelledError):
            for end in (writer, there):
                if end:
                    forget(end)
        finally:
            self.writers -= {writer, there}


async def main():
    routes = {}
    for word in sys.argv[1:]:
        name, ports = word.split("=")
        port, target = map(int, ports.split(":"))
        routes[name] = Route(target)
        await asyncio.start_server(routes[name].serve, "127.0.0.1", port, backlog=OPEN_FILES_BACKLOG)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ok", flush=True)
    while line := (await commands.readline()).decode().split():
        routes[line[0]].command(*line[1:])
        print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
