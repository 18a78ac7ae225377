#!/usr/bin/env python3
"""Steering runs that others started, on a real cluster: retry by the nodes and pods that it leaves and makes anew, stop, suspend,
resume, delete; what stays there to be started again; prepare and cleanup, which let everything be that is not ours."""
import os
import pathlib
import subprocess
import tempfile
import time

import kube
from kube import tap

LATEEN = os.environ["LATEEN"]
PROGRAM = """
component say() {
    image "IMAGE"
    command ["echo", "hi"]
}
pipeline hello(n: Integer = 1) { a = say() }
cluster real { kubeconfig "KUBECONFIG", namespace "SPACE" }
"""


def shell(name, command, **more):
    return {"name": name, "container": {"image": kube.IMAGE, "command": ["sh", "-c"], "args": [command]}, **more}


def dag(name, *tasks, **more):
    return {"name": name, "dag": {"tasks": list(tasks)}, **more}


def task(name, template, *after, **more):
    return {"name": name, "template": template, **({"dependencies": list(after)} if after else {}), **more}


OK, BAD = shell("ok", "echo fine"), shell("bad", "exit 3")
ITEM = {"parameters": [{"name": "x"}]}
# Label: templates (the last is the entry), what else the spec has, `--from`, and the tasks that run anew.
RETRIES = {
    "chain": ([OK, BAD, dag("main", task("a", "ok"), task("b", "bad", "a"), task("c", "ok", "b"), task("d", "ok", "a"))], {}, None, {"b"}),
    "from a step": ([OK, BAD, dag("main", task("a", "ok"), task("b", "bad", "a"), task("d", "ok", "a"))], {}, "a", {"a", "b", "d"}),
    "a DAG in a DAG": ([OK, BAD, dag("inner", task("i1", "ok"), task("i2", "bad", "i1")),
                        dag("main", task("n", "inner"), task("z", "ok", "n"))], {}, None, {"i2"}),
    "a loop": ([OK, shell("t", 'test "{{inputs.parameters.x}}" != b', inputs=ITEM),
                dag("main", task("l", "t", arguments={"parameters": [{"name": "x", "value": "{{item}}"}]}, withItems=["a", "b"]), task("z", "ok", "l"))],
               {}, None, {"l(1:b)"}),
    "attempts": ([OK, shell("r", "exit 1", retryStrategy={"limit": "1", "retryPolicy": "Always"}), dag("main", task("a", "ok"), task("r", "r", "a"))],
                 {}, None, {"r(0)", "r(1)"}),
    "an exit handler": ([OK, BAD, dag("main", task("b", "bad"))], {"onExit": "ok"}, None, {"b", "NAME.onExit"}),
    "a run that succeeded, from a step": ([OK, dag("main", task("a", "ok"), task("b", "ok", "a"))], {}, "b", {"b"}),
}


def workflow(templates, **spec):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "steered-"},
            "spec": {"entrypoint": templates[-1]["name"], "templates": templates, **spec}}


def pods_of(run):
    return {n["displayName"]: n for n in run["status"].get("nodes", {}).values() if n["type"] == "Pod"}


