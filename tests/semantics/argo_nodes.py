"""What Argo made of a workflow, read from its `status.nodes` in the terms of the program: a second opinion beside the one that Lateen
has in C. Nodes are found by their names, which Argo makes of the names of the templates' tasks."""
import re

import semantics

ABSENT = {"phase": "Pending"}


class Reader:
    def __init__(self, workflow):
        self.templates = {t["name"]: t for t in workflow["spec"]["templates"]}
        nodes = workflow.get("status", {}).get("nodes") or {}
        self.nodes = {n["name"]: n for n in nodes.values()}
        self.root = workflow["metadata"]["name"]
        self.entry = workflow["spec"]["entrypoint"]
        self.order = {}  # name of a step: its place in the program

    def items(self, name):
        """[(index, node's name)] of a loop that was expanded."""
        found = []
        for other in self.nodes:
            match = re.match(r"\((\d+):", other[len(name):]) if other.startswith(name) else None
            if match and other.endswith(")"):
                found.append((int(match.group(1)), other))
        lowest = {}  # a step within an item has a longer name, and so has an attempt
        for index, other in found:
            if "." not in other[len(name):].rsplit(")", 1)[0].split(":", 1)[0] and len(other) < len(lowest.get(index, other + " ")):
                lowest[index] = other
        return sorted(lowest.items())

    def walk(self, template, at, suffix, forced):
        for task in self.templates[template]["dag"]["tasks"]:
            yield from self.task(task, f"{at}.{task['name']}", suffix, forced)

    def task(self, task, name, suffix, forced):
        inner = self.templates[task["template"]]
        node = self.nodes.get(name)
        if not forced and node and node["phase"] in ("Skipped", "Omitted"):
            forced = node["phase"]
        if "withItems" in task or "withParam" in task:
            items = [] if forced else self.items(name)
            for index, item in items:
                yield from self.one(task, inner, item, f"{suffix}[{index}]", forced)
            if not items:
                yield from self.one(task, inner, name, suffix, forced or (node or {}).get("phase"))
        else:
            yield from self.one(task, inner, name, suffix, forced)

    def one(self, task, inner, name, suffix, forced):
        node = self.nodes.get(name, ABSENT)
        if not forced and node["phase"] in ("Skipped", "Omitted"):
            forced = node["phase"]
        if "dag" in inner:
            yield from self.walk(inner["name"], name, suffix, forced)
            return
        self.order.setdefault(task["name"], len(self.order))
        yield (self.order[task["name"]], task["name"].replace("-", "_") + suffix, *self.outcome(node, name, forced))

    def outcome(self, node, name, forced):
        """(phase, attempts, exit code, outputs)"""
        if forced:
            return forced, 0, None, {}
        attempts, last = (1, node) if node.get("type") == "Pod" else (0, node)
        while node.get("type") == "Retry" and f"{name}({attempts})" in self.nodes:
            last = self.nodes[f"{name}({attempts})"]
            attempts += 1
        outputs = last.get("outputs", {})
        code = None if "specified deadline" in last.get("message", "") else outputs.get("exitCode")
        values = {p["name"]: semantics.as_text(p["value"]) for p in outputs.get("parameters", []) if "value" in p} if node["phase"] == "Succeeded" else {}
        return node["phase"], attempts, int(code) if code else None, values

    def steps(self):
        found = sorted(self.walk(self.entry, self.root, "", None), key=lambda s: s[0])  # stable: items keep their order
        return [step[1:] for step in found]


def describe(workflow):
    """As `expected` of a case has it."""
    phase = workflow.get("status", {}).get("phase", "Pending")
    steps = Reader(workflow).steps()
    return semantics.hide(semantics.show(steps, phase), workflow["metadata"]["name"])
