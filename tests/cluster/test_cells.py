#!/usr/bin/env python3
"""Runs on a real cluster as the notebook sees them: started in a cell, shown past its end, interrupted, left behind by a kernel and
attached to by another, steered, and their failures told at the lines of cells."""
import os
import pathlib
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parent / "kernel" / "protocol")]
import tap  # noqa: E402
import kube  # noqa: E402

CLUSTER = kube.need(2)
tap.need("zmq")

import harness  # noqa: E402

WAIT = 120000  # milliseconds for what a cluster does

DECLARE = '''cluster real {{ kubeconfig "{kubeconfig}", namespace "{space}" }}
component say(n: Integer) -> (x: Integer) {{
    image "{image}"
    script sh """echo "said $n"; echo "$n" > "$out_x" """
}}
component stays() {{ image "{image}", script sh """echo begun; sleep 300""" }}
component fails(x: Integer) {{ image "{image}", script sh """echo "no use"; exit 9""" }}
pipeline two(n: Integer = 1) {{
    first = say(n)
    second = say(first)
}}
pipeline long() {{ wait = stays() }}
pipeline broken() {{
    first = say(1)
    bad = fails(first)
}}'''


class Cells:
    def __init__(self, folder, space):
        self.folder, self.space, self.count = folder, space, 0
        self.start()

    def start(self):
        env = {**os.environ, "HOME": self.folder, "XDG_DATA_HOME": self.folder, "LATEEN_HISTORY": "", "LATEEN_HOME": self.folder + "/store"}
        self.kernel = harness.Kernel(command=[tap.lateen(), "kernel"], env=env)
        self.client = self.kernel.client().ready()
        self.run(DECLARE.format(kubeconfig=CLUSTER.kubeconfig, space=self.space.name, image=kube.IMAGE))

    def run(self, code):
        """The cell's id, its reply and what it showed."""
        msg_id = self.client.send("execute_request", self.client.execute_content(code))
        reply = self.client.reply(msg_id, wait=WAIT)
        return msg_id, reply, self.client.outputs(msg_id, WAIT)

    def text(self, code):
        _, reply, outputs = self.run(code)
        if reply.content["status"] != "ok":
            return "\n".join(reply.content["traceback"])
        return harness.stream_text(outputs) + "".join(m.content["data"]["text/plain"] for m in outputs if m.type == "execute_result")

    def update(self, text):
        while True:
            message = self.client.receive("iopub", WAIT)
            if message.type == "update_display_data" and text in message.content["data"]["text/plain"]:
                return message

    def restart(self):
        self.client.send("shutdown_request", {"restart": True}, channel="control")
        status = self.kernel.wait()
        self.kernel.close()
        self.start()
        return status


def goes_on_after_the_cell(cells):
    msg_id, reply, outputs = cells.run("r = start two(n: 5) on real")
    shown = [m for m in outputs if m.type == "display_data"]
    tap.is_(reply.content["status"], "ok", "a run begins in the background")
    tap.is_(len(shown), 1, "with one display")
    last = cells.update("Succeeded, 2 of 2")
    tap.is_(last.parent["msg_id"], msg_id, "that goes on with the cell that began it as parent")
    tap.is_(last.content["transient"]["display_id"], shown[0].content["transient"]["display_id"], "and in its place")
    msg_id, _, outputs = cells.run("wait r\nprint r.second.x")
    tap.is_(harness.stream_text(outputs), "5\n", "its outputs are values")
    again = [m.content["transient"]["display_id"] for m in outputs if m.type == "update_display_data"]
    tap.is_(again, [shown[0].content["transient"]["display_id"]], "the cell that waits shows the end once more, for who executes one by one")
    tap.contains(cells.text("logs r"), "said 5", "its logs are kept")
    tap.contains(cells.text("runs on real"), "Succeeded", "and the cluster lists it")


def failures_point_at_cells(cells):
    text = cells.text("broken() on real")
    for part in ("L0701", "`bad`", "exit code 9", "no use", "bad = fails(first)"):
        tap.contains(text, part, f"a failed step is told with {part!r}")


