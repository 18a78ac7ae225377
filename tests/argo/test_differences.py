#!/usr/bin/env python3
"""docs/kfp-differences.md, point by point: each of its headings has a check here, which looks at what Lateen compiles and, where
LATEEN_KFP_PYTHON names a python with the SDK, at what that compiles from the same pipelines."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

DOCUMENT = compiled.HERE.parent.parent / "docs" / "kfp-differences.md"
ORACLE = compiled.HERE / "oracle"
KUBEFLOW = "pipelines.kubeflow.org/"
EXTRA = '''
component run(token: Secret, text: String) {
    image "example.test/run:1"
    args [token, text]
}
pipeline extra(need: String, mode: String = "a") {
    run(token: secret("name", "key"), text: "$$(x) {{{{workflow.name}}}}")
}
'''
CONDITIONS = '''
component run() { image "example.test/run:1" }
pipeline p(mode: String = "a", n: Integer = 1) {
    if mode == "a" and n > 1 { first = run() } else { second = run() }
    if n + 1 == 3 { third = run() }
}
'''


class Workflow:
    """A compiled workflow, for questions."""

    def __init__(self, document):
        self.document = document
        self.text = json.dumps(document)
        self.spec = document["spec"]
        self.pods = [t for t in self.spec["templates"] if "container" in t]
        self.root = next(t for t in self.spec["templates"] if t["name"] == self.spec["entrypoint"])
        self.tasks = self.root["dag"]["tasks"]

    def env(self, name):
        return [e for t in self.pods for e in t["container"].get("env") or [] if e["name"] == name]

    def annotations(self, key):
        return [t["metadata"]["annotations"].get(KUBEFLOW + key) for t in self.pods]

    def parameters(self):
        return self.spec.get("arguments", {}).get("parameters", [])

    def outputs(self, kind):
        return [o["name"] for t in self.pods for o in (t.get("outputs") or {}).get(kind) or []]


# Each: the pipeline, then what holds of Lateen's workflow and does not of the SDK's.
CHECKS = {
    "step-names": ("files", lambda w: "make-table-2" in [t["name"] for t in w.tasks] and "load" in w.text and
                   all(t["template"] in ("load", "table") for t in w.tasks)),
    "port-names": ("chain", lambda w: w.outputs("parameters") == ["said"]),
    "order": ("nested_conditions", lambda w: w.spec["templates"][0]["name"] == w.spec["entrypoint"]),
    "shared-templates": ("diamond", lambda w: len(w.pods) == 1 and len(w.tasks) == 4),
    "constants-as-arguments": ("single", lambda w: "hello" not in json.dumps(w.pods) and "hello" in json.dumps(w.tasks)),
    "no-empty-command": ("marks", lambda w: "command" not in w.pods[0]["container"]),
    "value-outputs": ("single", lambda w: w.outputs("parameters") == ["said"]),
    "optional-pages": ("raw_file", lambda w: {"name": "mlpipeline-metrics", "path": "/tmp/outputs/mlpipeline-metrics/data", "optional": True}
                       in w.pods[0]["outputs"]["artifacts"]),
    "numbers-as-text": ("resources", lambda w: w.pods[0]["container"]["resources"]["limits"]["nvidia.com/gpu"] == "2"),
    "env-once": ("marks", lambda w: len(w.env("KFP_POD_NAME")) == 1 and len(w.env("KFP_NAMESPACE")) == 1 and not w.env("KFP_RUN_ID")),
    "no-sdk-marks": ("marks", lambda w: not re.search("kfp_sdk_version|pipeline-sdk-type|enable_caching|compilation_time", w.text)),
    "short-component-spec": ("single", lambda w: json.loads(w.annotations("component_spec")[0]) == {
        "name": "Say", "inputs": [{"name": "text", "type": "String"}], "outputs": [{"name": "said", "type": "String"}]}),
    "no-cache": ("single", lambda w: w.annotations("max_cache_staleness") == ["P0D"]),
    "plain-values": ("loop_over_parameter", lambda w: w.parameters()[0]["value"] == '["a","b"]'),
    "items-as-text": ("loop_in_condition", lambda w: [t["withItems"] for g in w.spec["templates"] for t in g.get("dag", {}).get("tasks", [])
                                                      if "withItems" in t] == [["1", "2"]]),
    # Of programs that the SDK has no counterpart for.
    "required-parameters": (EXTRA, lambda w: {"name": "need", "value": ""} in w.parameters()),
    "texts-arrive": (EXTRA, lambda w: "$$$$(x) {$(LATEEN_BRACE)workflow.name}}" in w.text and w.env("LATEEN_BRACE")),
    "secrets": (EXTRA, lambda w: w.pods[0]["container"]["args"][0] == "$(token)" and
                w.env("token")[0]["valueFrom"]["secretKeyRef"] == {"name": "name", "key": "key"}),
    "richer-conditions": (CONDITIONS, lambda w: [t["when"] for t in w.tasks] == [
        '"{{inputs.parameters.mode}}" == "a" && {{inputs.parameters.n}} > 1',
        '!("{{inputs.parameters.mode}}" == "a" && {{inputs.parameters.n}} > 1)',
        "{{=((asInt(inputs.parameters.n) + 1) == 3)}}"]),
}


def sdk_workflows(folder):
    python = os.environ.get("LATEEN_KFP_PYTHON")
    if not python:
        return {}
    subprocess.run([python, "-W", "ignore", str(ORACLE / "sdk.py"), folder], capture_output=True, timeout=300, check=True)
    return {p.stem: Workflow(yaml.safe_load(p.read_text(encoding="utf-8"))) for p in pathlib.Path(folder).glob("*.yaml")}


def check(name, sdk):
    what, holds = CHECKS[name]
    ours = compiled.workflow(what if "\n" in what else ORACLE / "pipelines.lateen", "kfp", None if "\n" in what else what)
    if not ours:
        return
    workflow = Workflow(ours)
    if not tap.ok(holds(workflow), f"{name}: so it is in Lateen"):
        tap.note(yaml.safe_dump(ours)[:3000])
    if "\n" in what:
        return
    if what in sdk:
        tap.ok(not holds(sdk[what]), f"{name}: otherwise in the SDK")
    else:
        tap.skip("LATEEN_KFP_PYTHON names no python with the Kubeflow Pipelines SDK 1.8")


def main():
    headings = re.findall(r"^### (\S+)$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    tap.is_(sorted(headings), sorted(CHECKS), "each difference in the document has a check, and each check its place there")
    with tempfile.TemporaryDirectory() as folder:
        sdk = sdk_workflows(folder)
        for name in headings:
            if name in CHECKS:
                check(name, sdk)
    tap.done_testing()


main()
