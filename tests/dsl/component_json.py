#!/usr/bin/env python3
"""`lateen component FILE --json` says what PyYAML reads in the file: names, types, defaults, image, command and args, for the
cases of component_yaml.cases that are components and the real files of LATEEN_SHARED."""
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

tap.need("yaml")
import yaml  # noqa: E402

LATEEN = os.environ.get("LATEEN", "lateen")
SOURCE = pathlib.Path(os.environ.get("srcdir", "."))


def said(path):
    done = subprocess.run([LATEEN, "component", str(path), "--json"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def same(got, want):
    """As JSON has it: NaN and infinity are null, keys are texts."""
    if isinstance(want, float) and not math.isfinite(want):
        return got is None
    if isinstance(want, dict):
        return isinstance(got, dict) and len(got) == len(want) and all(same(got.get(str(k)), v) for k, v in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    return type(got) is type(want) and got == want


def compare(name, got, document):
    container = document["implementation"].get("container") or {}
    wanted = {
        "name": document.get("name"),
        "image": container.get("image"),
        "command": container.get("command") or [],
        "args": container.get("args") or [],
    }
    for key, want in wanted.items():
        if not same(got.get(key, "absent"), want):
            return tap.is_(got.get(key), want, f"{name}: {key}")
    for kind in ("inputs", "outputs"):
        want = document.get(kind) or []
        if [port["name"] for port in got[kind]] != [port["name"] for port in want]:
            return tap.is_([port["name"] for port in got[kind]], [port["name"] for port in want], f"{name}: {kind}")
        for ours, theirs in zip(got[kind], want):
            for key in ("type", "default", "description"):
                if not same(ours.get(key), theirs.get(key)):
                    return tap.is_(ours.get(key), theirs.get(key), f"{name}: {key} of {theirs['name']}")
            if kind == "inputs" and ours["optional"] is not bool(theirs.get("optional")):
                return tap.is_(ours["optional"], theirs.get("optional"), f"{name}: {theirs['name']} is optional")
    return tap.ok(True, name)


def check_file(path):
    status, out, err = said(path)
    if status != 0:
        tap.fail(f"{path.name} is understood", err)
        return
    compare(path.name, json.loads(out), yaml.safe_load(path.read_text(encoding="utf-8")))


def check_cases():
    text = (SOURCE / "tests/dsl/component_yaml.cases").read_text(encoding="utf-8")
    count = 0
    for case in text.split("\n==== ")[1:]:
        document, expected = re.split(r"^---- expected\n", case.split("---- yaml\n")[1], flags=re.MULTILINE)
        if not expected.startswith(("container", "graph")):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / (case.split("\n")[0] + ".yaml")
            path.write_text(document.replace("\n\\----", "\n----"), encoding="utf-8")
            check_file(path)
        count += 1
    tap.ok(count > 10, f"{count} cases are components")


def main():
    status, _, err = said("/nonexistent.yaml")
    if status not in (1, 3):
        why = " ".join(err.split())[:200]
        tap.skip_all(f"`lateen component` is not there: {why}")
    check_cases()
    shared = os.environ.get("LATEEN_SHARED")
    if not shared:
        tap.skip("LATEEN_SHARED names no folder of real component files", 123)
    else:
        files = sorted(pathlib.Path(shared, "data/components").glob("*.yaml"))
        tap.is_(len(files), 120, "how many real component files there are")
        for path in files + sorted(pathlib.Path(shared, "data/codelab").glob("*component.yaml")):
            check_file(path)
    tap.done_testing()


main()
