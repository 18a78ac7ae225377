#!/usr/bin/env python3
"""lateen-step export from the outside: what it writes, and what it refuses."""
import json
import math
import os
import pathlib
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tap  # noqa: E402
from models import CONTEXT, VOCABULARY, run_step, step, train_models  # noqa: E402


def header(path):
    data = pathlib.Path(path).read_bytes()
    return json.loads(data[8:8 + struct.unpack_from("<Q", data)[0]])


def read_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def test_huggingface():
    said = step("export", model="m-prepend", output="hf")
    tap.contains(said, "huggingface: prepend, 2 layers, 128 channels", "says what it wrote")
    tap.is_(sorted(os.listdir("hf")), ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"], "its files")
    config = read_json("hf/config.json")
    tap.is_({key: config[key] for key in ("model_type", "activation_function", "tie_word_embeddings", "layer_norm_epsilon", "n_positions", "torch_dtype")},
            {"model_type": "gpt2", "activation_function": "relu", "tie_word_embeddings": False, "layer_norm_epsilon": 1e-6, "n_positions": CONTEXT,
             "torch_dtype": "float32"}, "a GPT-2 with other parts")
    tensors = header("hf/model.safetensors")
    tap.is_((tensors["lm_head.weight"]["shape"], tensors["transformer.wpe.weight"]["shape"], tensors["transformer.h.1.attn.c_attn.bias"]["shape"]),
            ([VOCABULARY, 128], [CONTEXT, 128], [384]), "with an output, positions and biases")
    tap.is_(pathlib.Path("hf/tokenizer.json").read_bytes(), pathlib.Path("tokenizer.json").read_bytes(), "the tokenizer goes along as it is")
    step("export", model="m-prepend", output="again")
    tap.ok(pathlib.Path("hf/model.safetensors").read_bytes() == pathlib.Path("again/model.safetensors").read_bytes(), "the same bytes for the same model")
    step("export", model="m-gpt2", dtype="bf16", output="half")
    tap.is_({t["dtype"] for name, t in header("half/model.safetensors").items() if name != "__metadata__"}, {"BF16"}, "bf16 is BF16")


def test_onnx():
    said = step("export", model="m-gpt2", format="onnx", weights="beside", output="onnx")
    tap.contains(said, "onnx: gpt2, 2 layers", "says what it wrote")
    tap.is_(sorted(os.listdir("onnx")), ["decode.onnx", "prefill.onnx", "tokenizer.json", "tokenizer_config.json", "weights.data"], "its files")
    step("export", model="m-gpt2", format="onnx", output="onnx-again")
    step("export", model="m-gpt2", format="onnx", weights="inside", output="onnx-inside")
    tap.is_(sorted(os.listdir("onnx-again")), ["decode.onnx", "prefill.onnx", "tokenizer.json", "tokenizer_config.json"], "of a small model the weights are inside")
    for name in ("prefill.onnx", "decode.onnx"):
        tap.ok(pathlib.Path("onnx-again", name).read_bytes() == pathlib.Path("onnx-inside", name).read_bytes(), "the same bytes for the same model")


def test_subwords():
    """A vocabulary of Tensor2Tensor is no tokenizer.json."""
    shutil.copytree("m-prepend", "subwords")
    letters = sorted({chr(c) for c in range(33, 127)} | set("\\_u;0123456789"))
    pathlib.Path("subwords/tokenizer.json").write_text("".join(f"'{word}'\n" for word in ["<pad>", "<EOS>"] + letters), encoding="utf-8")
    said = step("export", model="subwords", output="hf-subwords")
    tap.contains(said, "Tensor2Tensor's subwords, which no tokenizer.json can describe", "says so")
    tap.is_(sorted(os.listdir("hf-subwords")), ["config.json", "generation_config.json", "model.safetensors", "vocab.subwords"], "and writes it beside")


def damage(name, path, change):
    shutil.copytree("m-prepend", name)
    data = bytearray(pathlib.Path(path.format(name)).read_bytes())
    pathlib.Path(path.format(name)).write_bytes(change(data))
    return name


def put_number(number):
    def change(data):
        struct.pack_into("<f", data, len(data) - 4, number)
        return data
    return change


def refused(options, want):
    done = run_step("export", **{"model": "m-prepend", "output": "bad", **options})
    tap.is_(done.returncode, 1, f"refused: {options}")
    tap.contains(done.stderr, want, "and told why")
    tap.ok(not os.path.exists("bad") and not os.path.exists("bad.tmp"), "nothing is left")


def test_refusals():
    tensors, config = "{}/model.safetensors", "{}/config.json"
    refused({"format": "keras"}, "--format wants `huggingface` or `onnx`, not `keras`")
    refused({"dtype": "int8"}, "--dtype wants `f32`, `bf16` or `f16`, not `int8`")
    refused({"format": "onnx", "weights": "outside"}, "--weights wants `auto`, `inside` or `beside`, not `outside`")
    refused({"model": "nowhere"}, "nowhere/config.json")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copytree("m-prepend", "without-" + name)
        os.remove(f"without-{name}/{name}")
        refused({"model": "without-" + name}, name)
    refused({"model": damage("cut", tensors, lambda data: data[:len(data) // 2])}, "cut/model.safetensors")
    refused({"model": damage("long", tensors, lambda data: data + b"x")}, "long/model.safetensors")
    refused({"model": damage("nan", tensors, put_number(math.nan))}, "holds what is no number")
    refused({"model": damage("layers", config, lambda data: data.replace(b'"n_layer": 2', b'"n_layer": 3'))}, "transformer.h.2")
    refused({"model": damage("zero", config, lambda data: data.replace(b'"n_layer": 2', b'"n_layer": 0'))}, "`n_layer`")
    refused({"model": damage("text", config, lambda data: b"{")}, "text/config.json")
    refused({"model": damage("large", tensors, put_number(70000.0)), "dtype": "f16"}, "F16 has no room")
    refused({"model": "large", "dtype": "f16", "format": "onnx"}, "F16 has no room")
    step("export", model="large", dtype="bf16", output="large-bf16")
    done = run_step("export", model="m-prepend", output="hf")
    tap.is_(done.returncode, 1, "a folder that holds something is not written over")
    tap.ok(os.path.exists("hf/config.json") and not os.path.exists("hf.tmp"), "and stays as it was")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        train_models()
        test_huggingface()
        test_onnx()
        test_subwords()
        test_refusals()
        os.chdir("/")
    tap.done_testing()


main()
