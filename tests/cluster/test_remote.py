#!/usr/bin/env python3
"""Runs on a real cluster as runtime/cluster/remote drives them: what is shown, kept, and found again after every kind of cut."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import kube
from kube import tap

TOOL = os.environ.get("builddir", ".") + "/tests/runtime/cluster/remote_tool"
PROGRAM = """
component say(text: String) -> (said: String) {
    image "IMAGE"
    script sh \"\"\"
        echo "I say $text"; printf "%s!" "$text" > "$out_said"
    \"\"\"
}
component keep(text: String) -> (file: Dataset) {
    image "IMAGE"
    script sh \"\"\"
        printf "%s kept" "$text" > "$out_file"
    \"\"\"
}
component ticks(n: Integer) {
    image "IMAGE"
    script sh \"\"\"
        i=0; while [ $i -lt $n ]; do i=$((i+1)); echo "tick $i"; sleep 0.1; done
    \"\"\"
}
component lines(n: Integer) {
    image "IMAGE"
    script sh \"\"\"
        i=0; while [ $i -lt $n ]; do i=$((i+1)); echo "line $i"; done; printf "no end"
    \"\"\"
}
component bad() {
    image "IMAGE"
    script sh \"\"\"
        echo "to out"; sleep 0.2; echo "to err" >&2; exit 3
    \"\"\"
}
component hungry() {
    image "IMAGE"
    script sh \"\"\"
        echo eating; x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}
    \"\"\"
}
component away() {
    image "local.test/there-is-no-such-image:1"
    script sh \"\"\"true\"\"\"
}
pipeline chain(text: String = "no", go: Boolean = false) {
    a = say(text)
    b = say(a.said)
    if go { c = say("never") }
    for w in ["x", "y", "z"] { d = say(w) }
}
pipeline kept() { a = keep("file") }
pipeline broken() {
    a = bad() with retry 1
    b = hungry() with memory 32Mi
    c = say("never") after a
}
pipeline ticking(n: Integer = 60) { a = ticks(n) }
pipeline long(n: Integer = 20000) { a = lines(n) }
pipeline stuck() { a = away() }
"""


class Proxy:
    """A way to the API server that can be cut."""

    def __init__(self, host, port):
        self.target, self.open, self.down = (host, port), [], False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near, _ = self.listener.accept()
            if self.down:
                near.close()
                continue
            far = socket.create_connection(self.target)
            self.open += [near, far]
            for a, b in (near, far), (far, near):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass

    def cut(self):
        ends, self.open = self.open, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


class Runs:
    def __init__(self, space, folder):
        self.space, self.folder = space, pathlib.Path(folder)
        self.kubeconfig = space.cluster.kubeconfig
        self.program = self.folder / "p.lateen"
        self.program.write_text(PROGRAM.replace("IMAGE", kube.IMAGE))
        self.store = self.folder / "store"

    def begin(self, *words, kubeconfig=None, **environment):
        out = tempfile.TemporaryFile("w+")
        process = subprocess.Popen([TOOL, str(kubeconfig or self.kubeconfig), self.space.name, str(self.store), *words], stdout=out,
                                   stderr=subprocess.STDOUT, env={**os.environ, **environment})
        process.out = out
        return process

    def start(self, pipeline, *args, **options):
        return self.begin("start", str(self.program), pipeline, *args, **options)

    def attach(self, name, pipeline=None, **options):
        return self.begin("attach", name, *([str(self.program), pipeline] if pipeline else []), **options)

    @staticmethod
    def said(process):
        process.out.seek(0)
        return process.out.read()

    def name(self, process, seconds=60):
        return self.wait_for(process, r"^begins (\S+)", seconds).group(1)

    def wait_for(self, process, pattern, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.said(process), re.M):
                return found
            if process.poll() is not None:
                break
            time.sleep(0.1)
        return re.search(pattern, self.said(process), re.M) or re.match("()", "")

    def end(self, process, seconds=240):
        """(what it printed, the run)"""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        text = self.said(process)
        last = text.splitlines()[-1] if text else ""
        return text, json.loads(last) if last.startswith("{") else {"phase": None, "steps": [], "outputs": {}, "said": text}

    def log(self, name, step, attempt=1):
        path = self.store / "runs" / name / step / str(attempt) / "log"
        return path.read_text() if path.exists() else None


def steps(run):
    return {s["name"]: s for s in run["steps"]}


def chain(runs):
    process = runs.start("chain", "text=hey", "go=false")
    yield
    text, run = runs.end(process)
    name = runs.name(process)
    tap.is_(run["phase"], "Succeeded", f"a chain, a condition, a loop: {run.get('said', '')}")
    found = steps(run)
    tap.is_({k: v["phase"] for k, v in found.items()}, {"a": "Succeeded", "b": "Succeeded", "c": "Skipped", "d[0]": "Succeeded", "d[1]": "Succeeded",
                                                       "d[2]": "Succeeded"}, "chain: each step's phase")
    tap.is_(found["b"]["outputs"], {"said": "hey!!"}, "chain: outputs are known")
    tap.is_(runs.log(name, "b"), "I say hey!\n", "chain: a log, without the executor's line")
    tap.is_({runs.log(name, f"d[{i}]") for i in range(3)}, {"I say x\n", "I say y\n", "I say z\n"}, "chain: the logs of a loop")
    tap.is_(text.count("log b: I say hey!"), 1, "chain: a line is shown once")
    ends = re.findall(r"^step (\S+): (Succeeded|Failed|Error|Skipped|Omitted),", text, re.M)
    tap.is_(sorted(set(ends)), sorted({(k, v["phase"]) for k, v in found.items() if v["phase"] != "Skipped"} | {e for e in ends if e[1] == "Skipped"}),
            "chain: no end is missed and none is another")


def broken(runs):
    process = runs.start("broken")
    yield
    _, run = runs.end(process)
    name, found = runs.name(process), steps(run)
    tap.is_(run["phase"], "Failed", f"failures: {run.get('said', '')}")
    tap.is_((found["a"]["phase"], found["a"]["attempts"], found["a"]["exit_code"]), ("Failed", 2, 3), "failures: two attempts, exit code 3")
    tap.is_((found["b"]["phase"], found["b"]["exit_code"]), ("Failed", 137), "failures: out of memory")
    tap.is_(found["c"]["phase"], "Omitted", "failures: what depends on it is Omitted")
    tap.is_([runs.log(name, "a", n) for n in (1, 2)], ["to out\nto err\n"] * 2, "failures: the log of each attempt")
    tap.is_(runs.log(name, "b"), "eating\n", "failures: the log of one that was killed")


def long_log(runs):
    process = runs.start("long")
    yield
    _, run = runs.end(process)
    want = "".join(f"line {i}\n" for i in range(1, 20001)) + "no end"
    tap.ok(runs.log(runs.name(process), "a") == want, f"20,000 lines and one without an end: {run['phase']}")


def killed(runs):
    process = runs.start("ticking", "n=100")
    runs.wait_for(process, "^log a: tick 20$")
    name = runs.name(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    second = runs.attach(name, "ticking", REMOTE_SECONDS="3")
    yield
    text, run = runs.end(second)
    tap.is_(run["phase"], "Running", "a run whose watcher was killed goes on, and is found again")
    third = runs.attach(name, "ticking")
    guest = runs.attach(name, "ticking")
    text, run = runs.end(third)
    tap.is_(run["phase"], "Succeeded", "killed: to its end")
    tap.is_(runs.log(name, "a"), "".join(f"tick {i}\n" for i in range(1, 101)), "killed: no line is missing, none is there twice")
    shown, run = runs.end(guest)
    tap.is_(run["phase"], "Succeeded", "killed: a second watcher sees the same")


def cut(runs, proxy, kubeconfig):
    process = runs.start("ticking", "n=120", kubeconfig=kubeconfig)
    runs.wait_for(process, "^log a: tick 10$")
    for _ in range(5):
        proxy.cut()
        time.sleep(1.1)
    proxy.down = True
    proxy.cut()
    time.sleep(4)
    proxy.down = False
    yield
    text, run = runs.end(process)
    tap.is_(run["phase"], "Succeeded", f"a connection that is cut: {run.get('said', '')[-500:]}")
    tap.is_(runs.log(runs.name(process), "a"), "".join(f"tick {i}\n" for i in range(1, 121)), "cut: no line is missing, none is there twice")
    tap.ok("run Running: " in text and "127.0.0.1" in text, "cut: it is said while it lasts")
    tap.is_(text.count("step a: Succeeded"), 1, "cut: the end is told once")


def pod_gone(runs):
    """Whether the step is Failed, by its signal, or in Error, for its pod is gone, is a race within Argo. A pod that is forced away at
    once it makes anew, so this one has its time."""
    process = runs.start("ticking", "n=150")
    runs.wait_for(process, "^log a: tick 10$")
    for pod in runs.space.pods(runs.name(process)):
        runs.space.cluster.ask("DELETE", runs.space.core(f"pods/{pod['metadata']['name']}"))
    yield
    text, run = runs.end(process)
    tap.ok(run["phase"] in ("Failed", "Error"), f"a pod that is deleted ends the run: {run['phase']} {run.get('said', '')}")
    lines = (runs.log(runs.name(process), "a") or "").splitlines()
    tap.is_(lines, [f"tick {i}" for i in range(1, len(lines) + 1)], "deleted: what it had written is kept, in order")
    tap.ok(len(lines) >= 10, f"deleted: and all of it that was shown: {len(lines)} lines")
    tap.is_(re.findall(r"^(?:log a: )?(tick \d+)$", text, re.M), lines, "deleted: shown and kept are the same")


def foreign(runs):
    name = runs.space.create({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "theirs-"},
        "spec": {"entrypoint": "main", "templates": [
            {"name": "main", "dag": {"tasks": [{"name": "one", "template": "work"}, {"name": "two", "template": "work", "dependencies": ["one"]}]}},
            {"name": "work", "container": {"image": kube.IMAGE, "command": ["sh", "-c"], "args": ["echo theirs"]}}]}})["metadata"]["name"]
    process = runs.attach(name)
    yield
    _, run = runs.end(process)
    tap.is_(run["phase"], "Succeeded", f"a run that others started: {run.get('said', '')}")
    tap.is_({k: v["phase"] for k, v in steps(run).items()}, {"one": "Succeeded", "two": "Succeeded"}, "theirs: its steps")
    tap.is_(runs.log(name, "two"), "theirs\n", "theirs: its logs")


def stuck(runs):
    process = runs.start("stuck")
    found = runs.wait_for(process, r"^step a: Pending, \d+, .*(image|Image).*$", 60)
    tap.contains(found.group(0), "there-is-no-such-image", "an image that cannot be had is named under the step")
    process.kill()
    process.wait()
    yield
    runs.space.patch(runs.space.path(f"workflows/{runs.name(process)}"), {"spec": {"shutdown": "Terminate"}})


def artifact(runs):
    store = os.environ.get("LATEEN_TEST_S3")
    if not store:
        tap.skip("artifacts: LATEEN_TEST_S3 does not say where the cluster's store is reached from here")
        return
    process = runs.start("kept")
    yield
    runs.end(process)
    name = runs.name(process)
    workflow = runs.space.workflow(name)
    node, output = next((i, a["name"]) for i, n in workflow["status"]["nodes"].items() for a in n.get("outputs", {}).get("artifacts", []))
    fetched = runs.begin("artifact", name, node, output, LATEEN_S3=store)
    fetched.wait()
    tap.is_(runs.said(fetched), "file kept", "an artifact comes out of the store")


def main():
    cluster = kube.need(2)
    host, port = re.search(r"server\W+https?://([^:/]+):(\d+)", pathlib.Path(cluster.kubeconfig).read_text()).groups()
    proxy = Proxy(host, int(port))
    with tempfile.TemporaryDirectory() as folder, cluster.namespace() as space:
        runs = Runs(space, folder)
        through = pathlib.Path(folder) / "through"
        through.write_text(pathlib.Path(cluster.kubeconfig).read_text().replace(f"{host}:{port}", f"{host}:{proxy.port}"))
        scenes = [chain(runs), broken(runs), long_log(runs), foreign(runs), artifact(runs), stuck(runs), pod_gone(runs), killed(runs),
                  cut(runs, proxy, through)]
        # Each begins, in turn; then each is waited for.
        waiting = [s for s in scenes if next(s, s) is not s]
        for scene in waiting:
            next(scene, None)
    tap.done_testing()


main()
