#!/usr/bin/env python3
"""Expressions and conditions, computed by Argo's own code, come out as Lateen says.

Each stands in a pipeline beside a step `made`, whose outputs are given here; the values that are expected are those of the
language (dsl/eval.c), written down by hand.
"""
import pathlib
import tempfile

import compiled
from compiled import tap

tap.need("yaml")

import meaning  # noqa: E402
import validator  # noqa: E402

TEXT = "it's \"x\" \\ {{y}} $$"
MADE = {"count": "-7", "ratio": "0.25", "ready": "true", "text": TEXT, "word": "hyphen-ated",
        "words": '["a{{b", 2, {"x": [1]}, "$$"]', "info": '{"key": 1000000, "list": [10, 20], "a b": "c"}'}
PROGRAM = '''
component make() -> (count: Integer, ratio: Float, ready: Boolean, text: String, word: String, words: List, info: Dict) {{
    image "example.test/a:1"
    script sh """true"""
}}
component show(text: String) {{
    image "example.test/a:1"
    script sh """printf %s "$text" """
}}
pipeline p(n: Integer = 3, mode: String = "fast", sure: Boolean = false) {{
    made = make()
{lines}
}}
'''
# An expression that is text, and what a step gets for it.
VALUES = [
    ('"{made.count}"', "-7"),
    ('"{made.count + n}"', "-4"),
    ('"{made.count * 2 - n}"', "-17"),
    ('"{made.count - (n - 1)}"', "-9"),
    ('"{-made.count}"', "7"),
    ('"{made.count % 5}"', "-2"),
    ('"{made.count > n} {made.count < n}"', "false true"),
    ('"{made.ready and sure} {made.ready or sure} {not sure}"', "false true true"),
    ('"{made.ratio}"', "0.25"),
    ('"{made.ratio <= 0.25} {made.ratio < 0.25}"', "true false"),
    ("made.text", TEXT),
    ('made.text + "$$(x)"', TEXT + "$$(x)"),
    ('"<{made.text}>"', f"<{TEXT}>"),
    ('"{{{made.word}}}"', "{hyphen-ated}"),
    ('"$({made.word})"', "$(hyphen-ated)"),
    ('"{len(made.words)} {len(made.text)} {len(mode)}"', f"4 {len(TEXT)} 4"),
    ('"{made.words[0]}"', "a{{b"),
    ('"{made.words[1]}"', "2"),
    ('"{made.words[2]}"', '{"x":[1]}'),
    ('"{made.words[3]}"', "$$"),
    ('made.info["a b"]', "c"),
    ('made.info["key"]', "1000000"),
    ('made.info["list"]', "[10,20]"),
    ('made.info["list"][1]', "20"),
    ('made.info["missing"] ?? "none }}}}"', "none }}"),
    ('made.info["a b"] ?? "none"', "c"),
]
CONDITIONS = [
    ("made.ready", True), ("not made.ready", False), ("sure", False), ('mode == "fast"', True), ('mode != "fast"', False),
    ('mode == "it\'s"', False), ('made.text == "it\'s \\"x\\" \\\\ {{{{y}}}} $$"', True), ('made.text == "{{{{"', False),
    ("made.count == -7", True), ("made.count > n", False), ("made.count + 10 == n", True), ("n > 2 and n < 4", True),
    ("n > 5 or sure or made.ready", True), ("not (n > 2 and made.ready)", False), ("made.ratio < 0.5", True),
    ("n == 9007199254740993", False), ('made.word == "hyphen-ated"', True), ('mode in ["slow", "fast"]', True),
    ('mode not in ["slow", "fast"]', False), ('"x" in made.text', True), ('"key" in made.info', True), ("2 in made.words", True),
    ('mode == "2024-01-02"', False), ('(mode == "a" or mode == "fast") and made.ready', True), ("made.ready == sure", False),
    ("made.ready != sure", True), ('mode < "g"', True),
]


def compile_lines(lines):
    return compiled.yaml_text(PROGRAM.format(lines="\n".join("    " + line for line in lines)))


def filled(argo, lines):
    """What Argo makes of it, by task; None after a failed assertion."""
    text, complaints = compile_lines(lines)
    if text is None:
        tap.fail("it compiles: " + lines[0], complaints)
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "workflow.yaml")
        path.write_text(text, encoding="utf-8")
        found, complaint = validator.filled(argo, path, {"made": MADE})
    if found is None:
        tap.fail("Argo fills it in: " + lines[0], complaint + text)
    return found


def main():
    argo, why = validator.binary()
    if not argo:
        tap.skip_all(why)
    for expression, want in VALUES:
        found = filled(argo, [f"shown = show({expression})"])
        if found:
            tap.is_(meaning.variables(found["shown"]["container"], {})["text"], want, f"{expression} is {want!r}")
    for condition, want in CONDITIONS:
        found = filled(argo, [f"if {condition} {{ shown = show(\"x\") }}"])
        if found:
            tap.is_(found["condition-1"]["runs"], want, f"if {condition}: {want}")
    tap.done_testing()


main()
