#!/usr/bin/env python3
"""The cases of this folder on this machine, by `lateen run`. UPDATE_GOLDEN=1 takes what comes out as what is expected."""
import os
import pathlib
import subprocess
import tempfile
from concurrent import futures

import semantics
from semantics import tap

CASES_MIN = 40


def environment(case):
    own = dict(os.environ, NO_COLOR="1", LATEEN_CONTAINER="")
    own.pop("LATEEN_HOME", None)
    for name, key, value in case.secrets():
        own[f"{name}_{key}".upper().replace("-", "_")] = value
    return own


def run(case):
    with tempfile.TemporaryDirectory() as folder:
        own = dict(environment(case), HOME=folder)
        pathlib.Path(folder, "program.lateen").write_text(case.program("no-image"), encoding="utf-8")
        done = subprocess.run([tap.lateen(), "run", "program.lateen", "--json", *case.lines("arguments")], cwd=folder, env=own,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    try:
        return semantics.of_json(done.stdout)
    except ValueError:
        return done.stdout + done.stderr


def check(file, case, got):
    if semantics.UPDATE:
        case.parts["expected"] = got
    tap.is_(got, case.parts.get("expected"), f"{file.path.stem}: {case.name}")
    if "on argo" in case.parts:
        tap.ok(case.parts.get("exception"), f"{file.path.stem}: {case.name}: both sides differ, and it says why")


def main():
    count = 0
    with futures.ThreadPoolExecutor(2) as pool:
        for file in semantics.files():
            for case, got in zip(file.cases, pool.map(run, file.cases)):
                check(file, case, got)
                count += 1
            if semantics.UPDATE:
                file.write()
    tap.ok(count >= CASES_MIN, f"{count} cases, at least {CASES_MIN}")
    tap.done_testing()


main()
