#!/usr/bin/env python3
"""lateen-step export, format onnx: onnxruntime gives the same logits and, token by token, the same titles; onnx's checker finds nothing.

LATEEN_TRAIN_PYTHON names a python that has both (./quickstart test sets one up)."""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tap  # noqa: E402

tap.need_python("LATEEN_TRAIN_PYTHON", "onnx", "onnxruntime", "tokenizers", "numpy")

import numpy  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from models import BATCHES, EOS, PAD, ids_of, our_logits, our_titles, step, train_models  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

# What is left of a weight: f32 sums in another order; the others keep 8 and 11 bits of it.
CLOSE = {"f32": 2e-5, "bf16": 3e-2, "f16": 4e-3}
NEW, ROWS = 12, 20


class Model:
    """Texts of different lengths side by side, filled up on their left."""

    def __init__(self, folder):
        self.prefill, self.decode = (onnxruntime.InferenceSession(f"{folder}/{name}.onnx", providers=["CPUExecutionProvider"])
                                     for name in ("prefill", "decode"))

    @staticmethod
    def run(session, inputs):
        return dict(zip((output.name for output in session.get_outputs()), session.run(None, inputs)))

    def begin(self, texts):
        longest = max(map(len, texts))
        self.mask = numpy.array([[0] * (longest - len(ids)) + [1] * len(ids) for ids in texts], dtype=numpy.int64)
        places = numpy.maximum(numpy.cumsum(self.mask, axis=1) - 1, 0)
        # What fills up is any token: nothing may depend on it.
        ids = numpy.array([[7] * (longest - len(ids)) + ids for ids in texts], dtype=numpy.int64)
        self.kept = self.run(self.prefill, {"input_ids": ids, "attention_mask": self.mask, "position_ids": places})
        return self.kept.pop("logits")

    def next(self, ids):
        self.mask = numpy.concatenate([self.mask, numpy.ones((len(ids), 1), dtype=numpy.int64)], axis=1)
        inputs = {"past_key_values." + name.removeprefix("present."): value for name, value in self.kept.items()}
        inputs |= {"input_ids": numpy.array(ids, dtype=numpy.int64)[:, None], "attention_mask": self.mask,
                   "position_ids": self.mask.sum(axis=1, keepdims=True) - 1}
        self.kept = self.run(self.decode, inputs)
        return self.kept.pop("logits")[:, 0]


def error_of(theirs, ours):
    """Relative to the largest logit of the document."""
    return float(numpy.abs(theirs - ours).max() / numpy.abs(ours).max())


def compare_logits(name, what, dtype, model):
    ours = our_logits("m-" + name, BATCHES)
    alone = max(error_of(model.begin([ids])[0], want) for ids, want in zip(BATCHES, ours))
    tap.ok(alone < CLOSE[dtype], f"{name}, {what}: the logits are within {alone:.1e}, {CLOSE[dtype]:.0e} at most")
    together = max(error_of(got[-len(want):], want) for got, want in zip(model.begin(BATCHES), ours))
    tap.ok(together < CLOSE[dtype], f"{name}, {what}: of texts side by side within {together:.1e}")
    parts = [(ids[:len(ids) // 2 + 1], ids[len(ids) // 2 + 1:]) for ids in BATCHES[1:]]
    model.begin([begun for begun, _ in parts])
    steps = min(len(rest) for _, rest in parts)
    worst = 0
    for i in range(steps):
        got = model.next([rest[i] for _, rest in parts])
        worst = max([worst] + [error_of(row, want[len(begun) + i]) for row, want, (begun, _) in zip(got, ours[1:], parts)])
    tap.ok(worst < CLOSE[dtype], f"{name}, {what}: of {steps} tokens one by one within {worst:.1e}")


def titles_of(model, prompts, tokenizer):
    texts = [[] for _ in prompts]
    logits = model.begin(prompts)[:, -1]
    for _ in range(NEW):
        logits[:, PAD] = -numpy.inf
        ids = logits.argmax(axis=1).tolist()
        for text, i in zip(texts, ids):
            if not text or text[-1] != EOS:
                text.append(i)
        logits = model.next(ids)
    return [tokenizer.decode([i for i in text if i != EOS], skip_special_tokens=False) for text in texts]


def compare_titles(name, model):
    tokenizer = Tokenizer.from_file(f"onnx-{name}-f32-inside/tokenizer.json")
    want = [title.rstrip("\ufffd") for title in our_titles("m-" + name, ROWS, NEW)]
    got = [title.rstrip("\ufffd") for title in titles_of(model, ids_of(tokenizer, ROWS), tokenizer)]
    same = sum(a == b for a, b in zip(got, want))
    tap.ok(same >= ROWS - 1 and len(got) == ROWS and len(set(want)) > 1, f"{name}: {same} of {ROWS} titles are the same")
    if same < ROWS:  # two tokens that are as likely, but for the last bit
        tap.note([pair for pair in zip(got, want) if pair[0] != pair[1]][:2])


def check_files(name, dtype, weights, folder):
    for graph in ("prefill", "decode"):
        path = f"{folder}/{graph}.onnx"
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        tap.is_((model.opset_import[0].version, model.graph.output[0].name), (17, "logits"), f"{name}, {dtype}, {weights}: {graph} is well formed")
        notes = {note.key: note.value for note in model.metadata_props}
        tap.is_((notes["family"], notes["eos_token_id"]), (name.partition("-")[0], "1"), "and says what it is")
    tap.is_(os.path.exists(f"{folder}/weights.data"), weights == "beside", "its weights are where they were asked for")
    tap.ok(weights == "inside" or os.path.getsize(f"{folder}/decode.onnx") < 100000, "and nowhere else")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in train_models():
            for dtype, weights in (("f32", "inside"), ("f32", "beside"), ("bf16", "beside"), ("f16", "inside")):
                out = f"onnx-{name}-{dtype}-{weights}"
                step("export", model="m-" + name, format="onnx", dtype=dtype, weights=weights, output=out)
                check_files(name, dtype, weights, out)
                compare_logits(name, f"{dtype}, {weights}", dtype, Model(out))
            compare_titles(name, Model(f"onnx-{name}-f32-beside"))
        os.chdir("/")
    tap.done_testing()


main()
