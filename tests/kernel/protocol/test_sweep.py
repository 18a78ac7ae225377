#!/usr/bin/env python3
"""Sweeps in a notebook: one table, one chart, what is bound afterwards, runs that fail, and an interrupt."""
import base64
import pathlib
import re
import signal
import xml.etree.ElementTree

import harness
from harness import tap, stream_text

COMPONENTS = '''
component fit(rate: Float) -> (loss: Float, scores: Metrics) {
    script sh """
        test "$rate" != 0.5
        echo "$rate" > "$out_loss"
        echo '{"metrics": [{"name": "accuracy", "numberValue": 0.25}, {"name": "loss", "numberValue": 9}]}' > "$out_scores"
    """
}
component sleep(rate: Float) { script sh """touch started-"$rate"; sleep 600""" }
component quick(rate: Float) -> (done: Integer) { script sh """echo 7 > "$out_done" """ }
pipeline p(rate: Float) {
    slept = sleep(rate)
}
'''


class Sweeps(harness.FolderCase):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.client.execute(f"%cd {self.folder.name}")[0].content["status"], "ok")
        self.assertEqual(self.client.execute(COMPONENTS)[0].content["status"], "ok")

    def table(self, outputs):
        """The cells of the only display's last state, without the times; and its HTML."""
        first = [m for m in outputs if m.type == "display_data"]
        self.assertEqual(len(first), 1)
        ident = first[0].content["transient"]["display_id"]
        shown = [m for m in outputs if m.type == "update_display_data" and m.content["transient"]["display_id"] == ident]
        data = (shown or first)[-1].content["data"]
        lines = [re.sub(r" \d+\.\ds ", " ", line).split() for line in data["text/plain"].splitlines()]
        return lines, data["text/html"]

    def test_one_table_and_one_chart(self):
        reply, outputs = self.client.execute("for rate in [0.1, 0.01, 1] {\n    r = fit(rate)\n}")
        self.assertEqual(reply.content["status"], "ok")
        lines, html = self.table(outputs)
        self.assertEqual(lines, [["rate", "state", "time", "loss", "accuracy"], ["0.1", "Succeeded", "0.1", "0.25"],
                                 ["0.01", "Succeeded", "0.01", "0.25"], ["1", "Succeeded", "1.0", "0.25"]])
        svg = base64.b64decode(re.search(r"base64,([^\"]+)\"", html)[1])
        root = xml.etree.ElementTree.fromstring(svg)
        self.assertEqual(len([e for e in root.iter() if e.tag.endswith("circle")]), 6)
        _, outputs = self.client.execute('print "{rate} {r.loss} {r.status}"')
        self.assertEqual(stream_text(outputs), "1 1.0 Succeeded\n")

    def test_a_run_that_fails_is_a_row(self):
        reply, outputs = self.client.execute("for rate in [0.5, 0.1, 0.5] {\n    r = fit(rate)\n    r.loss\n}")
        self.assertEqual((reply.content["ename"], reply.content["evalue"]), ("L0701", "2 of the 3 items of the sweep failed: `0.5`, `0.5`"))
        displays = [m for m in outputs if m.type == "display_data"]
        self.assertEqual([m.content["data"]["text/plain"] for m in displays[1:]], ["0.1"])
        lines, _ = self.table([m for m in outputs if m not in displays[1:]])
        self.assertEqual([line[1] for line in lines[1:]], ["Failed", "Succeeded", "Failed"])
        self.assertIn("exit code 1", " ".join(lines[1]))
        self.assertEqual(len(re.findall("L0701", stream_text(outputs, "stderr"))), 2)

    def test_other_components_in_a_sweep(self):
        reply, outputs = self.client.execute("for rate in [1, 2] { p(rate) using sleep = quick }")
        self.assertEqual(reply.content["status"], "ok")
        self.assertEqual(self.table(outputs)[0][1:], [["1", "Succeeded", "7"], ["2", "Succeeded", "7"]])

    def test_an_interrupt_ends_the_run_and_the_sweep(self):
        msg_id = self.client.send("execute_request", self.client.execute_content("for rate in [1, 2] { p(rate) }"))
        started = pathlib.Path(self.folder.name, ".")
        harness.wait_until(lambda: list(started.rglob("started-*")), "the first run begins")
        self.kernel.process.send_signal(signal.SIGINT)
        self.assertEqual(self.client.reply(msg_id).content["ename"], "KeyboardInterrupt")
        lines, _ = self.table(self.client.outputs(msg_id))
        self.assertEqual([line[:2] for line in lines[1:]], [["1", "Failed"]])
        self.assertEqual([p.name for p in started.rglob("started-*")], ["started-1"])

    def test_nothing_to_do(self):
        for code in ("for x in [] { fit(x) }", "for x in [1] { \"only a value\" }"):
            reply, outputs = self.client.execute(code)
            self.assertEqual(reply.content["status"], "ok")
            self.assertNotIn("text/html", str([m.content for m in outputs]))
        reply, _ = self.client.execute("for x in range(1001) { x }")
        self.assertEqual(reply.content["ename"], "L0805")


tap.run_unittest(Sweeps)
tap.done_testing()
