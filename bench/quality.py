#!/usr/bin/env python3
"""What a model has learnt, against PyTorch's of the same shape and recipe, on the same batches, with several seeds; and what its titles are worth.

    bench/quality.py BUILD_DIR ISSUES.csv [--steps 200] [--tokens 1024] [--context 256] [--seeds 1,2,3] [--rows 4000] [--vocab 4096] [--threads 1]
                     [--titles 200] [--more 0]

Needs lateen-step and tests/train/step_tool in the build, and a python with PyPI's torch. ISSUES.csv has the columns issue_url, issue_title and body.
Issues are cleaned and split by a hash of their titles; of the nine tenths, a twentieth is not learnt from: the loss on it, without dropout
or label smoothing, is what is compared (the 8 batches that `train` looks at). Both begin as Tensor2Tensor does, each by its own random numbers,
and learn with its Adam, dropout and smoothing. Packed documents, warm-up over a tenth of the steps, then one over the root.

ROUGE is of titles for the tenth that was held out, by the model of the first seed, beside the first 12 words of the bodies; with --more by
one that learns for so many steps of 2048 tokens: after a few hundred steps a model says nothing of interest. This times nothing: let it run behind other work."""
import argparse
import importlib.util
import os
import re
import statistics
import subprocess
import sys
import tempfile

DEV_BATCHES, DEV_SHARE, SIZE, LR = 8, 0.05, "tiny", 1e-3


