#!/usr/bin/env python3
"""The cases of this folder on a cluster with Argo, by `lateen run --on`, many at a time. Each comes to what it comes to on this machine,
or to what the case says of Argo, with its reason: once as Lateen shows it, and once as Argo's own status has it."""
import os
import pathlib
import re
import subprocess
import tempfile
from concurrent import futures

import semantics
from semantics import tap
import argo_nodes
import kube
import yaml

AT_A_TIME = 10
SECONDS_MAX = 400
PATIENCE = 10  # a timeout counts the start of the pod too, which takes long on a busy machine


def patient(program):
    return re.sub(r"\btimeout (\d+)s", lambda m: f"timeout {int(m.group(1)) * PATIENCE}s", program)


def compiled(case):
    """(workflow, None), or (None, why not)"""
    with tempfile.NamedTemporaryFile("w", suffix=".lateen", encoding="utf-8") as file:
        file.write(patient(case.program(kube.IMAGE)))
        file.flush()
        done = subprocess.run([tap.lateen(), "compile", file.name, "--for", "argo", "-o", "-"], capture_output=True, text=True, timeout=60,
                              check=False)
    if done.returncode:
        return None, done.stderr
    workflow = yaml.safe_load(done.stdout)
    given = dict(line.split("=", 1) for line in case.lines("arguments"))
    for parameter in workflow["spec"].get("arguments", {}).get("parameters", []):
        parameter["value"] = given.pop(parameter["name"], parameter.get("value"))
    return (workflow, None) if not given else (None, f"no such parameter: {given}")


def chosen():
    """All cases, or those whose name holds what LATEEN_TEST_ONLY says."""
    only = os.environ.get("LATEEN_TEST_ONLY", "")
    return [(f"{file.path.stem}: {case.name}", case) for file in semantics.files() for case in file.cases if only in case.name]


def explain(workflow):
    status = workflow.get("status", {})
    for node in (status.get("nodes") or {}).values():
        tap.note(f"{node['name']}: {node['phase']} {node.get('message', '')}")
    tap.note(status.get("message", ""))


def check(label, case, ended):
    """What became of the case's workflow; a text says why there is none."""
    got = argo_nodes.describe(ended) if isinstance(ended, dict) else ended
    if not tap.is_(got, case.parts.get("on argo", case.parts["expected"]), label) and isinstance(ended, dict):
        explain(ended)


def run(space, case):
    """(what Lateen shows of it, the workflow or why there is none, all that was printed)"""
    with tempfile.TemporaryDirectory() as folder:
        cluster = f'cluster there {{ kubeconfig "{space.cluster.kubeconfig}", namespace "{space.name}" }}\n'
        pathlib.Path(folder, "program.lateen").write_text(cluster + patient(case.program(kube.IMAGE)), encoding="utf-8")
        own = dict(os.environ, NO_COLOR="1", HOME=folder)
        own.pop("LATEEN_HOME", None)
        command = [tap.lateen(), "run", "program.lateen", "--on", "there", "--json", *case.lines("arguments")]
        try:
            done = subprocess.run(command, cwd=folder, env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX,
                                  check=False)
        except subprocess.TimeoutExpired as late:
            return f"it still ran after {SECONDS_MAX} s", "not known", (late.stderr or b"").decode()
    said = done.stdout + done.stderr
    try:
        return semantics.of_json(done.stdout), space.workflow(semantics.json.loads(done.stdout)["name"]), said
    except (ValueError, kube.Refused) as problem:
        return said, str(problem), said


def main():
    cluster, cases = kube.need(2), chosen()
    with cluster.namespace() as space, futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for _, case in cases:
            for name, key, value in case.secrets():
                space.secret(name, **{key: value})
        for (label, case), (shown, ended, said) in zip(cases, pool.map(lambda c: run(space, c[1]), cases)):
            want = case.parts.get("shown", case.parts.get("on argo", case.parts["expected"]))
            if not tap.is_(shown, want, label):
                tap.note(said)
            check(f"{label}, by Argo's status", case, ended)
    tap.done_testing()


if __name__ == "__main__":
    main()
