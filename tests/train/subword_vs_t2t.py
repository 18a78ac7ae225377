#!/usr/bin/env python3
"""`lateen-step tokenizer --kind t2t` against Tensor2Tensor's own builder, byte by byte, on random text and on real issues where LATEEN_SHARED has
them.

LATEEN_TRAIN_PYTHON names a python with numpy, six and PyPI's tensor2tensor 1.11.0 (`pip install --no-deps`: of TensorFlow the builder uses no
more than names, which are stood in for here).
"""
import csv
import importlib.util
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

tap.need_python("LATEEN_TRAIN_PYTHON", "tensor2tensor", "numpy", "six")

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
ISSUES = 800


def text_encoder():
    """The package's module, without the packages around it, which import all of TensorFlow."""
    root = pathlib.Path(importlib.util.find_spec("tensor2tensor").submodule_search_locations[0])
    tensorflow, log = types.ModuleType("tensorflow"), types.ModuleType("tensor2tensor.utils.mlperf_log")
    tensorflow.logging = types.SimpleNamespace(info=lambda *_: None)
    tensorflow.gfile = types.SimpleNamespace(
        Open=lambda path, mode="r": open(path, mode, encoding="utf-8", newline="\n"), Exists=os.path.exists)
    log.transformer_print = lambda **_: None
    sys.modules.update({"tensorflow": tensorflow, log.__name__: log})
    for name in ("tensor2tensor", "tensor2tensor.data_generators", "tensor2tensor.utils"):
        module = types.ModuleType(name)
        module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
    sys.modules["tensor2tensor.utils"].mlperf_log = log
    return importlib.import_module("tensor2tensor.data_generators.text_encoder")


def random_texts():
    chance = random.Random(3)
    words = ["".join(chance.choice("etaoinshrdlu") for _ in range(chance.randrange(1, 9))) for _ in range(900)]
    words += ["_", "\\", "\n", ".", "...", "12", "é", "中文", "🙂", "it's", "a_b", "\t", "<pad>", "<EOS>"]
    return [" ".join(chance.choice(words[int(len(words) * chance.random() ** 3):]) for _ in range(15)) for _ in range(400)]


def real_texts():
    path = tap.shared("data/github_issues_sample.csv")
    if not path:
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [row[field] for row in list(csv.DictReader(file))[:ISSUES] for field in ("body", "issue_title") if row[field]]


def compare(encoder, name, texts, size, length):
    pathlib.Path("in.jsonl").write_text("".join(json.dumps({"t": t}) + "\n" for t in texts), encoding="utf-8")
    built = encoder.SubwordTextEncoder.build_from_generator(iter(texts), size, max_subtoken_length=length)
    built.store_to_file("theirs")
    done = subprocess.run([STEP, "tokenizer", "--kind", "t2t", "--input", "in.jsonl", "--fields", "t", "--vocab", str(size),
                           "--max-subtoken-length", str(length), "--output", "ours"], capture_output=True, text=True, check=False)
    tap.is_(done.stderr, "", f"{name}: runs")
    ours, theirs = (pathlib.Path(p).read_bytes().split(b"\n") for p in ("ours", "theirs"))
    tap.is_(next(((a, b) for a, b in zip(ours, theirs) if a != b), None), None, f"{name}: the same subwords, {size} wanted, shorter than {length}")
    tap.is_(len(ours), len(theirs), f"{name}: as many")
    subprocess.run([STEP, "tokenize", "--input", "in.jsonl", "--tokenizer", "ours", "--fields", "t", "--output", "tokens"], check=True, capture_output=True)
    tap.is_(sum(map(len, map(encoder.SubwordTextEncoder("theirs").encode, texts))), int.from_bytes(pathlib.Path("tokens").read_bytes()[32:40], "little"),
            f"{name}: as many tokens of all texts")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        encoder = text_encoder()
        for size, length in ((200, 200), (700, 4), (1500, 20)):
            compare(encoder, "random text", random_texts(), size, length)
        texts = real_texts()
        if texts:
            compare(encoder, "real issues", texts, 2048, 4)
        else:
            tap.skip("LATEEN_SHARED has no github_issues_sample.csv")
        os.chdir("/")
    tap.done_testing()


main()
