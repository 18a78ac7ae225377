#!/usr/bin/env python3
"""GPT-2 here and in Hugging Face's transformers: a model that transformers made gives the same titles here, and one that was trained here is
loaded there and gives the same.

LATEEN_TORCH_PYTHON names a python with PyPI's torch and transformers."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

if not os.environ.get("LATEEN_TORCH_PYTHON") and not importlib.util.find_spec("torch"):
    tap.skip_all("LATEEN_TORCH_PYTHON names no python with PyPI's torch")
tap.need_python("LATEEN_TORCH_PYTHON", "torch", "transformers", "tokenizers")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import GPT2Config, GPT2LMHeadModel  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
PAD, EOS, NEW, ROWS = 0, 1, 12, 20


def step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    done = subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)
    tap.is_((done.returncode, done.stderr), (0, ""), command)


def make_data():
    step("synthetic-issues", rows=120, output="issues")
    step("tokenizer", input="issues", vocab=300, output="tokenizer.json")
    step("tokenize", input="issues", tokenizer="tokenizer.json", output="tokens")


def their_titles(model, tokenizer, bodies):
    """The likeliest token each time; <pad> never."""
    titles = []
    for body in bodies:
        ids = [PAD] + tokenizer.encode(body, add_special_tokens=False).ids + [EOS, PAD]
        start = len(ids)
        while len(ids) < start + NEW:
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0, -1]
            logits[PAD] = -torch.inf
            if int(logits.argmax()) == EOS:
                break
            ids.append(int(logits.argmax()))
        titles.append(tokenizer.decode(ids[start:], skip_special_tokens=False))
    return titles


def compare(folder, name):
    with open("issues", encoding="utf-8") as issues:
        bodies = [json.loads(line)["body"] for line in issues][:ROWS]
    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    want = their_titles(model, Tokenizer.from_file("tokenizer.json"), bodies)
    step("generate", model=folder, input="issues", rows=ROWS, max_tokens=NEW, output="titles")
    got = [json.loads(line)["title"] for line in pathlib.Path("titles").read_text(encoding="utf-8").splitlines()]
    # Of bytes that are no UTF-8 one says more U+FFFD than the other.
    got, want = ([re.sub("\ufffd+", "\ufffd", title) for title in titles] for titles in (got, want))
    same = sum(a == b for a, b in zip(got, want))
    tap.ok(same >= ROWS - 1 and len(got) == ROWS, f"{name}: {same} of {ROWS} titles are the same")
    if same < ROWS:  # two tokens that are as likely, but for the last bit
        tap.note([pair for pair in zip(got, want) if pair[0] != pair[1]][:2])


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_data()
        torch.manual_seed(3)
        theirs = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=256, n_embd=48, n_layer=2, n_head=3, initializer_range=0.3))
        theirs.save_pretrained("theirs")
        shutil.copy("tokenizer.json", "theirs/tokenizer.json")
        compare("theirs", "a model of transformers")
        step("train", data="tokens", tokenizer="tokenizer.json", arch="gpt2", steps=60, lr=0.003, warmup=10, batch_tokens=512, context=256, checkpoints="",
             output="ours")
        compare("ours", "a model of ours")
        os.chdir("/")
    tap.done_testing()


main()
