#!/usr/bin/env python3
"""Runs in the background: what they show arrives with the cell that has begun them, past its end and beside other cells."""
import os
import signal

import harness
from harness import tap, children, is_running, stream_text

DECLARE = '''component gate(file: String) -> (x: Integer) { script sh """until test -e "$file"; do sleep 0.01; done; echo 7 > "$out_x" """ }
component bad(file: String) { script sh """until test -e "$file"; do sleep 0.01; done; echo oops; exit 3""" }
component stays() { script sh """sleep 600""" }
pipeline two(file: String) {
    first = gate(file)
    second = gate(file) after first
}'''


class Background(harness.FolderCase):
    def setUp(self):
        super().setUp()
        self.client.execute(DECLARE)

    def gate(self, name="open"):
        return os.path.join(self.folder.name, name)

    def open(self, name="open"):
        with open(self.gate(name), "w", encoding="utf-8"):
            pass

    def start(self, code):
        """The id of the cell, its display's id and what it showed."""
        msg_id = self.client.send("execute_request", self.client.execute_content(code))
        reply, outputs = self.client.reply(msg_id), self.client.outputs(msg_id)
        self.assertEqual(reply.content["status"], "ok", reply.content)
        shown = [m for m in outputs if m.type == "display_data"]
        self.assertEqual(len(shown), 1)
        return msg_id, shown[0].content["transient"]["display_id"], shown[0].content["data"]["text/plain"]

    def update_with(self, text):
        """The next update whose plain text holds that, passing over all else."""
        while True:
            message = self.client.receive("iopub")
            if message.type == "update_display_data" and text in message.content["data"]["text/plain"]:
                return message

    def test_display_goes_on_after_the_cell(self):
        msg_id, display, _ = self.start(f'r = start two(file: "{self.gate()}")')
        reply, outputs = self.client.execute('print "beside {r.status}"')
        self.assertEqual((reply.content["status"], stream_text(outputs)), ("ok", "beside Running\n"))
        self.open()
        last = self.update_with("Succeeded, 2 of 2")
        self.assertEqual((last.parent["msg_id"], last.content["transient"]["display_id"]), (msg_id, display))
        reply, outputs = self.client.execute("wait r\nr.second.x")
        self.assertEqual(reply.content["status"], "ok")
        self.assertEqual([m.content["data"]["text/plain"] for m in outputs if m.type == "execute_result"], ["7"])

    def test_two_at_a_time(self):
        first, display, _ = self.start(f'r = start two(file: "{self.gate("a")}")')
        second, display2, _ = self.start(f's = start two(file: "{self.gate("b")}")')
        self.open("b")
        last = self.update_with("Succeeded, 2 of 2")
        self.assertEqual((last.parent["msg_id"], last.content["transient"]["display_id"]), (second, display2))
        self.open("a")
        last = self.update_with("Succeeded, 2 of 2")
        self.assertEqual((last.parent["msg_id"], last.content["transient"]["display_id"]), (first, display))

    def test_interrupt_ends_the_waiting_only(self):
        self.start(f'r = start two(file: "{self.gate()}")')
        msg_id = self.client.start_execute("wait r")
        self.kernel.process.send_signal(signal.SIGINT)
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
        self.client.until_idle(msg_id)
        _, outputs = self.client.execute("print r.status")
        self.assertEqual(stream_text(outputs), "Running\n")
        self.open()
        reply, _ = self.client.execute("wait r")
        self.assertEqual(reply.content["status"], "ok")

    def test_a_failure_is_told_by_wait(self):
        self.open()
        self.start(f'r = start bad(file: "{self.gate()}")')
        reply, _ = self.client.execute("wait r")
        self.assertEqual((reply.content["status"], reply.content["ename"]), ("error", "L0701"))
        self.assertIn("oops", "\n".join(reply.content["traceback"]))
        reply, _ = self.client.execute("wait r")
        self.assertEqual(reply.content["ename"], "L0701", "and told again when it is asked again")

    def test_what_cannot_start_fails_the_cell(self):
        reply, _ = self.client.execute('component there() { image "x", command ["true"] }')
        self.assertEqual(reply.content["status"], "ok")
        os.chmod(self.folder.name, 0o500)
        self.addCleanup(os.chmod, self.folder.name, 0o700)
        if os.access(self.folder.name, os.W_OK):
            return  # root writes where nobody may
        reply, _ = self.client.execute("r = start stays()")
        self.assertEqual(reply.content["ename"], "L0704")

    def test_stop(self):
        self.start("r = start stays()")
        self.assertEqual(self.client.execute("stop r")[0].content["status"], "ok")
        self.update_with("Failed")
        self.assertEqual(self.client.execute("wait r")[0].content["ename"], "L0701")

    def test_reset_forgets_names_and_no_run(self):
        msg_id, _, _ = self.start(f'r = start two(file: "{self.gate()}")')
        self.client.execute("%reset")
        self.assertEqual(self.client.execute("r.status")[0].content["ename"], "L0202")
        self.open()
        self.assertEqual(self.update_with("Succeeded, 2 of 2").parent["msg_id"], msg_id)

    def test_a_name_bound_again_leaves_the_run(self):
        msg_id, _, _ = self.start(f'r = start two(file: "{self.gate()}")')
        self.client.execute("r = 5")
        self.open()
        self.assertEqual(self.update_with("Succeeded, 2 of 2").parent["msg_id"], msg_id)

    def test_shutdown_ends_them(self):
        for how in ("message", "signal"):
            self.start("r = start stays()")
            self.start("s = start stays()")
            pids = children(self.kernel.process.pid)
            self.assertTrue(pids)
            if how == "message":
                self.client.send("shutdown_request", {"restart": False}, channel="control")
            else:
                self.kernel.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.kernel.wait(), (0, ""))
            harness.wait_until(lambda gone=pids: not any(is_running(pid) for pid in gone), "no process is left")
            if how == "message":
                self.kernel.close()
                self.setUp()

    def test_many(self):
        """Each shows its own, however many there are."""
        self.open()
        code = "\n".join(f'r{i} = start two(file: "{self.gate()}")' for i in range(20))
        msg_id = self.client.send("execute_request", self.client.execute_content(code))
        self.assertEqual(self.client.reply(msg_id).content["status"], "ok")
        reply, _ = self.client.execute("\n".join(f"wait r{i}" for i in range(20)))
        self.assertEqual(reply.content["status"], "ok")
        _, outputs = self.client.execute("\n".join(f"print r{i}.second.x" for i in range(20)))
        self.assertEqual(stream_text(outputs), "7\n" * 20)


tap.run_unittest(Background)
tap.done_testing()
