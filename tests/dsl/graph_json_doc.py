#!/usr/bin/env python3
"""The pipeline document holds what docs/graph-json.md says, and nothing else: its keys against the tables, its numbers against each
other."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

TOOL = os.path.join(tap.build_dir(), "tests/dsl/graph_tool")
PHASES = {"Pending", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted"}

PROGRAM = '''component a(x: String = "") -> (out: String, ok: Boolean) { display "A", script sh """true""" }
component b(x: String) { image "registry.example.com/b:1", args [x] }
## What it is for.
pipeline p(n: Integer = 1, must: String, key: Secret = secret("store", "entry"), names: List = ["x"]) {
    settings { display "All" }
    ## The first.
    first = a() with gpu 1, retry 2
    if first.ok { second = b(x: first.out) } else { other = b(x: must) after first }
    for name in names { each = b(x: "{name}{first.out}") }
}
'''
RUN = "Failed/9.5//m first=Succeeded/1.25/2 second=Failed/3/1//no each=Running/1/1/2:5 other=Skipped"


def documented(text):
    """Section to its keys: the first cell of each row of its tables, and whether its second says always."""
    sections, name = {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            name = line[3:]
        row = re.match(r"\| ((?:`\w+`(?:, )?)+) \|([^|]*)\|", line)
        if row:
            for key in re.findall(r"`(\w+)`", row[1]):
                sections.setdefault(name, {})[key] = row[2].strip() == "always"
    return sections


def check_keys(items, keys, name):
    unknown = sorted({k for item in items for k in item} - set(keys))
    tap.is_(unknown, [], f"{name}: every key is documented")
    missing = sorted({k for k, always in keys.items() if always for item in items if k not in item})
    tap.is_(missing, [], f"{name}: what is always there is there")


def check_document(doc, sections, name):
    nodes, edges, lines = doc["nodes"], doc["edges"], doc.get("lines", [])
    node_keys = dict(sections["Nodes"])
    node_keys["phase"] = "run" in doc
    node_keys["box"] = False
    check_keys([doc], sections["Top level"], f"{name}, top level")
    check_keys(doc["params"], sections["Parameters"], f"{name}, parameters")
    check_keys(nodes, node_keys, f"{name}, nodes")
    check_keys(edges, sections["Edges and lines"], f"{name}, edges")
    if "run" in doc:
        check_keys([doc["run"]], sections["Run"], f"{name}, run")
        tap.is_(sum(doc["run"]["phases"].values()), sum(n["kind"] == "step" for n in nodes), f"{name}: each step has a phase")
        tap.is_({n["phase"] for n in nodes} - PHASES, set(), f"{name}: phases are those of the document")
    tap.is_([i for i, n in enumerate(nodes) if i and n["parent"] >= i], [], f"{name}: parents stand before")
    tap.is_([e for e in edges if [lines[i][:2] for i in e["lines"][1:]] != [lines[i][-2:] for i in e["lines"][:-1]]], [],
            f"{name}: the lines of an edge join")
    outside = [n["id"] for n in nodes if n["box"][0] < 0 or n["box"][0] + n["box"][2] > doc["size"][0] or
               n["box"][1] + n["box"][3] > doc["size"][1]]
    tap.is_(outside, [], f"{name}: boxes are in the picture")


def main():
    if not os.path.exists(TOOL):
        tap.skip_all(f"{TOOL} is not built")
    with open(os.path.join(tap.source_dir(), "docs/graph-json.md"), encoding="utf-8") as file:
        sections = documented(file.read())
    for name, command in {"a plan": ["json"], "a run": ["json", RUN]}.items():
        out = subprocess.run([TOOL, *command], input=PROGRAM.encode(), capture_output=True, check=True).stdout
        check_document(json.loads(out), sections, name)
    tap.done_testing()


if __name__ == "__main__":
    main()
