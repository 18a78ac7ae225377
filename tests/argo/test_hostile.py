#!/usr/bin/env python3
"""Texts that YAML, Argo, the kubelet or a shell would take for something of theirs arrive as they are.

Each text goes on every way that it can go: as an argument, into a script's variable, through a parameter's default,
through another step's output, through the environment, as text of a component and of a script, as a file. The compiled
workflow is read by PyYAML, filled in (by Argo's own code where go is there, and by the model in meaning.py), expanded as
the kubelet does, and run by a real shell. What a way cannot carry must have been refused when it was compiled.
"""
import os
import pathlib
import subprocess
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import yaml  # noqa: E402

import meaning  # noqa: E402
import validator  # noqa: E402

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

TEXTS = [
    "", " ", "plain", "yes", "null", "0", "1e3", "-", "- a", "a: b", "# no comment", "a #b", "key:", "|", ">", "&a", "*a", "!a", "%a", "@a",
    "'", '"', "it's", 'say "x"', "''", '""', "`id`", "\\", "\\n", "a\\", "\\\\", "$", "$$", "$$$", "$HOME", "${HOME}", "$(HOME)", "$(id)",
    "$((1+1))", "$(LATEEN_BRACE)", "$(text)", "$$(text)", "a$", "a$$", "$(", "$)", "{", "{{", "{{{", "}", "}}", "{}", "{{}}", "{{x}}",
    "{{workflow.name}}", "{{ workflow.uid }}", "{{inputs.parameters.text}}", "{{=1+1}}", "{{=workflow.name}}", "a{{b", "}}{{", "{{{{x}}}}",
    '{"a": {"b": "{{c}}"}}', "[1, 2]", "; rm -rf /", "&& false", "| cat", "> /tmp/x", "*", "~", "!!", "\t", "a\tb", "two\nlines", "\nlead",
    "trail\n", "trail\n\n", "\n", " lead", "trail ", "a\r\nb", "\x01", "\x1b[31m", "\x7f", "h\u00e9", "\u4e16\u754c", "\u05e9\u05dc\u05d5\u05dd", "\U0001f600",
    "\u00a0", "\u2028", "\ufeff", "e\u0301", "EOF", "--flag", "-e", "%s", "\\x41", "a" * 3000,
]

COMPONENTS = '''
component as_argument(text: String) {{
    image   "example.test/a:1"
    command ["printf", "%s"]
    args    [text]
}}

component joined(text: String) {{
    image   "example.test/a:1"
    command ["printf", "%s", "<{{text}}>"]
}}

component in_script(text: String) {{
    image "example.test/a:1"
    script sh """printf %s "$text" """
}}

use from_file from "{folder}/cat.yaml"

component printed() {{
    image "example.test/a:1"
    script sh """printf %s "$MARK" """
}}

component given(text: String) -> (said: String) {{
    image "example.test/a:1"
    script sh """printf %s "$text" > "$out_said" """
}}
'''


def quoted(text):
    """The text as a string of the language."""
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c in "{}":
            out.append(c + c)
        elif c in "\n\t\r":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[c])
        elif ord(c) < 0x20 or 0x7E < ord(c) < 0xA0 or ord(c) in (0x2028, 0x2029, 0xFEFF):
            out.append("\\u{%x}" % ord(c))
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def raw_script(text):
    """A Python program that prints the text, which stands in it as it is; None where a raw block cannot hold it."""
    if "\n" in text or "\r" in text or text != text.strip() or not text.isprintable() or "'''" in text:
        return None
    body = text.replace("\\", "\\\\").replace("'", "\\'")
    return '""""""' + f"import sys; sys.stdout.write('{body}')" + '""""""'


# What it is called, the call, and what it needs: a parameter, a component, a line before; then what surrounds the text.
# {i} is the number of the text, {text} the text as a string, {raw} a script that prints it.
WAYS = [
    ("an argument", "as_argument({text})", "", "", "", "{}"),
    ("an argument joined with text", "joined({text})", "", "", "", "<{}>"),
    ("a variable of a script", "in_script({text})", "", "", "", "{}"),
    ("a parameter's default", "in_script(p{i})", "p{i}: String = {text}", "", "", "{}"),
    ("a parameter's default as an argument", "as_argument(p{i})", "p{i}: String = {text}", "", "", "{}"),
    ("a file", "from_file({text})", "", "", "", "{}"),
    ("a literal of a component", "literal_{i}()", "",
     'component literal_{i}() {{ image "i", command ["printf", "%s", {text}] }}', "", "{}"),
    ("a literal of a script", "script_{i}()", "", 'component script_{i}() {{\n image "i"\n script python {raw}\n}}', "", "{}"),
    ("the environment", "printed() with env {{MARK: {text}}}", "", "", "", "{}"),
    ("another step's output", "in_script(first_{i}.said)", "", "", 'first_{i} = given("x")', "{}"),
]
# What Argo itself cannot put in for a tag: it writes them so that they are no JSON. Lateen keeps known texts out of its way.
CONTROL = {"\x01", "\x1b[31m", "\x7f"}
RESULT = "/tmp/outputs/said/data"


