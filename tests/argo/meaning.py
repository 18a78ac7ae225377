"""What a workflow means, without the names that its templates, inputs and outputs happen to have.

`meaning(document)` puts the arguments of every task into its template, as Argo does, down to the containers. A parameter
of the workflow is left as <param NAME>, an output of a step as <out STEP PATH>, the item of a loop as <item>; then what the
kubelet does to `$` is done. Two workflows that mean the same give equal results.
"""
import json
import re

TAG = re.compile(r"\{\{(=?)(.*?)\}\}", re.S)
DOUBLED = re.compile(r"(sprig\.replace\('\{', '\$\(LATEEN_BRACE\)', )?sprig\.replace\('\$', '\$\$', ([^()]*)\)+", re.S)
SIMPLE = re.compile(r"^[\w.'\[\]-]+$")
# What the SDK adds for its own book-keeping; docs/kfp-differences.md.
SDK_LABELS = {"pipelines.kubeflow.org/kfp_sdk_version", "pipelines.kubeflow.org/pipeline-sdk-type",
              "pipelines.kubeflow.org/enable_caching"}
SDK_ENV = {"KFP_POD_UID", "WORKFLOW_ID", "KFP_RUN_ID", "ENABLE_CACHING"}


class NoMeaning(Exception):
    pass


def fill(text, scope):
    """The text with its tags replaced; unknown tags stay."""
    def one(match):
        tag = match.group(2).strip()
        if not match.group(1):
            return scope.get(tag, match.group(0))
        doubled = DOUBLED.fullmatch(tag)
        inner = plain_path(doubled.group(2) if doubled else tag)
        if inner in scope:
            text = scope[inner].replace("$", "$$") if doubled else scope[inner]
            return text.replace("{", "$(LATEEN_BRACE)") if doubled and doubled.group(1) else text
        return match.group(0)
    return TAG.sub(one, text)


def plain_path(code):
    """tasks['a-b'].outputs.parameters.x as a simple tag would write it."""
    return re.sub(r"\['([^']*)'\]", r".\1", code) if SIMPLE.match(code) else code


def kubelet(text, env):
    """$(NAME) of known variables and $$, as Kubernetes expands them."""
    out, i = [], 0
    while i < len(text):
        if text[i] == "$" and i + 1 < len(text):
            if text[i + 1] == "$":
                out.append("$")
                i += 2
                continue
            end = text.find(")", i) if text[i + 1] == "(" else -1
            if end > 0 and text[i + 2:end] in env:
                out.append(env[text[i + 2:end]])
                i = end + 1
                continue
        out.append(text[i])
        i += 1
    return "".join(out)


def variables(container, scope):
    """The container's variables as a kubelet gives them: of two with one name the last counts."""
    env = {}
    for entry in container.get("env") or []:
        if "valueFrom" not in entry:
            env[entry["name"]] = kubelet(fill(entry.get("value", ""), scope), env)
        else:
            source = entry["valueFrom"]
            secret = source.get("secretKeyRef")
            env[entry["name"]] = f"<secret {secret['name']} {secret['key']}>" if secret else "<" + json.dumps(source, sort_keys=True) + ">"
    return env


def quantities(resources):
    return {kind: {k: str(v) for k, v in values.items()} for kind, values in (resources or {}).items() if values}


def strings(value):
    """Numbers as texts, for Argo takes both."""
    if isinstance(value, dict):
        return {k: strings(v) for k, v in value.items()}
    if isinstance(value, list):
        return [strings(v) for v in value]
    return value if isinstance(value, (bool, str)) or value is None else str(value)


