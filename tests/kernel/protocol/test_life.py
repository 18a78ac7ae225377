#!/usr/bin/env python3
"""Questions to the person, interrupts, the end of a kernel, and readers that do not read."""
import os
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import tap, stream_text, zmq


class Questions(harness.KernelCase):
    def question(self, msg_id, client=None):
        message = (client or self.client).receive("stdin")
        self.assertEqual(message.type, "input_request")
        self.assertEqual(message.parent["msg_id"], msg_id)
        return message.content

    def begin(self, code, client=None):
        client = client or self.client
        return client.send("execute_request", client.execute_content(code, allow_stdin=True))

    def end(self, msg_id):
        reply = self.client.reply(msg_id)
        return reply.content["status"], stream_text(self.client.outputs(msg_id))

    def test_answer(self):
        msg_id = self.begin("ask your name?")
        self.assertEqual(self.question(msg_id), {"prompt": "your name?", "password": False})
        self.client.send("input_reply", {"value": "Zoë 漢"}, "stdin")
        self.assertEqual(self.end(msg_id), ("ok", "got: Zoë 漢\n"))

    def test_password(self):
        msg_id = self.begin("secret word?")
        self.assertEqual(self.question(msg_id), {"prompt": "word?", "password": True})
        self.client.send("input_reply", {"value": ""}, "stdin")
        self.assertEqual(self.end(msg_id), ("ok", "got: \n"))

    def test_text_before_the_question_is_shown_first(self):
        msg_id = self.begin("print before\nask x")
        self.question(msg_id)
        seen = [self.client.receive("iopub") for _ in range(3)]
        self.assertEqual(seen[2].content, {"name": "stdout", "text": "before\n"})
        self.client.send("input_reply", {"value": "y"}, "stdin")
        self.client.until_idle(msg_id)

    def test_end_of_file(self):
        msg_id = self.begin("ask x")
        self.question(msg_id)
        self.client.send("input_reply", {"value": "\x04"}, "stdin")
        self.assertEqual(self.end(msg_id), ("ok", "none: end of file\n"))

    def test_not_allowed(self):
        reply, outputs = self.client.execute("ask x", allow_stdin=False)
        self.assertEqual(stream_text(outputs), "none: this client takes no input (allow_stdin is false)\n")
        self.assertTrue(self.client.quiet("stdin"))

    def test_interrupt(self):
        msg_id = self.begin("ask x")
        self.question(msg_id)
        self.client.ask("interrupt_request", channel="control")
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
        self.assertEqual(self.client.execute("print next")[0].content["status"], "ok")

    def test_stale_answers(self):
        for value in ("too early", "again"):
            self.client.send("input_reply", {"value": value}, "stdin")
        self.client.ask("kernel_info_request")
        time.sleep(0.1)
        msg_id = self.begin("ask x")
        self.question(msg_id)
        self.client.send("input_reply", {"value": "right"}, "stdin")
        self.assertEqual(self.end(msg_id), ("ok", "got: right\n"))

    def test_junk_is_no_answer(self):
        msg_id = self.begin("ask x")
        self.question(msg_id)
        other = self.kernel.client()
        other.send("input_reply", {"value": "of another client"}, "stdin")
        self.client.send("input_reply", {"value": 3}, "stdin")
        self.client.send("input_reply", {}, "stdin")
        self.client.send("nonsense", {"value": "x"}, "stdin")
        self.client["stdin"].send_multipart([b"junk", b""])
        time.sleep(0.1)
        self.client.send("input_reply", {"value": "right"}, "stdin")
        self.assertEqual(self.end(msg_id), ("ok", "got: right\n"))
        other.close()

    def test_nobody_listens(self):
        self.client["stdin"].close()
        time.sleep(0.1)
        msg_id = self.begin("ask x")
        self.assertEqual(self.end(msg_id), ("ok", "none: the client does not listen for questions\n"))