def run(container, file):
    """What the container writes, run by this machine's shell. The text of a file input stands in `file`."""
    env = meaning.variables(container, {})
    words = [meaning.kubelet(w, env) for w in (container.get("command") or []) + (container.get("args") or [])]
    with tempfile.TemporaryDirectory() as folder:
        words = [w.replace("/tmp/inputs", folder + "/in") if w.startswith("/tmp/inputs/") else w.replace("mkdir -p /tmp/outputs", f"mkdir -p {folder}/out") for w in words]
        if file is not None:
            path = pathlib.Path(folder, "in", "text", "data")
            path.parent.mkdir(parents=True)
            path.write_bytes(file.encode())
        done = subprocess.run(words, capture_output=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **env}, timeout=60, check=False)
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else f"failed: {done.stderr!r}"


def program_of(way, texts):
    """A program in which each text goes that way, to the step way_I."""
    _, call, parameter, component, before, _ = way
    fills = [{"i": i, "text": quoted(t), "raw": raw_script(t) or '"""pass"""'} for i, t in enumerate(texts)]
    head = COMPONENTS.format(folder=compiled.HERE / "oracle") + "\n".join(component.format(**f) for f in fills if component)
    parameters = ", ".join(parameter.format(**f) for f in fills if parameter)
    lines = "\n".join(f"    {before.format(**f)}\n    way_{f['i']} = {call.format(**f)}" for f in fills)
    return f"{head}\npipeline p({parameters}) {{\n{lines}\n}}\n"


def by_model(document, texts):
    """The containers of the steps, filled in by the model; ready for run()."""
    results = {(f"first-{i}", RESULT): t for i, t in enumerate(texts)}
    steps = meaning.meaning(document, values=True, results=results)["steps"]
    for i in range(len(texts)):
        step = steps[f"way-{i}"]
        env = [{"name": k, "value": v.replace("$", "$$")} for k, v in step["env"].items()]
        words = [w.replace("$", "$$") for w in step["command"] + step["args"]]
        yield {"command": words, "env": env}, next((f[5:-1] for f in step["inputs"].values()), None)


def by_argo(program, path, texts):
    found, complaint = validator.filled(program, path, {f"first-{i}": {"said": t} for i, t in enumerate(texts)})
    for i in range(len(texts)):
        if found is None:
            yield {"command": ["printf", "%s", "Argo: " + complaint]}, None
        else:
            way = found[f"way-{i}"]
            yield way["container"], next((a["raw"].get("data", "") for a in way["artifacts"] or []), None)


def try_texts(way, texts, argo, folder):
    """{text: None if it arrives, else what went wrong}; and {} with why, if the program does not compile."""
    compiled_text, complaints = compiled.yaml_text(program_of(way, texts))
    if compiled_text is None:
        return {}, complaints
    path = pathlib.Path(folder, "workflow.yaml")
    path.write_text(compiled_text, encoding="utf-8")
    verdicts = dict.fromkeys(texts)
    readers = [("model", by_model(yaml.load(compiled_text, Loader=LOADER), texts))]
    readers += [("argo", by_argo(argo, path, texts))] if argo else []
    for who, containers in readers:
        for text, (container, file) in zip(texts, containers):
            got = run(container, file)
            if got != way[-1].format(text):
                verdicts[text] = f"{who}: {got!r}"
    return verdicts, ""


def try_way(way, argo, folder):
    """({text: what went wrong}, texts that were refused, how many arrived)."""
    texts = [t for t in TEXTS if not (way[0] == "another step's output" and t in CONTROL)]
    if way[0] == "a literal of a script":
        texts = [t for t in texts if raw_script(t)]
    doubtful = [t for t in texts if "{{" in t or t in CONTROL]
    sure = [t for t in texts if t not in doubtful]
    verdicts, complaints = try_texts(way, sure, argo, folder)
    wrong = {t: v for t, v in verdicts.items() if v} if verdicts else {"(all)": complaints}
    refused = []
    for text in doubtful:
        verdicts, complaints = try_texts(way, [text], argo, folder)
        if not verdicts and ("L0603" in complaints or "L0604" in complaints):
            refused.append(text)
        elif not verdicts or verdicts[text]:
            wrong[text] = complaints or verdicts[text]
    return wrong, refused, len(texts) - len(wrong) - len(refused)


def main():
    argo, why = validator.binary()
    if not argo:
        tap.skip(why)
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            wrong, refused, arrived = try_way(way, argo, folder)
            tap.is_(wrong, {}, f"{way[0]}: {arrived} texts arrive untouched, {len(refused)} are refused")
            may_refuse = way[0].startswith("a parameter's default") or way[0] == "a file"
            tap.ok(may_refuse or not refused, f"{way[0]}: nothing is refused without need")
    tap.done_testing()


main()
