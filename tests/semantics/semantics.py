"""Pipelines and what becomes of them, as data: the *.cases files beside this one, in the form of tests/cases.h. The same text is
expected of the engine on this machine and of Argo on a cluster.

Parts of a case:
    program      one pipeline; `default_image` is set by the harness for steps that have no image of their own
    arguments    NAME=VALUE, a line each
    secrets      NAME KEY VALUE, a line each: what is there as a Secret on the cluster, and as a variable here
    expected     a line for each step in the order of the program: name, phase, xN where there was not one attempt, `exit N` where it
                 ended by itself and with another code than 0, its value outputs as JSON; and the run's phase
    exception    where both sides differ: why, in one line, with the document and its heading that say so. Then `expected` is this
                 machine's, and
    on argo      is the cluster's
    shown        is what Lateen shows of the run there, where that is not the same
"""
import json
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "cluster")]
import tap  # noqa: E402

MARK = re.compile(r"^(====|----) (.*)\n", re.MULTILINE)
HEAD = re.compile(r"^(pipeline \w+\(.*\) \{)\n( *settings \{)?", re.MULTILINE)
SHOWN_MAX = 200
PARTS = ("program", "arguments", "secrets", "expected", "exception", "on argo", "shown")
IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UPDATE = os.environ.get("UPDATE_GOLDEN", "0") not in ("", "0")


class Case:
    def __init__(self, name, comment):
        self.name, self.comment, self.parts = name, comment, {}

    def lines(self, part):
        return self.parts.get(part, "").split("\n")[:-1]

    def secrets(self):
        """[(name, key, value)]"""
        return [tuple(line.split(" ", 2)) for line in self.lines("secrets")]

    def program(self, image):
        """With the image that steps without one take on a cluster."""
        def settle(match):
            setting = f'default_image "{image}"'
            return match.group(0) + f" {setting}," if match.group(2) else f"{match.group(1)} settings {{ {setting} }}\n"
        return HEAD.sub(settle, self.parts["program"], count=1)


class File:
    def __init__(self, path):
        self.path, self.cases = path, []
        text = path.read_text(encoding="utf-8")
        marks = list(MARK.finditer(text))
        self.head = text[:marks[0].start()]
        for mark, after in zip(marks, marks[1:] + [None]):
            body = text[mark.end():after.start() if after else len(text)]
            if mark.group(1) == "====":
                self.cases.append(Case(mark.group(2), body))
            else:
                self.cases[-1].parts[mark.group(2)] = body

    def write(self):
        parts = [self.head]
        for case in self.cases:
            parts.append(f"==== {case.name}\n{case.comment}")
            parts.extend(f"---- {part}\n{case.parts[part]}" for part in PARTS if part in case.parts)
        self.path.write_text("".join(parts), encoding="utf-8")


def files():
    return [File(path) for path in sorted(HERE.glob("*.cases"))]


def line(name, phase, attempts, code, outputs):
    """One step, as it stands in `expected`."""
    text = f"{name} {phase}"
    if phase in ("Skipped", "Omitted"):
        return text
    if attempts != 1:
        text += f" x{attempts}"
    if code:
        text += f" exit {code}"
    if outputs:
        text += " " + json.dumps(outputs, ensure_ascii=False, separators=(",", ":"))
    return text


def show(steps, phase):
    return "".join(f"{line(*step)}\n" for step in steps) + f"run {phase}\n"


def of_json(text):
    """What `lateen run --json` printed, as `expected` has it."""
    run = json.loads(text)
    steps = [(s["name"], s["phase"], s["attempts"], None if "timed out" in (s["message"] or "") else s["exit_code"], {k: as_text(v) for k, v in s["outputs"].items() if not is_file(v)}) for s in run["steps"]]
    return hide(show(steps, run["phase"]), run["name"])


def is_file(value):
    return isinstance(value, str) and value.startswith("/") and "/.lateen/runs/" in value


def as_text(value):
    """On a cluster every value is text; so it is here, for comparing."""
    if isinstance(value, str) and len(value) > SHOWN_MAX:
        return f"({len(value)} characters)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def hide(text, name):
    """On a cluster `run.id` is the workflow's uid, and a run has another id besides."""
    return IDENTITY.sub("ID", text).replace(name, "NAME")
