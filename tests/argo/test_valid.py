#!/usr/bin/env python3
"""Everything that the programs of this folder compile to is valid: by Argo's JSON schema, by Argo's own validator, and by
the rules that neither knows. And compiling twice gives the same bytes."""
import json
import pathlib
import re
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

import validator  # noqa: E402

KIND = "#/definitions/io.argoproj.workflow.v1alpha1.Workflow"
TASK = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")


def programs():
    """(name, text of the workflow) for each pipeline and target."""
    codelab = compiled.shared("data/codelab")
    for path in sorted(compiled.HERE.glob("*.lateen")) + sorted((compiled.HERE / "oracle").glob("*.lateen")):
        text = path.read_text(encoding="utf-8")
        if '"t2t/' in text and not codelab:
            tap.skip(f"{path.name}: LATEEN_SHARED names no folder with the codelab's files")
            continue
        with_files, folder = compiled.beside(path, t2t=codelab) if '"t2t/' in text else (path, None)
        for name in re.findall(r"^pipeline (\w+)\(", text, re.M):
            for target in ("argo", "kfp"):
                yield f"{name}.{target}", with_files, target, name
        if folder:
            folder.cleanup()


def compile_all(folder):
    written = {}
    for label, path, target, name in programs():
        text, complaints = compiled.yaml_text(path, target, name)
        if text is None:
            tap.fail(f"{label} compiles", complaints)
            continue
        again, _ = compiled.yaml_text(path, target, name)
        tap.ok(text == again, f"{label}: the same bytes twice")
        written[label] = pathlib.Path(folder, f"{label}.yaml")
        written[label].write_text(text, encoding="utf-8")
    return written


def check_schema(written):
    schema = compiled.shared("data/argo/workflow-schema.json")
    if not schema:
        tap.skip("LATEEN_SHARED names no folder with Argo's schema")
        return
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        tap.skip("this python has no module jsonschema")
        return
    definitions = json.loads(schema.read_text(encoding="utf-8"))["definitions"]
    check = Draft202012Validator({"$ref": KIND, "definitions": definitions})
    for label, path in written.items():
        found = [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in check.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]
        tap.is_(found, [], f"{label}: valid by Argo's schema")


def check_argo(written):
    program, why = validator.binary()
    if not program:
        tap.skip(why)
        return
    # The two that show what is refused: a check that finds nothing would look like this too.
    wrong = pathlib.Path(next(iter(written.values())).parent, "wrong.yaml")
    wrong.write_text(next(iter(written.values())).read_text(encoding="utf-8").replace("entrypoint: ", "entrypoint: no-such-", 1), encoding="utf-8")
    verdicts = validator.verdicts(program, list(written.values()) + [wrong])
    for label, path in written.items():
        tap.is_(verdicts.get(str(path)), "ok", f"{label}: Argo's validator takes it")
    tap.ok(verdicts.get(str(wrong)) not in ("ok", None), "Argo's validator refuses a workflow that is wrong")


def own_rules(document):
    """What neither schema nor validator says."""
    names = [t["name"] for t in document["spec"]["templates"]]
    if len(names) != len(set(names)):
        yield "two templates of one name"
    if "name" in document["metadata"]:
        yield "a fixed name, which a second run would not get"
    for template in document["spec"]["templates"]:
        env = [e["name"] for e in template.get("container", {}).get("env") or []]
        if len(env) != len(set(env)):
            yield f"{template['name']}: a variable set twice"
        for task in template.get("dag", {}).get("tasks", []):
            if not TASK.fullmatch(task["name"]) or task["name"] != task["name"].lower():
                yield f"the task name {task['name']}"
            if "depends" in task and "dependencies" in task:
                yield f"{task['name']}: depends and dependencies"


def check_ours(written):
    for label, path in written.items():
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        tap.is_(list(own_rules(document)), [], f"{label}: names and variables")
        if label.endswith(".kfp"):
            kinds = {k for t in document["spec"]["templates"] for k in t if k in ("script", "container", "dag", "resource", "steps", "suspend")}
            tap.ok(kinds <= {"container", "dag", "resource"}, f"{label}: only templates that Kubeflow knows")
            without = [p["name"] for p in document["spec"].get("arguments", {}).get("parameters", []) if "value" not in p]
            tap.is_(without, [], f"{label}: every parameter has a value")


def main():
    with tempfile.TemporaryDirectory() as folder:
        written = compile_all(folder)
        if written:
            check_schema(written)
            check_argo(written)
            check_ours(written)
    tap.done_testing()


main()
