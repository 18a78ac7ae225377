#!/usr/bin/env python3
"""The codelab's pipeline, with stand-ins for its images (codelab/), on Argo and through Kubeflow Pipelines: parameters, the condition, a
training that goes on after its node was taken away, logs, and the page of its last step through a forwarded port."""
import contextlib
import json
import os
import pathlib
import re
import secrets
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import kube
from kube import tap

PROGRAM = kube.HERE / "codelab" / "gh_summ.lateen"
STEPS = 12
TOKEN = "a secret token"
SECONDS = 240


def compiled(target):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "gh_summ.json")
        done = subprocess.run([tap.lateen(), "compile", PROGRAM, "--for", target, "-o", path], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            tap.fail(f"the codelab's pipeline compiles for {target}", done.stderr)
            tap.done_testing()
        return json.loads(path.read_text(encoding="utf-8").replace("local.test/busybox:1.36", kube.IMAGE))


def give_gpu(cluster):
    """Says of each node that has none that it has a GPU: the stand-ins use none."""
    for found in cluster.ask("GET", "/api/v1/nodes")["items"]:
        if "nvidia.com/gpu" not in found["status"]["capacity"] and not found["metadata"]["name"].startswith("pretends-"):
            cluster.ask("PATCH", f"/api/v1/nodes/{found['metadata']['name']}/status", {"status": {"capacity": {"nvidia.com/gpu": "1"}}},
                        "application/merge-patch+json")


def nodes(workflow):
    """{step: its node}; of a step with retries, that of all its attempts."""
    return {n["displayName"]: n for n in (workflow.get("status", {}).get("nodes") or {}).values()}


def pod_of(space, workflow, step):
    """The step's newest pod, or None."""
    mine = [p for p in space.pods(workflow) if re.search(rf"\.{step}(\(\d+\))?$", p["metadata"]["annotations"]["workflows.argoproj.io/node-name"])]
    return max(mine, key=lambda p: p["metadata"]["creationTimestamp"], default=None)


def until(holds, seconds=SECONDS):
    """What `holds` gives once it is true; None when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.3)
    return None


def running(space, name, step):
    def look():
        found = pod_of(space, name, step)
        return found if found and found["status"].get("phase") == "Running" and not found["metadata"].get("deletionTimestamp") else None
    return until(look)


def take_away(space, name):
    """The node under the training is drained, as before it is taken away: its pods are evicted."""
    found = running(space, name, "trained")
    if not tap.ok(found, "the training runs"):
        return
    pod = found["metadata"]["name"]
    until(lambda: "step 2 of" in space.log(pod), 60)
    space.cluster.ask("POST", space.core(f"pods/{pod}/eviction"), {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": space.name}})


@contextlib.contextmanager
def forwarded(cluster, space, pod):
    """The address on this machine of the pod's port 8080."""
    command = [kube.kubectl(), f"--kubeconfig={cluster.kubeconfig}", "-n", space.name, "port-forward", f"pod/{pod}", ":8080"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield "http://127.0.0.1:" + re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1)
        finally:
            process.terminate()


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError) as problem:
        return str(problem)


def use_page(cluster, space, name):
    found = running(space, name, "webapp")
    if not tap.ok(found, "the web app runs"):
        return
    pod = found["metadata"]["name"]
    until(lambda: "serving" in space.log(pod), 60)
    with forwarded(cluster, space, pod) as address:
        tap.contains(fetch(address + "/"), f"signed in with {len(TOKEN)} letters", "its page, through a forwarded port; its secret has arrived")
        tap.is_(fetch(address + "/cgi-bin/stop"), "bye\n", "it is told to stop")


def look_at(space, name, ended, uid):
    found = nodes(ended)
    tap.is_(ended.get("status", {}).get("phase"), "Succeeded", "the run has succeeded")
    tap.ok(found.get("trained(0)", {}).get("message") in ("main: Error (exit code 143)", "pod deleted"), "the first attempt was lost with its node")
    tap.is_({s: found.get(s, {}).get("phase") for s in ("copied", "trained", "served", "webapp")},
            {s: "Succeeded" for s in ("copied", "trained", "served", "webapp")}, "each step has succeeded")
    outputs = {p["name"]: p.get("value") for p in found["trained"].get("outputs", {}).get("parameters", [])}
    tap.is_(outputs, {"launch_server": "true", "train_output_path": f"gs://bucket/elsewhere/{uid}/model_output/export"}, "the outputs of the training")
    tap.is_(space.log(pod_of(space, name, "trained")["metadata"]["name"]), "".join(f"step {i + 1} of {STEPS}\n" for i in range(STEPS)),
            "the training's log, of its second attempt")
    tap.is_(space.log(pod_of(space, name, "served")["metadata"]["name"]),
            f"serves ghsumm-{uid} from gs://bucket/elsewhere/{uid}/model_output/export\n", "the log of the step behind it")


