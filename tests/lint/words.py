#!/usr/bin/env python3
"""Words that may not stand in the tree: functions of C that cannot be used safely, output from rooms that do not print,
paths of a machine, marks of unfinished work, and files that the build does not know."""
import re

import tree
from tree import tap

BANNED = {
    "strcpy": "snprintf or struct buf", "strcat": "struct buf", "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "strtok": "strchr or memchr", "gets": "fgets", "tmpnam": "mkstemp", "tempnam": "mkstemp", "mktemp": "mkstemp",
    "system": "posix_spawn", "popen": "posix_spawn", "atoi": "strtol", "atol": "strtol", "atof": "strtod",
    "asctime": "strftime", "ctime": "strftime", "localtime": "localtime_r", "gmtime": "gmtime_r", "alloca": "xmalloc",
    "strncpy": "memcpy", "strncat": "struct buf", "rand": "getrandom",
}
ALLOWED_IN_TESTS = {"system", "popen"}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
PRINTS = re.compile(r"(?<![\w.>])(printf|puts|putchar|vprintf|exit)\s*\(|\bstdout\b")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.-])/(?:wor[k]|far[m])/")
QUIET_ROOMS = ("base", "dsl", "runtime", "kernels")


def hits(names, pattern, read):
    for name in names:
        for number, line in enumerate(read(name).split("\n"), 1):
            match = pattern.search(line)
            if match:
                yield name, number, match, line.strip()


def c_functions():
    names = tree.files(".c", ".h", under=tree.ROOMS + ("tests", "bench"))
    found = [h for h in hits(names, BANNED_CALL, tree.code) if not h[0].startswith("tests/") or h[2].group(1) not in ALLOWED_IN_TESTS]
    tree.report([f"{n}:{l}: {m.group(1)} is banned; use {BANNED[m.group(1)]}" for n, l, m, _ in found],
                f"no banned function in {len(names)} files")


def quiet_rooms():
    """runtime/step is a program of its own, and prints."""
    names = [n for n in tree.files(".c", ".h", under=QUIET_ROOMS) if not n.startswith("runtime/step/")]
    tree.report([f"{n}:{l}: a library neither prints nor exits: {text}" for n, l, _, text in hits(names, PRINTS, tree.code)],
                f"{', '.join(QUIET_ROOMS)} neither print nor exit")


def texts():
    names = [n for n in tree.files() if not n.endswith((".png", ".gz", ".ipynb")) and "/corpus/" not in n]
    tree.report([f"{n}:{l}: {text[:100]}" for n, l, _, text in hits(names, MACHINE_PATH, tree.text)],
                f"no path of a machine in {len(names)} files")
    names = tree.files(".c", ".h", ".py", ".sh", ".ts", ".tsx", ".mk", ".am", ".ac", ".m4", ".def")
    tree.report([f"{n}:{l}: {text[:100]}" for n, l, _, text in hits(names, UNFINISHED, tree.text)],
                f"no mark of unfinished work in {len(names)} files")
    locks = [n for n in tree.files("package-lock.json") if '"resolved"' in tree.text(n)]
    tree.report(locks, "no lock file says where packages were fetched from")


def listed():
    """What no local.mk names is neither built nor tested nor in the tarball."""
    makefiles = {n: tree.text(n) for n in tree.files("local.mk")}
    for folder in ("runtime/step",) + tree.ROOMS:
        own = [n for n in tree.files(".c", ".h", ".def", under=(folder.split("/")[0],)) if n.startswith(folder + "/")
               and (folder != "runtime" or not n.startswith("runtime/step/"))]
        known = makefiles.get(f"{folder}/local.mk", "")
        missing = [n for n in own if not re.search(r"%D%/" + re.escape(n[len(folder) + 1:]) + r"(?!\S)", known)]
        tree.report(missing, f"{folder}/local.mk names the {len(own)} files of its room")
    tests = [n for n in tree.files(".c", ".py", ".sh", under=("tests",))
             if re.search(r"/(test_[^/]*|fuzz_[^/]*\.c|[^/]*/?lint/(?!tree)[^/]*)$", n)]
    known = makefiles.get("tests/local.mk", "")
    names = [n[len("tests/"):].removesuffix(".c") for n in tests]
    tree.report([n for n in names if not re.search(r"%D%/" + re.escape(n) + r"(?!\S)", known)],
                f"tests/local.mk names the {len(names)} tests")


def lists():
    """Union merges may leave an item twice."""
    wrong = []
    for name in tree.files("local.mk"):
        items = re.findall(r"^(\w+) \+= (%D%/\S+)", tree.text(name), re.MULTILINE)
        wrong += [f"{name}: {item[1]} stands twice" for item in sorted(set(items)) if items.count(item) > 1]
    tree.report(wrong, "no list of a makefile names an item twice")


def main():
    c_functions()
    quiet_rooms()
    texts()
    listed()
    lists()
    tap.done_testing()


main()
