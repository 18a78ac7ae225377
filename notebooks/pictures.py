#!/usr/bin/env python3
"""Takes the pictures out of an executed notebook: `pictures.py NOTEBOOK FOLDER` writes FOLDER/picture-NN.svg (or .png) for each
one that its outputs hold, as an image of their own or within HTML, and prints their paths."""
import base64
import json
import pathlib
import re
import sys
import urllib.parse

DATA_URI = re.compile(r'src="data:image/(svg\+xml|png)((?:;[a-z0-9=-]+)*),([^"]*)"', re.IGNORECASE)
SUFFIX = {"svg+xml": ".svg", "png": ".png"}


def text(value):
    return "".join(value) if isinstance(value, list) else value


def pictures(output):
    """(suffix, bytes) of each picture of one output."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        yield ".svg", text(data["image/svg+xml"]).encode()
    elif "image/png" in data:
        yield ".png", base64.b64decode(text(data["image/png"]))
    else:
        for kind, parameters, content in DATA_URI.findall(text(data.get("text/html", ""))):
            content = urllib.parse.unquote_to_bytes(content)
            yield SUFFIX[kind.lower()], base64.b64decode(content) if "base64" in parameters else content


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: pictures.py NOTEBOOK FOLDER")
    notebook = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("picture-*"):
        old.unlink()
    found = [p for cell in notebook["cells"] for output in cell.get("outputs", []) for p in pictures(output)]
    for number, (suffix, content) in enumerate(found, 1):
        file = folder / f"picture-{number:02}{suffix}"
        file.write_bytes(content)
        print(file)


if __name__ == "__main__":
    main()
