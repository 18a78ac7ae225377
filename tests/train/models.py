"""Small models that were trained for moments, and what is to be compared of them, for the tests of exports."""
import array
import json
import os
import pathlib
import shutil
import struct
import subprocess

import tap

BUILD = os.path.abspath(os.environ.get("builddir", "."))
STEP = os.path.join(BUILD, "lateen-step")
PAD, EOS, VOCABULARY, CONTEXT = 0, 1, 300, 256
# Documents: one token, a prompt with <pad> inside, all ids there are, and as long as the context.
BATCHES = [[PAD], [PAD, 5, 6, 7, EOS, PAD, 9, 299], list(range(VOCABULARY))[:200], [(i * 37 + i // 9) % VOCABULARY for i in range(CONTEXT)]]
# The rates make weights that differ from what they began with, in few steps.
FAMILIES = {"prepend": {"lr": 0.01}, "gpt2": {"lr": 0.003}, "llama": {"lr": 0.003}}


def run_step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    return subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)


def step(command, **options):
    done = run_step(command, **options)
    tap.is_((done.returncode, done.stderr), (0, ""), command)
    return done.stdout


def train_models():
    """Folders m-FAMILY of each family, the tokenizer and the issues; the names."""
    step("synthetic-issues", rows=120, output="issues")
    step("tokenizer", input="issues", vocab=VOCABULARY, output="tokenizer.json")
    step("tokenize", input="issues", tokenizer="tokenizer.json", output="tokens")
    for name, options in FAMILIES.items():
        step("train", data="tokens", tokenizer="tokenizer.json", arch=name, steps=60, warmup=10, batch_tokens=512, context=CONTEXT, checkpoints="",
             output="m-" + name, **options)
    untie("m-llama", "m-llama-untied")
    return [*FAMILIES, "llama-untied"]


def read_tensors(path):
    """Names, what the header says of each, and its bytes."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    return {name: (entry, data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]]) for name, entry in header.items()
            if name != "__metadata__"}


def write_tensors(path, tensors):
    header, at = {}, 0
    for name, (entry, numbers) in tensors.items():
        header[name] = dict(entry, data_offsets=[at, at + len(numbers)])
        at += len(numbers)
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(numbers for _, numbers in tensors.values()))


def untie(model, out):
    """Of a llama one whose output is a matrix of its own, and whose angles are stretched as Llama 3.1's are: training here makes none."""
    shutil.copytree(model, out)
    tensors = read_tensors(f"{model}/model.safetensors")
    entry, numbers = tensors["model.embed_tokens.weight"]
    row = len(numbers) // entry["shape"][0]
    tensors["lm_head.weight"] = (entry, numbers[row:] + numbers[:row])
    write_tensors(f"{out}/model.safetensors", tensors)
    config = json.loads(pathlib.Path(model, "config.json").read_text(encoding="utf-8"))
    scaling = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
    config |= {"tie_word_embeddings": False, "rope_scaling": scaling}
    pathlib.Path(out, "config.json").write_text(json.dumps(config), encoding="utf-8")


def our_logits(model, documents):
    """Of each document (n, V), as numpy's arrays."""
    import numpy
    text = "".join(" ".join(map(str, ids)) + "\n" for ids in documents)
    done = subprocess.run([os.path.join(BUILD, "tests/train/logits_tool"), model], input=text.encode(), capture_output=True, check=True)
    numbers = array.array("f", done.stdout)
    rows = numpy.array(numbers, dtype=numpy.float32).reshape(sum(map(len, documents)), -1)
    ends = numpy.cumsum([len(ids) for ids in documents])
    return numpy.split(rows, ends[:-1])


def bodies(rows):
    lines = pathlib.Path("issues").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["body"] for line in lines[:rows]]


def ids_of(tokenizer, rows):
    """Prompts as `generate` makes them. tokenizer: of transformers, or of tokenizers."""
    encode = (lambda text: tokenizer(text, add_special_tokens=False).input_ids) if callable(tokenizer) else \
        (lambda text: tokenizer.encode(text, add_special_tokens=False).ids)
    return [[PAD] + encode(body) + [EOS, PAD] for body in bodies(rows)]


def our_titles(model, rows, new):
    step("generate", model=model, input="issues", rows=rows, max_tokens=new, output="titles")
    return [json.loads(line)["title"] for line in pathlib.Path("titles").read_text(encoding="utf-8").splitlines()]
