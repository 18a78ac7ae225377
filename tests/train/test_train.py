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
        tap.ok(0.8 * said < took <= said, f"took {took} MiB of {said}")
        told = re.search(r"at most (\d+) MiB were taken, (\d+) were promised", done.stdout)
        tap.is_(told and int(told.group(2)), said, "and it says so itself in the end")
        tap.ok(told and abs(int(told.group(1)) - took) <= 2, "by the same count")


def test_memory_limits():
    """What does not fit into what the process may have is refused before anything is taken."""
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
    if b"__asan_init" in read(STEP):
        tap.skip("the sanitizers take more address space than that")
        return
    done = subprocess.run([STEP, "train"] + arguments({**SMALL, "batch_tokens": 16384, "data": "tokens", "tokenizer": "tokenizer.json", "steps": 2,
                                                       "checkpoints": "", "output": "m9", "size": "small"}),
                          capture_output=True, text=True, check=False, preexec_fn=limited)
    tap.is_(done.returncode, 1, "256 MiB are too little")
    tap.ok(re.search(r"takes \d+ MiB of memory, and \d+ are free \(by the limit of its address space\); lower --batch-tokens \(16384\)", done.stderr),
           f"with the numbers and what to lower: {done.stderr}")


def numbers(path):
    return [json.loads(line) for line in read(path).decode().splitlines()]


def test_progress():
    """The numbers for the chart, those of earlier starts first, and the curve."""
    os.environ["LATEEN_PROGRESS"] = "progress-1"
    train(steps=20, checkpoints="told", output="p1", curve="curve-1")
    first = numbers("progress-1")
    tap.is_((first[0]["step"], first[0]["of"], first[-1]["step"]), (1, 20, 20), "from the first step to the last")
    tap.is_([n["step"] for n in first if "dev_loss" in n], [10, 20], "with the losses on dev")
    tap.ok(all(" tokens/s, " in n["text"] for n in first if "text" in n), "speed and time left")
    os.environ["LATEEN_PROGRESS"] = "progress-2"
    train(steps=40, checkpoints="told", output="p2", curve="curve-2")
    second = numbers("progress-2")
    tap.is_(second[:len(first)], first, "a training that goes on tells what was before")
    tap.is_(second[-1]["step"], 40, "and what comes")
    del os.environ["LATEEN_PROGRESS"]
    rows = [row.split(",")[0] for row in read("curve-2").decode().splitlines()]
    tap.is_(rows, ["step", "10", "20", "30", "40"], "so does the curve")
    folder = next(pathlib.Path("told").iterdir())
    (folder / "curve").write_bytes(b"\0\xff no rows")
    (folder / "progress").unlink()
    (folder / "progress").mkdir()
    done = train(steps=50, checkpoints="told", output="p3", curve="curve-3")
    tap.is_(done.returncode, 0, "nothing depends on these files")
    tap.is_(len(read("curve-3").decode().splitlines()), 2, "what cannot be read of them is not there")


def test_epochs():
    done = train(epochs=2, checkpoints="", output="e2")
    batches = int(re.search(r"(\d+) batches of up to", done.stdout).group(1))
    last = int(re.findall(r"step (\d+): .* in all", done.stdout)[0])
    tap.ok(abs(last - 2 * batches) <= 1, f"two epochs of {batches} batches are {last} steps")
    done = train(epochs=2, steps=3, checkpoints="", output="e3")
    tap.contains(done.stdout, "step 3: ", "or fewer steps")


def test_terminal():
    """One line that is written anew."""
    terminal, ours = os.openpty()
    options = {**SMALL, "data": "tokens", "tokenizer": "tokenizer.json", "steps": 30, "checkpoints": "", "output": "t1"}
    with subprocess.Popen([STEP, "train"] + arguments(options), stdout=ours, stderr=ours) as process:
        os.close(ours)
        text = b""
        while True:
            try:
                more = os.read(terminal, 65536)
            except OSError:
                break
            if not more:
                break
            text += more
    os.close(terminal)
    tap.is_(process.returncode, 0, "in a terminal")
    drawn = re.findall(rb"\rstep (\d+) of 30[^\r\n]*", text)
    tap.ok(drawn and drawn[0] == b"1" and drawn[-1] == b"30", "a line is drawn over and over")
    tap.contains(text.decode(), "\r\x1b[Kstep 10: dev loss", "and gives way to what stays")


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


