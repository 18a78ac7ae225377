"""Argo's own code, from its Go module (validator/), built once and kept in the build folder."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import compiled

BUILD_SECONDS_MAX = 600
FAILURE_SECONDS = 3600  # for so long a build that failed is not tried again


def build(go, source, path):
    """None, or why it does not build."""
    try:
        done = subprocess.run([go, "build", "-mod=readonly", "-o", str(path.resolve()), "."], cwd=source, capture_output=True,
                              text=True, timeout=BUILD_SECONDS_MAX, check=False, env={**os.environ, "GOFLAGS": ""})
    except subprocess.TimeoutExpired:
        return f"Argo's validator was not built within {BUILD_SECONDS_MAX} s"
    if done.returncode:
        return "Argo's validator does not build: " + (done.stderr.strip().splitlines() or ["no word why"])[-1][:300]
    return None


def binary():
    """(path, None), or (None, why there is none). Tests that run beside each other build it once."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if not go:
        return None, "no go on this machine, so Argo's own validator is not asked"
    folder = pathlib.Path(os.environ.get("builddir", tempfile.gettempdir()), "build-argo")
    folder.mkdir(exist_ok=True)
    source, path, failure = compiled.HERE / "validator", folder / "validator", folder / "failure"
    newest = max((source / n).stat().st_mtime for n in ("main.go", "go.mod", "go.sum"))
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_mtime >= newest:
            return path, None
        if failure.exists() and time.time() - failure.stat().st_mtime < FAILURE_SECONDS and failure.stat().st_mtime >= newest:
            return None, failure.read_text(encoding="utf-8")
        why = build(go, source, path)
        if why:
            failure.write_text(why, encoding="utf-8")
        return (None, why) if why else (path, None)


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
