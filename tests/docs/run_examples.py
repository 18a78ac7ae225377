#!/usr/bin/env python3
"""Every example in README.md and docs/*.md is true: it is checked or run, and a wrong one is wrong as it says."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import fences  # noqa: E402
import tap  # noqa: E402

TIMEOUT_S = 120


def documents():
    root = pathlib.Path(tap.source_dir())
    return [p for p in [root / "README.md", *sorted((root / "docs").glob("*.md"))] if p.is_file()]


def prepare(folder):
    """The data that examples may name, without the network, and a home of its own."""
    script = pathlib.Path(tap.source_dir(), "notebooks", "data.py")
    subprocess.run([sys.executable, script, "--offline", folder], check=True, stdout=subprocess.DEVNULL)
    home = os.path.join(folder, ".home")
    os.makedirs(home, exist_ok=True)
    return dict(os.environ, HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, XDG_STATE_HOME=home,
                NO_COLOR="1")


def lateen(arguments, text, folder, environment):
    return subprocess.run([tap.lateen(), *arguments], input=text, cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)


def said(done):
    return f"exit status {done.returncode}\n{done.stdout}{done.stderr}"


def expect_error(example, name, folder, environment):
    if example.run:
        done = lateen(["exec", "-"], example.text, folder, environment)
        held = done.returncode == 1 and example.code in done.stdout + done.stderr
    else:
        done = lateen(["check", "-", "--json"], example.text, folder, environment)
        try:
            codes = [d["code"] for d in json.loads(done.stdout) if d["severity"] == "error"]
        except (ValueError, KeyError, TypeError):
            codes = []
        held = done.returncode == 1 and codes == [example.code]
    if not tap.ok(held, f"{name} is refused with {example.code} and nothing else"):
        tap.note(said(done))


def expect_good(example, name, folder, environment):
    done = lateen(["exec" if example.run else "check", "-"], example.text, folder, environment)
    if not tap.ok(done.returncode == 0, f"{name} {'runs' if example.run else 'is a good program'}"):
        tap.note(said(done))
    elif example.output is not None:
        tap.is_(done.stdout, example.output, f"{name} prints what the document says")


def try_document(path, folder):
    environment = prepare(folder)
    text = path.read_text(encoding="utf-8")
    for example in fences.examples(path.name, text):
        if isinstance(example, fences.Block):
            name = next(w for w in example.words if w.startswith("file="))[len("file="):]
            target = pathlib.Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(example.text, encoding="utf-8")
            continue
        name = f"{path.name}:{example.block.line}"
        expect = expect_error if example.code else expect_good
        try:
            expect(example, name, folder, environment)
        except subprocess.TimeoutExpired:
            tap.fail(name, f"it still ran after {TIMEOUT_S} s")


def main():
    for path in documents():
        try:
            with tempfile.TemporaryDirectory(prefix="lateen-docs-", ignore_cleanup_errors=True) as folder:
                try_document(path, folder)
        except fences.Mistake as mistake:
            tap.fail(path.name, str(mistake))
    if not tap.count():
        tap.skip_all("no document holds an example yet")
    tap.done_testing()


main()
