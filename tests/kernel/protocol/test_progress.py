#!/usr/bin/env python3
"""What steps tell of their progress, in a notebook: drawn while they run, in runs and in sweeps; and a training that is interrupted and goes on."""
import base64
import re
import signal

import harness
from harness import tap, stream_text

COMPONENTS = '''
component slow(x: Float = 1.0) {
    script sh """
        echo '{"step": 1, "of": 3, "loss": 4.5, "text": "waits"}' >> "$LATEEN_PROGRESS"
        until test -e go; do sleep 0.05; done
        echo '{"step": 2, "loss": 3}' >> "$LATEEN_PROGRESS"
        echo '{"step": 3, "loss": 2.5, "text": "done"}' >> "$LATEEN_PROGRESS"
    """
}
'''
DATA = '''
issues = std.synthetic_issues(rows: 200)
words = std.tokenizer(data: issues, vocab: 400)
tokens = std.tokenize(data: issues, tokenizer: words.tokenizer)
'''


def chart(data):
    codes = re.findall(r"base64,([^\"]+)\"", data.get("text/html", ""))
    return base64.b64decode(codes[-1]).decode() if codes else ""


class Progress(harness.FolderCase):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.client.execute(f"%cd {self.folder.name}")[0].content["status"], "ok")

    def until_shown(self, msg_id, part):
        """The first display or update of the request that holds the text."""
        while True:
            message = self.client.receive("iopub")
            self.assertNotEqual(message.content.get("execution_state"), "idle", f"`{part}` was never shown")
            if message.parent.get("msg_id") == msg_id and part in message.content.get("data", {}).get("text/plain", ""):
                return message.content

    def last(self, outputs):
        return [m for m in outputs if m.type in ("display_data", "update_display_data")][-1].content["data"]

    def test_drawn_while_it_runs(self):
        self.assertEqual(self.client.execute(COMPONENTS)[0].content["status"], "ok")
        msg_id = self.client.start_execute("r = slow()")
        shown = self.until_shown(msg_id, "slow: step 1 of 3, loss 4.5, waits")
        self.assertIn("<circle", chart(shown["data"]))
        open(self.folder.name + "/go", "w", encoding="utf-8").close()
        data = self.last(self.client.until_idle(msg_id))
        self.assertIn("slow: step 3 of 3, loss 2.5, done", data["text/plain"])
        self.assertEqual(chart(data).count("<circle"), 3)
        _, outputs = self.client.execute("r")
        shown = [m.content["data"] for m in outputs if "data" in m.content][-1]
        self.assertIn("slow: step 3 of 3", shown["text/plain"], "a handle shows it again")
        self.assertEqual(chart(shown).count("<circle"), 3)

    def test_drawn_in_a_sweep(self):
        self.assertEqual(self.client.execute(COMPONENTS)[0].content["status"], "ok")
        msg_id = self.client.start_execute("for x in [0.5, 0.25] { r = slow(x) }")
        shown = self.until_shown(msg_id, "x 0.5: step 1 of 3, loss 4.5, waits")
        self.assertIn("loss 4.50", chart(shown["data"]), "one run alone is drawn as such")
        open(self.folder.name + "/go", "w", encoding="utf-8").close()
        drawn = chart(self.last(self.client.until_idle(msg_id)))
        self.assertIn("x 0.5: 2.50", drawn)
        self.assertIn("x 0.25: 2.50", drawn)

    def test_a_training_goes_on(self):
        for line in DATA.strip().splitlines():
            self.assertEqual(self.client.execute(line)[0].content["status"], "ok")
        call = "m = std.train(data: tokens.tokens, tokenizer: words.tokenizer, steps: {}, batch_tokens: 512, context: 128, every: 100000)"
        msg_id = self.client.start_execute(call.format(100000))
        self.until_shown(msg_id, "train: step ")
        self.kernel.process.send_signal(signal.SIGINT)
        reply = self.client.reply(msg_id, wait=60000)
        self.assertEqual(reply.content["ename"], "KeyboardInterrupt")
        stopped = re.search(r"stopped behind step (\d+)", stream_text(self.client.until_idle(msg_id)))
        self.assertTrue(stopped, "it says how far it came")
        reply, outputs = self.client.execute(call.format(int(stopped[1]) + 2))
        self.assertEqual(reply.content["status"], "ok")
        self.assertIn(f"goes on behind step {stopped[1]}\n", stream_text(outputs))
        self.assertIn(f"train: step {int(stopped[1]) + 2} of {int(stopped[1]) + 2}, loss ", self.last(outputs)["text/plain"])


tap.run_unittest(Progress)
tap.done_testing()