class Interrupts(harness.KernelCase):
    def test_by_message(self):
        msg_id = self.client.start_execute("sleep 60000")
        reply = self.client.ask("interrupt_request", channel="control")[0]
        self.assertEqual((reply.type, reply.content), ("interrupt_reply", {"status": "ok"}))
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")

    def test_by_signal(self):
        msg_id = self.client.start_execute("sleep 60000")
        self.kernel.process.send_signal(signal.SIGINT)
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")

    def test_idle(self):
        for _ in range(5):
            self.kernel.process.send_signal(signal.SIGINT)
            self.client.ask("interrupt_request", channel="control")
        time.sleep(0.1)
        reply, outputs = self.client.execute("sleep 1\nprint x")
        self.assertEqual((reply.content["status"], stream_text(outputs)), ("ok", "x\n"))

    def test_queued_cells_are_aborted(self):
        first = self.client.start_execute("sleep 60000")
        second = self.client.send("execute_request", self.client.execute_content("print x"))
        time.sleep(0.1)
        self.client.ask("interrupt_request", channel="control")
        self.assertEqual(self.client.reply(first).content["ename"], "KeyboardInterrupt")
        self.assertEqual(self.client.reply(second).content["ename"], "ExecutionAborted")

    def test_control_answers_while_a_cell_runs(self):
        msg_id = self.client.start_execute("sleep 60000")
        for _ in range(3):
            reply, outputs = self.client.ask("kernel_info_request", channel="control")
            self.assertEqual((reply.content["status"], outputs), ("ok", []))
        self.client.ask("usage_request", channel="control")
        self.assertTrue(self.client.quiet("shell", 10))
        self.client.ask("interrupt_request", channel="control")
        self.client.reply(msg_id)

    def test_while_much_is_printed(self):
        msg_id = self.client.start_execute("lines 2000000000")
        self.assertEqual(self.client.receive("iopub").content["text"][:2], "1\n")
        # Not `ask`, which reads iopub up to the idle status of the interrupt: that of the cell may come before it.
        interrupt = self.client.send("interrupt_request", channel="control")
        self.client.reply(interrupt, "control")
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
        text = stream_text(self.client.until_idle(msg_id))
        self.assertRegex(text, r"\A(\d+\n)*\Z")


