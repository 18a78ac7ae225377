#!/usr/bin/env python3
"""lateen-step export, format huggingface: transformers load what it writes, and give the same logits and the same titles.

LATEEN_TORCH_PYTHON names a python with PyPI's torch and transformers."""
import importlib.util
import json
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tap  # noqa: E402
from models import BATCHES, PAD, EOS, ids_of, our_logits, our_titles, step, train_models  # noqa: E402

if not os.environ.get("LATEEN_TORCH_PYTHON") and not importlib.util.find_spec("torch"):
    tap.skip_all("LATEEN_TORCH_PYTHON names no python with PyPI's torch")
tap.need_python("LATEEN_TORCH_PYTHON", "torch", "transformers", "tokenizers")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import numpy  # noqa: E402
import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

# What is left of a weight: f32 sums in another order; the others keep 8 and 11 bits of it.
CLOSE = {"f32": 2e-5, "bf16": 3e-2, "f16": 4e-3}
NEW, ROWS = 12, 20


def compare_logits(name, dtype, model):
    """Relative to the largest logit of the document."""
    worst = 0
    for ids, ours in zip(BATCHES, our_logits("m-" + name, BATCHES)):
        with torch.no_grad():
            theirs = model(torch.tensor([ids])).logits[0].float().numpy()
        worst = max(worst, float(numpy.abs(theirs - ours).max() / numpy.abs(ours).max()))
    tap.ok(worst < CLOSE[dtype], f"{name}, {dtype}: the logits are within {worst:.1e}, {CLOSE[dtype]:.0e} at most")


def compare_titles(name, model, tokenizer):
    """By transformers' own generate, and its own tokenizer."""
    want = our_titles("m-" + name, ROWS, NEW)
    got = []
    for ids in ids_of(tokenizer, ROWS):
        made = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.int64), max_new_tokens=NEW)[0, len(ids):]
        got.append(tokenizer.decode([i for i in made.tolist() if i not in (EOS, PAD)]))
    got, want = ([re.sub("\ufffd+", "\ufffd", title) for title in titles] for titles in (got, want))
    same = sum(a == b for a, b in zip(got, want))
    tap.ok(same >= ROWS - 1 and len(got) == ROWS and len(set(want)) > 1, f"{name}: {same} of {ROWS} titles are the same")
    if same < ROWS:
        tap.note([pair for pair in zip(got, want) if pair[0] != pair[1]][:2])


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in train_models():
            for dtype in CLOSE:
                out = f"hf-{name}-{dtype}"
                step("export", model="m-" + name, dtype=dtype, output=out)
                model, info = AutoModelForCausalLM.from_pretrained(out, dtype="auto", output_loading_info=True)
                tap.is_({key: sorted(value) for key, value in info.items() if key in ("missing_keys", "unexpected_keys", "mismatched_keys")},
                        {"missing_keys": [], "unexpected_keys": [], "mismatched_keys": []}, f"{name}, {dtype}: every tensor has its place")
                tap.is_(str(model.dtype), {"f32": "torch.float32", "bf16": "torch.bfloat16", "f16": "torch.float16"}[dtype], "is what it was asked for")
                compare_logits(name, dtype, model.eval().float() if dtype != "f32" else model.eval())
            tokenizer = AutoTokenizer.from_pretrained(f"hf-{name}-f32")
            tap.is_((tokenizer.pad_token_id, tokenizer.eos_token_id), (PAD, EOS), "its tokens of their own")
            text = json.loads(pathlib.Path("issues").read_text(encoding="utf-8").splitlines()[0])["body"] + " \u00e9\u4e2d\n\U0001f600"
            tap.is_(tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids), text, "its tokenizer gives a text back")
            compare_titles(name, AutoModelForCausalLM.from_pretrained(f"hf-{name}-f32").eval(), tokenizer)
        os.chdir("/")
    tap.done_testing()


main()
