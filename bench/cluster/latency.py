#!/usr/bin/env python3
"""How long it takes from a cell to a workflow on a cluster, and from a change on the cluster to the display.

    bench/cluster/latency.py BUILD_DIR [ROUNDS]

The cluster is the one that LATEEN_TEST_KUBECONFIG names, as for the tests (tests/cluster/cluster env). Needs pyzmq, PyYAML and curl.

submit   a cell with `start` against curl with the same body, taking turns. Both are timed to the moment at which a watch of the
         namespace shows the new workflow, so both hold the server's own time; `server` is what curl waited for the answer
         once its request was on the way. Must reach: the cell at most 10 ms over curl.
display  a workflow whose controller is this program: one of its nodes changes, at any time since the display was drawn last, and the
         kernel's next display has the change. It is drawn twice a second. Must reach: at most 150 ms beyond that, 650 ms in all.
"""
import base64
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/kernel"), str(ROOT / "tests/cluster")]
import zmq  # noqa: E402
import kube  # noqa: E402
import session_bench  # noqa: E402
import yaml  # noqa: E402

PERIOD = 0.5  # of the display
PICTURE = "application/vnd.lateen.pipeline.v1+json"
PROGRAM = """cluster there {{ kubeconfig "{kubeconfig}", namespace "{space}" }}
component quiet() {{ image "{image}", script sh \"\"\"true\"\"\" }}
pipeline p() {{ a = quiet() }}"""


class Arrivals:
    """When a watch shows workflows for the first time."""

    def __init__(self, space):
        self.space, self.seen = space, queue.Queue()
        threading.Thread(target=self.watch, daemon=True).start()
        time.sleep(1)

    def watch(self):
        for event in self.space.cluster.watch(self.space.path("workflows"), 3000):
            if event["type"] == "ADDED":
                self.seen.put((event["object"]["metadata"]["name"], time.perf_counter()))

    def next(self):
        """(name, time)"""
        return self.seen.get(timeout=60)


class Curl:
    """The kubeconfig's server, for curl."""

    def __init__(self, kubeconfig, folder):
        config = yaml.safe_load(pathlib.Path(kubeconfig).read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = pathlib.Path(folder, "ca.crt")
        authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        self.server = cluster["server"]
        self.words = ["curl", "-sS", "-o", os.devnull, "--cacert", authority, "-H", f"Authorization: Bearer {user['token']}", "-H",
                      "Content-Type: application/json"]

    def post(self, path, body):
        """Seconds that the server took."""
        done = subprocess.run([*self.words, "-w", "%{http_code} %{time_pretransfer} %{time_total}", "-d", f"@{body}", self.server + path],
                              capture_output=True, text=True, check=True)
        code, began, ended = done.stdout.split()
        assert code == "201", done.stdout
        return float(ended) - float(began)


def same_body(space, name, path):
    """The workflow as it was submitted."""
    found = space.workflow(name)
    body = {"apiVersion": found["apiVersion"], "kind": found["kind"], "spec": found["spec"],
            "metadata": {"generateName": "p-", **{k: found["metadata"][k] for k in ("labels", "annotations") if k in found["metadata"]}}}
    path.write_text(json.dumps(body), encoding="utf-8")


def submit(kernel, space, folder, rounds):
    arrivals, curl = Arrivals(space), Curl(space.cluster.kubeconfig, folder)
    times = {"cell": [], "cell's answer": [], "curl": [], "server": []}
    body = pathlib.Path(folder, "body.json")
    for i in range(rounds + 1):
        began = time.perf_counter()
        msg_id = kernel.send("execute_request", {"code": "r = start p() on there", "silent": False, "store_history": False, "allow_stdin": False})
        name, arrived = arrivals.next()
        while True:
            parent, reply = kernel.receive(kernel.shell)[1:]
            if parent.get("msg_id") == msg_id:
                break
        answered = time.perf_counter()
        assert reply["status"] == "ok", reply
        if i:  # the first opens the connection
            times["cell"].append(arrived - began)
            times["cell's answer"].append(answered - began)
        else:
            same_body(space, name, body)
        space.cluster.exchange("DELETE", space.path(f"workflows/{name}"))
        began = time.perf_counter()
        server = curl.post(space.path("workflows"), body)
        name, arrived = arrivals.next()
        if i:
            times["curl"].append(arrived - began)
            times["server"].append(server)
        space.cluster.exchange("DELETE", space.path(f"workflows/{name}"))
        kernel.drain()
    for label, found in times.items():
        print(f"submit   {label:14} median {statistics.median(found) * 1000:7.1f} ms   fastest {min(found) * 1000:7.1f} ms")
    over = statistics.median(times["cell"]) - statistics.median(times["server"])
    print(f"submit   cell over the server's own time {over * 1000:7.1f} ms, over curl {(statistics.median(times['cell']) - statistics.median(times['curl'])) * 1000:.1f} ms")


def nodes(name, phases):
    found = {name: {"id": name, "name": name, "displayName": name, "type": "DAG", "phase": "Running", "startedAt": "2026-01-01T00:00:00Z",
                    "templateName": "p", "children": [f"{name}-{i}" for i in range(len(phases))]}}
    for i, phase in enumerate(phases):
        ended = {"finishedAt": "2026-01-01T00:00:09Z"} if phase == "Succeeded" else {}
        found[f"{name}-{i}"] = {"id": f"{name}-{i}", "name": f"{name}.s{i}", "displayName": f"s{i}", "type": "Pod", "phase": phase, "boundaryID": name,
                                "templateName": "quiet", "startedAt": "2026-01-01T00:00:00Z", **ended}
    return found


def steady(space, n):
    """A workflow that no controller looks at, with n steps that run."""
    name = "steady"
    tasks = [{"name": f"s{i}", "template": "quiet"} for i in range(n)]
    space.create({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": name, "labels": {"workflows.argoproj.io/controller-instanceid": "nobody"}},
        "spec": {"entrypoint": "p", "templates": [{"name": "p", "dag": {"tasks": tasks}},
                                                  {"name": "quiet", "container": {"image": kube.IMAGE, "command": ["true"]}}]}})
    space.patch(space.path(f"workflows/{name}"), {"status": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "nodes": nodes(name, ["Running"] * n)}})
    return name


