#!/usr/bin/env python3
"""The picture in README.md is what `lateen graph` draws of docs/examples/gh_summ.lateen now; `make update-golden` draws it anew."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

ROOT = pathlib.Path(tap.source_dir())
EXAMPLE = ROOT / "docs" / "examples" / "gh_summ.lateen"
PICTURE = ROOT / "docs" / "gh_summ.svg"


def main():
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "LATEEN_SHARED"}
        subprocess.run([sys.executable, ROOT / "notebooks" / "data.py", "--offline", folder], check=True, stdout=subprocess.DEVNULL,
                       env=environment)
        shutil.copy(EXAMPLE, folder)
        done = subprocess.run([tap.lateen(), "graph", "gh_summ.lateen", "-o", "gh_summ.svg"], cwd=folder, capture_output=True, text=True,
                              check=False)
        if not tap.is_(done.returncode, 0, "the example is drawn"):
            tap.note(done.stderr)
            tap.done_testing()
        drawn = pathlib.Path(folder, "gh_summ.svg").read_text(encoding="utf-8")
        if os.environ.get("UPDATE_GOLDEN"):
            PICTURE.write_text(drawn, encoding="utf-8")
        tap.ok(drawn == PICTURE.read_text(encoding="utf-8"), "docs/gh_summ.svg is that drawing")
        formatted = subprocess.run([tap.lateen(), "fmt", "--check", str(EXAMPLE)], capture_output=True, text=True, check=False)
        tap.is_((formatted.returncode, formatted.stdout), (0, ""), "the example is in canonical form")
    tap.done_testing()


main()
