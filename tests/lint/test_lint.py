#!/usr/bin/env python3
"""The lints find what they are there for: each is run over a small tree with one mistake of each kind."""
import os
import pathlib
import subprocess
import sys
import tempfile

import tree
from tree import tap

HERE = pathlib.Path(__file__).resolve().parent
BAD_C = '#include <stdio.h>\n#include "dsl/lexer.h"\n\nvoid\nf(char *a)\n{\n\tsprintf(a, "x");\n\tprintf("y");\n}\n'
CASES = [
    # lint, path, text, what it says
    ("includes.py", "base/a.c", BAD_C, 'base/a.c:2: base/ may not include "dsl/lexer.h"'),
    ("includes.py", "base/a.c", BAD_C, 'base/a.c: the first include is not "config.h"'),
    ("includes.py", "runtime/a.c", '#include "config.h"\n#include "dsl/ast.h"\n', 'runtime/ may not include "dsl/ast.h"'),
    ("includes.py", "dsl/a.c", '#include "config.h"\n#include <time.h>\n', "dsl/ is pure, and <time.h> is not"),
    ("includes.py", "dsl/a.c", '#include "config.h"\n#include "a.h"\n', '"a.h" is not named from the root of the tree'),
    ("words.py", "base/a.c", BAD_C, "base/a.c:7: sprintf is banned; use snprintf"),
    ("words.py", "base/a.c", BAD_C, "base/a.c:8: a library neither prints nor exits"),
    ("words.py", "docs/a.md", "see /wor" "k/there\n", "docs/a.md:1: see"),
    ("words.py", "base/b.c", "/* TO" "DO */\n", "base/b.c:1: /* TO" "DO */"),
    ("words.py", "dsl/a.h", "", "dsl/a.h"),
    ("words.py", "tests/dsl/test_a.c", "", "dsl/test_a"),
    ("size.py", "dsl/long.c", "\n" * 601, "dsl/long.c: 601 lines"),
    ("size.py", "dsl/long.c", "void\nf(void)\n{\n" + "\tg();\n" * 80 + "}\n", "f has 8"),
]


def output(lint, folder):
    environment = dict(os.environ, srcdir=str(folder))
    done = subprocess.run([sys.executable, HERE / lint], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    for lint, path, text, want in CASES:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            rc, said = output(lint, folder)
        if "SKIP" in said and want not in said:
            tap.skip(f"{lint} cannot look at functions here")
            continue
        tap.ok(rc != 0, f"{lint} fails over a bad {path}")
        tap.contains(said, want, f"{lint} says what is wrong with {path}")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "base").mkdir()
        pathlib.Path(folder, "base/a.c").write_text('#include "config.h"\n\n/* strcpy(a) */ const char *s = "gets(";\n', encoding="utf-8")
        pathlib.Path(folder, "base/local.mk").write_text("X += %D%/a.c\n", encoding="utf-8")
        for lint in ("includes.py", "words.py", "size.py"):
            rc, said = output(lint, folder)
            tap.ok(rc == 0, f"{lint} has nothing against a good file")
            tap.note(said if rc else "")
    tap.done_testing()


assert tree.ROOT.is_dir()
main()
