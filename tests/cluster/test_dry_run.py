#!/usr/bin/env python3
"""Everything in this tree that compiles to a workflow is taken by an API server with Argo's full definitions, in a strict dry run:
the examples of the documents, the programs and cases of the tests, the notebooks, and the golden files, for both targets."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import kube
from kube import tap

ROOT = pathlib.Path(tap.source_dir()).resolve()
sys.path[:0] = [str(ROOT / "tests/docs"), str(ROOT / "tests/semantics")]
import fences  # noqa: E402
import semantics  # noqa: E402
import yaml  # noqa: E402

WORKFLOWS_MIN = 250
TARGETS = ("argo", "kfp")
PIPELINE = re.compile(r"^(pipeline (\w+)\(.*\) *\{)", re.MULTILINE)
SETTINGS = re.compile(r"^ *settings *\{", re.MULTILINE)
CASE_PROGRAMS = {"program", "cell", "actions"}  # the parts of *.cases files that may declare a pipeline


def of_documents():
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for example in fences.examples(path.name, path.read_text(encoding="utf-8")):
            if isinstance(example, fences.Example) and not example.code:
                yield f"{path.name}:{example.block.line}", example.text


def of_files():
    for path in sorted([*ROOT.glob("docs/examples/*.lateen"), *ROOT.glob("tests/argo/*.lateen"), *ROOT.glob("tests/argo/oracle/*.lateen")]):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield f"notebooks/{path.name}", "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def of_cases():
    for path in sorted((ROOT / "tests").rglob("*.cases")):
        for case in semantics.File(path).cases:
            text = "".join(part for name, part in case.parts.items() if name in CASE_PROGRAMS)
            yield f"{path.relative_to(ROOT)}: {case.name}", text


def with_image(text):
    """Each pipeline with an image for steps that have none."""
    if SETTINGS.search(text):
        return SETTINGS.sub(lambda m: f'{m.group(0)} default_image "{kube.IMAGE}",', text)
    return PIPELINE.sub(lambda m: f'{m.group(1)} settings {{ default_image "{kube.IMAGE}" }}\n', text)


def compiled(text, folder):
    """[(name of the pipeline, target, workflow)] of those that compile."""
    program = pathlib.Path(folder, "program.lateen")
    for name in dict.fromkeys(n for _, n in PIPELINE.findall(text)):
        for target in TARGETS:
            for attempt in (text, with_image(text)):
                program.write_text(attempt, encoding="utf-8")
                done = subprocess.run([tap.lateen(), "compile", program, "-p", name, "--for", target, "-o", folder + "/workflow.json"],
                                      capture_output=True, text=True, timeout=60, check=False, cwd=folder)
                if done.returncode == 0:
                    yield name, target, json.loads(pathlib.Path(folder, "workflow.json").read_text(encoding="utf-8"))
                    break


def codelab(folder):
    """The component files that some programs use, beside them."""
    data = tap.shared("data/codelab")
    if data:
        os.symlink(data, folder + "/t2t")
    else:
        tap.skip("programs that use the codelab's components: LATEEN_SHARED names no folder with them")


def try_out(space, label, workflow):
    """Whether it was taken."""
    try:
        space.cluster.ask("POST", space.path("workflows") + "?dryRun=All&fieldValidation=Strict", workflow)
    except kube.Refused as refused:
        return tap.fail(label, str(refused))
    return True


def main():
    cluster, taken = kube.need(0), 0
    with cluster.namespace() as space, tempfile.TemporaryDirectory() as folder:
        codelab(folder)
        for source in (of_documents, of_files, of_cases):
            before = taken
            for label, text in source():
                for name, target, workflow in compiled(text, folder):
                    taken += try_out(space, f"{label}: {name} for {target}", workflow)
            tap.ok(taken > before, f"{source.__name__.replace('of_', '')}: {taken - before} workflows are taken")
        before = taken
        for path in sorted((ROOT / "tests/dsl/golden").glob("*.yaml")):
            taken += try_out(space, path.name, yaml.safe_load(path.read_text(encoding="utf-8")))
        tap.ok(taken > before, f"golden files: {taken - before} workflows are taken")
    tap.ok(taken >= WORKFLOWS_MIN, f"{taken} workflows, at least {WORKFLOWS_MIN}")
    tap.done_testing()


main()
