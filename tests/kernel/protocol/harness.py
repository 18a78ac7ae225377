"""A kernel process and a client of raw sockets, for tests of what goes over the wire."""
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import tap  # noqa: E402

tap.need("zmq")
import zmq  # noqa: E402

WAIT = 20000  # ms; how long something may take that has to come
QUIET = 250  # ms; how long to listen for something that must not come
KEY = b"a key for tests"
DELIMITER = b"<IDS|MSG>"
PORTS = {"shell": "shell_port", "iopub": "iopub_port", "stdin": "stdin_port", "control": "control_port", "hb": "hb_port"}


def echo_kernel():
    path = os.path.join(tap.build_dir(), "tests", "kernel", "echo_kernel")
    if not os.access(path, os.X_OK):
        tap.skip_all(f"there is no program {path}")
    return path


def children(pid):
    """Every process below this one: its children, theirs, and so on."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found += [int(entry), *children(int(entry))]
    return found


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Message:
    def __init__(self, frames):
        at = frames.index(DELIMITER)
        self.frames = frames
        self.idents = frames[:at]
        self.signature = frames[at + 1]
        self.raw = frames[at + 2:at + 6]
        self.header, self.parent, self.metadata, self.content = (json.loads(part) for part in self.raw)
        self.type = self.header["msg_type"]

    def __repr__(self):
        return f"{self.type} {self.content}"


class Client:
    """One client of a kernel: its own identity, its own iopub subscription."""

    def __init__(self, info, subscribe=True, curve=None, rcvhwm=0):
        self.info = info
        self.key = info["key"].encode()
        self.curve = curve
        self.context = zmq.Context()
        self.session = uuid.uuid4().hex
        self.identity = uuid.uuid4().bytes
        self.sockets = {}
        if subscribe:
            self.open("iopub", zmq.SUB, rcvhwm=rcvhwm)
            self["iopub"].subscribe(b"")
        for name in ("shell", "control", "stdin"):
            self.open(name, zmq.DEALER)

    def __getitem__(self, name):
        return self.sockets[name]

    def endpoint(self, name):
        number = self.info[PORTS[name]]
        if self.info["transport"] == "ipc":
            return f"ipc://{self.info['ip']}-{number}"
        return f"tcp://{self.info['ip']}:{number}"

    def open(self, name, kind, rcvhwm=0, connect=True):
        made = self.context.socket(kind)
        made.linger = 0
        made.rcvhwm = rcvhwm
        made.setsockopt(zmq.RECONNECT_IVL, 5)
        if kind == zmq.DEALER:
            made.identity = self.identity
        if self.curve:
            made.curve_publickey, made.curve_secretkey = zmq.curve_keypair()
            made.curve_serverkey = self.curve
        made.connect(self.endpoint(name))
        self.sockets[name] = made
        return made

    def sign(self, parts):
        return hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode() if self.key else b""

    def header(self, msg_type, **more):
        return {"msg_id": uuid.uuid4().hex, "session": self.session, "username": "tests", "version": "5.4",
                "date": "2026-01-01T00:00:00.000000Z", "msg_type": msg_type, **more}

    def frames(self, header, content, metadata=None, parent=None, buffers=()):
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode()
                 for part in (header, parent or {}, metadata or {}, content)]
        return [DELIMITER, self.sign(parts), *parts, *buffers]

    def send(self, msg_type, content=None, channel="shell", metadata=None, buffers=(), **header):
        """Returns the message's id."""
        made = self.header(msg_type, **header)
        self[channel].send_multipart(self.frames(made, {} if content is None else content, metadata, buffers=buffers))
        return made["msg_id"]

    def receive(self, channel="shell", wait=WAIT):
        if not self[channel].poll(wait):
            raise AssertionError(f"nothing came on {channel} within {wait} ms")
        message = Message(self[channel].recv_multipart())
        if message.signature != self.sign(message.raw):
            raise AssertionError(f"{message} has a wrong signature")
        return message

    def reply(self, msg_id, channel="shell", wait=WAIT):
        while True:
            message = self.receive(channel, wait)
            if message.parent.get("msg_id") == msg_id:
                return message

    def outputs(self, msg_id, wait=WAIT):
        """What iopub says of a request, up to its idle status, which is left out with the busy one."""
        seen = []
        while True:
            message = self.receive("iopub", wait)
            if message.parent.get("msg_id") != msg_id:
                continue
            seen.append(message)
            if message.content.get("execution_state") == "idle":
                break
        if seen[0].content != {"execution_state": "busy"}:
            raise AssertionError(f"the first message is no busy status but {seen[0]}")
        return seen[1:-1]

    def ask(self, msg_type, content=None, channel="shell", **more):
        """Sends; returns the reply and the outputs."""
        msg_id = self.send(msg_type, content, channel, **more)
        return self.reply(msg_id, channel), self.outputs(msg_id)

    def execute_content(self, code, **more):
        return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                "stop_on_error": True, **more}

    def execute(self, code, metadata=None, **more):
        return self.ask("execute_request", self.execute_content(code, **more), metadata=metadata)

    def start_execute(self, code, **more):
        """Sends, and returns the id when the cell runs."""
        msg_id = self.send("execute_request", self.execute_content(code, **more))
        while True:
            message = self.receive("iopub")
            if message.parent.get("msg_id") == msg_id and message.type == "execute_input":
                return msg_id

    def until_idle(self, msg_id):
        """The outputs of a request whose busy status was seen before."""
        seen = []
        while not seen or seen[-1].content.get("execution_state") != "idle":
            message = self.receive("iopub")
            if message.parent.get("msg_id") == msg_id:
                seen.append(message)
        return seen[:-1]

    def quiet(self, channel, wait=QUIET):
        return not self[channel].poll(wait)

    def ready(self):
        """Waits until requests and iopub work."""
        self.receive("iopub")
        self.ask("kernel_info_request")
        return self

    def close(self):
        self.context.destroy(linger=0)


