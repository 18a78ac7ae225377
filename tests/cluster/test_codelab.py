#!/usr/bin/env python3
"""The codelab's pipeline, with stand-ins for its images (codelab/), by `lateen` on Argo and through Kubeflow Pipelines: parameters, the
condition, a training that goes on after its node was drained, logs, and the page of its last step through a forwarded port."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import kube
from kube import tap

FOLDER = kube.HERE / "codelab"
STEPS = 16
TOKEN = "a secret token"
SECONDS = 240
ALL = ("copied", "trained", "served", "webapp")


def give_gpu(cluster):
    """Says of each node that has none that it has a GPU: the stand-ins use none."""
    for found in cluster.ask("GET", "/api/v1/nodes")["items"]:
        if "nvidia.com/gpu" not in found["status"]["capacity"] and not found["metadata"]["name"].startswith("pretends-"):
            cluster.ask("PATCH", f"/api/v1/nodes/{found['metadata']['name']}/status", {"status": {"capacity": {"nvidia.com/gpu": "1"}}},
                        "application/merge-patch+json")


def until(holds, seconds=SECONDS):
    """What `holds` gives once it is true; None when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.3)
    return None


class Project:
    """A folder with the program, for one cluster."""

    def __init__(self, folder, cluster):
        self.folder = pathlib.Path(folder)
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        for path in self.folder.rglob("*.[ly]*"):
            path.write_text(path.read_text(encoding="utf-8").replace("local.test/busybox:1.36", kube.IMAGE), encoding="utf-8")
        program = self.folder / "gh_summ.lateen"
        program.write_text(program.read_text(encoding="utf-8") + f"cluster there {{ {cluster} }}\n", encoding="utf-8")
        self.environment = dict(os.environ, NO_COLOR="1", HOME=folder)
        self.environment.pop("LATEEN_HOME", None)

    def lateen(self, *words):
        """(exit status, standard output, standard error)"""
        done = subprocess.run([tap.lateen(), *words], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout, done.stderr

    def start(self, **parameters):
        """The run's name."""
        status, said, wrong = self.lateen("run", "gh_summ.lateen", "--on", "there", "--detach", *(f"{k}={v}" for k, v in parameters.items()))
        if not tap.is_(status, 0, "the run is started"):
            tap.note(said + wrong)
            tap.done_testing()
        return said.split()[-1]

    def ended(self, run):
        """What became of it."""
        _, said, wrong = self.lateen("wait", run, "--json")
        try:
            return json.loads(said)
        except ValueError:
            return {"phase": said + wrong, "steps": []}

    @contextlib.contextmanager
    def forwarded(self, step):
        """The address on this machine of the step's port 8080."""
        with open(self.folder / "forward.log", "w+", encoding="utf-8") as log:
            with subprocess.Popen([tap.lateen(), "forward", step, "8080"], cwd=self.folder, env=self.environment, stdout=log,
                                  stderr=subprocess.STDOUT) as process:
                try:
                    found = until(lambda: re.search(r"127\.0\.0\.1:\d+", (self.folder / "forward.log").read_text(encoding="utf-8")), 60)
                    yield "http://" + (found.group() if found else "nowhere: " + (self.folder / "forward.log").read_text(encoding="utf-8"))
                finally:
                    process.send_signal(signal.SIGINT)


def pod_of(space, workflow, step):
    """The step's newest pod, once it runs; None before."""
    mine = [p for p in space.pods(workflow) if re.search(rf"\.{step}(\(\d+\))?$", p["metadata"]["annotations"]["workflows.argoproj.io/node-name"])
            and p["status"].get("phase") == "Running" and not p["metadata"].get("deletionTimestamp")]
    return max(mine, key=lambda p: p["metadata"]["creationTimestamp"])["metadata"]["name"] if mine else None


def drain(space, workflow):
    """The node under the training is drained, as before it is taken away: its pods are evicted."""
    pod = until(lambda: pod_of(space, workflow, "trained"))
    if tap.ok(pod, "the training runs"):
        # A pod that is lost within its first ten seconds Argo makes again, and counts no attempt.
        until(lambda: "step 12 of" in space.log(pod), 60)
        space.cluster.ask("POST", space.core(f"pods/{pod}/eviction"), {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": space.name}})


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()
    except (OSError, ValueError, urllib.error.URLError) as problem:
        return f"{url}: {problem}"


def use_page(project, space, run, workflow):
    pod = until(lambda: pod_of(space, workflow, "webapp"))
    if tap.ok(pod, "the web app runs"):
        until(lambda: "serving" in space.log(pod), 60)
        with project.forwarded(f"{run}.webapp") as address:
            tap.contains(fetch(address + "/"), f"signed in with {len(TOKEN)} letters", "its page, through a forwarded port; its secret has arrived")
            tap.is_(fetch(address + "/cgi-bin/stop"), "bye\n", "it is told to stop")


def try_out(project, space, workflow_of):
    """The whole codelab; `workflow_of(run)` is the name of its workflow."""
    run = project.start(train_steps=STEPS, working_dir="gs://bucket/elsewhere")
    workflow = until(lambda: workflow_of(run), 60)
    if not tap.ok(workflow, "its workflow is there"):
        return
    drain(space, workflow)
    use_page(project, space, run, workflow)
    ended = project.ended(run)
    steps = {s["name"]: s for s in ended["steps"]}
    if not tap.is_((ended["phase"], {n: s["phase"] for n, s in steps.items()}), ("Succeeded", {s: "Succeeded" for s in ALL}), "all steps succeed"):
        tap.note(json.dumps(ended))
        return
    tap.is_(steps["trained"]["attempts"], 2, "the training needed a second attempt")
    path = steps["trained"]["outputs"]["train_output_path"]
    tap.ok(re.fullmatch(r"gs://bucket/elsewhere/[-0-9a-f]{36}/model_output/export", path), f"parameters and the run's id are in its output: {path}")
    tap.contains(project.lateen("logs", f"{run}.trained")[1], f"step {STEPS} of {STEPS}\n", "the training's log, of its second attempt")
    model = path.split("/")[4]
    tap.contains(project.lateen("logs", f"{run}.served")[1], f"serves ghsumm-{model} from {path}\n", "the log of the step behind it")
    tap.contains(project.lateen("logs", f"{run}.webapp")[1], "stopped\n", "the log of the web app")


def on_argo(cluster):
    with cluster.namespace() as space, tempfile.TemporaryDirectory() as folder:
        space.secret("github", token=TOKEN)
        project = Project(folder, f'kubeconfig "{cluster.kubeconfig}", namespace "{space.name}"')
        try_out(project, space, lambda run: run if run in space.workflows() else None)
        ended = project.ended(project.start(train_steps=1, deploy_webapp="false"))
        tap.is_({s["name"]: s["phase"] for s in ended["steps"]}.get("webapp"), "Skipped", "without the web app: its branch is not taken")


def on_kubeflow(cluster):
    address = os.environ.get("LATEEN_TEST_KFP")
    if not address:
        tap.skip(f"through Kubeflow Pipelines: {kube.why_not()}")
        return
    space = kube.Space(cluster, "kubeflow")
    with contextlib.suppress(kube.Refused):
        space.secret("github", token=TOKEN)
    before = set(space.workflows())

    def workflow_of(run):
        mine = [n for n, w in space.workflows().items() if n not in before
                and run in (n, w["metadata"].get("annotations", {}).get("pipelines.kubeflow.org/run_name"))]
        return mine[0] if mine else None

    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder, f'kfp "{address}", kubeconfig "{cluster.kubeconfig}", namespace "kubeflow"')
        try_out(project, space, workflow_of)


def main():
    cluster = kube.need(2)
    give_gpu(cluster)
    on_argo(cluster)
    on_kubeflow(cluster)
    tap.done_testing()


main()
