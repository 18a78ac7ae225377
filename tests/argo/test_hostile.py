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

TEXTS = [
    "", " ", "plain", "yes", "null", "0", "1e3", "-", "- a", "a: b", "# no comment", "a #b", "key:", "|", ">", "&a", "*a", "!a", "%a", "@a",
    "'", '"', "it's", 'say "x"', "''", '""', "`id`", "\\", "\\n", "a\\", "\\\\", "$", "$$", "$$$", "$HOME", "${HOME}", "$(HOME)", "$(id)",
    "$((1+1))", "$(LATEEN_BRACE)", "$(text)", "$$(text)", "a$", "a$$", "$(", "$)", "{", "{{", "{{{", "}", "}}", "{}", "{{}}", "{{x}}",
    "{{workflow.name}}", "{{ workflow.uid }}", "{{inputs.parameters.text}}", "{{=1+1}}", "{{=workflow.name}}", "a{{b", "}}{{", "{{{{x}}}}",
    '{"a": {"b": "{{c}}"}}', "[1, 2]", "; rm -rf /", "&& false", "| cat", "> /tmp/x", "*", "~", "!!", "\t", "a\tb", "two\nlines", "\nlead",
    "trail\n", "trail\n\n", "\n", " lead", "trail ", "a\r\nb", "\x01", "\x1b[31m", "\x7f", "h\u00e9", "\u4e16\u754c", "\u05e9\u05dc\u05d5\u05dd", "\U0001f600",
    "\u00a0", "\u2028", "\ufeff", "e\u0301", "EOF", "--flag", "-e", "%s", "\\x41", "a" * 3000,
]

PROGRAM = '''
component as_argument(text: String) {{
    image   "example.test/a:1"
    command ["printf", "%s"]
    args    [text]
}}

component joined(text: String) {{
    image   "example.test/a:1"
    command ["printf", "%s", "<{{text}}>"]
}}

component in_script(text: String) -> (said: String) {{
    image "example.test/a:1"
    script sh """printf %s "$text" """
}}

use from_file from "{folder}/cat.yaml"

component literal() {{
    image   "example.test/a:1"
    command ["printf", "%s", {literal}]
}}

component literal_script() {{
    image "example.test/a:1"
    script python {raw}
}}

component printed() {{
    image "example.test/a:1"
    script sh """printf %s "$MARK" """
}}

component given(text: String) -> (said: String) {{
    image "example.test/a:1"
    script sh """printf %s "$text" > "$out_said" """
}}

pipeline p({parameter}) {{
    way = {call}
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


# name, call, parameter's declaration, what surrounds the text
WAYS = [
    ("an argument", "as_argument({text})", "", "{}"),
    ("an argument joined with text", "joined({text})", "", "<{}>"),
    ("a variable of a script", "in_script({text})", "", "{}"),
    ("a parameter's default", "in_script(p)", "p: String = {text}", "{}"),
    ("a parameter's default as an argument", "as_argument(p)", "p: String = {text}", "{}"),
    ("a file", "from_file({text})", "", "{}"),
    ("a literal of a component", "literal()", "", "{}"),
    ("a literal of a script", "literal_script()", "", "{}"),
    ("the environment", "printed() with env {{MARK: {text}}}", "", "{}"),
    ("another step's output", "in_script(first.said)\n    first = given(\"x\")", "", "{}"),
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


def by_model(document, text):
    """The container of the step `way`, filled in by the model; ready for run()."""
    step = meaning.meaning(document, values=True, results={("first", RESULT): text})["steps"]["way"]
    env = [{"name": k, "value": v.replace("$", "$$")} for k, v in step["env"].items()]
    words = [w.replace("$", "$$") for w in step["command"] + step["args"]]
    file = next((f[5:-1] for f in step["inputs"].values()), None)
    return {"command": words, "env": env}, file


def by_argo(program, path, text):
    found, complaint = validator.filled(program, path, {"first": {"said": text}})
    if found is None:
        return {"command": ["printf", "%s", "Argo: " + complaint]}, None
    way = found["way"]
    return way["container"], next((a["raw"]["data"] for a in way["artifacts"] or []), None)


def try_text(name, call, parameter, around, text, argo, folder):
    """None if it arrives, "refused" if the compiler says so, else what went wrong."""
    raw = raw_script(text)
    if raw is None and name == "a literal of a script":
        return "refused"
    program = PROGRAM.format(folder=compiled.HERE / "oracle", literal=quoted(text), raw=raw or '"""pass"""', parameter=parameter.format(text=quoted(text)),
                             call=call.format(text=quoted(text)))
    compiled_text, complaints = compiled.yaml_text(program)
    if compiled_text is None:
        return "refused" if "L0603" in complaints or "L0604" in complaints else complaints
    path = pathlib.Path(folder, "workflow.yaml")
    path.write_text(compiled_text, encoding="utf-8")
    want = around.format(text)
    for who, (container, file) in [("model", by_model(yaml.safe_load(compiled_text), text))] + (
            [("argo", by_argo(argo, path, text))] if argo else []):
        got = run(container, file)
        if got != want:
            return f"{who}: {got!r} instead of {want!r}"
    return None


def main():
    argo, why = validator.binary()
    if not argo:
        tap.skip(why)
    with tempfile.TemporaryDirectory() as folder:
        for name, call, parameter, around in WAYS:
            texts = [t for t in TEXTS if not (name == "another step's output" and t in CONTROL)]
            verdicts = {t: try_text(name, call, parameter, around, t, argo, folder) for t in texts}
            wrong = {t[:40]: v for t, v in verdicts.items() if v not in (None, "refused")}
            refused = [t[:20] for t, v in verdicts.items() if v == "refused"]
            tap.is_(wrong, {}, f"{name}: {len(texts) - len(refused) - len(wrong)} texts arrive untouched, {len(refused)} are refused")
            tap.note(f"refused: {refused}")
    tap.done_testing()


main()
