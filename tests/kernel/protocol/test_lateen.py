#!/usr/bin/env python3
"""The kernel that people get, over raw sockets: what of it depends on the language behind the session."""
import os
import signal

import harness
from harness import tap, children, is_running, stream_text


class Lateen(harness.KernelCase):
    def setUp(self):
        self.folder = harness.tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        env = {**os.environ, "HOME": self.folder.name, "XDG_DATA_HOME": self.folder.name, "LATEEN_HISTORY": ""}
        self.kernel = harness.Kernel(command=[tap.lateen(), "kernel"], env=env)
        self.addCleanup(self.kernel.close)
        self.client = self.kernel.client().ready()

    def start_children(self, code):
        """Begins a cell that starts processes, and returns its id and theirs."""
        msg_id = self.client.start_execute(code)
        harness.wait_until(lambda: children(self.kernel.process.pid), "the cell starts a process")
        return msg_id, children(self.kernel.process.pid)

    def all_gone(self, pids):
        harness.wait_until(lambda: not any(is_running(pid) for pid in pids), "no process is left")

    def test_many_lines_from_a_process(self):
        for n in (100000, 1000000):
            reply, outputs = self.client.execute(f"!seq {n}")
            self.assertEqual(reply.content["status"], "ok")
            self.assertEqual(stream_text(outputs), "".join(f"{i}\n" for i in range(1, n + 1)))

    def test_both_streams_of_a_process(self):
        _, outputs = self.client.execute("!echo out; echo err >&2; printf '\\303\\251'")
        self.assertEqual((stream_text(outputs), stream_text(outputs, "stderr")), ("out\né", "err\n"))

    def test_a_broken_pipe_in_a_process_is_quiet(self):
        _, outputs = self.client.execute("!yes | head -n 1")
        self.assertEqual((stream_text(outputs), stream_text(outputs, "stderr")), ("y\n", ""))

    def test_interrupt(self):
        for how in ("message", "signal"):
            msg_id, pids = self.start_children("!sleep 600 | sleep 600")
            if how == "message":
                self.client.ask("interrupt_request", channel="control")
            else:
                self.kernel.process.send_signal(signal.SIGINT)
            self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
            self.all_gone(pids)
            self.assertEqual(self.client.execute("1")[0].content["status"], "ok")

    def test_shutdown_ends_processes(self):
        for code in ("!sleep 600 | sleep 600", "!trap '' INT TERM; while true; do sleep 600; done"):
            with self.subTest(code=code):
                self.setUp()
                _, pids = self.start_children(code)
                self.client.ask("shutdown_request", {"restart": False}, channel="control")
                self.assertEqual(self.kernel.wait(), (0, ""))
                self.all_gone(pids)

    def test_terminate_ends_processes(self):
        _, pids = self.start_children("!sleep 600 | sleep 600")
        self.kernel.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.kernel.wait(), (0, ""))
        self.all_gone(pids)

    def test_question(self):
        content = self.client.execute_content('name = input("who?")\nprint name', allow_stdin=True)
        msg_id = self.client.send("execute_request", content)
        self.assertEqual(self.client.receive("stdin").content, {"prompt": "who?", "password": False})
        self.client.send("input_reply", {"value": "Zoë"}, "stdin")
        self.assertEqual(self.client.reply(msg_id).content["status"], "ok")
        self.assertEqual(stream_text(self.client.outputs(msg_id)), "Zoë\n")

    def test_question_nobody_may_answer(self):
        reply, outputs = self.client.execute('name = input("who?")')
        self.assertEqual(reply.content["status"], "error")
        self.assertEqual([m.type for m in outputs if m.type != "execute_input"], ["error"])

    def test_positions(self):
        self.client.execute("length = 3")
        reply, _ = self.client.ask("complete_request", {"code": 'print "é漢🙂" + len', "cursor_pos": 17})
        self.assertIn("length", reply.content["matches"])
        self.assertEqual((reply.content["cursor_start"], reply.content["cursor_end"]), (14, 17))

    def test_hostile_cells(self):
        for code in ("\x7f\x01", "(" * 100000, '"' + "{" * 100000, "\u202e x", "pipeline " * 50000, "é" * 100000, "!", "?", "%"):
            reply, _ = self.client.execute(code)
            self.assertIn(reply.content["status"], ("ok", "error"))
        for msg_type in ("complete_request", "inspect_request", "is_complete_request"):
            for code in ("(" * 100000, "é" * 100000, "pipeline p {\n" * 20000, '"{"{' * 20000):
                reply, _ = self.client.ask(msg_type, {"code": code, "cursor_pos": len(code)})
                self.assertIn(reply.content["status"], ("ok", "invalid", "incomplete", "complete", "unknown"))
        self.assertEqual(self.client.execute("1")[0].content["status"], "ok")


tap.run_unittest(Lateen)
tap.done_testing()
