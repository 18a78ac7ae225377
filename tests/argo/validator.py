"""Argo's own code, from its Go module (validator/), built once and kept in the build folder."""
import json
import os
import pathlib
import shutil
import subprocess

import compiled

BUILD_SECONDS_MAX = 840


def binary():
    """(path, None), or (None, why there is none)."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if not go:
        return None, "no go on this machine, so Argo's own validator is not asked"
    folder = pathlib.Path(os.environ.get("builddir", "."), "build-argo")
    folder.mkdir(exist_ok=True)
    source = compiled.HERE / "validator"
    path = folder / "validator"
    newest = max((source / n).stat().st_mtime for n in ("main.go", "go.mod", "go.sum"))
    if path.exists() and path.stat().st_mtime >= newest:
        return path, None
    try:
        done = subprocess.run([go, "build", "-mod=readonly", "-o", str(path.resolve()), "."], cwd=source, capture_output=True,
                              text=True, timeout=BUILD_SECONDS_MAX, check=False, env={**os.environ, "GOFLAGS": ""})
    except subprocess.TimeoutExpired:
        return None, f"Argo's validator was not built within {BUILD_SECONDS_MAX} s"
    if done.returncode:
        return None, "Argo's validator does not build: " + done.stderr.strip().splitlines()[-1][:300]
    return path, None


def verdicts(program, files, lint=True):
    """{file: "ok" or what Argo says}"""
    done = subprocess.run([program] + (["-lint"] if lint else []) + [str(f) for f in files], capture_output=True, text=True,
                          timeout=300, check=False)
    found = {}
    for line in done.stdout.splitlines():
        word, rest = line.split(" ", 1)
        name, _, why = rest.partition(": ")
        found[name] = "ok" if word == "ok" else why
    return found


def filled(program, file, results):
    """The containers of the first template's tasks as Argo fills them in; (containers, complaint)."""
    done = subprocess.run([program, "-fill", json.dumps(results), str(file)], capture_output=True, text=True, timeout=120, check=False)
    return (json.loads(done.stdout), None) if done.returncode == 0 else (None, done.stderr)
