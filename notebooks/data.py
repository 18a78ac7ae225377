#!/usr/bin/env python3
"""Puts the notebooks' data beside them: `data.py FOLDER` writes FOLDER/github_issues_sample.csv and the codelab's two
component files, FOLDER/t2t/{datacopy,train}_component.yaml, and says where each came from.

Each is the first that can be had of: what LATEEN_ISSUES names (the CSV only); the folder that LATEEN_SHARED names; the
public original, checked by its sha256 (not with --offline, which the tests use); one of our own, which says so.
"""
import argparse
import csv
import hashlib
import os
import pathlib
import random
import shutil
import sys
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ORIGIN = "https://raw.githubusercontent.com/kubeflow/examples/master/github_issue_summarization/"
TIMEOUT_S = 20
SIZE_MAX = 16 * 1024 * 1024
SYNTHETIC_ROWS = 500

# (name below FOLDER, path below LATEEN_SHARED, path below ORIGIN, sha256)
ISSUES = ("github_issues_sample.csv", "data/github_issues_sample.csv", "notebooks/test_data/github_issues_sample.csv",
          "eb1b3e2d6ffa8636cc0f1d6ef4bca31fcad15366dd5a8c5343cf9a09e1514087")
COMPONENTS = [
    ("t2t/datacopy_component.yaml", "data/codelab/datacopy_component.yaml",
     "pipelines/components/t2t/datacopy_component.yaml",
     "d75c441452c1fe71da5b054982725975c399d8d96ec8896e7cb960a11bd1591e"),
    ("t2t/train_component.yaml", "data/codelab/train_component.yaml",
     "pipelines/components/t2t/train_component.yaml",
     "cce12a820c4b993f187420eab7161b8f70ef5465c732675650e892431c74f30f"),
]


def say(name, origin):
    print(f"{name}: {origin}")


def write(target, content):
    """Whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)


def downloaded(path, sha256):
    """The bytes of the public original, or None with a sentence on standard error."""
    try:
        with urllib.request.urlopen(ORIGIN + path, timeout=TIMEOUT_S) as reply:
            content = reply.read(SIZE_MAX + 1)
    except (urllib.error.URLError, OSError, ValueError) as problem:
        print(f"{ORIGIN + path} cannot be had: {problem}", file=sys.stderr)
        return None
    if hashlib.sha256(content).hexdigest() != sha256:
        print(f"{ORIGIN + path} is not the file that was expected (its sha256 differs)", file=sys.stderr)
        return None
    return content


def synthetic_issues():
    """Rows that look like issues, the same every time; their URLs say that they are not real."""
    chance = random.Random(20190412)
    things = ["app", "build", "button", "command line", "dialog", "importer", "login page", "parser", "search", "table"]
    events = ["crashes", "freezes", "is slow", "loses its settings", "shows an empty page", "shows the wrong date"]
    occasions = ["after the update", "on a small screen", "when the file is large", "when two tabs are open",
                 "with a proxy", "without a network"]
    wishes = ["add a dark theme to", "add keyboard shortcuts to", "document", "translate"]
    for number in range(SYNTHETIC_ROWS):
        thing, event, occasion = chance.choice(things), chance.choice(events), chance.choice(occasions)
        if chance.random() < 0.3:
            title = f"{chance.choice(wishes)} the {thing}"
            body = f"it would help to {title}. today i work around it by hand, most of all {occasion}."
        else:
            title = f"{thing} {event} {occasion}"
            body = (f"steps: 1. open the {thing} {occasion} 2. wait {chance.randint(1, 90)} seconds. "
                    f"expected: it works. actual: the {thing} {event}.")
        yield [number, f"https://synthetic.invalid/lateen/issues/{number}", title, body]


def put_synthetic_issues(target):
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    with temporary.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["", "issue_url", "issue_title", "body"])
        rows.writerows(synthetic_issues())
    temporary.replace(target)


def shared_file(path):
    shared = os.environ.get("LATEEN_SHARED")
    file = pathlib.Path(shared, path) if shared else None
    return file if file and file.is_file() else None


def put(folder, entry, offline, fallback):
    name, shared_path, public_path, sha256 = entry
    target = folder / name
    shared = shared_file(shared_path)
    if shared:
        write(target, shared.read_bytes())
        return say(name, f"a copy of {shared}")
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == sha256:
        return say(name, "the public original, there from before")
    content = None if offline else downloaded(public_path, sha256)
    if content is not None:
        write(target, content)
        return say(name, "the public original")
    return fallback(target)


def put_issues(folder, offline):
    named = os.environ.get("LATEEN_ISSUES")
    if named:
        if not pathlib.Path(named).is_file():
            sys.exit(f"data.py: LATEEN_ISSUES names `{named}`, which is no file")
        write(folder / ISSUES[0], pathlib.Path(named).read_bytes())
        return say(ISSUES[0], f"a copy of {named}, which LATEEN_ISSUES names")

    def fallback(target):
        put_synthetic_issues(target)
        say(ISSUES[0], f"SYNTHETIC: {SYNTHETIC_ROWS} made-up issues, because no real ones can be had")

    return put(folder, ISSUES, offline, fallback)


def put_component(folder, entry, offline):
    def fallback(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        own = HERE / entry[0]
        if own != target.resolve():
            shutil.copyfile(own, target)
        say(entry[0], "our own, with the interface of the original, which cannot be had")

    put(folder, entry, offline, fallback)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--offline", action="store_true", help="download nothing")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    put_issues(options.folder, options.offline)
    for entry in COMPONENTS:
        put_component(options.folder, entry, options.offline)


if __name__ == "__main__":
    main()
