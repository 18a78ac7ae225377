#!/usr/bin/env python3
"""Bytes that are no message, messages that are forged or come twice, and the ways a kernel can be connected to."""
import glob
import json
import os
import random
import stat

import harness
from harness import DELIMITER, tap, zmq


class Hostile(harness.KernelCase):
    """After whatever came, the same process answers the next request."""

    def alive(self, client=None):
        reply, outputs = (client or self.client).execute("print x")
        self.assertEqual((reply.content["status"], harness.stream_text(outputs)), ("ok", "x\n"))
        self.assertIsNone(self.kernel.process.poll())

    def ignored(self, frames, channel="shell"):
        self.client[channel].send_multipart(frames)
        self.alive()
        self.assertTrue(self.client.quiet(channel, 20))

    def good(self, msg_type="kernel_info_request", content=b"{}"):
        return self.client.frames(self.client.header(msg_type), content)

    def test_too_few_frames(self):
        whole = self.good()
        for channel in ("shell", "control", "stdin"):
            for n in range(1, 6):
                self.ignored(whole[:n], channel)
            self.ignored([b""], channel)
            self.ignored([DELIMITER, b""], channel)
            self.ignored(whole[1:], channel)

    def test_too_many_frames(self):
        self.ignored([b"x"] * 17 + self.good())
        self.ignored(self.good() + [b"x"] * 2000)
        self.ignored([b"x"] * 5000)

    def test_frames_that_are_too_long(self):
        other = self.kernel.client().ready()
        other["shell"].send_multipart([DELIMITER, b"0" * 64, b"x" * (17 << 20), b"{}", b"{}", b"{}"])
        self.alive()
        long = "# " + "x" * (9 << 20)
        self.assertEqual(self.client.execute(long)[0].content["ename"], "InvalidRequest")
        self.assertEqual(self.client.execute("# " + "x" * (7 << 20))[0].content["status"], "ok")

    def test_wrong_signatures(self):
        whole = self.good()
        for signature in (b"", b"0", b"0" * 63, b"0" * 64, b"0" * 65, b"\0" * 64, whole[1][:-1], whole[1].upper() + b"x",
                          whole[1] + b"0", b"x" * 100000):
            self.ignored([whole[0], signature, *whole[2:]])

    def test_every_part_is_signed(self):
        for at in range(2, 6):
            frames = self.good()
            frames[at] = frames[at][:-1] + b" }"
            self.ignored(frames)

    def test_signed_headers_that_are_none(self):
        header = self.client.header("kernel_info_request")
        for bad in (b"[]", b"null", b"", b"{", b"{}", b'"x"', b"\xff", b"[" * 5000, b'{"a":' * 5000,
                    {**header, "msg_id": 3}, {**header, "msg_id": ""}, {**header, "msg_type": None},
                    {**header, "msg_type": ["execute_request"]}, {**header, "msg_id": "x" * 1000},
                    {**header, "padding": "x" * 70000}, {"msg_id": header["msg_id"]}):
            self.ignored(self.client.frames(bad, {}))

    def test_metadata_that_is_none(self):
        for bad in (b"[]", b"3", b"{"):
            header = self.client.header("kernel_info_request")
            parts = [json.dumps(header).encode(), b"{}", bad, b"{}"]
            self.client["shell"].send_multipart([DELIMITER, self.client.sign(parts), *parts])
            self.assertEqual(self.client.reply(header["msg_id"]).content["ename"], "InvalidRequest")
        self.alive()

    def test_a_message_works_once(self):
        frames = self.client.frames(self.client.header("execute_request"), self.client.execute_content("print once"))
        self.client["shell"].send_multipart(frames)
        self.assertEqual(self.client.receive().content["status"], "ok")
        self.ignored(frames)
        self.ignored(frames, "control")

    def test_what_the_kernel_signed_is_no_request(self):
        _, outputs = self.client.execute("print x")
        for message in outputs:
            self.ignored([DELIMITER, message.signature, *message.raw])

    def test_noise(self):
        rng = random.Random(1)
        for _ in range(300):
            frames = [rng.choice((DELIMITER, b"", rng.randbytes(rng.randrange(100)), *self.good()))
                      for _ in range(rng.randrange(1, 12))]
            self.client[rng.choice(("shell", "control", "stdin"))].send_multipart(frames)
        self.alive()

    def test_noise_on_iopub(self):
        for frame in (b"", b"\1\xff\xfe", b"\2x", b"\1" + b"t" * 5000, b"\1a\0b", b"\0", b"x" * 100000):
            self.client["iopub"].close()
            made = self.client.open("iopub", zmq.XSUB)
            made.send(frame)
            made.send(b"\1")
            self.client.ready()
            self.alive()

    def test_noise_on_tcp(self):
        import socket
        for name in harness.PORTS.values():
            for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 10000, b"\xff\0\0\0\0\0\0\0\1\x7f" + b"\3" + b"\0" * 100):
                with socket.create_connection(("127.0.0.1", self.client.info[name])) as raw:
                    raw.sendall(noise)
        self.alive()

    def test_identity_comes_back(self):
        """A client that lost its connection while the kernel was busy is heard again (ROUTER_HANDOVER)."""
        msg_id = self.client.start_execute("sleep 60000")
        again = self.kernel.client()
        for name in ("shell", "control"):
            again[name].close()
            again.identity = self.client.identity
            again.open(name, zmq.DEALER)
        again.send("interrupt_request", channel="control")
        self.assertEqual(again.receive("control").content["status"], "ok")
        self.client.until_idle(msg_id)
        self.alive(again)


