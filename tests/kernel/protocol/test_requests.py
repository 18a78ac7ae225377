#!/usr/bin/env python3
"""All requests but execute: what they answer, and that busy and idle stand around every one."""
import harness
from harness import tap, zmq


class Info(harness.KernelCase):
    def test_kernel_info_on_both_channels(self):
        on_shell, _ = self.client.ask("kernel_info_request")
        on_control, _ = self.client.ask("kernel_info_request", channel="control")
        self.assertEqual(on_shell.content, on_control.content)
        content = on_shell.content
        self.assertEqual(content["status"], "ok")
        self.assertEqual(content["protocol_version"], "5.6")
        self.assertEqual((content["implementation"], content["implementation_version"]), ("echo", "1.0"))
        self.assertEqual(content["language_info"],
                         {"name": "echo", "version": "1.0", "mimetype": "text/x-echo", "file_extension": ".echo",
                          "pygments_lexer": "text", "codemirror_mode": "text"})
        self.assertEqual(content["banner"], "Echo, for tests")
        self.assertEqual(content["help_links"], [{"text": "Echo", "url": "https://example.org/echo"}])
        self.assertIs(content["debugger"], False)
        self.assertEqual(content["supported_features"], ["iopub_welcome"])

    def test_connect(self):
        reply, _ = self.client.ask("connect_request")
        self.assertEqual({name: reply.content[name] for name in harness.PORTS.values()},
                         {name: self.client.info[name] for name in harness.PORTS.values()})

    def test_usage(self):
        reply, _ = self.client.ask("usage_request", channel="control")
        self.assertEqual(reply.type, "usage_reply")
        self.assertEqual(reply.content["pid"], self.kernel.process.pid)
        for name in ("kernel_cpu", "kernel_memory", "cpu_count", "host_cpu_percent"):
            self.assertGreaterEqual(reply.content[name], 0, name)
        self.assertGreater(reply.content["kernel_memory"], 1000000)
        memory = reply.content["host_virtual_memory"]
        self.assertGreater(memory["total"], memory["available"])
        self.assertIsInstance(reply.content["hostname"], str)

    def test_no_debugger(self):
        reply, _ = self.client.ask("debug_request", {"type": "request", "command": "initialize", "seq": 7}, channel="control")
        self.assertEqual(reply.type, "debug_reply")
        self.assertEqual((reply.content["status"], reply.content["success"]), ("error", False))
        self.assertEqual((reply.content["request_seq"], reply.content["command"]), (7, "initialize"))

    def test_no_subshells(self):
        for name in ("create", "delete", "list"):
            reply, _ = self.client.ask(f"{name}_subshell_request", channel="control")
            self.assertEqual((reply.type, reply.content["status"]), (f"{name}_subshell_reply", "error"))
        reply, _ = self.client.ask("execute_request", self.client.execute_content("print x"), subshell_id="nowhere")
        self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "NoSuchSubshell"))
        reply, _ = self.client.ask("execute_request", self.client.execute_content("print x"), subshell_id=None)
        self.assertEqual(reply.content["status"], "ok")

    def test_unknown_types(self):
        for channel in ("shell", "control"):
            for msg_type in ("no_such_request", "execute_reply", "status", "x" * 500, "é"):
                msg_id = self.client.send(msg_type, {"a": 1}, channel)
                self.assertEqual(self.client.outputs(msg_id), [])
            self.assertTrue(self.client.quiet(channel))

    def test_execute_is_not_for_control(self):
        msg_id = self.client.send("execute_request", self.client.execute_content("print x"), "control")
        self.assertEqual(self.client.outputs(msg_id), [])

    def test_unknown_fields_do_not_matter(self):
        reply, outputs = self.client.execute("print x", a_field_of_the_future={"deep": [1]})
        self.assertEqual(reply.content["status"], "ok")
        self.assertEqual(harness.stream_text(outputs), "x\n")

    def test_contents_that_are_no_objects(self):
        for bad in (b"[]", b"3", b"null", b'"text"', b"", b"{", b'{"a":1,"a":2}', b'{"code":"\\u0000"}', b"\xff\xfe",
                    b"[" * 100000, b'{"a":' * 500 + b"1" + b"}" * 500, b'{"code": NaN}'):
            for msg_type in ("execute_request", "complete_request", "kernel_info_request", "history_request"):
                header = self.client.header(msg_type)
                self.client["shell"].send_multipart(self.client.frames(header, bad))
                reply = self.client.reply(header["msg_id"])
                self.assertEqual(reply.type, msg_type.replace("request", "reply"))
                self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "InvalidRequest"), bad[:20])
                self.assertEqual(self.client.outputs(header["msg_id"]), [])
        self.assertEqual(self.client.execute("#")[0].content["status"], "ok")

    def test_heartbeat(self):
        beat = self.client.open("hb", zmq.REQ)
        for payload in (b"ping", b"", bytes(range(256)) * 100):
            beat.send(payload)
            self.assertTrue(beat.poll(harness.WAIT))
            self.assertEqual(beat.recv(), payload)


