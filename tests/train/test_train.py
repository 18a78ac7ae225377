#!/usr/bin/env python3
"""lateen-step train from the outside: what it writes, that a training that was stopped goes on as if it had not been, and what it refuses."""
import importlib.util
import json
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
SMALL = {"batch_tokens": 512, "context": 128, "every": 10, "warmup": 5, "threads": 2}


def arguments(options):
    return [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]


def step(command, **options):
    return subprocess.run([STEP, command] + arguments(options), capture_output=True, text=True, check=False)


def train(**options):
    return step("train", data="tokens", tokenizer="tokenizer.json", **{**SMALL, **options})


def make_data():
    for name, options in (("synthetic-issues", {"rows": 200, "output": "issues"}),
                          ("tokenizer", {"input": "issues", "vocab": 400, "output": "tokenizer.json"}),
                          ("tokenize", {"input": "issues", "tokenizer": "tokenizer.json", "output": "tokens"})):
        done = step(name, **options)
        tap.is_((done.returncode, done.stderr), (0, ""), name)


def read(path):
    return pathlib.Path(path).read_bytes()


def header(path):
    data = read(path)
    return json.loads(data[8:8 + struct.unpack_from("<Q", data)[0]])


def test_outputs():
    done = train(steps=20, checkpoints="whole", output="m1", metrics="metrics", curve="curve", events="events", dev_loss="dev")
    tap.is_((done.returncode, done.stderr), (0, ""), "trains")
    for part in ("memory: ", "device: cpu", "documents to learn from", "step 1 of 20 (epoch 1): loss ", "step 20: dev loss "):
        tap.contains(done.stdout, part, "says")
    tap.is_(sorted(os.listdir("m1")), ["config.json", "model.safetensors", "tokenizer.json"], "a model's files")
    tap.is_(read("m1/tokenizer.json"), read("tokenizer.json"), "the tokenizer goes along")
    config = json.loads(read("m1/config.json"))
    tap.is_((config["n_layer"], config["n_embd"], config["vocab_size"]), (2, 128, 400), "its config")
    tap.is_(header("m1/model.safetensors")["transformer.wte.weight"]["shape"], [400, 128], "its embedding")
    metrics = {m["name"]: m["numberValue"] for m in json.loads(read("metrics"))["metrics"]}
    tap.ok(0 < metrics["dev-loss"] < 9 and metrics["steps"] == 20, "metrics")
    tap.ok(abs(float(read("dev")) - metrics["dev-loss"]) < 1e-5, "the loss as a number")
    rows = read("curve").decode().splitlines()
    tap.is_((rows[0], [row.split(",")[0] for row in rows[1:]]), ("step,loss,dev_loss,learning_rate", ["10", "20"]), "the curve")
    tap.ok(float(rows[2].split(",")[1]) < float(rows[1].split(",")[1]), "falls")


def test_memory():
    """What was said before is what it takes."""
    done = subprocess.run([STEP, "train"] + arguments({**SMALL, "batch_tokens": 2048, "data": "tokens", "tokenizer": "tokenizer.json", "steps": 2,
                                                       "checkpoints": "", "output": "m8"}), capture_output=True, text=True, check=True)
    said = int(re.search(r"memory: (\d+) MiB", done.stdout).group(1))
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    if b"__asan_init" in read(STEP):
        tap.skip("the sanitizers take memory of their own")
    else:
        tap.ok(0.4 * said < took < 1.1 * said, f"took {took} MiB of {said}")


def test_resume():
    first = train(steps=7, checkpoints="parts", output="m7")
    tap.is_(first.returncode, 0, "seven steps")
    second = train(steps=20, checkpoints="parts", output="m2")
    tap.contains(second.stdout, "goes on behind step 7", "thirteen more")
    tap.ok(read("m1/model.safetensors") == read("m2/model.safetensors"), "are the twenty that never stopped, bit for bit")
    third = train(steps=20, checkpoints="parts", output="m3", threads=1)
    tap.contains(third.stdout, "nothing is left to do", "no more steps")
    tap.ok(read("m1/model.safetensors") == read("m3/model.safetensors"), "give the same model")
    other = train(steps=20, checkpoints="parts", output="m4", threads=1, seed=2)
    tap.ok("goes on" not in other.stdout and not other.returncode, "another seed is another training")
    tap.is_(len(os.listdir("parts")), 2, "in a folder of its own")