class Welcome(harness.KernelCase):
    def test_every_subscriber_is_welcomed(self):
        for _ in range(3):
            client = self.kernel.client()
            first = client.receive("iopub")
            self.assertEqual((first.type, first.content, first.parent), ("iopub_welcome", {"subscription": ""}, {}))
            self.assertEqual(first.idents, [b""])
            client.close()

    def test_topics(self):
        client = self.kernel.client(subscribe=False)
        made = client.open("iopub", zmq.SUB)
        made.subscribe("täglich")
        first = client.receive("iopub")
        self.assertEqual((first.idents, first.content), (["täglich".encode()], {"subscription": "täglich"}))

    def test_starting_comes_once_and_after_the_welcome(self):
        kernel = self.own_kernel()
        first = kernel.client()
        self.assertEqual([first.receive("iopub").type, first.receive("iopub").content],
                         ["iopub_welcome", {"execution_state": "starting"}])
        second = kernel.client()
        self.assertEqual(second.receive("iopub").type, "iopub_welcome")
        self.assertTrue(second.quiet("iopub"))


class Connections(harness.KernelCase):
    def works(self, client):
        reply, outputs = client.ready().execute("print x")
        self.assertEqual((reply.content["status"], harness.stream_text(outputs)), ("ok", "x\n"))

    def refused(self, *wanted, **info):
        kernel = self.own_kernel(**info)
        status, said = kernel.wait()
        self.assertEqual(status, 3)
        self.assertEqual(said.count("\n"), 1, said)
        for part in wanted:
            self.assertIn(part, said)
        self.assertNotIn(info.get("key") or harness.KEY.decode(), said)

    def test_given_ports(self):
        ports = dict(zip(harness.PORTS.values(), harness.free_ports(5)))
        kernel = self.own_kernel(**ports)
        self.works(kernel.client())
        self.assertEqual({name: kernel.info[name] for name in ports}, ports)

    def test_file_is_written_for_its_owner_only(self):
        mode = stat.S_IMODE(os.stat(self.kernel.path).st_mode)
        self.assertEqual(mode, 0o600)
        self.assertEqual(os.listdir(self.kernel.folder.name), ["kernel.json"])
        self.assertEqual(self.kernel.info["key"], harness.KEY.decode())

    def test_what_else_stands_in_the_file_stays(self):
        kernel = self.own_kernel(jupyter_session="/a/notebook.ipynb", kernel_name="lateen")
        info = kernel.read_back()
        self.assertEqual((info["jupyter_session"], info["kernel_name"]), ("/a/notebook.ipynb", "lateen"))

    def test_missing_file_is_made_and_removed(self):
        kernel = self.own_kernel()
        kernel.kill()
        os.unlink(kernel.path)
        kernel.start()
        harness.wait_until(lambda: os.path.exists(kernel.path), "the connection file appears")
        client = kernel.client()
        self.assertGreaterEqual(len(client.info["key"]), 32)
        self.works(client)
        client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(kernel.wait()[0], 0)
        self.assertFalse(os.path.exists(kernel.path))

    def test_empty_key(self):
        client = self.own_kernel(key="").client()
        self.works(client)
        self.assertEqual(client.ask("kernel_info_request")[0].signature, b"")

    def test_sha512(self):
        import hashlib
        import hmac
        client = self.own_kernel(signature_scheme="hmac-sha512").client()
        client.sign = lambda parts: hmac.new(client.key, b"".join(parts), hashlib.sha512).hexdigest().encode()
        self.works(client)

    def test_ipc(self):
        for number in (0, 7):
            with harness.tempfile.TemporaryDirectory() as folder:
                ports = {name: number and number + i for i, name in enumerate(harness.PORTS.values())}
                kernel = self.own_kernel(transport="ipc", ip=f"{folder}/kernel", **ports)
                client = kernel.client()
                self.works(client)
                made = glob.glob(f"{folder}/kernel-*")
                self.assertEqual(len(made), 5)
                self.assertEqual({stat.S_IMODE(os.stat(path).st_mode) & 0o077 for path in made}, {0})
                client.ask("shutdown_request", {"restart": False}, channel="control")
                self.assertEqual(kernel.wait()[0], 0)
                self.assertEqual(os.listdir(folder), [])

    def test_ipv6(self):
        import socket
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        client = self.own_kernel(ip="::1")
        info = client.read_back()
        made = zmq.Context.instance().socket(zmq.REQ)
        made.ipv6 = True
        made.linger = 0
        made.connect(f"tcp://[::1]:{info['hb_port']}")
        made.send(b"x")
        self.assertTrue(made.poll(harness.WAIT))
        made.close()

    def test_refused_files(self):
        self.refused("signature_scheme `hmac-md5`", "hmac-sha256", signature_scheme="hmac-md5")
        self.refused("transport `udp`", transport="udp")
        self.refused("shell_port", shell_port=70000)
        self.refused("iopub_port", iopub_port=-1)
        self.refused("hb_port", hb_port="x")
        self.refused("`key`", key=None)
        self.refused("`ip`", ip=3)
        self.refused("`ip`", ip="x" * 1000)
        self.refused("listen on tcp://999.999.999.999", ip="999.999.999.999")

    def test_ports_in_use(self):
        import socket
        with socket.create_server(("127.0.0.1", 0)) as held:
            self.refused("cannot listen on", "in use", shell_port=held.getsockname()[1])

    def test_no_file_at_all(self):
        for text, wanted in ((b"", "not JSON"), (b"[]", "not an object"), (b"x" * 70000, "more than"), (b"\xff", "not JSON"),
                             (b'{"a":' * 10000, "nested")):
            kernel = self.own_kernel()
            kernel.kill()
            with open(kernel.path, "wb") as file:
                file.write(text)
            kernel.start()
            status, said = kernel.wait()
            self.assertEqual(status, 3)
            self.assertIn(wanted, said)


