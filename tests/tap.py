"""Test Anything Protocol for the Python tests, the counterpart of tap.h.

    import tap
    tap.ok(1 + 1 == 2, "sums")
    tap.is_(got, want, "the reply")
    tap.done_testing()

Every assertion prints one line, and with a failure both sides. `skip_all` ends the program with the reason; `need` does
so when a module or program is missing. `run_unittest` reports a unittest suite case by case.
"""
import importlib.util
import os
import shutil
import sys
import traceback
import unittest

SHOWN_MAX = 4000
_count = {"run": 0, "failed": 0}


def note(text):
    for line in str(text).splitlines() or [""]:
        print("# " + line)
    sys.stdout.flush()


def ok(held, name):
    _count["run"] += 1
    if not held:
        _count["failed"] += 1
    one_line = str(name).replace("\n", " ").replace("#", " ")
    print(f"{'' if held else 'not '}ok {_count['run']} - {one_line}")
    sys.stdout.flush()
    return bool(held)


def is_(got, want, name):
    held = ok(got == want, name)
    if not held:
        note(f"   got: {got!r}"[:SHOWN_MAX])
        note(f"  want: {want!r}"[:SHOWN_MAX])
    return held


def contains(text, part, name):
    held = ok(text is not None and part in text, name)
    if not held:
        note(f"  text: {text!r}"[:SHOWN_MAX])
        note(f"  part: {part!r}"[:SHOWN_MAX])
    return held


def fail(name, why=""):
    ok(False, name)
    note(why[-SHOWN_MAX:])
    return False


def skip(why, count=1):
    for _ in range(count):
        _count["run"] += 1
        print(f"ok {_count['run']} # SKIP {why}")
    sys.stdout.flush()


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.stdout.flush()
    sys.exit(0)


def need(*names):
    """Skips everything unless each name is an importable module, or (as `name()`) a program on PATH."""
    for name in names:
        if name.endswith("()"):
            if not shutil.which(name[:-2]):
                skip_all(f"the program {name[:-2]} is not installed")
        elif importlib.util.find_spec(name) is None:
            skip_all(f"this python has no module {name} (./quickstart test sets one up that has)")


def need_python(variable, *names):
    """Goes on with the python that the environment variable names where this one has not all of the modules; skips
    everything where neither has."""
    python = os.environ.pop(variable, None)
    if python and not all(importlib.util.find_spec(name) for name in names):
        sys.stdout.flush()
        os.execv(python, [python, "-W", "ignore"] + sys.argv)
    need(*names)


def done_testing():
    if not _count["run"]:
        fail("the program made no assertion")
    print(f"1..{_count['run']}")
    sys.stdout.flush()
    sys.exit(1 if _count["failed"] else 0)


def count():
    return _count["run"]


def source_dir():
    return os.environ.get("srcdir") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def build_dir():
    return os.environ.get("builddir") or os.path.join(source_dir(), "build")


def lateen():
    """The program under test; skips everything where it was not built."""
    path = os.environ.get("LATEEN") or os.path.join(build_dir(), "lateen")
    if not os.access(path, os.X_OK):
        skip_all(f"there is no program {path}")
    return path


def shared(name):
    """A file below LATEEN_SHARED, or None."""
    root = os.environ.get("LATEEN_SHARED")
    path = os.path.join(root, name) if root else None
    return path if path and os.path.exists(path) else None


class _Result(unittest.TestResult):
    def addSuccess(self, test):
        ok(True, test.id())

    def addFailure(self, test, err):
        fail(test.id(), "".join(traceback.format_exception(*err)))

    addError = addFailure

    def addSkip(self, test, reason):
        skip(f"{test.id()}: {reason}")

    def addExpectedFailure(self, test, err):
        ok(True, f"{test.id()} (fails, as expected)")

    def addUnexpectedSuccess(self, test):
        fail(test.id(), "it was expected to fail")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            fail(subtest.id(), "".join(traceback.format_exception(*err)))


def run_unittest(*classes):
    loader = unittest.TestLoader()
    for cls in classes:
        loader.loadTestsFromTestCase(cls).run(_Result())
