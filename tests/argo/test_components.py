#!/usr/bin/env python3
"""Real component files, each as a pipeline of one step: what they compile to is valid, and means what the SDK compiles them to."""
import json
import os
import pathlib
import subprocess
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

import meaning  # noqa: E402
import validator  # noqa: E402

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What is given to a required input, by its type; "text" to any other.
GIVEN = {"Integer": 1, "Float": 0.5, "Boolean": True, "Bool": True, "List": ["a"], "JsonArray": ["a"], "Dict": {"a": 1}, "JsonObject": {"a": 1}}
# Refused, and why.
REFUSED = {
    "L0601": "the file names no image",
    "L0603": "it wants the URIs of Kubeflow Pipelines 2",
    "L0900": "a graph, or a text for a file input of a nominal type",
}
# The SDK means something else: Python's text of a dict; `{{$}}`, for which it adds all inputs and outputs as files.
OTHERWISE = ["contrib__kubernetes__Apply_object", "contrib__kubernetes__Create_object", "batch_predict_job", "create_endpoint", "deploy_model",
             "upload_model"]
COMPILED_MIN = 100


def required(file):
    """{input: value} of those that must be given."""
    done = subprocess.run([compiled.LATEEN, "component", str(file), "--json"], capture_output=True, text=True, timeout=60, check=True)
    inputs = json.loads(done.stdout)["inputs"]
    return {i["name"]: GIVEN.get(i["type"] if isinstance(i.get("type"), str) else "", "text")
            for i in inputs if not i.get("optional") and "default" not in i}


def program(file, given):
    arguments = ", ".join(f"`{name}`: {json.dumps(value)}" for name, value in given.items())
    return f'use c from "{file}"\npipeline p() {{\n    c({arguments})\n}}\n'


def compile_all(folder, files):
    """{(file, target): path}"""
    written, given = {}, {}
    for file in files:
        given[file.name] = required(file)
        for target in ("argo", "kfp"):
            text, complaints = compiled.yaml_text(program(file, given[file.name]), target)
            if text is None:
                if not any(code in complaints for code in REFUSED):
                    tap.fail(f"{file.name} compiles for {target}", complaints)
                continue
            written[file.name, target] = pathlib.Path(folder, f"{file.stem}.{target}.yaml")
            written[file.name, target].write_text(text, encoding="utf-8")
    tap.ok(len(written) >= 2 * COMPILED_MIN, f"{len(written) // 2} of {len(files)} files compile for both targets")
    return written, given


def check_argo(written):
    argo, why = validator.binary()
    if not argo:
        tap.skip(why)
        return
    verdicts = validator.verdicts(argo, list(written.values()))
    tap.is_({k: v for k, v in verdicts.items() if v != "ok"}, {}, f"Argo's validator takes all {len(verdicts)} workflows")


SDK = '''
import json, pathlib, sys
from kfp import components, dsl
from kfp.compiler import Compiler
from kfp.components._naming import _sanitize_python_function_name, generate_unique_name_conversion_table
for line in json.load(open(sys.argv[1])):
    op = components.load_component_from_file(line["file"])
    table = generate_unique_name_conversion_table([i.name for i in op.component_spec.inputs or []], _sanitize_python_function_name)
    given = {table[name]: value for name, value in line["given"].items()}
    dsl.pipeline(name="p")(function := lambda: op(**given))
    Compiler().compile(function, line["to"], type_check=False)
'''


def check_sdk(folder, written, given, files):
    python = os.environ.get("LATEEN_KFP_PYTHON")
    if not python:
        tap.skip("LATEEN_KFP_PYTHON names no python with the Kubeflow Pipelines SDK 1.8")
        return
    lines = [{"file": str(f), "given": given[f.name], "to": f"{folder}/{f.stem}.sdk.yaml"} for f in files if (f.name, "kfp") in written]
    todo = pathlib.Path(folder, "todo.json")
    todo.write_text(json.dumps(lines), encoding="utf-8")
    done = subprocess.run([python, "-W", "ignore", "-c", SDK, str(todo)], capture_output=True, text=True, timeout=600, check=False)
    if not tap.ok(done.returncode == 0, f"the SDK compiles the same {len(lines)} files"):
        tap.note(done.stderr[-2000:])
        return
    differ = {}
    for line in lines:
        name = pathlib.Path(line["file"]).name
        if not any(o in name for o in OTHERWISE):
            found = compare(written[name, "kfp"], pathlib.Path(line["to"]))
            differ.update({name: found} if found else {})
    tap.is_(differ, {}, "each means what the SDK means")


def compare(ours, sdk):
    got = meaning.intended(meaning.meaning(yaml.load(ours.read_text(encoding="utf-8"), Loader=LOADER)))
    document = yaml.load(sdk.read_text(encoding="utf-8"), Loader=LOADER)
    name = next(t["name"] for t in document["spec"]["templates"] if "container" in t)
    want = meaning.intended(meaning.meaning(document, {name: "c"}))
    return meaning.differences(got, want)


def main():
    folder = compiled.shared("data/components")
    if not folder:
        tap.skip_all("LATEEN_SHARED names no folder with component files")
    files = sorted(folder.resolve().glob("*.yaml"))
    with tempfile.TemporaryDirectory() as place:
        written, given = compile_all(place, files)
        check_argo(written)
        check_sdk(place, written, given, files)
    tap.done_testing()


main()