def test_stop():
    """A signal ends it behind the step at hand."""
    options = {**SMALL, "data": "tokens", "tokenizer": "tokenizer.json", "steps": 100000, "checkpoints": "stopped", "output": "m5", "every": 100000}
    with subprocess.Popen([STEP, "train"] + arguments(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("step "):
                break
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=600)
    tap.is_(process.returncode, 1, "a training that is stopped fails")
    tap.contains(err, "its checkpoint is kept, and the same training goes on from there", "and says how to go on")
    tap.ok(not os.path.exists("m5"), "without a model")
    kept = [int(p.name[5:]) for p in pathlib.Path("stopped").glob("*/step-*")]
    tap.ok(len(kept) == 1 and f"behind step {kept[0]};" in err, "the step is kept")
    done = train(steps=kept[0] + 2, checkpoints="stopped", output="m5", every=100000)
    tap.contains(done.stdout, f"goes on behind step {kept[0]}", "it goes on")


def test_time():
    done = train(steps=0, minutes=0.02, checkpoints="", output="m6")
    tap.ok(not done.returncode and os.path.exists("m6/model.safetensors"), "ends when its time is over")
    for arch, loss in (("gpt2", "title"), ("prepend", "title")):
        done = train(steps=3, arch=arch, loss=loss, checkpoints="", output="m-" + arch)
        tap.is_((done.returncode, done.stderr), (0, ""), f"{arch}, titles only")


def test_refusals():
    cases = [({"device": "cuda"}, "no device for GPUs"), ({"device": "tpu"}, "`auto`, `cpu` or `cuda`"), ({"arch": "rnn"}, "`rnn`"),
             ({"size": "huge"}, "`huge`"), ({"steps": 0}, "--steps or --minutes"), ({"loss": "body"}, "`all` or `title`"),
             ({"context": 600}, "a document from 8"), ({"precision": "f8"}, "`f32` or `bf16`"), ({"tokenizer": "other.json"}, "another tokenizer"),
             ({"data": "issues"}, "not a token shard"), ({"size": "gpt2", "batch_tokens": 1048576}, "of memory"), ({"dev_share": 0.95}, "--dev-share"),
             ({"lr": 1e30}, "--lr wants a number")]
    done = step("tokenizer", input="issues", vocab=300, output="other.json")
    tap.is_(done.returncode, 0, "another tokenizer")
    for options, want in cases:
        done = step("train", **{"data": "tokens", "tokenizer": "tokenizer.json", **SMALL, "checkpoints": "", "output": "bad", **options})
        tap.is_(done.returncode, 1, f"refused: {options}")
        tap.contains(done.stderr, want, "and told why")
    tap.ok(not os.path.exists("bad"), "nothing is written")


def test_events():
    """TensorBoard's own reader."""
    files = os.listdir("events")
    tap.ok(len(files) == 1 and files[0].startswith("events.out.tfevents."), "an event file")
    if not importlib.util.find_spec("tensorboard"):
        tap.skip("no tensorboard in this python (LATEEN_TRAIN_PYTHON)")
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator("events")
    events.Reload()
    tags = events.Tags()
    names = set(tags["scalars"]) | set(tags["tensors"])
    tap.is_(names, {"loss", "accuracy", "gradient_norm", "learning_rate", "tokens_per_second", "dev/loss", "dev/accuracy"}, "TensorBoard reads it")
    losses = events.Scalars("loss")
    tap.is_([e.step for e in losses], list(range(1, 21)), "every step")
    tap.ok(losses[0].value > losses[-1].value, "with its loss")


def python_with_tensorboard():
    """The tests of training have an environment of their own."""
    python = os.environ.get("LATEEN_TRAIN_PYTHON")
    if python and not os.environ.get("LATEEN_TRAIN_AGAIN"):
        os.execve(python, [python, os.path.abspath(__file__)], {**os.environ, "LATEEN_TRAIN_AGAIN": "1"})


def main():
    python_with_tensorboard()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_data()
        test_outputs()
        test_memory()
        test_resume()
        test_stop()
        test_time()
        test_refusals()
        test_events()
        os.chdir("/")
    tap.done_testing()


main()
