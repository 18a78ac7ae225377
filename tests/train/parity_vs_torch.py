#!/usr/bin/env python3
"""The fixtures of test_parity made anew by the PyTorch at hand, and the test run with them.

LATEEN_TORCH_PYTHON names a python with PyPI's torch, numpy and safetensors. PyPI's torch brings the CUDA libraries along, gigabytes
of them, so ./quickstart test does not fetch it; without it, test_parity runs with the fixtures in the tree."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

if not os.environ.get("LATEEN_TORCH_PYTHON") and not importlib.util.find_spec("torch"):
    tap.skip_all("LATEEN_TORCH_PYTHON names no python with PyPI's torch")
tap.need_python("LATEEN_TORCH_PYTHON", "torch", "numpy", "safetensors")

HERE = pathlib.Path(__file__).resolve().parent
TEST = os.path.join(os.environ.get("builddir", "."), "tests", "train", "test_parity")


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([sys.executable, HERE / "make_parity.py", folder], capture_output=True, text=True, check=False)
        tap.is_(made.returncode, 0, "PyTorch makes the fixtures")
        done = subprocess.run([TEST, folder], capture_output=True, text=True, check=False)
        tap.ok(not done.returncode and done.stdout.count("\nok ") > 100, "they hold")
        tap.note("\n".join(line for line in done.stdout.splitlines() if not line.startswith("ok")) + made.stderr[-2000:])
    tap.done_testing()


main()
