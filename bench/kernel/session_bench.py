#!/usr/bin/env python3
"""Start, memory, round trips and line throughput of a kernel beside ipykernel's, measured in one run on one machine.

    session_bench.py [--repeats N] [--lines N]… [--rounds N] NAME=COMMAND…

COMMAND is run with `-f FILE` behind it; `ipykernel` is added. Needs pyzmq and ipykernel; a row that a kernel cannot do
is left out. How to print N lines in a kernel's language is told by its NAME: echo, lateen or ipykernel.
Prints medians and the ratio to ipykernel; never fails for being slow.
"""
import argparse
import hashlib
import hmac
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

import zmq

KEY = b"bench"
STEP = """component lines(n: Integer) {
    script sh \"\"\"seq "$n" \"\"\"
}
lines(n: N)"""
LINES = {"echo": "lines N", "lateen": "!seq N", "ipykernel": "for i in range(1, N + 1): print(i)"}
NOTHING = {"echo": "#", "lateen": "1", "ipykernel": "1"}


class Kernel:
    """A kernel process and the client's end of its sockets, without the cost of jupyter_client."""

    def __init__(self, command, context):
        self.folder = tempfile.TemporaryDirectory()
        self.context = context
        path = os.path.join(self.folder.name, "kernel.json")
        self.ports = free_ports(5)
        names = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**dict(zip(names, self.ports)), "ip": "127.0.0.1", "transport": "tcp", "key": KEY.decode(),
                       "signature_scheme": "hmac-sha256"}, file)
        env = {**os.environ, "HOME": self.folder.name, "LATEEN_HISTORY": "", "IPYTHONDIR": self.folder.name}
        self.session = uuid.uuid4().hex
        self.iopub = self.socket(zmq.SUB, self.ports[1])
        self.iopub.subscribe(b"")
        self.shell = self.socket(zmq.DEALER, self.ports[0])
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command + ["-f", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=env)
        self.ask("kernel_info_request", {})
        self.started = time.perf_counter() - self.began
        self.drain()

    def socket(self, kind, port):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvhwm = 0
        socket.setsockopt(zmq.RECONNECT_IVL, 1)
        socket.connect(f"tcp://127.0.0.1:{port}")
        return socket

    def send(self, msg_type, content):
        header = {"msg_id": uuid.uuid4().hex, "session": self.session, "username": "bench", "version": "5.3",
                  "date": "2026-01-01T00:00:00.000000Z", "msg_type": msg_type}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        signature = hmac.new(KEY, b"".join(parts), hashlib.sha256).hexdigest().encode()
        self.shell.send_multipart([b"<IDS|MSG>", signature, *parts])
        return header["msg_id"]

    def ask(self, msg_type, content):
        msg_id = self.send(msg_type, content)
        while True:
            parent, reply = self.receive(self.shell)[1:]
            if parent.get("msg_id") == msg_id:
                return reply

    def receive(self, socket, wait=60000):
        """The header, parent header and content of the next message."""
        if not socket.poll(wait):
            raise TimeoutError("the kernel does not answer")
        frames = socket.recv_multipart()
        at = frames.index(b"<IDS|MSG>")
        return json.loads(frames[at + 2]), json.loads(frames[at + 3]), json.loads(frames[at + 5])

    def drain(self):
        while self.iopub.poll(200):
            self.iopub.recv_multipart()

    def execute(self, code):
        """Seconds to idle, and the stream text."""
        before = time.perf_counter()
        msg_id = self.send("execute_request", {"code": code, "silent": False, "store_history": True, "allow_stdin": False})
        text, idle = [], None
        while idle is None:
            header, parent, content = self.receive(self.iopub)
            if parent.get("msg_id") != msg_id:
                continue
            if header["msg_type"] == "stream":
                text.append(content["text"])
            if header["msg_type"] == "status" and content["execution_state"] == "idle":
                idle = time.perf_counter() - before
        reply = self.receive(self.shell)[2]
        assert reply["status"] == "ok", reply
        return idle, "".join(text)

    def round_trip(self, code):
        before = time.perf_counter()
        self.ask("execute_request", {"code": code, "silent": False, "store_history": True, "allow_stdin": False})
        return time.perf_counter() - before

    def memory(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line and "kB" in line)
        return {name: int(fields[name].split()[0]) / 1024 for name in ("Rss", "Pss", "Private_Dirty")}

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.shell.close()
        self.iopub.close()
        self.folder.cleanup()


def free_ports(n):
    import socket
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def measure(name, command, context, options):
    row = {}
    starts, dirty = [], []
    for _ in range(options.repeats):
        kernel = Kernel(command, context)
        starts.append(kernel.started)
        memory = kernel.memory()
        dirty.append(memory)
        kernel.close()
    row["start to kernel_info_reply, ms"] = 1000 * statistics.median(starts)
    row["idle PSS, MiB"] = statistics.median(m["Pss"] for m in dirty)
    row["idle RSS, MiB"] = statistics.median(m["Rss"] for m in dirty)
    row["idle private dirty, MiB"] = statistics.median(m["Private_Dirty"] for m in dirty)
    kernel = Kernel(command, context)
    row["kernel_info round trip, ms"] = 1000 * statistics.median(timed(lambda: kernel.ask("kernel_info_request", {}), options.rounds))
    row["execute to reply, ms"] = 1000 * statistics.median(kernel.round_trip(NOTHING[name]) for _ in range(options.rounds))
    kernel.drain()
    row["execute to idle, ms"] = 1000 * statistics.median(kernel.execute(NOTHING[name])[0] for _ in range(options.rounds))
    for n in options.lines:
        for what, code in (("lines", LINES[name]), ("lines of a step", STEP if name == "lateen" else LINES[name])):
            seconds, text = kernel.execute(code.replace("N", str(n)))
            assert text == "".join(f"{i}\n" for i in range(1, n + 1)), f"{name} lost or changed lines of {n}"
            row[f"{n} {what}, s"] = seconds
    kernel.close()
    return row


def timed(call, n):
    for _ in range(n):
        before = time.perf_counter()
        call()
        yield time.perf_counter() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--lines", type=int, action="append")
    parser.add_argument("kernels", nargs="+")
    options = parser.parse_args()
    options.lines = options.lines or [100000, 1000000]
    kernels = {**{k.split("=", 1)[0]: shlex.split(k.split("=", 1)[1]) for k in options.kernels},
               "ipykernel": [sys.executable, "-m", "ipykernel_launcher"]}
    context = zmq.Context()
    rows = {name: measure(name, command, context, options) for name, command in kernels.items()}
    print(f"{'':34}" + "".join(f"{name:>14}" for name in rows) + "   ratio")
    for what, reference in rows["ipykernel"].items():
        values = [row[what] for row in rows.values()]
        print(f"{what:34}" + "".join(f"{value:14.3f}" for value in values) + f"   1/{reference / values[0]:.1f}")


if __name__ == "__main__":
    main()
