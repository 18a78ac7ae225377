#!/usr/bin/env python3
"""Who may include whom: the table of rooms in docs/architecture.md, over every #include line."""
import re

import tree
from tree import tap

# What the plan is made of, what makes a step's arguments of it and a cluster's object; nothing past it sees the syntax tree.
PLAN = {f"dsl/{name}.h" for name in ("plan", "component", "diag", "eval", "expr", "resolve", "settings", "target", "type")}
ALLOWED = {
    "base": lambda header: header.startswith("base/"),
    "dsl": lambda header: header.startswith(("base/", "dsl/")),
    "kernels": lambda header: header.startswith("kernels/"),
    "runtime": lambda header: header.startswith(("base/", "runtime/")) or header in PLAN or header == "kernels/ops.h",
    "kernel": lambda header: header.startswith(("base/", "dsl/", "runtime/", "kernel/")),
}
# dsl is a pure function of its input: nothing there reads, waits, or asks for the time.
NOT_PURE = {"dirent.h", "fcntl.h", "netdb.h", "poll.h", "pthread.h", "signal.h", "spawn.h", "threads.h", "time.h", "unistd.h",
            "zmq.h", "sqlite3.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def problems_of(name):
    room = name.split("/")[0]
    for match in INCLUDE.finditer(tree.text(name)):
        ours, system = match.groups()
        line = tree.text(name).count("\n", 0, match.start()) + 1
        if ours and ours != "config.h" and "/" not in ours:
            yield f"{name}:{line}: \"{ours}\" is not named from the root of the tree"
        elif ours and ours != "config.h" and not ALLOWED[room](ours):
            yield f"{name}:{line}: {room}/ may not include \"{ours}\""
        elif system and room == "dsl" and (system in NOT_PURE or system.startswith("sys/")):
            yield f"{name}:{line}: dsl/ is pure, and <{system}> is not"


def config_problems(name):
    first = INCLUDE.search(tree.text(name))
    if not first or first.group(1) != "config.h":
        yield f"{name}: the first include is not \"config.h\""


def main():
    for room in tree.ROOMS:
        names = tree.files(".c", ".h", ".def", under=(room,))
        tree.report([p for n in names for p in problems_of(n)], f"{room}/ includes what it may ({len(names)} files)")
    names = tree.files(".c", under=tree.ROOMS + ("tests",))
    tree.report([p for n in names for p in config_problems(n)], f"config.h comes first in {len(names)} files")
    tap.done_testing()


main()
