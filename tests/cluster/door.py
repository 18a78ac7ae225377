#!/usr/bin/env python3
"""door.py NAMESPACE PORT HOST:PORT: what connects to 127.0.0.1:PORT here is connected to HOST:PORT within the network namespace.

A socket belongs to the namespace in which it was made: the one that listens is made first, then this process moves inside."""
import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


async def copy(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(listener, host, port):
    async def connected(reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        writer.close()
        inner_writer.close()
    async with await asyncio.start_server(connected, sock=listener) as server:
        await server.serve_forever()


def main():
    namespace, port, target = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
    libc = ctypes.CDLL(None, use_errno=True)
    with open(namespace, "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            sys.exit(f"door.py: {namespace}: {os.strerror(ctypes.get_errno())}")
    host, _, inner = target.rpartition(":")
    asyncio.run(serve(listener, host, int(inner)))


main()
