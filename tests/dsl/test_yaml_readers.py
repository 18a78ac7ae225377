#!/usr/bin/env python3
"""What yaml_write writes of hostile texts, PyYAML's own reader and libyaml read as the same texts."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

tap.need("yaml")

import yaml  # noqa: E402


def written(how):
    program = pathlib.Path(os.environ.get("builddir", "."), "tests/dsl/test_yaml_write")
    return subprocess.run([program, how], capture_output=True, timeout=60, check=True).stdout.decode("utf-8")


def main():
    want = json.loads(written("--json"))
    text = written("--yaml")
    readers = {"PyYAML": yaml.SafeLoader}
    if hasattr(yaml, "CSafeLoader"):
        readers["libyaml"] = yaml.CSafeLoader
    else:
        tap.skip("this PyYAML is built without libyaml")
    for name, loader in readers.items():
        got = yaml.load(text, Loader=loader)
        wrong = [(a, b) for mine, theirs in zip(got, want) for a, b in zip(mine, theirs) if a != b]
        tap.is_(wrong, [], f"{name} reads all {len(want[0])} texts as they are, as items, keys and values")
        tap.is_([len(part) for part in got], [len(part) for part in want], f"{name} reads as many")
    tap.done_testing()


main()
