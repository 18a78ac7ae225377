#!/usr/bin/env python3
"""Which levels are up, and that each is what it says. A level that broke is a failure; one that this machine cannot have is skipped,
with the reason."""
import os
import urllib.request

import kube
from kube import tap

HELLO = {
    "metadata": {"generateName": "hello-"},
    "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {
        "image": kube.IMAGE, "command": ["sh", "-c"], "args": ["echo hello from a pod"]}}]}}


def api(cluster):
    version = cluster.ask("GET", "/version")["gitVersion"]
    kinds = {r["kind"] for r in cluster.ask("GET", kube.ARGO)["resources"]}
    tap.ok({"Workflow", "WorkflowTemplate", "CronWorkflow", "WorkflowTaskResult"} <= kinds, f"t0: Kubernetes {version} knows Argo's kinds")
    wrong = {**HELLO, "spec": {**HELLO["spec"], "entrypiont": "main"}}
    with cluster.namespace() as space:
        try:
            space.cluster.ask("POST", space.path("workflows") + "?dryRun=All&fieldValidation=Strict", {
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **wrong})
            said = "nothing"
        except kube.Refused as refused:
            said = str(refused)
        tap.contains(said, "entrypiont", "t0: a strict dry run refuses a field that Argo does not have")


def controller(cluster):
    with cluster.namespace() as space:
        wrong = {**HELLO, "spec": {**HELLO["spec"], "entrypoint": "no-such"}}
        name = space.create({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **wrong})["metadata"]["name"]
        found = space.until(name, lambda w: w.get("status", {}).get("message"), 60)
        tap.contains(found.get("status", {}).get("message"), "no-such", "t1: Argo's controller refuses a workflow that is wrong")


def node(cluster):
    with cluster.namespace() as space:
        name = space.create({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **HELLO})["metadata"]["name"]
        tap.is_(space.finish(name)["status"]["phase"], "Succeeded", "t2: a pod runs")
        tap.is_(space.log(space.pods(name)[0]["metadata"]["name"]), "hello from a pod\n", "t2: its log")


def kubeflow(_):
    address = os.environ.get("LATEEN_TEST_KFP")
    if not address:
        tap.skip("t3: LATEEN_TEST_KFP does not say where Kubeflow Pipelines is")
        return
    with urllib.request.urlopen(f"{address}/apis/v1beta1/healthz", timeout=20) as answer:
        tap.contains(answer.read().decode(), "tag_name", "t3: Kubeflow Pipelines answers")


def main():
    now = kube.level()
    cluster = kube.need(0) if now >= 0 else None
    for number, check in enumerate((api, controller, node, kubeflow)):
        if now >= number:
            check(cluster)
        elif os.environ.get("LATEEN_CLUSTER_BROKEN"):
            tap.fail(f"t{number} is up", kube.why_not())
        else:
            tap.skip(f"t{number}: {kube.why_not()}")
    tap.done_testing()


main()
