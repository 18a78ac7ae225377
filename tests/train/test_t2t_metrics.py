#!/usr/bin/env python3
"""Tensor2Tensor's measures against a plain statement of them in Python, on random logits with many equal ones; and, where the python that
LATEEN_TRAIN_PYTHON names has PyPI's tensor2tensor 1.11.0 (`pip install --no-deps`) and numpy, against its own BLEU and ROUGE.
"""
import array
import collections
import importlib.util
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

MODULES = ("tensor2tensor", "numpy", "six")
if os.environ.get("LATEEN_TRAIN_PYTHON") and not all(map(importlib.util.find_spec, MODULES)):
    # The variable goes, so that this happens once.
    python = os.environ.pop("LATEEN_TRAIN_PYTHON")
    os.execv(python, [python] + sys.argv)

TOOL = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "tests/train/metrics_tool"))
# Sums in another order of operations; theirs are rounded to 32 bits on the way.
TOLERANCE, TOLERANCE_OF_THEIRS = 1e-9, 2e-6


def float32(number):
    return array.array("f", [number])[0]


def grams(ids, n):
    return [tuple(ids[i:i + n]) for i in range(len(ids) - n + 1)]


def bleu(pairs):
    logs, smooth = 0, 1
    for n in range(1, 5):
        shared = sum(sum((collections.Counter(grams(right, n)) & collections.Counter(grams(said, n))).values()) for right, said in pairs)
        total = sum(len(grams(said, n)) for _, said in pairs)
        if total:
            smooth *= 1 if shared else 2
            logs += math.log(shared / total if shared else 1 / (smooth * total))
    return math.exp(logs / 4)  # both sides are as long: there is no penalty


def rouge_2(right, said):
    of_right, of_said = set(grams(right, 2)), set(grams(said, 2))
    shared = len(of_right & of_said)
    precision, recall = shared / max(len(of_said), 1), shared / max(len(of_right), 1)
    return 2 * precision * recall / (precision + recall + 1e-8)


def rouge_l(right, said):
    row = [0] * (len(said) + 1)
    for a in right:
        last = row
        row = [0]
        for i, b in enumerate(said):
            row.append(last[i] + 1 if a == b else max(row[i], last[i + 1]))
    recall, precision = row[-1] / len(right), row[-1] / len(said)
    beta = precision / (recall + 1e-12)
    return (1 + beta ** 2) * recall * precision / (recall + beta ** 2 * precision + 1e-12)


def measure(titles):
    pairs, hits, top5, logs = [], [], [], []
    for ids, logits in titles:
        order = [sorted(range(len(row)), key=lambda i, row=row: (-row[i], i)) for row in logits]
        pairs.append((ids, [o[0] for o in order]))
        hits += [i == o[0] for i, o in zip(ids, order)]
        top5 += [i in o[:5] for i, o in zip(ids, order)]
        logs += [row[i] - max(row) - math.log(sum(math.exp(x - max(row)) for x in row)) for i, row in zip(ids, logits)]
    return pairs, {"accuracy": sum(hits) / len(hits), "accuracy_top5": sum(top5) / len(top5),
                   "accuracy_per_sequence": sum(right == said for right, said in pairs) / len(pairs),
                   "neg_log_perplexity": sum(logs) / len(logs), "approx_bleu_score": bleu(pairs),
                   "rouge_2_fscore": sum(rouge_2(*p) for p in pairs) / len(pairs), "rouge_L_fscore": sum(rouge_l(*p) for p in pairs) / len(pairs)}


def random_titles(chance, n, longest, words, skill):
    titles = []
    for _ in range(n):
        ids = [chance.randrange(1, words) for _ in range(chance.randrange(1, longest + 1))]
        logits = [[float32(chance.randrange(-8, 9) / 4) for _ in range(words)] for _ in ids]
        for i, row in zip(ids, logits):
            if chance.random() < skill:
                row[i] = 2.0
        titles.append((ids, logits))
    return titles


def cases():
    chance = random.Random(5)
    yield "many titles", random_titles(chance, 60, 25, 40, 0.6)
    yield "few ids", random_titles(chance, 40, 12, 4, 0.3)
    yield "short titles", random_titles(chance, 30, 2, 60, 0.5)
    yield "one title of one id", [([3], [[0.0] * 9])]
    yield "nothing right", [([1, 2, 3], [[9.0, 0.0, 0.0, 0.0, 1, 2, 3, 4, 5.0]] * 3)]
    yield "all right", [([2, 1, 2], [[0.0, float(i == 1), float(i == 2), 0.0] for i in (2, 1, 2)])] * 3
    yield "far apart", [([1, 2], [[1000.0, -1000.0, 0.0], [-1000.0, 0.0, 1000.0]])]


def theirs():
    """BLEU and ROUGE of the package itself, without the TensorFlow that it imports."""
    root = pathlib.Path(importlib.util.find_spec("tensor2tensor").submodule_search_locations[0])
    sys.modules["tensorflow"] = types.ModuleType("tensorflow")
    for name in ("tensor2tensor", "tensor2tensor.utils", "tensor2tensor.data_generators", "tensor2tensor.data_generators.text_encoder"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules["tensor2tensor.data_generators"].text_encoder = sys.modules["tensor2tensor.data_generators.text_encoder"]
    hook = importlib.import_module("tensor2tensor.utils.bleu_hook")
    rouge = importlib.import_module("tensor2tensor.utils.rouge")
    return {"approx_bleu_score": lambda right, said: hook.compute_bleu(right, said), "rouge_2_fscore": lambda right, said: rouge.rouge_n(said, right),
            "rouge_L_fscore": lambda right, said: rouge.rouge_l_sentence_level(said, right)}


def main():
    peers = theirs() if all(map(importlib.util.find_spec, MODULES)) else {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "titles")
        for name, titles in cases():
            with open(path, "wb") as file:
                array.array("I", [len(titles[0][1][0])]).tofile(file)
                for ids, logits in titles:
                    array.array("i", [len(ids)] + ids).tofile(file)
                    for row in logits:
                        array.array("f", row).tofile(file)
            done = subprocess.run([TOOL, path], capture_output=True, text=True, check=False)
            got = {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}
            pairs, want = measure(titles)
            tap.is_(list(got), list(want), f"{name}: the measures {done.stderr}")
            for key, number in want.items():
                tap.ok(abs(got.get(key, math.nan) - number) < TOLERANCE, f"{name}: {key} is {got.get(key)}, wanted {number}")
            for key, function in peers.items():
                number = float(function(*zip(*pairs)))
                tap.ok(abs(got[key] - number) < TOLERANCE_OF_THEIRS, f"{name}: {key} is {got[key]}, Tensor2Tensor has {number}")
    if not peers:
        tap.skip("no python here has PyPI's tensor2tensor, to compare with its own BLEU and ROUGE")
    tap.done_testing()


main()
