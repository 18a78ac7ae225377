#!/usr/bin/env python3
"""The Kubeflow Pipelines SDK 1.8 as a second oracle: it compiles the pipelines of oracle/sdk.py, Lateen those of
oracle/pipelines.lateen, and they mean the same; so do the codelab's own. What is meant to differ is taken out by
`meaning.intended`, and stands in docs/kfp-differences.md.

LATEEN_KFP_PYTHON names a python that has the SDK (./quickstart test sets one up).
"""
import os
import pathlib
import re
import subprocess
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

import meaning  # noqa: E402

ORACLE = compiled.HERE / "oracle"
PIPELINES_MIN = 20
CODELAB = {"copy-training-checkpoint-data": "copied", "train-t2t-model": "trained", "serve": "served"}


def compile_all(folder, codelab):
    python = os.environ.get("LATEEN_KFP_PYTHON")
    if not python:
        tap.skip_all("LATEEN_KFP_PYTHON names no python with the Kubeflow Pipelines SDK 1.8")
    done = subprocess.run([python, "-W", "ignore", str(ORACLE / "sdk.py"), folder] + codelab, capture_output=True, text=True,
                          timeout=300, check=False)
    if not tap.ok(done.returncode == 0 and done.stdout.strip().startswith("1.8."), "the SDK compiles its pipelines"):
        tap.note(done.stderr[-2000:])


def same(name, got, path, rename=None):
    if got and path:
        want = meaning.intended(meaning.meaning(yaml.safe_load(path.read_text(encoding="utf-8")), rename))
        tap.is_(meaning.differences(meaning.meaning(got), want), [], f"{name}: what the SDK means")


def same_codelab(sdk, codelab):
    for name in ("gh_summ", "gh_summ_preempt"):
        if not codelab:
            tap.skip("LATEEN_SHARED names no folder with the codelab's files")
            continue
        program, folder = compiled.beside(compiled.HERE / f"{name}.lateen", t2t=codelab)
        with folder:
            same(name, compiled.workflow(program, "kfp"), sdk.pop(name, None), CODELAB)


def main():
    codelab = compiled.shared("data/codelab")
    program = ORACLE / "pipelines.lateen"
    names = re.findall(r"^pipeline (\w+)\(", program.read_text(encoding="utf-8"), re.M)
    with tempfile.TemporaryDirectory() as folder:
        compile_all(folder, [str(codelab)] if codelab else [])
        sdk = {p.stem: p for p in pathlib.Path(folder).glob("*.yaml")}
        same_codelab(sdk, codelab)
        tap.is_(sorted(sdk), sorted(names), "both have the same pipelines")
        tap.ok(len(names) >= PIPELINES_MIN, f"there are at least {PIPELINES_MIN} of them")
        for name in names:
            same(name, compiled.workflow(program, "kfp", name), sdk.get(name))
    tap.done_testing()


main()