def stream_text(outputs, name="stdout"):
    return "".join(m.content["text"] for m in outputs if m.type == "stream" and m.content["name"] == name)


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Kernel:
    """A process, its connection file, and its clients."""

    def __init__(self, *options, command=None, env=None, **info):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "kernel.json")
        self.info = {"transport": "tcp", "ip": "127.0.0.1", "key": KEY.decode(), "signature_scheme": "hmac-sha256",
                     **dict.fromkeys(PORTS.values(), 0), **info}
        self.write()
        self.options = options
        self.command = command or [echo_kernel()]
        self.env = env
        self.clients = []
        self.process = None
        self.start()

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.info, file)

    def start(self):
        self.process = subprocess.Popen([*self.command, "-f", self.path, *self.options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.env)

    def read_back(self):
        """Waits until the kernel has written its real ports."""
        for _ in range(WAIT // 5):
            with open(self.path, encoding="utf-8") as file:
                self.info = json.load(file)
            if self.info["hb_port"]:
                return self.info
            if self.process.poll() is not None:
                raise AssertionError(f"the kernel ended with {self.process.returncode}: {self.process.stderr.read()}")
            wait_a_little()
        raise AssertionError("the kernel did not write its ports")

    def client(self, **how):
        self.clients.append(Client(self.read_back(), **how))
        return self.clients[-1]

    def wait(self):
        """The exit status and what was said on stderr."""
        said = self.process.communicate(timeout=WAIT / 1000)[1]
        return self.process.returncode, said.decode()

    def close(self):
        for client in self.clients:
            client.close()
        self.kill()
        self.folder.cleanup()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def wait_a_little():
    import time
    time.sleep(0.005)


def wait_until(holds, what):
    for _ in range(WAIT // 5):
        if holds():
            return
        wait_a_little()
    raise AssertionError(f"not within {WAIT} ms: {what}")


class KernelCase(unittest.TestCase):
    """One kernel for all tests of a class; a fresh client for each."""

    options = ()
    shared = None

    @classmethod
    def setUpClass(cls):
        cls.shared = Kernel(*cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def setUp(self):
        self.kernel = self.shared
        self.client = self.kernel.client().ready()
        self.addCleanup(self.client.close)

    def own_kernel(self, *options, **info):
        kernel = Kernel(*options, **info)
        self.addCleanup(kernel.close)
        return kernel


class FolderCase(unittest.TestCase):
    """A kernel for each test, with a home and a store of its own in a scratch folder."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        env = {**os.environ, "HOME": self.folder.name, "XDG_DATA_HOME": self.folder.name, "LATEEN_HISTORY": "",
               "LATEEN_HOME": self.folder.name + "/store"}
        self.kernel = Kernel(command=[tap.lateen(), "kernel"], env=env)
        self.addCleanup(self.kernel.close)
        self.client = self.kernel.client().ready()
