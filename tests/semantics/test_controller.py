#!/usr/bin/env python3
"""The cases of this folder on Argo's controller alone, without a pod that runs: each step ends as the case says it does, on a node that
pretends, and the controller must come to the same phases, attempts and values of all steps and of the run. Then what no pod does on
demand: preemption, eviction, a node that goes, an image that is not there."""
import re

import semantics
from semantics import tap
import argo_nodes
import kube
import node
import test_argo

AT_A_TIME = 20
SECONDS_MAX = 300
LINE = re.compile(r"(\S+) (\w+)(?: x(\d+))?(?: exit (\d+))?(?: (\{.*\}))?")
LONG = re.compile(r"\((\d+) characters\)")


class Stage:
    """Plays the cases that were submitted."""

    def __init__(self):
        self.parts = {}  # by the beginning of a workflow's name

    def add(self, label, case):
        name = f"case-{len(self.parts)}-"
        steps = {}
        for line in case.parts.get("on argo", case.parts["expected"]).split("\n")[:-2]:
            step, phase, attempts, code, outputs = LINE.fullmatch(line).groups()
            steps[step] = (phase, int(attempts or 1), int(code or 0), semantics.json.loads(outputs) if outputs else {})
        self.parts[name] = (label, steps)
        return name

    def play(self, workflow, path, attempt):
        steps = self.parts[re.match(r"case-\d+-", workflow).group()][1]
        indexes = "".join(f"[{i}]" for i in re.findall(r"\((\d+):", path))
        phase, attempts, code, outputs = steps[path.rsplit(".", 1)[-1].replace("-", "_") + indexes]
        if attempt < attempts - 1 and phase == "Succeeded":
            # Any end that its retries are for; a missing output where those are of errors only cannot be told from here.
            return node.Outcome(code=1)
        if phase == "Error":
            return node.Outcome(executor_code=64)
        if phase == "Failed" and not code:
            return node.Outcome(pod_reason="DeadlineExceeded")
        return node.Outcome(code=code, reason="OOMKilled" if code == 137 else "", outputs={k: self.value(v, workflow) for k, v in outputs.items()})

    @staticmethod
    def value(text, workflow):
        long = LONG.fullmatch(text)
        return "x" * int(long.group(1)) if long else text.replace("NAME", workflow)


FAULTS = """
component quiet() { script sh \"\"\"true\"\"\" }
pipeline p() {
    taken = quiet() with retry 2 when preemption
    shut = quiet() with retry 2 when preemption
    drained = quiet() with retry 2 when preemption
    evicted = quiet() with retry 2
    gone = quiet() with retry 2 when error
    both = quiet() with retry 2 when always
    hungry = quiet() with retry 1
    failed = quiet() with retry 2 when preemption
}
"""
FAULT_OUTCOMES = {
    "taken": [node.Outcome(pod_reason="Preempting"), node.Outcome()],
    "shut": [node.Outcome(pod_reason="Terminated"), node.Outcome(pod_reason="Preempting"), node.Outcome()],
    "drained": [node.Outcome(code=143), node.Outcome()],
    "evicted": [node.Outcome(pod_reason="Evicted"), node.Outcome()],
    "gone": [node.Outcome(vanishes=True), node.Outcome()],
    "both": [node.Outcome(vanishes=True), node.Outcome(code=3), node.Outcome()],
    "hungry": [node.Outcome(code=137, reason="OOMKilled"), node.Outcome()],
    "failed": [node.Outcome(code=3), node.Outcome()],
}
FAULTS_WANTED = """taken Succeeded x2
shut Succeeded x3
drained Succeeded x2
evicted Succeeded x2
gone Succeeded x2
both Succeeded x3
hungry Succeeded x2
failed Failed exit 3
run Failed
"""


def try_cases(space, pretended, stage):
    workflows, cases = {}, {}
    for label, case in test_argo.chosen():
        workflow, why = test_argo.compiled(case)
        if workflow is None:
            tap.fail(f"{label} compiles", why)
            continue
        workflow["metadata"]["generateName"] = stage.add(label, case)
        workflows[label], cases[label] = pretended.here(workflow), case
    for label, ended in space.together(workflows, AT_A_TIME, SECONDS_MAX).items():
        test_argo.check(label, cases[label], ended)


def try_faults(space, pretended):
    case = semantics.Case("faults", "")
    case.parts["program"] = FAULTS.lstrip("\n")
    workflow, why = test_argo.compiled(case)
    if workflow is None:
        tap.fail("the pipeline of faults compiles", why)
        return
    workflow["metadata"]["generateName"] = "faults-"
    ended = space.finish(space.create(pretended.here(workflow))["metadata"]["name"], 120)
    if not tap.is_(argo_nodes.describe(ended), FAULTS_WANTED, "preempted, deleted and killed pods are tried again as `when` says"):
        test_argo.explain(ended)


def try_waiting(space, pretended):
    for reason in ("ImagePullBackOff", "CreateContainerConfigError"):
        name = space.create(pretended.here({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": f"waits-{reason.lower()}-"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": kube.IMAGE, "command": ["true"]}}]}}))["metadata"]["name"]
        found = space.until(name, lambda w, r=reason: r in str(w.get("status", {}).get("nodes", "")), 60)
        tap.contains([n.get("message") for n in found["status"]["nodes"].values()][0], reason, f"{reason} is the message of a step that waits")


def main():
    cluster, stage = kube.need(1), Stage()

    def play(workflow, path, attempt):
        if workflow.startswith("faults-"):
            return FAULT_OUTCOMES[path.rsplit(".", 1)[-1]][attempt]
        if workflow.startswith("waits-"):
            return node.Outcome(waits={"imagepullbackoff": "ImagePullBackOff"}.get(workflow.split("-")[1], "CreateContainerConfigError"))
        return stage.play(workflow, path, attempt)

    with cluster.namespace() as space, node.Node(cluster, play) as pretended:
        try_faults(space, pretended)
        try_waiting(space, pretended)
        try_cases(space, pretended, stage)
        tap.is_(pretended.mistakes[:5], [], "the node that pretends made no mistake")
    tap.done_testing()


if __name__ == "__main__":
    main()
