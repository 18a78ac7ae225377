#!/usr/bin/env python3
"""GPT-2 and Llama here and in Hugging Face's transformers: a model that transformers made gives the same logits and titles here, one that was
trained here is loaded there and gives the same, and so does one of theirs that was trained on here.

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
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM  # noqa: E402

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)

BUILD = os.path.abspath(os.environ.get("builddir", "."))
STEP, TOOL = os.path.join(BUILD, "lateen-step"), os.path.join(BUILD, "tests/train/step_tool")
PAD, EOS, NEW, ROWS, VOCAB = 0, 1, 12, 20, 300
LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
          "rope_theta": 1000.0}


def llama(**options):
    sizes = {"vocab_size": VOCAB, "max_position_embeddings": 256, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "intermediate_size": 80, "initializer_range": 0.3}
    return LlamaForCausalLM(LlamaConfig(**(sizes | options)))


THEIRS = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=VOCAB, n_positions=256, n_embd=48, n_layer=2, n_head=3, initializer_range=0.3)),
    "llama": llama,
    "llama, tied, of as many keys as queries": lambda: llama(tie_word_embeddings=True, num_key_value_heads=4),
    "llama, stretched as Llama 3": lambda: llama(rope_parameters=LLAMA3),
    "llama, stretched evenly": lambda: llama(rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1000.0}),
}


def step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    done = subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)
    tap.is_((done.returncode, done.stderr), (0, ""), command)


def make_data():
    step("synthetic-issues", rows=120, output="issues")
    step("tokenizer", input="issues", vocab=VOCAB, output="tokenizer.json")
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


def compare_logits(folder, model, name):
    ids = [(i * i * 7 + 3) % VOCAB for i in range(90)]
    done = subprocess.run([TOOL, "logits", folder] + [str(i) for i in ids], capture_output=True, check=False)
    if not tap.is_((done.returncode, done.stderr), (0, b""), f"{name}: logits"):
        return
    got = torch.frombuffer(bytearray(done.stdout), dtype=torch.float32).view(len(ids), VOCAB)
    with torch.no_grad():
        want = model(torch.tensor([ids])).logits[0]
    distance = float((got - want).norm() / want.norm())
    tap.ok(distance < 1e-5, f"{name}: the logits are off by {distance:.2g}")


def compare(folder, name):
    with open("issues", encoding="utf-8") as issues:
        bodies = [json.loads(line)["body"] for line in issues][:ROWS]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    compare_logits(folder, model, name)
    want = their_titles(model, Tokenizer.from_file("tokenizer.json"), bodies)
    step("generate", model=folder, input="issues", rows=ROWS, max_tokens=NEW, output="titles")
    got = [json.loads(line)["title"] for line in pathlib.Path("titles").read_text(encoding="utf-8").splitlines()]
    # Of bytes that are no UTF-8 one says more U+FFFD than the other.
    got, want = ([re.sub("\ufffd+", "\ufffd", title) for title in titles] for titles in (got, want))
    same = sum(a == b for a, b in zip(got, want))
    tap.ok(same >= ROWS - 1 and len(got) == ROWS, f"{name}: {same} of {ROWS} titles are the same")
    if same < ROWS:  # two tokens that are as likely, but for the last bit
        tap.note([pair for pair in zip(got, want) if pair[0] != pair[1]][:2])


def save(model, folder, **options):
    model.save_pretrained(folder, **options)
    shutil.copy("tokenizer.json", f"{folder}/tokenizer.json")


def train(output, **options):
    sizes = {"steps": 60, "lr": 0.003, "warmup": 10, "batch_tokens": 512, "context": 256}
    step("train", data="tokens", tokenizer="tokenizer.json", checkpoints="", output=output, dev_loss=f"{output}.loss", **(sizes | options))
    return float(pathlib.Path(f"{output}.loss").read_text(encoding="utf-8"))


def train_on(theirs, name):
    """A model of theirs, trained on here: it learns, stays theirs, and goes back."""
    step("pretrained", folder=theirs, output=f"{theirs}-model", tokenizer=f"{theirs}-tokenizer")
    tap.ok(pathlib.Path(f"{theirs}-tokenizer").read_bytes() == pathlib.Path("tokenizer.json").read_bytes(), f"{name}: its tokenizer")
    before = train(f"{theirs}-first", init=f"{theirs}-model", steps=1, lr=0)
    after = train(f"{theirs}-on", init=theirs, arch="prepend", size="gpt2")
    tap.ok(after < before - 1, f"{name} of transformers, trained on: from a loss of {before} to {after}")
    again = train(f"{theirs}-more", init=f"{theirs}-on", steps=1, lr=0)
    tap.ok(abs(again - after) < 0.05, f"and that goes on from there, from {again}")
    compare(f"{theirs}-model", f"{name} of theirs, unchanged")
    compare(f"{theirs}-on", f"{name} of theirs, trained on")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_data()
        for i, (name, make) in enumerate(THEIRS.items()):
            torch.manual_seed(3 + i)
            theirs = f"theirs-{i}"
            save(make(), theirs)
            compare(theirs, f"{name}, of transformers")
        torch.manual_seed(20)
        save(llama().bfloat16(), "theirs-bf16")
        compare("theirs-bf16", "llama in bfloat16")
        save(llama().half(), "theirs-f16", max_shard_size="40KB")
        tap.ok(len(list(pathlib.Path("theirs-f16").glob("model-0*.safetensors"))) > 2 and not os.path.exists("theirs-f16/model.safetensors"),
               "one lies in several files")
        compare("theirs-f16", "llama in float16 and several files")
        for arch in ("gpt2", "llama"):
            train(f"ours-{arch}", arch=arch)
            compare(f"ours-{arch}", f"{arch} of ours")
        train("ours-muon", arch="llama", optimizer="muon")
        compare("ours-muon", "llama of ours, by Muon")
        train_on("theirs-0", "gpt2")
        train_on("theirs-f16", "llama")
        os.chdir("/")
    tap.done_testing()


main()