def test_batches():
    """In buckets, and from a corpus in many files: the same bits in any number of threads, and however often it stops."""
    done = step("tokenize", input="issues", tokenizer="tokenizer.json", output="shards", shard_tokens=2000)
    tap.ok(len(os.listdir("shards")) > 3, f"the corpus is in files: {done.stdout.strip()}")
    options = {**SMALL, "tokenizer": "tokenizer.json", "padding": "bucketed"}
    for name, data, steps, threads, kept in (("b1", "tokens", 12, 2, ""), ("b2", "shards", 5, 1, "buckets"), ("b3", "shards", 12, 1, "buckets")):
        done = step("train", **{**options, "data": data, "steps": steps, "threads": threads, "checkpoints": kept, "output": name})
        tap.is_((done.returncode, done.stderr), (0, ""), f"{steps} steps of {data} in buckets")
        tap.contains(done.stdout, "% of them useful", "says what padding costs")
    tap.contains(done.stdout, "goes on behind step 5", "the third goes on")
    tap.ok(read("b1/model.safetensors") == read("b3/model.safetensors"), "and gives the same bits as the first")
    done = step("train", **{**options, "data": "tokens", "padding": "padded", "output": "b4"})
    tap.contains(done.stderr, "--padding wants `packed` or `bucketed`, not `padded`", "other ways to pad are refused")


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


def test_divergence():
    """The loss is a number, but a far larger one than it was, and stays so."""
    done = train(steps=1000, lr=3, warmup=300, every=50, checkpoints="wild", output="w1")
    tap.is_(done.returncode, 1, "a training that diverges ends")
    tap.ok(re.search(r"step \d+ \(epoch \d+, batch \d+: documents \d+, \d+[^)]*\): the loss has been about [\d.e+]+ for 100 steps, and was [\d.]+ before: "
                     r"the training diverges; try a smaller lr than 3, or a longer warm-up than 300 steps \(wild/[^ ]*/step-\d+ is kept", done.stderr),
           f"with the step, the batch, its documents and what to do: {done.stderr}")
    tap.ok(not os.path.exists("w1"), "without a model")


def test_refusals():
    cases = [({"device": "cuda"}, "--device cuda: "), ({"device": "tpu"}, "`auto`, `cpu` or `cuda`"), ({"arch": "rnn"}, "`rnn`"),
             ({"size": "huge"}, "`huge`"), ({"loss": "body"}, "`all` or `title`"),
             ({"context": 600}, "a document from 8"), ({"precision": "f8"}, "`auto`, `f32` or `bf16`"), ({"tokenizer": "other.json"}, "another tokenizer"),
             ({"data": "issues"}, "not a token shard"), ({"size": "gpt2", "batch_tokens": 1048576}, "MiB of memory, and"), ({"dev_share": 0.95}, "--dev-share"),
             ({"lr": 1e30}, "--lr wants a number"), ({"output": "m1"}, "for the model, is not empty"),
             ({"optimizer": "sgd"}, "--optimizer wants `auto`, `adam`, `adamw` or `muon`, not `sgd`"), ({"muon_lr": -1}, "--muon-lr"),
             ({"init": "nowhere"}, "--init: `nowhere/config.json`"), ({"init": "of-others"}, "take its own tokenizer")]
    done = step("tokenizer", input="issues", vocab=300, output="other.json")
    tap.is_(done.returncode, 0, "another tokenizer")
    os.mkdir("of-others")
    config = json.loads(read("of-llama/config.json")) | {"vocab_size": 300}
    pathlib.Path("of-others/config.json").write_text(json.dumps(config), encoding="utf-8")
    os.symlink("../of-llama/model.safetensors", "of-others/model.safetensors")
    for options, want in cases:
        done = step("train", **{"data": "tokens", "tokenizer": "tokenizer.json", **SMALL, "checkpoints": "", "output": "bad", **options})
        tap.is_(done.returncode, 1, f"refused: {options}")
        tap.contains(done.stderr, want, "and told why")
    tap.ok(not os.path.exists("bad"), "nothing is written")


def test_llama():
    """A model of Hugging Face's layout, by Muon, stopped and gone on with; it goes through `pretrained`, and is trained on."""
    llama = {"arch": "llama", "optimizer": "muon", "checkpoints": "of-llamas"}
    tap.is_(train(**llama, steps=7, output="of-llama-7").returncode, 0, "llama by Muon, 7 steps")
    done = train(**llama, steps=12, output="of-llama")
    tap.contains(done.stdout, "goes on behind step 7", "and goes on")
    tap.is_(train(**llama | {"checkpoints": ""}, steps=12, output="of-llama-12").returncode, 0, "12 steps at once")
    tap.ok(read("of-llama/model.safetensors") == read("of-llama-12/model.safetensors"), "are the same, bit for bit")
    tensors = header("of-llama/model.safetensors")
    tap.is_([tensors[f"model.layers.0.{name}.weight"]["shape"] for name in ("self_attn.k_proj", "mlp.up_proj", "mlp.down_proj")],
            [[64, 128], [384, 128], [128, 384]], "its tensors are transformers'")
    state = header(next(pathlib.Path("of-llamas").glob("*/step-12/optimizer.safetensors")))
    tap.ok("mean.model.layers.0.mlp.up_proj.weight" in state and "square.model.embed_tokens.weight" in state and
           "square.model.layers.0.mlp.up_proj.weight" not in state, "Muon keeps means only")
    done = step("pretrained", folder="of-llama", output="found", tokenizer="found.json")
    tap.is_((done.returncode, done.stderr), (0, ""), "pretrained")
    tap.ok(read("found/model.safetensors") == read("of-llama/model.safetensors") and read("found.json") == read("tokenizer.json"), "gives the same")
    done = train(init="found", checkpoints="", steps=1, output="of-found")
    tap.contains(done.stdout, "model: llama, 2 layers", "it is trained on: ")
    tap.contains(done.stdout, "begins with the weights of found", "and says so")
    tap.is_(step("pretrained", folder="issues", output="none").returncode, 1, "what is no folder is no model")


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
    tap.ok(names >= {"loss", "accuracy", "gradient_norm", "learning_rate", "tokens_per_second", "dev/loss", "dev/accuracy"}, f"TensorBoard reads it: {names}")
    losses = events.Scalars("loss")
    tap.is_([e.step for e in losses], list(range(1, 21)), "every step")
    tap.ok(losses[0].value > losses[-1].value, "with its loss")