class Curve(harness.KernelCase):
    def setUp(self):
        if not zmq.has("curve"):
            self.skipTest("this pyzmq has no curve")
        public, secret = (key.decode() for key in zmq.curve_keypair())
        self.keys = {"curve_publickey": public, "curve_secretkey": secret}

    def test_curve(self):
        for more in ({}, {"transport": "ipc"}):
            with harness.tempfile.TemporaryDirectory() as folder:
                if more:
                    more["ip"] = f"{folder}/kernel"
                kernel = self.own_kernel(**self.keys, **more)
                client = kernel.client(curve=self.keys["curve_publickey"].encode()).ready()
                self.assertEqual(client.execute("#")[0].content["status"], "ok")
                kernel.close()

    def test_in_clear_nothing_is_heard(self):
        kernel = self.own_kernel(**self.keys)
        plain = kernel.client()
        plain.send("kernel_info_request")
        self.assertTrue(plain.quiet("iopub"))
        self.assertTrue(plain.quiet("shell"))
        kernel.client(curve=self.keys["curve_publickey"].encode()).ready()

    def test_bad_keys_are_refused(self):
        for keys in ({"curve_publickey": self.keys["curve_publickey"]}, {**self.keys, "curve_secretkey": "short"},
                     {**self.keys, "curve_secretkey": "\\" * 40}):
            status, said = self.own_kernel(**keys).wait()
            self.assertEqual(status, 3)
            self.assertIn("curve", said)
            self.assertNotIn(self.keys["curve_secretkey"], said)


