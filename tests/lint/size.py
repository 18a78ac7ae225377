#!/usr/bin/env python3
"""Files of at most 600 lines, functions of at most 80: past that a noun or a verb hides in them."""
import json
import shutil
import subprocess

import tree
from tree import tap

FILE_MAX = 600
FUNCTION_MAX = 80
BYTES_MAX = 1024 * 1024


def functions(names):
    """(name, file, first line, lines) of each C function."""
    out = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--c-kinds=f", "--languages=C", "-L", "-", "-f", "-"],
                         input="\n".join(names), cwd=tree.ROOT, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["name"], tag["path"], tag["line"], tag["end"] - tag["line"] + 1


def has_ctags():
    """Universal Ctags with JSON, not another program of that name."""
    if not shutil.which("ctags"):
        return False
    return "+json" in subprocess.run(["ctags", "--version"], capture_output=True, text=True, check=False).stdout


def main():
    names = tree.files(".c", ".h", ".py", ".sh", ".ts", ".tsx", ".cu", ".cuh")
    sizes = [(tree.text(n).count("\n"), n) for n in names]
    tree.report([f"{n}: {lines} lines" for lines, n in sizes if lines > FILE_MAX],
                f"{len(names)} files have at most {FILE_MAX} lines")
    big = [f"{n}: {(tree.ROOT / n).stat().st_size} bytes" for n in tree.files() if (tree.ROOT / n).stat().st_size > BYTES_MAX]
    tree.report(big, "no file of the tree is larger than 1 MiB")
    if has_ctags():
        found = list(functions(tree.files(".c")))
        tree.report([f"{path}:{line}: {name} has {lines} lines" for name, path, line, lines in found if lines > FUNCTION_MAX],
                    f"{len(found)} functions have at most {FUNCTION_MAX} lines")
    else:
        tap.skip("the length of functions: Universal Ctags with JSON is not installed")
    tap.done_testing()


main()