def header_of(path):
    data = read(path)
    size = struct.unpack_from("<Q", data)[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def test_tensorboard():
    """Texts, histograms and the tab HPARAMS, of a sweep."""
    for lr in ("0.001", "0.01"):
        done = train(steps=20, lr=lr, checkpoints="", output="s" + lr, events="sweep-" + lr, ui_metadata="ui")
        tap.is_((done.returncode, done.stderr), (0, ""), f"lr {lr}")
    os.mkdir("sweep")
    for lr in ("0.001", "0.01"):
        os.rename("sweep-" + lr, "sweep/lr-" + lr)
    page = json.loads(read("ui"))
    tap.is_((page["version"], page["outputs"][0]), (1, {"type": "tensorboard", "source": "sweep-0.01"}), "a button for TensorBoard on Kubeflow's page")
    tap.contains(page["outputs"][1]["source"], "| the model's title |", "and titles")
    if not importlib.util.find_spec("tensorboard"):
        tap.skip("no tensorboard in this python (LATEEN_TRAIN_PYTHON)")
        return
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
    from tensorboard.util import tensor_util
    runs = plugin_event_multiplexer.EventMultiplexer()
    runs.AddRunsFromDirectory("sweep")
    runs.Reload()
    texts = [tensor_util.make_ndarray(e.tensor_proto)[0].decode() for e in runs.Tensors("lr-0.01", "samples")]
    tap.ok(len(texts) == 2 and all(t.startswith("| the model's title | the author's |") for t in texts), "titles at each look")
    config = tensor_util.make_ndarray(runs.Tensors("lr-0.01", "config")[0].tensor_proto)[0].decode()
    tap.contains(config, "| lr | 0.01 |", "what it was made with")
    tap.is_(set(runs.PluginRunToTagToContent("text")["lr-0.01"]), {"config", "samples"}, "as texts")
    histograms = runs.PluginRunToTagToContent("histograms")["lr-0.01"]
    tap.ok({"weights/transformer.wte.weight", "gradients/transformer.wte.weight"} <= set(histograms), "histograms")
    spread = tensor_util.make_ndarray(runs.Tensors("lr-0.01", "weights/transformer.wte.weight")[-1].tensor_proto)
    tensors, data = header_of("s0.01/model.safetensors")
    begin, end = tensors["transformer.wte.weight"]["data_offsets"]
    weights = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
    tap.is_((spread.shape, int(spread[:, 2].sum())), ((30, 3), len(weights)), "of every number")
    tap.ok(abs(spread[0, 0] - min(weights)) < 1e-6 and abs(spread[-1, 1] - max(weights)) < 1e-6, "from the least to the largest")
    provider = data_provider.MultiplexerDataProvider(runs, "sweep")
    hparams = backend_context.Context(base_plugin.TBContext(data_provider=provider, multiplexer=runs, flags=None))
    request = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=10,
                                               allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING])
    groups = list_session_groups.Handler(context.RequestContext(), hparams, "sweep", request).run().session_groups
    tap.is_(sorted((g.hparams["lr"].number_value, g.hparams["arch"].string_value) for g in groups), [(0.001, "prepend"), (0.01, "prepend")],
            "a row of HPARAMS for each rate")
    tap.is_([s.status for g in groups for s in g.sessions], [api_pb2.STATUS_SUCCESS] * 2, "and how each ended")


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
        test_memory_limits()
        test_progress()
        test_epochs()
        test_terminal()
        test_resume()
        test_batches()
        test_stop()
        test_time()
        test_llama()
        test_divergence()
        test_refusals()
        test_events()
        test_tensorboard()
        os.chdir("/")
    tap.done_testing()


main()