class Reader:
    def __init__(self, document, rename, results):
        self.spec = document["spec"]
        self.rename = rename
        self.results = results
        self.templates = {t["name"]: t for t in self.spec["templates"]}
        self.steps = {}

    def name(self, task):
        return self.rename.get(task, task)

    def container(self, template, scope, files, around, task):
        body = template["container"]
        env = variables(body, scope)
        outputs = template.get("outputs") or {}
        labels = {k: v for k, v in ((template.get("metadata") or {}).get("labels") or {}).items() if k not in SDK_LABELS}
        expand = lambda texts: [kubelet(fill(str(t), scope), env) for t in texts or []]
        retry = dict(template.get("retryStrategy") or {})
        self.steps[self.name(task)] = {
            "image": body["image"],
            "command": expand(body.get("command")),
            "args": expand(body.get("args")),
            "env": {k: v for k, v in env.items() if k not in SDK_ENV and k != "LATEEN_BRACE"},
            "resources": quantities(body.get("resources")),
            "patch": fill(template["podSpecPatch"], scope) if "podSpecPatch" in template else None,
            "inputs": {a["path"]: self.input_file(a, files, scope)
                       for a in (template.get("inputs") or {}).get("artifacts") or []},
            "outputs": sorted({p["valueFrom"]["path"] for p in outputs.get("parameters") or []} |
                              {a["path"] for a in outputs.get("artifacts") or []}),
            "tolerations": sorted(template.get("tolerations") or [], key=lambda t: json.dumps(t, sort_keys=True)),
            "affinity": template.get("affinity"),
            "node_selector": template.get("nodeSelector") or {},
            "retry": strings(retry),
            "deadline": strings(template.get("activeDeadlineSeconds")),
            "labels": labels,
            **around,
        }

    @staticmethod
    def input_file(artifact, files, scope):
        if artifact["name"] in files:
            return files[artifact["name"]]
        if "raw" in artifact:
            return "<raw " + fill(artifact["raw"]["data"], scope) + ">"
        raise NoMeaning("nothing fills the artifact " + artifact["name"])

    def outputs(self, template, task, scope):
        """{tag behind `tasks.T.outputs.`: what it stands for}"""
        found = {}
        outputs = template.get("outputs") or {}
        for kind in ("parameters", "artifacts"):
            for entry in outputs.get(kind) or []:
                if "container" in template:
                    path = entry.get("path") or entry["valueFrom"]["path"]
                    symbol = f"<out {self.name(task)} {path}>"
                    found[f"{kind}.{entry['name']}"] = self.results.get((self.name(task), path), symbol)
                else:
                    tag = entry.get("from") or entry["valueFrom"].get("parameter", "")
                    found[f"{kind}.{entry['name']}"] = fill(tag, scope)
        return found

    def order(self, task):
        if "depends" in task:
            return {self.name(n) for n in re.findall(r"[A-Za-z][\w-]*", re.sub(r"\.\w+", "", task["depends"]))}
        return {self.name(n) for n in task.get("dependencies") or []}

    def dag(self, template, scope, files, around):
        """Walks the tasks; returns what its outputs stand for."""
        tasks = {t["name"]: t for t in template["dag"]["tasks"]}
        known, waiting = dict(scope), list(tasks)
        before = self.closure(tasks)
        while waiting:
            ready = [n for n in waiting if not before[n] & set(waiting)]
            if not ready:
                raise NoMeaning("the tasks wait for each other")
            for name in ready:
                waiting.remove(name)
                for tag, text in self.task(tasks[name], known, files, around, before).items():
                    known[f"tasks.{name}.outputs.{tag}"] = text
        return known

    @staticmethod
    def closure(tasks):
        def needs(name):
            task = tasks[name]
            return set(task.get("dependencies") or re.findall(r"[A-Za-z][\w-]*", re.sub(r"\.\w+", "", task.get("depends", ""))))
        before = {n: needs(n) for n in tasks}
        for _ in tasks:
            before = {n: b | {x for m in b for x in before[m]} for n, b in before.items()}
        return before

    def task(self, task, known, files, around, before):
        template = self.templates[task["template"]]
        scope, inner_files = dict(known), {}
        arguments = task.get("arguments") or {}
        items = self.items(task, known)
        if items is not None:
            scope["item"] = "<item>"
        inner = {k: v for k, v in scope.items() if k.startswith("workflow.") or k == "pod.name"}
        for parameter in (template.get("inputs") or {}).get("parameters") or []:
            if "value" in parameter:
                inner["inputs.parameters." + parameter["name"]] = fill(parameter["value"], inner)
        for argument in arguments.get("parameters") or []:
            inner["inputs.parameters." + argument["name"]] = fill(str(argument["value"]), scope)
        for argument in arguments.get("artifacts") or []:
            if "raw" in argument:
                inner_files[argument["name"]] = "<raw " + fill(argument["raw"]["data"], scope) + ">"
            else:
                tag = argument["from"].strip("{} ")
                inner_files[argument["name"]] = files.get(tag.removeprefix("inputs.artifacts."), known.get(tag, argument["from"]))
        here = {
            "after": sorted({self.name(n) for n in before[task["name"]]}),
            "conditions": around["conditions"] + ([self.condition(task["when"], known)] if "when" in task else []),
            "loops": around["loops"] + ([items] if items is not None else []),
            "groups_after": around["groups_after"],
        }
        if "container" in template:
            self.container(template, inner, inner_files, here, task["name"])
            return self.outputs(template, task["name"], inner)
        here["groups_after"] = around["groups_after"] + [here.pop("after")]
        inside = self.dag(template, inner, inner_files, {**here, "after": []})
        return self.outputs(template, task["name"], inside)

    @staticmethod
    def items(task, known):
        if "withItems" in task:
            return [str(i) for i in task["withItems"]]
        if "withParam" in task:
            return fill(task["withParam"], known)
        return json.dumps(task["withSequence"], sort_keys=True) if "withSequence" in task else None

    @staticmethod
    def condition(when, known):
        """Quotes around a bare word, and blanks, say nothing."""
        return re.sub(r"\s+", " ", re.sub(r'"([^"]*)"', r"\1", fill(when, known)))