class Steering:
    def __init__(self, space, folder):
        self.space, self.folder = space, pathlib.Path(folder)
        self.program = self.folder / "p.lateen"
        self.program.write_text(PROGRAM.replace("IMAGE", kube.IMAGE).replace("KUBECONFIG", space.cluster.kubeconfig).replace("SPACE", space.name))

    def lateen(self, *words):
        done = subprocess.run([LATEEN, *words], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def steer(self, verb, name, *words):
        return self.lateen(verb, name, "--on", "real", "--file", str(self.program), *words)

    def cell(self, text):
        cell = self.folder / "cell.lateen"
        cell.write_text("\n".join(line for line in self.program.read_text().splitlines() if line.startswith("cluster ")) + "\n" + text + "\n")
        return self.lateen("exec", str(cell))


def retries(s):
    ended = s.space.together({label: workflow(templates, **spec) for label, (templates, spec, _, _) in RETRIES.items()})
    again = {}
    for label, (_, _, start, _) in RETRIES.items():
        if not isinstance(ended[label], dict):
            tap.ok(False, f"{label}: {ended[label]}")
            continue
        name = ended[label]["metadata"]["name"]
        rc, said = s.steer("retry", name, *(["--from", start] if start else []))
        if tap.ok(rc == 0, f"retry, {label}: taken: {said.strip() if rc else ''}"):
            again[label] = name
    for label, name in again.items():
        old, now = ended[label], s.space.finish(name)
        before, after = pods_of(old), pods_of(now)
        anew = {d for d, node in after.items() if d not in before or before[d]["startedAt"] != node["startedAt"]}
        tap.is_(now["status"]["phase"], old["status"]["phase"], f"retry, {label}: it ends as before")
        tap.is_(sorted(anew), sorted(d.replace("NAME", name) for d in RETRIES[label][3]), f"retry, {label}: what ran anew")
        tap.is_({d: n["phase"] for d, n in after.items()}, {d: n["phase"] for d, n in before.items()}, f"retry, {label}: with the same phases")


def refusals(s, name):
    for words, part in ((["retry", name, "--from", "nope"], "has no step `nope`"), (["stop", name], "has ended"), (["resume", name], "is not suspended")):
        rc, said = s.steer(*words)
        tap.ok(rc != 0, f"{' '.join(words[:1] + words[2:])} of a run that has ended is refused")
        tap.contains(said, part, "and says why")


def steering(s):
    slow = workflow([OK, shell("slow", "sleep 60"), dag("main", task("a", "ok"), task("b", "slow", "a"))], onExit="ok")
    gate = workflow([OK, {"name": "gate", "suspend": {}}, dag("main", task("w", "gate"), task("z", "ok", "w"))])
    name = s.space.create(slow)["metadata"]["name"]
    s.space.until(name, lambda w: w.get("status", {}).get("phase") == "Running")
    tap.is_(s.steer("suspend", name)[0], 0, "a run is suspended")
    tap.is_(s.space.workflow(name)["spec"].get("suspend"), True, "and says so")
    tap.is_(s.steer("resume", name)[0], 0, "and let go on")
    tap.is_(s.space.workflow(name)["spec"].get("suspend"), None, "and says so no more")
    tap.is_(s.steer("stop", name)[0], 0, "a run is stopped")
    ended = s.space.finish(name)
    tap.is_(ended["status"]["phase"], "Failed", "and ends")
    tap.ok(f"{name}.onExit" in pods_of(ended), "its exit handler runs")
    refusals(s, name)
    waits = s.space.create(gate)["metadata"]["name"]
    s.space.until(waits, lambda w: any(n["type"] == "Suspend" for n in w.get("status", {}).get("nodes", {}).values()))
    tap.is_(s.steer("resume", waits)[0], 0, "a step that waits is let go on")
    tap.is_(s.space.finish(waits)["status"]["phase"], "Succeeded", "and the run with it")
    tap.is_(s.steer("delete", waits)[0], 0, "a run is deleted")
    end = time.monotonic() + 60
    while s.space.pods(waits) and time.monotonic() < end:
        time.sleep(0.3)
    tap.ok(waits not in s.space.workflows() and not s.space.pods(waits), "and its pods go with it")
    gone(s)


def gone(s):
    """A run that somebody else deletes while nobody watches it stayed `Running`, and could not be deleted."""
    name = s.lateen("run", str(s.program), "--on", "real", "--detach")[1].split()[-1]
    tap.contains(s.lateen("runs")[1], "as last seen", "a run that nobody watches is listed as it was seen last")
    s.space.cluster.ask("DELETE", s.space.path(f"workflows/{name}"))
    rc, said = s.lateen("stop", name)
    tap.ok(rc != 0 and "not found" in said, f"one that was deleted there cannot be stopped: {said.strip()}")
    tap.contains(s.lateen("runs")[1], "deleted on its cluster", "and is over then")
    tap.is_(s.lateen("delete", name)[1].splitlines()[0], f"the run `{name}` was on its cluster no more", "to delete it again does no harm")


def kept(s):
    for time_ in ("0 3 * * *", "0 4 * * *"):
        rc, said = s.lateen("schedule", str(s.program), "--on", "real", "--at", time_, "--timezone", "Europe/Berlin")
        tap.ok(rc == 0, f"a schedule is taken: {said.strip()}")
    made = s.space.cluster.ask("GET", s.space.path("cronworkflows"))["items"]
    tap.is_([(c["spec"].get("schedules") or [c["spec"]["schedule"]], c["spec"]["timezone"]) for c in made], [(["0 4 * * *"], "Europe/Berlin")],
            "there is one, with the time that was said last")
    for _ in range(2):
        tap.is_(s.lateen("upload", str(s.program), "--on", "real")[0], 0, "a pipeline is uploaded")
    made = s.space.cluster.ask("GET", s.space.path("workflowtemplates"))["items"]
    tap.is_([t["metadata"]["name"] for t in made], ["hello"], "and is there once")


def preparing(s):
    """In a namespace that does not exist yet, with things of others beside ours later."""
    space = kube.Space(s.space.cluster, f"{s.space.name}-new")
    fresh = Steering(space, s.folder / "fresh")
    fresh.program.write_text(fresh.program.read_text().replace("{ a = say() }", '{ settings { service_account "pipeline-runner" }\n a = say() }'))
    said = fresh.cell("prepare real")[1]
    tap.contains(said, f"the namespace `{space.name}`", "prepare lists the namespace")
    tap.is_(space.cluster.exchange("GET", f"/api/v1/namespaces/{space.name}")[0], 404, "and makes nothing by itself")
    try:
        tap.is_(fresh.cell("prepare real apply")[0], 0, "with apply it does")
        space.cluster.ask("POST", space.core("configmaps"), {"metadata": {"name": "foreign"}})
        theirs = space.create(workflow([OK, dag("main", task("a", "ok"))], serviceAccountName="pipeline-runner"))["metadata"]["name"]
        rc, said = fresh.lateen("run", str(fresh.program), "--on", "real")
        tap.ok(rc == 0, f"and a run with the account that was made succeeds: {said if rc else ''}")
        tap.is_(space.finish(theirs)["status"]["phase"], "Succeeded", "likewise one of somebody else's")
        said = fresh.cell("cleanup real apply")[1]
        tap.is_(list(space.workflows()), [theirs], "cleanup removes our run, and not theirs")
        tap.is_(space.cluster.exchange("GET", space.core("configmaps/foreign"))[0], 200, "nor their config map, with the namespace")
        tap.contains(said, "it holds something else", "and says why the namespace stays")
        space.cluster.ask("DELETE", space.core("configmaps/foreign"))
        space.cluster.ask("DELETE", space.path(f"workflows/{theirs}"))
        end = time.monotonic() + 60
        while space.workflows() and time.monotonic() < end:
            time.sleep(0.3)
        tap.contains(fresh.cell("cleanup real apply")[1], f"the namespace `{space.name}`", "once they are gone")
        found = space.cluster.exchange("GET", f"/api/v1/namespaces/{space.name}")
        tap.ok(found[0] == 404 or b'"Terminating"' in found[1], "the namespace goes too")
    finally:
        space.cluster.exchange("DELETE", f"/api/v1/namespaces/{space.name}")


def main():
    cluster = kube.need(2)
    with cluster.namespace() as space, tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "fresh").mkdir()
        s = Steering(space, folder)
        for part in (retries, steering, kept, preparing):
            part(s)
    tap.done_testing()


main()