class Handshake(harness.KernelCase):
    """JEP 66: the kernel is told where to register."""

    def begin(self, **info):
        self.registry = zmq.Context.instance().socket(zmq.ROUTER)
        self.registry.linger = 0
        self.addCleanup(self.registry.close)
        port = self.registry.bind_to_random_port("tcp://127.0.0.1")
        kernel = harness.Kernel.__new__(harness.Kernel)
        kernel.folder = harness.tempfile.TemporaryDirectory()
        kernel.path = os.path.join(kernel.folder.name, "registration.json")
        kernel.info = {"kernel_id": "an-id", "transport": "tcp", "ip": "127.0.0.1", "registration_ip": "127.0.0.1",
                       "registration_port": port, "signature_scheme": "hmac-sha256", "key": harness.KEY.decode(), **info}
        kernel.write()
        kernel.options, kernel.command, kernel.clients = (), [harness.echo_kernel()], []
        kernel.env = {**os.environ, "JUPYTER_RUNTIME_DIR": os.path.join(kernel.folder.name, "runtime")}
        kernel.start()
        self.addCleanup(kernel.close)
        return kernel

    def sign(self, content):
        return harness.hmac.new(harness.KEY, content, harness.hashlib.sha256).hexdigest().encode()

    def test_registration(self):
        kernel = self.begin()
        self.assertTrue(self.registry.poll(harness.WAIT))
        ident, delimiter, signature, content = self.registry.recv_multipart()
        self.assertEqual((delimiter, signature), (DELIMITER, self.sign(content)))
        said = json.loads(content)
        self.assertEqual(said.pop("kernel_id"), "an-id")
        self.assertEqual(set(said), set(harness.PORTS.values()))
        for port in said.values():
            self.assertRegex(port, r"^[1-9]\d+$")
        self.registry.send_multipart([ident, DELIMITER, self.sign(b"{}"), b"{}"])
        info = {**kernel.info, **{name: int(port) for name, port in said.items()}}
        client = harness.Client(info)
        self.addCleanup(client.close)
        self.assertEqual(client.ready().execute("#")[0].content["status"], "ok")
        written = os.path.join(kernel.folder.name, "runtime", "kernel-an-id.json")
        with open(written, encoding="utf-8") as file:
            read = json.load(file)
        self.assertEqual({name: read[name] for name in said}, {name: int(port) for name, port in said.items()})
        self.assertEqual(read["key"], harness.KEY.decode())
        client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(kernel.wait()[0], 0)
        self.assertFalse(os.path.exists(written))

    def test_a_forged_answer_is_none(self):
        kernel = self.begin()
        self.assertTrue(self.registry.poll(harness.WAIT))
        ident = self.registry.recv_multipart()[0]
        self.registry.send_multipart([ident, DELIMITER, b"0" * 64, b"{}"])
        self.registry.send_multipart([ident, b"x"])
        status, said = kernel.wait()
        self.assertEqual(status, 3)
        self.assertIn("no signed answer", said)

    def test_bad_registrations(self):
        for info, wanted in (({"registration_port": 0}, "registration_port"), ({"kernel_id": None}, "kernel_id"),
                             ({"transport": "ipc"}, "tcp only"), ({"registration_port": "x"}, "registration_port")):
            status, said = self.begin(**info).wait()
            self.assertEqual(status, 3)
            self.assertIn(wanted, said)


tap.run_unittest(Hostile, Welcome, Connections, Curve, Handshake)
tap.done_testing()
