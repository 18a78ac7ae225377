"""What the lints look at: the files of the source tree, and C text without comments and strings."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

ROOT = pathlib.Path(tap.source_dir()).resolve()
ROOMS = ("base", "dsl", "kernels", "runtime", "kernel")
SKIPPED_FOLDERS = {".git", "build", "build-clang", "build-fuzz", "build-sanitized", "_build", "_inst", "aux", "autom4te.cache", "__pycache__", ".deps",
                   "node_modules"}


def _tracked():
    """Git's list in a checkout. In an unpacked tarball, where git may find some other repository above, every file
    but what a build there made."""
    if not (ROOT / ".git").exists():
        return None
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    try:
        out = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in out.decode().split("\0") if name]


def _walked():
    made = {"configure", "aclocal.m4", "Makefile.in", "config.h.in"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
        for name in set(names) - made:
            yield str(pathlib.Path(folder, name).relative_to(ROOT))


def files(*suffixes, under=()):
    """Sorted names relative to the root; `under` names top-level folders."""
    names = _tracked()
    names = sorted(names if names is not None else _walked())
    return [n for n in names if (not suffixes or n.endswith(suffixes)) and (not under or n.split("/")[0] in under)
            and (ROOT / n).is_file()]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code(name):
    """C text of the same lines, comments blank and literals empty."""
    def blank(match):
        token = match.group()
        return "\n" * token.count("\n") if token[0] == "/" else token[0] * 2
    return _TOKEN.sub(blank, text(name))


def report(problems, name):
    """One assertion; its failure lists the problems."""
    held = tap.ok(not problems, name)
    for problem in problems if not held else []:
        tap.note("  " + problem)
    return held