class Introspection(harness.KernelCase):
    def complete(self, code, cursor, **header):
        content = {"code": code, "cursor_pos": cursor}
        reply, _ = self.client.ask("complete_request", content, **header)
        self.assertEqual(reply.content["status"], "ok")
        return reply.content["matches"], reply.content["cursor_start"], reply.content["cursor_end"]

    def test_complete(self):
        self.assertEqual(self.complete("c", 1), (["child", "clear"], 0, 1))
        self.assertEqual(self.complete("print x\ncle", 11), (["clear"], 8, 11))

    def test_types_stand_beside_matches(self):
        reply, _ = self.client.ask("complete_request", {"code": "pr", "cursor_pos": 2})
        self.assertEqual(reply.content["metadata"]["_jupyter_types_experimental"],
                         [{"text": "print", "type": "keyword", "start": 0, "end": 2}])

    def test_positions_are_code_points(self):
        self.assertEqual(self.complete("é漢🙂 pr", 6), (["print"], 4, 6))
        self.assertEqual(self.complete("🙂🙂 pr and more", 5), (["print"], 3, 5))

    def test_positions_of_old_clients_are_utf16(self):
        self.assertEqual(self.complete("é漢🙂 pr", 7, version="5.1"), (["print"], 5, 7))
        self.assertEqual(self.complete("é漢🙂 pr", 6, version="5.2"), (["print"], 4, 6))

    def test_positions_out_of_range(self):
        self.assertEqual(self.complete("pr", 999999999), (["print"], 0, 2))
        self.assertEqual(self.complete("pr", 2 ** 62), (["print"], 0, 2))
        self.assertEqual(self.complete("pr", -1)[1:], (0, 0))
        self.assertEqual(self.complete("pr", None), (["print"], 0, 2))
        self.assertEqual(self.complete("", 0)[1:], (0, 0))

    def test_position_missing(self):
        reply, _ = self.client.ask("complete_request", {"code": "pr"})
        self.assertEqual(reply.content["matches"], ["print"])

    def test_inspect(self):
        reply, _ = self.client.ask("inspect_request", {"code": "print", "cursor_pos": 2, "detail_level": 0})
        self.assertEqual(reply.content, {"status": "ok", "found": True, "data": {"text/plain": "print: a command"},
                                         "metadata": {}})
        reply, _ = self.client.ask("inspect_request", {"code": "print", "cursor_pos": 2, "detail_level": 1})
        self.assertEqual(reply.content["data"], {"text/plain": "print: a command, at length"})
        reply, _ = self.client.ask("inspect_request", {"code": "nothing", "cursor_pos": 2})
        self.assertEqual(reply.content, {"status": "ok", "found": False, "data": {}, "metadata": {}})

    def test_is_complete(self):
        for code, want in (("print x", {"status": "complete"}), ("print x\\", {"status": "incomplete", "indent": "  "}),
                           ("?", {"status": "invalid"}), ("", {"status": "complete"})):
            self.assertEqual(self.client.ask("is_complete_request", {"code": code})[0].content, want)