def meaning(document, rename=None, values=False, results=None):
    """`values`: parameters have their defaults instead; `results`: texts of outputs, by (step, path)."""
    reader = Reader(document, rename or {}, results or {})
    spec = document["spec"]
    parameters = (spec.get("arguments") or {}).get("parameters") or []
    scope = {}
    for parameter in parameters:
        text = parameter.get("value", "") if values else f"<param {parameter['name']}>"
        scope["workflow.parameters." + parameter["name"]] = scope["inputs.parameters." + parameter["name"]] = text
    root = reader.templates[spec["entrypoint"]]
    reader.dag(root, scope, {}, {"after": [], "conditions": [], "loops": [], "groups_after": []})
    return {
        "prefix": document["metadata"]["generateName"],
        "account": spec.get("serviceAccountName"),
        "arguments": [(p["name"], p.get("value", "")) for p in parameters],
        "steps": reader.steps,
    }


def lateens_text(text):
    """Python writes True where Lateen, YAML and JSON write true, and blanks into JSON."""
    if text in ("True", "False"):
        return text.lower()
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else text


def intended(found):
    """The meaning of what the SDK compiled with what is meant to differ in Lateen's (docs/kfp-differences.md, plain-values)."""
    found["arguments"] = [(name, lateens_text(value)) for name, value in found["arguments"]]
    for step in found["steps"].values():
        step["args"] = [lateens_text(a) for a in step["args"]]
        step["command"] = [lateens_text(a) for a in step["command"]]
    return found


def differences(got, want):
    """Where two meanings differ, one line each."""
    found = []
    for key in ("prefix", "account", "arguments"):
        if got[key] != want[key]:
            found.append(f"{key}: got {got[key]!r}, want {want[key]!r}")
    for name in sorted(got["steps"].keys() | want["steps"].keys()):
        a, b = got["steps"].get(name), want["steps"].get(name)
        if a is None or b is None:
            found.append(f"step {name}: only in {'want' if a is None else 'got'}")
            continue
        found += [f"step {name}: {key}: got {a[key]!r}, want {b[key]!r}" for key in a if a[key] != b[key]]
    return found
