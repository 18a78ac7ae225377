#!/usr/bin/env python3
"""Programs in the language, run here by `lateen run`: what each step and the run come to. The cases stand in programs.cases, in the
form of tests/cases.h; UPDATE_GOLDEN=1 takes what comes out as what is expected."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

CASES = pathlib.Path(tap.source_dir()).resolve() / "tests/runtime/programs.cases"
MARK = re.compile(r"^(====|----) (.*)\n", re.MULTILINE)


def read_cases():
    """[(name, comment, {part: text})], with the parts in order."""
    cases, text = [], CASES.read_text(encoding="utf-8")
    marks = list(MARK.finditer(text))
    head = text[:marks[0].start()]
    for mark, after in zip(marks, marks[1:] + [None]):
        body = text[mark.end():after.start() if after else len(text)]
        if mark.group(1) == "====":
            cases.append([mark.group(2), body, {}])
        else:
            cases[-1][2][mark.group(2)] = body
    return head, cases


def write_cases(head, cases):
    parts = [head]
    for name, comment, texts in cases:
        parts.append(f"==== {name}\n{comment}")
        parts.extend(f"---- {part}\n{text}" for part, text in texts.items())
    CASES.write_text("".join(parts), encoding="utf-8")


def describe(done, folder):
    try:
        run = json.loads(done.stdout)
    except ValueError:
        return (done.stdout + done.stderr).replace(str(folder), "FOLDER")
    lines = []
    for step in run["steps"]:
        line = f"{step['name']} {step['phase']}"
        if step["attempts"] != 1:
            line += f" x{step['attempts']}"
        if step["outputs"]:
            line += " " + json.dumps(step["outputs"], ensure_ascii=False, separators=(",", ":"))
        if step["message"]:
            line += f" ({step['message']})"
        lines.append(line)
    lines.append(f"run {run['phase']}, exit status {done.returncode}")
    text = "\n".join(lines) + "\n"
    return text.replace(str(folder), "FOLDER").replace(run["name"], "NAME").replace(run["id"], "ID")


def run_case(texts):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        (folder / "program.lateen").write_text(texts["program"], encoding="utf-8")
        environment = dict(os.environ, NO_COLOR="1", GIT_TOKEN="a secret token", LATEEN_CONTAINER="")
        environment.pop("LATEEN_HOME", None)
        command = [tap.lateen(), "run", "program.lateen", "--json", *texts.get("arguments", "").split("\n")[:-1]]
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        return describe(done, folder)


def main():
    head, cases = read_cases()
    for name, _, texts in cases:
        got = run_case(texts)
        if os.environ.get("UPDATE_GOLDEN", "0") not in ("", "0"):
            texts["expected"] = got
        tap.is_(got, texts.get("expected", ""), name)
    if os.environ.get("UPDATE_GOLDEN", "0") not in ("", "0"):
        write_cases(head, cases)
    tap.done_testing()


main()
