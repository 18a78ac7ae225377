#!/usr/bin/env python3
"""The cases of this folder on a cluster with Argo, many at a time: each comes to what it comes to on this machine, or to what the
case says of Argo, with its reason."""
import os
import subprocess
import tempfile

import semantics
from semantics import tap
import argo_nodes
import kube
import yaml

AT_A_TIME = 10
SECONDS_MAX = 900
PATIENCE = 10  # a timeout counts the start of the pod too, which takes long on a busy machine


def compiled(case):
    """(workflow, None), or (None, why not)"""
    with tempfile.NamedTemporaryFile("w", suffix=".lateen", encoding="utf-8") as file:
        file.write(case.program(kube.IMAGE))
        file.flush()
        done = subprocess.run([tap.lateen(), "compile", file.name, "--for", "argo", "-o", "-"], capture_output=True, text=True, timeout=60,
                              check=False)
    if done.returncode:
        return None, done.stderr
    workflow = yaml.safe_load(done.stdout)
    for template in workflow["spec"]["templates"]:
        if "activeDeadlineSeconds" in template:
            template["activeDeadlineSeconds"] = int(template["activeDeadlineSeconds"]) * PATIENCE
    given = dict(line.split("=", 1) for line in case.lines("arguments"))
    for parameter in workflow["spec"].get("arguments", {}).get("parameters", []):
        parameter["value"] = given.pop(parameter["name"], parameter.get("value"))
    return (workflow, None) if not given else (None, f"no such parameter: {given}")


def chosen():
    """All cases, or those whose name holds what LATEEN_TEST_ONLY says."""
    only = os.environ.get("LATEEN_TEST_ONLY", "")
    return [(f"{file.path.stem}: {case.name}", file, case) for file in semantics.files() for case in file.cases if only in case.name]


def explain(workflow):
    status = workflow.get("status", {})
    for node in (status.get("nodes") or {}).values():
        tap.note(f"{node['name']}: {node['phase']} {node.get('message', '')}")
    tap.note(status.get("message", ""))


def check(label, case, ended):
    got = argo_nodes.describe(ended) if isinstance(ended, dict) else ended
    want = case.parts.get("on argo", case.parts["expected"])
    if semantics.UPDATE and isinstance(ended, dict):
        case.parts.pop("on argo", None)
        if got != case.parts["expected"]:
            case.parts["on argo"] = got
    if not tap.is_(got, want, label) and isinstance(ended, dict):
        explain(ended)


def main():
    cluster = kube.need(2)
    cases, workflows = chosen(), {}
    with cluster.namespace() as space:
        for label, _, case in cases:
            workflow, why = compiled(case)
            if workflow is None:
                tap.fail(f"{label} compiles", why)
                continue
            for name, key, value in case.secrets():
                space.secret(name, **{key: value})
            workflows[label] = workflow
        ended = space.together(workflows, AT_A_TIME, SECONDS_MAX)
    for label, _, case in cases:
        if label in ended:
            check(label, case, ended[label])
    if semantics.UPDATE:
        for file in {id(file): file for _, file, _ in cases}.values():
            file.write()
    tap.done_testing()


if __name__ == "__main__":
    main()
