"""A node that pretends: its pods run nothing and end as a script says, at once. With it a cluster of t1, which has no kubelet, shows what
the controllers of Kubernetes and Argo make of whatever can become of a pod; also of what no real pod does on demand.

    with node.Node(cluster, play) as pretended:
        space.create(pretended.here(workflow))

`play(workflow's name, node's name in Argo, attempt from 0)` gives an Outcome. It reports as Argo's executor does, by a WorkflowTaskResult.
"""
import dataclasses
import datetime
import json
import re
import secrets
import threading
import time

import kube

TAINT = "lateen.test/pretends"
NODE_NAME = "workflows.argoproj.io/node-name"
WORKFLOW = "workflows.argoproj.io/workflow"
LEASE_SECONDS = 40
KUBELET_SAYS = {
    "DeadlineExceeded": "Pod was active on the node longer than the specified deadline",
    "Evicted": "The node was low on resource: memory.",
    "Preempting": "Preempted in order to admit critical pod",
    "Terminated": "Pod was terminated in response to imminent node shutdown.",
}


@dataclasses.dataclass
class Outcome:
    """How a pod ends: by its exit code, with outputs; or by what befalls it."""
    code: int = 0
    outputs: dict = dataclasses.field(default_factory=dict)
    executor_code: int = 0  # of Argo's own container: not 0 is a missing output, an Error
    reason: str = ""  # OOMKilled
    pod_reason: str = ""  # of KUBELET_SAYS: the kubelet ended the pod
    waits: str = ""  # ImagePullBackOff, CreateContainerConfigError: it never starts
    vanishes: bool = False  # deleted, as a node that goes takes its pods along


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def second():
    return now()[:19] + "Z"


class Node:
    def __init__(self, cluster, play):
        self.cluster, self.play = cluster, play
        self.name = f"pretends-{secrets.token_hex(3)}"
        self.seen, self.mistakes, self.ended = set(), [], threading.Event()
        self.threads = [threading.Thread(target=t, daemon=True) for t in (self.keep_alive, self.run)]

    def here(self, workflow):
        """The workflow with its pods on this node."""
        spec = {**workflow["spec"], "nodeSelector": {"kubernetes.io/hostname": self.name}, "tolerations": [{"key": TAINT, "operator": "Exists"}]}
        return {**workflow, "spec": spec}

    def __enter__(self):
        size = {"cpu": "1000", "memory": "1000Gi", "pods": "10000", "nvidia.com/gpu": "8"}
        self.cluster.ask("POST", "/api/v1/nodes", {
            "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name}},
            "spec": {"taints": [{"key": TAINT, "effect": "NoSchedule"}]}})
        self.status(capacity=size, allocatable=size)
        self.cluster.ask("POST", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", {
            "metadata": {"name": self.name}, "spec": {"holderIdentity": self.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now()}})
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.cluster.exchange("DELETE", f"/api/v1/nodes/{self.name}")
        self.cluster.exchange("DELETE", f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self.name}")

    def status(self, **more):
        ready = {"type": "Ready", "status": "True", "reason": "Pretends", "message": "", "lastHeartbeatTime": second(), "lastTransitionTime": second()}
        self.patch(f"/api/v1/nodes/{self.name}/status", {"status": {"conditions": [ready], **more}})

    def patch(self, path, body):
        return self.cluster.ask("PATCH", path, body, "application/merge-patch+json")

    def keep_alive(self):
        while not self.ended.wait(LEASE_SECONDS / 4):
            try:
                self.patch(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self.name}", {"spec": {"renewTime": now()}})
                self.status()
            except (kube.Refused, OSError) as problem:
                self.mistakes.append(str(problem))

    def run(self):
        while not self.ended.is_set():
            try:
                for event in self.cluster.watch(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self.name}", 60):
                    if self.ended.is_set():
                        break
                    self.look(event["object"], event["type"])
            except Exception as problem:  # pylint: disable=broad-except # whatever it is, the test says it at its end
                self.mistakes.append(repr(problem))
                time.sleep(0.2)

    def look(self, pod, kind):
        meta = pod.get("metadata", {})
        if kind not in ("ADDED", "MODIFIED"):
            return
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if meta.get("deletionTimestamp"):
            self.cluster.exchange("DELETE", path + "?gracePeriodSeconds=0")
        elif meta["uid"] not in self.seen:
            self.seen.add(meta["uid"])
            name = meta["annotations"][NODE_NAME]
            again = re.fullmatch(r"(.*)\((\d+)\)", name)
            outcome = self.play(meta["labels"][WORKFLOW], again.group(1) if again else name, int(again.group(2)) if again else 0)
            try:
                self.settle(pod, path, outcome)
            except kube.Refused as refused:
                if refused.status not in (404, 409):  # the pod is gone already
                    self.mistakes.append(f"{name}: {refused}")

    def settle(self, pod, path, outcome):
        if outcome.waits:
            waiting = [{"name": "main", "image": "", "imageID": "", "ready": False, "restartCount": 0,
                        "state": {"waiting": {"reason": outcome.waits, "message": "as the script says"}}}]
            self.patch(path + "/status", {"status": {"phase": "Pending", "containerStatuses": waiting}})
            return
        if outcome.vanishes:
            self.patch(path + "/status", {"status": {"phase": "Running"}})
            self.later(2, lambda: self.cluster.exchange("DELETE", path + "?gracePeriodSeconds=0"))
            return
        if outcome.pod_reason:  # such a pod's executor reports nothing any more
            self.patch(path + "/status", {"status": {"phase": "Failed", "reason": outcome.pod_reason, "message": KUBELET_SAYS[outcome.pod_reason]}})
            return
        self.report(pod, outcome.outputs, outcome.code)
        ended = {"main": (outcome.code, outcome.reason), "wait": (outcome.executor_code, "")}
        phase = "Succeeded" if not outcome.code and not outcome.executor_code else "Failed"
        self.patch(path + "/status", {"status": {"phase": phase, "containerStatuses": [
            {"name": name, "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": {"terminated": {
                "exitCode": code, "reason": reason or ("Error" if code else "Completed"), "startedAt": second(), "finishedAt": second()}}}
            for name, (code, reason) in ended.items()]}})

    def later(self, seconds, act):
        """Argo has to have seen what came before."""
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()

    def report(self, pod, outputs, code=None):
        meta = pod["metadata"]
        body = {"parameters": [{"name": k, "value": v} for k, v in outputs.items()]}
        template = next(e["value"] for c in pod["spec"]["initContainers"] for e in c.get("env", []) if e["name"] == "ARGO_TEMPLATE")
        if not code:
            body["artifacts"] = [{**a, "s3": {"key": f"pretended/{a['name']}"}} for a in json.loads(template).get("outputs", {}).get("artifacts", [])]
        if code is not None:
            body["exitCode"] = str(code)
        self.cluster.ask("POST", f"{kube.ARGO}/namespaces/{meta['namespace']}/workflowtaskresults", {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskResult",
            "metadata": {"name": meta["annotations"]["workflows.argoproj.io/node-id"],
                         "labels": {WORKFLOW: meta["labels"][WORKFLOW], "workflows.argoproj.io/report-outputs-completed": "true"}},
            "outputs": body})