def interrupts_end_the_watching(cells):
    msg_id = cells.client.start_execute("long() on real")
    cells.update("Running")
    cells.kernel.process.send_signal(signal.SIGINT)
    reply = cells.client.reply(msg_id, wait=WAIT)
    outputs = cells.client.until_idle(msg_id)
    tap.is_(reply.content["ename"], "KeyboardInterrupt", "an interrupt ends the waiting")
    said = harness.stream_text(outputs, "stderr")
    tap.contains(said, "goes on; `attach", "and it is said how the run is seen again")
    return said.split("`")[1]


def steering(cells, name):
    tap.contains(cells.text("runs"), "as last seen", "a run that nobody watches is listed as that")
    status = cells.restart()
    tap.is_(status, (0, ""), "the kernel ends though runs go on")
    msg_id, reply, _ = cells.run(f'old = attach "{name}"')
    tap.is_(reply.content["status"], "ok", "another kernel takes the run up by its name")
    tap.contains(cells.text("print old.status"), "Running", "and knows that it goes on")
    tap.contains(cells.text("suspend old"), "begins no further step", "it is suspended")
    tap.contains(cells.text("resume old"), "goes on", "and resumed")
    tap.contains(cells.text(f'stop "{name}" on real'), "is told to stop", "and stopped")
    tap.is_(cells.update("Failed").parent["msg_id"], msg_id, "which the display of `attach` shows")
    tap.contains(cells.text("wait old"), "L0701", "and `wait` tells")
    msg_id, reply, _ = cells.run("retry old")
    tap.is_(reply.content["status"], "ok", "what failed runs again")
    tap.is_(cells.update("Running").parent["msg_id"], msg_id, "and is shown again, in that cell")
    tap.contains(cells.text("print old.status"), "Running", "and the handle means it")
    tap.contains(cells.text("stop old"), "is told to stop", "it is stopped once more")
    tap.contains(cells.text("wait old"), "L0701", "and ends")


def others_runs(cells):
    made = cells.space.create({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "foreign-"},
        "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "word", "value": "hello"}]}, "templates": [
            {"name": "main", "dag": {"tasks": [{"name": "speak", "template": "echo"}]}},
            {"name": "echo", "container": {"image": kube.IMAGE, "command": ["echo", "{{workflow.parameters.word}}"]}}]}})
    name = made["metadata"]["name"]
    cells.space.finish(name)
    tap.is_(cells.run(f'f = attach "{name}" on real\nwait f')[1].content["status"], "ok", "a run that others started")
    tap.contains(cells.text("logs f.speak"), "hello", "its steps are known by then")
    tap.is_(cells.run('c = clone f(word: "changed")')[1].content["status"], "ok", "and started again with another value")
    tap.is_(cells.run("wait c")[1].content["status"], "ok", "which succeeds")
    tap.contains(cells.text("logs c"), "changed", "with that value")
    tap.contains(cells.text("clone f(wrod: 1)"), "wrod", "a parameter that it does not have is an error")
    tap.contains(cells.text('attach "nowhere" on real'), "L1011", "and so is a run that is not there")


def packages(cells):
    path = os.path.join(cells.folder, "two.yaml")
    tap.contains(cells.text(f'compile two to "{path}"'), "wrote", "a package")
    tap.contains(cells.text(f'upload "{path}" to real as "two-up"'), "n = 1", "is uploaded, and its parameters shown")
    tap.is_(cells.run(f's = submit "{path}"(n: 8) on real\nwait s')[1].content["status"], "ok", "and run as it is")
    tap.contains(cells.text("logs s"), "said 8", "with a value of ours")
    tap.contains(cells.text('schedule two(n: 2) on real at "0 3 * * *" as "nightly"'), "CronWorkflow nightly", "a schedule is made")


def main():
    with tempfile.TemporaryDirectory() as folder, CLUSTER.namespace() as space:
        cells = Cells(folder, space)
        try:
            goes_on_after_the_cell(cells)
            failures_point_at_cells(cells)
            steering(cells, interrupts_end_the_watching(cells))
            others_runs(cells)
            packages(cells)
        finally:
            cells.kernel.close()


main()
tap.done_testing()