def on_argo(cluster):
    workflow = compiled("argo")
    given = {"train_steps": str(STEPS), "working_dir": "gs://bucket/elsewhere"}
    for parameter in workflow["spec"]["arguments"]["parameters"]:
        parameter["value"] = given.get(parameter["name"], parameter["value"])
    with cluster.namespace() as space:
        space.secret("github", token=TOKEN)
        name = space.create(workflow)["metadata"]["name"]
        take_away(space, name)
        use_page(cluster, space, name)
        ended = space.finish(name, 120)
        look_at(space, name, ended, ended["metadata"]["uid"])
        for parameter in workflow["spec"]["arguments"]["parameters"]:
            parameter["value"] = {"deploy_webapp": "false", "train_steps": "1"}.get(parameter["name"], parameter["value"])
        ended = space.finish(space.create(workflow)["metadata"]["name"], SECONDS)
        tap.is_(ended.get("status", {}).get("phase"), "Succeeded", "without the web app: the run has succeeded")
        tap.is_(nodes(ended).get("condition-1", {}).get("phase"), "Skipped", "without the web app: its branch was not taken")


class Kubeflow:
    """The API of version 1, which takes a pipeline's parameters."""

    def __init__(self, address):
        self.address = address + "/apis/v1beta1"

    def ask(self, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.address + path, body if isinstance(body, bytes) else json.dumps(body).encode() if body else None,
                                         {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def upload(self, name, workflow):
        mark = "lateen" + secrets.token_hex(8)
        text = f'--{mark}\r\nContent-Disposition: form-data; name="uploadfile"; filename="pipeline.yaml"\r\n\r\n{json.dumps(workflow)}\r\n--{mark}--\r\n'
        return self.ask(f"/pipelines/upload?name={name}", text.encode(), f"multipart/form-data; boundary={mark}")

    def start(self, name, version, experiment, **parameters):
        return self.ask("/runs", {
            "name": name, "pipeline_spec": {"parameters": [{"name": k, "value": v} for k, v in parameters.items()]},
            "resource_references": [{"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"},
                                    {"key": {"type": "PIPELINE_VERSION", "id": version}, "relationship": "CREATOR"}]})["run"]["id"]

    def workflow(self, run):
        return json.loads(self.ask(f"/runs/{run}")["pipeline_runtime"]["workflow_manifest"])


def on_kubeflow(cluster):
    address = os.environ.get("LATEEN_TEST_KFP")
    if not address:
        tap.skip(f"through Kubeflow Pipelines: {kube.why_not()}")
        return
    space, kfp, tag = kube.Space(cluster, "kubeflow"), Kubeflow(address), secrets.token_hex(3)
    with contextlib.suppress(kube.Refused):
        space.secret("github", token=TOKEN)
    pipeline = kfp.upload(f"codelab-{tag}", compiled("kfp"))
    tap.is_(sorted(p["name"] for p in pipeline["parameters"])[:3], ["checkpoint_dir", "data_dir", "deploy_webapp"], "Kubeflow shows the parameters")
    experiment = kfp.ask("/experiments", {"name": f"codelab-{tag}"})["id"]
    run = kfp.start(f"codelab-{tag}", pipeline["default_version"]["id"], experiment, train_steps=str(STEPS), working_dir="gs://bucket/elsewhere")
    name = kfp.workflow(run)["metadata"]["name"]
    take_away(space, name)
    use_page(cluster, space, name)
    ended = space.finish(name, 120)
    look_at(space, name, ended, run)
    tap.is_(until(lambda: kfp.ask(f"/runs/{run}")["run"].get("status") == "Succeeded", 60), True, "Kubeflow says that the run has succeeded")
    cluster.ask("DELETE", space.path(f"workflows/{name}"))


def main():
    cluster = kube.need(2)
    give_gpu(cluster)
    on_argo(cluster)
    on_kubeflow(cluster)
    tap.done_testing()


main()