class Comms(harness.KernelCase):
    def open(self, comm_id, target="mirror", **content):
        msg_id = self.client.send("comm_open", {"comm_id": comm_id, "target_name": target, "data": {}, **content})
        return self.client.outputs(msg_id)

    def comms(self, **content):
        reply, _ = self.client.ask("comm_info_request", content)
        self.assertEqual(reply.content["status"], "ok")
        return reply.content["comms"]

    def test_unknown_targets_are_closed(self):
        outputs = self.open("c1", "nobody")
        self.assertEqual([(m.type, m.content) for m in outputs], [("comm_close", {"comm_id": "c1", "data": {}})])
        self.assertNotIn("c1", self.comms())

    def test_messages_come_back(self):
        self.assertEqual([m.type for m in self.open("c2")], ["comm_msg"])
        msg_id = self.client.send("comm_msg", {"comm_id": "c2", "data": {"x": [1, None]}}, buffers=[b"\0\xff", b""])
        outputs = self.client.outputs(msg_id)
        self.assertEqual([(m.type, m.content, m.metadata) for m in outputs],
                         [("comm_msg", {"comm_id": "c2", "data": {"x": [1, None]}}, {"mirrored": True})])
        self.assertEqual(self.comms()["c2"], {"target_name": "mirror"})
        self.client.outputs(self.client.send("comm_close", {"comm_id": "c2", "data": {}}))
        self.assertNotIn("c2", self.comms())

    def test_the_kernel_closes(self):
        self.open("c3")
        outputs = self.client.outputs(self.client.send("comm_msg", {"comm_id": "c3", "data": {"close": True}}))
        self.assertEqual([m.type for m in outputs], ["comm_close"])
        self.assertNotIn("c3", self.comms())

    def test_unknown_comms_are_ignored(self):
        for msg_type in ("comm_msg", "comm_close"):
            self.assertEqual(self.client.outputs(self.client.send(msg_type, {"comm_id": "c4", "data": {}})), [])

    def test_a_second_open_replaces_the_first(self):
        self.open("c5")
        self.open("c5")
        self.assertEqual(list(self.comms()).count("c5"), 1)

    def test_info_by_target(self):
        self.open("c6")
        self.assertIn("c6", self.comms(target_name="mirror"))
        self.assertEqual(self.comms(target_name="another"), {})

    def test_malformed(self):
        for content in ({}, {"comm_id": 3}, {"comm_id": "c7"}, {"comm_id": "x" * 10000, "target_name": "mirror"},
                        {"target_name": "mirror"}):
            for msg_type in ("comm_open", "comm_msg", "comm_close"):
                self.client.outputs(self.client.send(msg_type, content))
        self.assertNotIn("c7", self.comms())

    def test_no_more_than_there_is_room_for(self):
        client = self.own_kernel().client().ready()
        last = [client.send("comm_open", {"comm_id": f"many{i}", "target_name": "mirror", "data": {}}) for i in range(4100)][-1]
        self.assertEqual([m.type for m in client.outputs(last)], ["comm_close"])
        self.assertEqual(len(client.ask("comm_info_request")[0].content["comms"]), 4096)


class History(harness.KernelCase):
    def setUp(self):
        super().setUp()
        self.kernel = self.own_kernel()
        self.client = self.kernel.client().ready()
        for code in ("print one", "result two", "print one", "# three"):
            self.client.execute(code)

    def ask(self, **content):
        reply, _ = self.client.ask("history_request", {"raw": True, "output": False, **content})
        self.assertEqual(reply.content["status"], "ok")
        return reply.content["history"]

    def test_tail(self):
        entries = self.ask(hist_access_type="tail", n=3)
        self.assertEqual([entry[1:] for entry in entries], [[2, "result two"], [3, "print one"], [4, "# three"]])
        entries = self.ask(hist_access_type="tail", n=3, output=True)
        self.assertEqual([entry[2] for entry in entries], [["result two", "two"], ["print one", None], ["# three", None]])

    def test_range(self):
        session = self.ask(hist_access_type="tail", n=1)[0][0]
        for number in (0, session):
            entries = self.ask(hist_access_type="range", session=number, start=2, stop=4)
            self.assertEqual(entries, [[session, 2, "result two"], [session, 3, "print one"]])
        self.assertEqual(len(self.ask(hist_access_type="range", session=0, start=1, stop=None)), 4)
        self.assertEqual(self.ask(hist_access_type="range", session=-1), [])

    def test_search(self):
        self.assertEqual([e[2] for e in self.ask(hist_access_type="search", pattern="print*")], ["print one"] * 2)
        self.assertEqual([e[2] for e in self.ask(hist_access_type="search", pattern="print*", unique=True)], ["print one"])
        self.assertEqual([e[2] for e in self.ask(hist_access_type="search", pattern="*t?o")], ["result two"])
        self.assertEqual([e[1] for e in self.ask(hist_access_type="search", pattern="*", n=2)], [3, 4])

    def test_what_is_not_stored(self):
        self.client.execute("# silent", silent=True)
        self.client.execute("# unstored", store_history=False)
        self.assertEqual(self.ask(hist_access_type="tail", n=1)[0][2], "# three")

    def test_malformed(self):
        reply, _ = self.client.ask("history_request", {"hist_access_type": "nonsense"})
        self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "InvalidRequest"))
        for content in ({"n": -5}, {"n": "many"}, {"n": 10 ** 18}, {"pattern": "[", "hist_access_type": "search"},
                        {"hist_access_type": "search", "pattern": 7}, {"hist_access_type": "range", "session": -10 ** 18}):
            self.ask(**{"hist_access_type": "tail", **content})


tap.run_unittest(Info, Introspection, Comms, History)
tap.done_testing()