def shows(message, count):
    """Whether the display has so many steps that have succeeded."""
    header, _, content = message
    if header["msg_type"] not in ("display_data", "update_display_data"):
        return False
    return content["data"].get(PICTURE, {}).get("run", {}).get("phases", {}).get("Succeeded", 0) >= count


def change(kernel, space, name, i):
    """The i-th step succeeds: (seconds until the display has it, seconds that the server took)"""
    began = time.perf_counter()
    space.patch(space.path(f"workflows/{name}"), {"status": {"nodes": {f"{name}-{i}": {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:09Z"}}}})
    changed = time.perf_counter()
    while not shows(kernel.receive(kernel.iopub), i + 1):
        pass
    return time.perf_counter() - began, changed - began


def display(kernel, space, rounds):
    name = steady(space, 2 * rounds + 1)
    kernel.send("execute_request", {"code": f'r = attach "{name}" on there', "silent": False, "store_history": False, "allow_stdin": False})
    deadline = time.monotonic() + 60
    while not shows(kernel.receive(kernel.iopub), 0) and time.monotonic() < deadline:
        pass
    time.sleep(2)
    kernel.drain()
    late = []
    for i in range(rounds):
        time.sleep(2 * PERIOD)
        change(kernel, space, name, 2 * i)  # from here on the display has to wait for its next turn
        time.sleep(PERIOD * i / rounds)
        late.append(change(kernel, space, name, 2 * i + 1))
    kernel.drain()
    print(f"display  the server's own time   median {statistics.median(s for _, s in late) * 1000:7.1f} ms")
    print(f"display  change to display       median {statistics.median(t for t, _ in late) * 1000:7.1f} ms   slowest {max(t for t, _ in late) * 1000:7.1f} ms")
    print(f"display  beyond the server's time and the display's {PERIOD * 1000:.0f} ms {(max(t - s for t, s in late) - PERIOD) * 1000:7.1f} ms at most")


def main():
    build, rounds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    cluster = kube.need(2)
    with cluster.namespace() as space, tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        kernel = session_bench.Kernel([str(build / "lateen"), "kernel"], zmq.Context())
        try:
            kernel.execute(PROGRAM.format(kubeconfig=cluster.kubeconfig, space=space.name, image=kube.IMAGE))
            submit(kernel, space, folder, rounds)
            display(kernel, space, rounds)
        finally:
            kernel.close()


main()
