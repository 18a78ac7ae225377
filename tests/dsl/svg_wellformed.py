#!/usr/bin/env python3
"""The SVG and the HTML of hostile pipelines, read by real parsers: well-formed, every text where it belongs, nothing active."""
import base64
import html.parser
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

SVG = "{http://www.w3.org/2000/svg}"
TOOL = os.path.join(tap.build_dir(), "tests/dsl/graph_tool")

NAMES = {
    "a tag": "<script>alert(1)</script>",
    "the end of a CDATA section": "]]><![CDATA[",
    "an entity": "&lt; &amp;amp; &bogus;",
    "a comment": "<!-- -- -->",
    "quotes": "' onerror='x",
    "Hebrew": "שלום עולם",
    "Arabic with digits": "مرحبا 123",
    "CJK": "数据清洗",
    "emoji": "👩‍🚀🏳️‍🌈",
    "marks": "e\u0301\u0323\u0308",
    "a long one": "very " * 200,
}

MESSAGES = {
    "control characters": "\x01\x02\x1b[31mred\x7f",
    "directions": "\u202eevil\u2066\u2069\u200f",
    "a tag": "</text></svg><script>x</script>",
    "noncharacters": "\uffff\ufffe",
    "newlines": "a\r\nb\tc",
}

PROGRAM = """component a(x: String = "") -> (out: String, ok: Boolean) {{ display {display}, script sh \"\"\"true\"\"\" }}
pipeline p() {{
    settings {{ display {display} }}
    first = a()
    if first.out == {display} {{ second = a(x: first.out) }}
}}
"""


def draw(form, program, run=None):
    command = [TOOL, form] + ([run] if run else [])
    return subprocess.run(command, input=program.encode(), capture_output=True, check=True).stdout.decode()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("{", "{{").replace("}", "}}") + '"'


def check_svg(text, name):
    """Well-formed, and only elements and attributes that draw."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        tap.ok(False, f"{name}: well-formed ({error})")
        return None
    tap.ok(True, f"{name}: well-formed")
    tags = {e.tag.replace(SVG, "") for e in root.iter()}
    allowed = {"svg", "title", "desc", "style", "defs", "pattern", "g", "path", "rect", "circle", "use", "text", "tspan"}
    tap.is_(sorted(tags - allowed), [], f"{name}: only elements that draw")
    active = [a for e in root.iter() for a, v in e.attrib.items() if a.startswith("on") or ("href" in a and not v.startswith("#"))]
    tap.is_(active, [], f"{name}: nothing active, nothing from outside")
    return root


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.active, self.alt, self.src = [], [], None, None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.active += [a for a, _ in attrs if a.startswith("on")]
        if tag == "img":
            self.alt, self.src = dict(attrs)["alt"], dict(attrs)["src"]


def check_html(text, name):
    page = Page()
    page.feed(text)
    allowed = {"div", "img", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "p"}
    tap.is_(sorted(set(page.tags) - allowed), [], f"{name}: only tags of ours in HTML")
    tap.is_(page.active, [], f"{name}: no handlers in HTML")
    kind, _, data = (page.src or "").partition(",")
    tap.is_(kind, "data:image/svg+xml;base64", f"{name}: the picture is in the page")
    check_svg(base64.b64decode(data).decode(), f"{name}, from the page")
    return page


def main():
    if not os.path.exists(TOOL):
        tap.skip_all(f"{TOOL} is not built")
    for name, text in NAMES.items():
        program = PROGRAM.format(display=quoted(text))
        root = check_svg(draw("svg", program), name)
        if root is not None:
            titles = [e.text for e in root.iter(SVG + "title")]
            tap.ok(any(text.strip()[:40] in (t or "") for t in titles), f"{name}: its whole is in a title")
        check_html(draw("html", program), name)
    for name, text in MESSAGES.items():
        run = "Failed first=Failed/1/2//" + text.replace(" ", "_").replace("\n", "\r")
        program = PROGRAM.format(display='"x"')
        check_svg(draw("svg", program, run), f"message: {name}")
        page = check_html(draw("html", program, run), f"message: {name}")
        bad = [c for c in page.alt if (ord(c) < 32 and c != "\n") or c in "\u202e\u2066\u200f"]
        tap.is_(bad, [], f"message: {name}: nothing in the alt text that may not be there")
        bundle = json.loads(draw("bundle", program, run))
        check_svg(bundle["image/svg+xml"], f"message: {name}, from the bundle")
    tap.done_testing()


if __name__ == "__main__":
    main()