class End(harness.KernelCase):
    def setUp(self):
        self.kernel = self.own_kernel()
        self.client = self.kernel.client().ready()

    def ended(self):
        return self.kernel.wait()

    def test_shutdown(self):
        for channel in ("control", "shell"):
            for restart in (False, True):
                with self.subTest(channel=channel, restart=restart):
                    self.setUp()
                    reply, outputs = self.client.ask("shutdown_request", {"restart": restart}, channel=channel)
                    content = {"status": "ok", "restart": restart}
                    self.assertEqual((reply.type, reply.content), ("shutdown_reply", content))
                    self.assertEqual([(m.type, m.content) for m in outputs], [("shutdown_reply", content)])
                    self.assertEqual(self.ended(), (0, ""))

    def test_shutdown_while_a_cell_runs(self):
        msg_id = self.client.start_execute("sleep 60000")
        self.client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
        self.assertEqual(self.ended(), (0, ""))

    def test_shutdown_while_a_cell_does_not_listen(self):
        self.client.start_execute("deaf 60000")
        self.client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(self.ended(), (0, ""))

    def test_shutdown_while_a_question_is_open(self):
        self.client.send("execute_request", self.client.execute_content("ask x", allow_stdin=True))
        self.client.receive("stdin")
        self.client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(self.ended(), (0, ""))

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            for code in ("print x", "sleep 60000", "deaf 60000"):
                with self.subTest(number=number, code=code):
                    self.setUp()
                    self.client.start_execute(code)
                    self.kernel.process.send_signal(number)
                    self.assertEqual(self.ended(), (0, ""))

    def test_children_end_with_the_kernel(self):
        child = int(stream_text(self.client.execute("child")[1]))
        os.kill(child, 0)
        self.client.ask("shutdown_request", {"restart": False}, channel="control")
        self.assertEqual(self.ended(), (0, ""))
        with self.assertRaises(ProcessLookupError):
            os.kill(child, 0)

    def test_restart_on_the_same_ports(self):
        for _ in range(5):
            before = self.kernel.info
            self.client.ask("shutdown_request", {"restart": True}, channel="control")
            self.assertEqual(self.ended(), (0, ""))
            self.kernel.start()
            again = self.kernel.client().ready()
            self.assertEqual(self.kernel.info, before)
            self.assertEqual(again.execute("#")[0].content["execution_count"], 1)
            self.client = again

    def test_the_session_is_new_after_a_restart(self):
        old = self.client.ask("kernel_info_request")[0].header["session"]
        self.client.ask("shutdown_request", {"restart": True}, channel="control")
        self.ended()
        self.kernel.start()
        new = self.kernel.client().ready().ask("kernel_info_request")[0].header["session"]
        self.assertNotEqual(old, new)

    def test_ends_with_its_parent(self):
        script = ("import os, subprocess, sys\n"
                  "p = subprocess.Popen(sys.argv[1:], env={**os.environ, 'JPY_PARENT_PID': str(os.getpid())})\n"
                  "print(p.pid, flush=True)\nsys.stdin.read()\n")
        self.kernel.kill()
        parent = subprocess.Popen([sys.executable, "-c", script, harness.echo_kernel(), "-f", self.kernel.path],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pid = int(parent.stdout.readline())
        self.kernel.client().ready()
        os.kill(pid, 0)
        parent.kill()
        parent.communicate()
        harness.wait_until(lambda: not is_running(pid), "the kernel ends after its parent")

    def test_a_parent_that_is_none_does_not_matter(self):
        self.kernel.kill()
        self.kernel.env = {**os.environ, "JPY_PARENT_PID": "1"}
        self.kernel.start()
        client = self.kernel.client().ready()
        time.sleep(1.5)
        self.assertEqual(client.execute("#")[0].content["status"], "ok")


class Crowd(harness.KernelCase):
    """Many clients at once, on all channels, with interrupts among them: everyone gets every answer."""

    def work(self, number, failures):
        client = harness.Client(self.kernel.info)
        try:
            client.receive("iopub")
            for i in range(60):
                msg_id = client.send("execute_request", client.execute_content(f"print {number} {i}", stop_on_error=False))
                info_id = client.send("kernel_info_request", channel="control")
                if i % 20 == 7:
                    client.send("interrupt_request", channel="control")
                status = client.reply(msg_id).content["status"]
                client.reply(info_id, "control")
                text = stream_text(client.outputs(msg_id))
                if status == "ok" and text != f"{number} {i}\n":
                    failures.append((number, i, text))
        except AssertionError as error:
            failures.append((number, error))
        finally:
            client.close()

    def test_crowd(self):
        failures = []
        threads = [threading.Thread(target=self.work, args=(number, failures)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Stalled(harness.KernelCase):
    """A subscriber that does not read. Its limit is 300 ms here; 10 s otherwise."""

    options = ("--stall", "300")
    much = "\n".join(["blob 1000000"] * 70)  # more than fits into all buffers on the way

    def stall(self):
        """A second client whose buffers are small and who reads no more than its welcome."""
        client = harness.Client(self.kernel.info, rcvhwm=1)
        self.addCleanup(client.close)
        client.receive("iopub")
        return client

    def test_nothing_but_text_is_lost(self):
        idler = self.stall()
        msg_ids = [self.client.send("execute_request", self.client.execute_content(self.much + "\ndisplay shown\nresult x"))]
        msg_ids += [self.client.send("execute_request", self.client.execute_content(f"display {i}")) for i in range(500)]
        mine = [m for msg_id in msg_ids for m in self.client.outputs(msg_id)]
        theirs = [m for msg_id in msg_ids for m in idler.outputs(msg_id)]
        for seen in (mine, theirs):
            self.assertEqual([m.type for m in seen if m.type not in ("stream", "execute_input")],
                             ["display_data", "execute_result"] + ["display_data"] * 500)
        notes = [m.content["text"] for m in theirs if m.type == "stream" and m.content["name"] == "stderr"]
        self.assertTrue(notes, "the loss is told")
        lost = sum(int(note.split("dropped: ")[1].split()[0]) for note in notes)
        self.assertEqual(lost + len(stream_text(theirs)), 70 * 1000000)
        self.assertEqual([m.type for m in mine], [m.type for m in theirs])

    def test_a_slow_reader_loses_nothing(self):
        slow = harness.Client(self.kernel.info, rcvhwm=1)
        self.addCleanup(slow.close)
        slow.receive("iopub")
        msg_id = self.client.send("execute_request", self.client.execute_content("lines 3000000"))
        seen, text = 0, []
        while True:
            message = slow.receive("iopub")
            if message.parent.get("msg_id") != msg_id:
                continue
            if message.content.get("execution_state") == "idle":
                break
            seen += 1
            if seen % 50 == 0:
                time.sleep(0.1)
            text.append(message.content.get("text", ""))
        self.assertEqual("".join(text), "".join(f"{i}\n" for i in range(1, 3000001)))

    def test_a_reader_that_is_gone_does_not_matter(self):
        idler = self.stall()
        msg_id = self.client.start_execute(self.much)
        time.sleep(0.2)
        idler.close()
        self.assertEqual(self.client.reply(msg_id, wait=60000).content["status"], "ok")


tap.run_unittest(Questions, Interrupts, End, Crowd, Stalled)
tap.done_testing()