def train_py():
    spec = importlib.util.spec_from_file_location("train", os.path.join(os.path.dirname(os.path.abspath(__file__)), "train.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(str(part) for part in command)}\n{done.stdout[-500:]}{done.stderr[-2000:]}")
    return done.stdout


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.step_program = os.path.join(options.build, "lateen-step")
        self.tool = os.path.join(options.build, "tests", "train", "step_tool")

    def file(self, name):
        return os.path.join(self.folder, name)

    def step(self, command, **options):
        return run(self.step_program, command, *[part for name, value in options.items() for part in ("--" + name.replace("_", "-"), value)])

    def prepare(self):
        self.step("github-issues", file=self.options.issues, limit=self.options.rows, output=self.file("issues"))
        self.step("clean", input=self.file("issues"), max_bad=50, output=self.file("clean"))
        self.step("split", input=self.file("clean"), train=self.file("learn"), dev=self.file("held"), move="true")
        self.step("tokenizer", input=self.file("learn"), vocab=self.options.vocab, output=self.file("tokenizer.json"))
        self.step("tokenize", input=self.file("learn"), tokenizer=self.file("tokenizer.json"), output=self.file("tokens"))

    def warmup(self):
        return max(1, self.options.steps // 10)

    def ours(self, seed):
        o = self.options
        self.step("train", data=self.file("tokens"), tokenizer=self.file("tokenizer.json"), arch="prepend", size=SIZE, steps=o.steps, lr=LR,
                  warmup=self.warmup(), batch_tokens=o.tokens, context=o.context, dev_share=DEV_SHARE, every=o.steps, seed=seed, threads=o.threads,
                  checkpoints="", dev_loss=self.file("dev-loss"), output=self.file(f"model-{seed}"))
        with open(self.file("dev-loss"), encoding="utf-8") as file:
            return float(file.read())

    def theirs(self, seed):
        o = self.options
        for kind, n in (("batches", o.steps), ("dev", DEV_BATCHES)):
            run(self.tool, kind, self.file("tokens"), o.tokens, o.context, n, self.file(kind), seed, DEV_SHARE)
        return float(run(sys.executable, os.path.abspath(__file__), "--peer", "--folder", self.folder, "--seeds", seed, "--steps", o.steps, "--context",
                         o.context, "--vocab", o.vocab, "--threads", o.threads).split()[-1])

    def titles(self):
        o, model = self.options, self.file(f"model-{self.options.seeds[0]}")
        if o.more:
            self.step("train", data=self.file("tokens"), tokenizer=self.file("tokenizer.json"), arch="prepend", size=SIZE, steps=o.more,
                      lr=2e-3, warmup=100, batch_tokens=2048, context=o.context, threads=o.threads, checkpoints="", output=self.file("longer"))
            model = self.file("longer")
        return self.step("evaluate", model=model, input=self.file("held"), rows=o.titles, min_tokens=2, max_tokens=24, batch=16, threads=o.threads,
                         table=self.file("table"), output=self.file("scores"))


# ---- PyTorch ----

def begin_as_ours(model, channels):
    """Uniform by the mean of what goes in and out; each of query, key and value by itself."""
    import torch
    with torch.no_grad():
        for layer in model.layers:
            for linear, (fan_in, fan_out) in ((layer.qkv, (channels, channels)), (layer.proj, (channels, channels)),
                                              (layer.fc, (channels, layer.fc.out_features)), (layer.out, (layer.out.in_features, channels))):
                linear.weight.uniform_(-(6 / (fan_in + fan_out)) ** 0.5, (6 / (fan_in + fan_out)) ** 0.5)
                if linear.bias is not None:
                    linear.bias.zero_()


def learn(options):
    import torch
    bench = train_py()
    bench.VOCABULARY, bench.CONTEXT = options.vocab, options.context
    model, heads = bench.make_model(SIZE, options.threads)
    torch.manual_seed(options.seeds[0])
    channels = bench.SIZES[SIZE][1]
    torch.nn.init.normal_(model.embedding.weight, std=channels ** -0.5)
    begin_as_ours(model, channels)
    adam, warmup = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), eps=1e-9), max(1, options.steps // 10)
    for step, batch in enumerate(bench.read_batches(os.path.join(options.folder, "batches")), 1):
        adam.param_groups[0]["lr"] = LR * (step / warmup if step < warmup else (warmup / step) ** 0.5)
        adam.zero_grad()
        bench.loss_of(*bench.packed(model, heads, batch), batch[2].sum()).backward()
        adam.step()
    bench.DROPOUT, loss, weight = 0.0, 0.0, 0.0
    with torch.no_grad():
        for batch in bench.read_batches(os.path.join(options.folder, "dev")):
            logits, labels, weights = bench.packed(model, heads, batch)
            loss += (torch.nn.functional.cross_entropy(logits, labels.long(), reduction="none") * weights).sum().item()
            weight += weights.sum().item()
    print(loss / weight)


def spread(name, losses):
    print(f"  {name:8} {' '.join(f'{loss:.4f}' for loss in losses)}   mean {statistics.mean(losses):.4f}, from {min(losses):.4f} to {max(losses):.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("issues", nargs="?")
    for name, fallback in (("steps", 200), ("tokens", 1024), ("context", 256), ("rows", 4000), ("vocab", 4096), ("threads", 1), ("titles", 200),
                           ("more", 0)):
        parser.add_argument("--" + name, type=int, default=fallback)
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--folder")
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    if options.peer:
        learn(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        bench.prepare()
        ours, theirs = [], []
        for seed in options.seeds:
            ours.append(bench.ours(seed))
            print(f"seed {seed}: lateen {ours[-1]:.4f}", flush=True)
            theirs.append(bench.theirs(seed))
            print(f"seed {seed}: torch {theirs[-1]:.4f}", flush=True)
        print(f"loss on what was not learnt from, {SIZE}, {options.steps} steps of {options.tokens} tokens")
        spread("lateen", ours)
        spread("torch", theirs)
        difference = statistics.mean(ours) - statistics.mean(theirs)
        within = statistics.mean(ours) <= max(theirs)
        print(f"  lateen's mean is {abs(difference):.4f} {'above' if difference > 0 else 'below'} torch's: "
              f"{'within its spread or below' if within else 'OUTSIDE of its spread'}")
        print(f"titles of {options.titles} issues that were held out" + (f", by a model of {options.more} steps" if options.more else ""))
        print(bench.titles())
        with open(bench.file("table"), encoding="utf-8") as file:
            print(re.sub(r"\n+$", "", file.read()))


main()
