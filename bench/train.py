#!/usr/bin/env python3
"""Steps of training on the processor, against PyTorch, in one run on the same batches.

    bench/train.py BUILD_DIR SHARD [--sizes tiny,small] [--tokens 2048] [--steps 4] [--rounds 2] [--threads 2] [--no-compile]

SHARD is a token shard of `lateen-step tokenize` with a vocabulary of at most 8192. Needs tests/train/step_tool in the build (`make
tests/train/step_tool`), and a python with PyPI's torch. The model is `prepend` with dropout 0.1 in its four places, label smoothing and Adam,
written with PyTorch's own functions: layer_norm, scaled_dot_product_attention document by document, one fused Adam. PyTorch runs in
single precision and under autocast to bfloat16, on the packed batches, and as people write it: documents padded to the longest of 16; and on
the packed batches through torch.compile as well, all but attention, whose documents have other lengths in each batch. That needs g++, and
takes minutes before the first step; --no-compile leaves it out.

Each number is the best step of all rounds, in tokens that count (padding does not) a second of the clock; behind it the same over seconds of the
processor, which other programs on the machine disturb less. The peers take turns. The ceiling is the best product of matrices of the same
ops, measured in the same run. Memory is the most that a process had at any time; what `train` promises to need is stated beside it."""
import argparse
import functools
import json
import math
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

SIZES = {"tiny": (2, 128, 4, 512), "small": (6, 512, 8, 2048)}
VOCABULARY, CONTEXT, DROPOUT, SMOOTHING, PADDED = 8192, 512, 0.1, 0.1, 16


# ---- PyTorch, in a process of its own ----

def read_batches(path):
    import torch
    data, at, batches = open(path, "rb").read(), 0, []
    while at < len(data):
        n, documents = struct.unpack_from("<2i", data, at)
        at += 8
        parts = []
        for kind, count in (("i", n), ("i", n), ("f", n), ("i", documents + 1)):
            parts.append(torch.tensor(struct.unpack_from(f"<{count}{kind}", data, at)))
            at += 4 * count
        batches.append(parts)
    return batches


def make_model(size, threads):
    import torch
    import torch.nn.functional as F
    from torch import nn
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layers, C, heads, inner = SIZES[size]

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(C, 1e-6), nn.LayerNorm(C, 1e-6)
            self.qkv, self.proj = nn.Linear(C, 3 * C, bias=False), nn.Linear(C, C, bias=False)
            self.fc, self.out = nn.Linear(C, inner), nn.Linear(inner, C)

        def forward(self, x, attend):
            y = self.proj(attend(self.qkv(self.norm1(x))))
            x = x + F.dropout(y, DROPOUT)
            return x + F.dropout(self.out(F.dropout(F.relu(self.fc(self.norm2(x))), DROPOUT)), DROPOUT)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, C)
            nn.init.normal_(self.embedding.weight, std=C ** -0.5)
            self.layers, self.norm = nn.ModuleList(Layer() for _ in range(layers)), nn.LayerNorm(C, 1e-6)
            rates = torch.exp(-torch.arange(C // 2) * math.log(1e4) / (C // 2 - 1))
            angles = torch.arange(CONTEXT)[:, None] * rates
            self.register_buffer("sines", torch.cat([angles.sin(), angles.cos()], 1))

        def forward(self, ids, places, attend):
            x = self.embedding(ids) * math.sqrt(C) * (ids != 0)[..., None] + self.sines[places]
            x = F.dropout(x, DROPOUT)
            for layer in self.layers:
                x = layer(x, attend)
            return F.linear(self.norm(x), self.embedding.weight)

    return Model(), heads


def attention(qkv, heads):
    """(B, T, 3 C) to (B, T, C)."""
    import torch.nn.functional as F
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    q, k, v = (part.view(B, T, heads, C // heads).transpose(1, 2) for part in qkv.split(C, 2))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=DROPOUT).transpose(1, 2).reshape(B, T, C)


def attend_packed(heads, lengths, qkv):
    import torch
    return torch.cat([attention(part[None], heads)[0] for part in qkv.split(lengths)])


def packed(model, heads, batch):
    """One sequence of all documents; attention goes document by document."""
    import torch
    ids, labels, weights, starts = batch
    lengths = (starts[1:] - starts[:-1]).tolist()
    places = torch.cat([torch.arange(n) for n in lengths])
    return model(ids, places, functools.partial(attend_packed, heads, lengths)), labels, weights


def padded(model, heads, batch):
    """PADDED documents at a time, to the longest of them; their gradients add up."""
    import torch
    ids, labels, weights, starts = batch
    bounds = list(zip(starts[:-1].tolist(), starts[1:].tolist()))
    for i in range(0, len(bounds), PADDED):
        part = bounds[i:i + PADDED]
        longest = max(b - a for a, b in part)
        pad = [[torch.nn.functional.pad(x[a:b], (0, longest - b + a)) for a, b in part] for x in (ids, labels, weights)]
        one, two, three = (torch.stack(x) for x in pad)
        logits = model(one, torch.arange(longest).expand(len(part), longest), lambda qkv: attention(qkv, heads))
        yield logits.flatten(0, 1), two.flatten(), three.flatten()


def loss_of(logits, labels, weights, total):
    import torch.nn.functional as F
    # The same gradients as Tensor2Tensor's smoothing, but for how V / (V - 1) divides it.
    return (F.cross_entropy(logits.float(), labels.long(), reduction="none", label_smoothing=SMOOTHING) * weights).sum() / total


def run_torch(options):
    import torch
    batches = read_batches(options.batches)
    model, heads = make_model(options.size, options.threads)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9, fused=True)
    if options.compile:
        globals()["attend_packed"] = torch.compiler.disable(attend_packed)
        model = torch.compile(model, dynamic=True)
    for batch in batches:
        wall, cpu = time.perf_counter(), time.process_time()
        adam.zero_grad()
        total = batch[2].sum()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            for logits, labels, weights in (padded(model, heads, batch) if options.padded else [packed(model, heads, batch)]):
                loss = loss_of(logits, labels, weights, total)
                loss.backward()
        adam.step()
        print(len(batch[0]), time.perf_counter() - wall, time.process_time() - cpu, loss.item(), flush=True)
    print("torch", torch.__version__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0)


# ---- the contest ----

class Runner:
    def __init__(self, name, command, warm=1):
        self.name, self.command, self.warm = name, command, warm
        self.clock, self.processor, self.memory, self.promised = 0.0, 0.0, 0, 0

    def run(self):
        out = subprocess.run(self.command, capture_output=True, text=True, check=True).stdout.split("\n")
        rows = [line.split() for line in out if line and line[0].isdigit()]
        for n, wall, cpu, _ in rows[self.warm:]:
            self.clock = max(self.clock, int(n) / float(wall))
            self.processor = max(self.processor, int(n) / float(cpu))
        self.memory, self.promised = (int(number) >> shift for number, shift in zip([line for line in out if line][-1].split()[-2:], (10, 20)))


def flops_of(size):
    layers, C, _, inner = SIZES[size]
    return 6 * (layers * (4 * C * C + 2 * C * inner) + VOCABULARY * C)


def contest(options, size, batches):
    tool = os.path.join(options.build, "tests", "train", "step_tool")
    ours = {p: Runner(f"lateen {p}", [tool, "train", options.shard, str(options.tokens), str(CONTEXT), str(options.steps + 2), size, p,
                                      str(options.threads)]) for p in ("f32", "bf16")}
    peer = [sys.executable, __file__, "--peer", "--batches", batches, "--size", size, "--threads", str(options.threads)]
    packed_ones = [Runner(f"torch {p}", [*peer, "--precision", p]) for p in ("f32", "bf16")]
    if options.compile:
        # The first step compiles for one length, the second for any.
        packed_ones += [Runner(f"torch {p}, compiled", [*peer, "--precision", p, "--compile"], 2) for p in ("f32", "bf16")]
    padded_ones = [Runner(f"torch {p}, padded", [*peer, "--precision", p, "--padded"]) for p in ("f32", "bf16")]
    theirs = packed_ones + padded_ones
    ceilings = {"f32": 0.0, "bf16": 0.0}
    for _ in range(options.rounds):
        for runner in [*ours.values(), *theirs]:
            try:
                runner.run()
            except subprocess.CalledProcessError as failed:
                print(f"{runner.name}: {failed.stderr.strip().splitlines()[-1:]}")
        for p in ceilings:
            done = subprocess.run([tool, "matmul", p, str(options.threads)], capture_output=True, text=True, check=False)
            ceilings[p] = max(ceilings[p], float(done.stdout or 0))
    print(f"\n{size}: {options.tokens} tokens a step, {options.threads} threads")
    for runner in [*ours.values(), *theirs]:
        promised = f" of {runner.promised} promised" if runner.promised else ""
        print(f"  {runner.name:20} {runner.clock:8.0f} tokens/s   {runner.processor:8.0f} a processor second   {runner.memory} MiB{promised}")
    for p, runner in ours.items():
        if ceilings[p]:
            print(f"  lateen {p}: {100 * runner.clock * flops_of(size) / 1e9 / ceilings[p]:.0f} % of the {ceilings[p]:.0f} GFLOP/s of its matrix products")
    for label, field in (("clock", "clock"), ("processor seconds", "processor")):
        best = max(getattr(r, field) for r in ours.values())
        for name, peers in (("packed", packed_ones), ("padded", padded_ones)):
            rate = max(getattr(r, field) for r in peers)
            if rate:
                print(f"  by {label}, against the best of torch {name}: {best / rate:.2f}")
    least = min((r.memory for r in theirs if r.memory), default=0)
    if least:
        print(f"  peak memory, against the least of torch: {max(r.memory for r in ours.values()) / least:.2f}; against what was promised: "
              f"{max(r.memory / r.promised for r in ours.values() if r.promised):.2f}")
    return {"size": size, "ours": {p: r.clock for p, r in ours.items()}, "theirs": {r.name: r.clock for r in theirs}, "ceilings": ceilings}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("shard", nargs="?")
    parser.add_argument("--sizes", default="tiny,small")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    for name in ("batches", "size", "precision"):
        parser.add_argument("--" + name)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--padded", action="store_true")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=None)
    options = parser.parse_args()
    if options.compile is None:
        options.compile = not options.peer
    if options.peer:
        run_torch(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        batches = os.path.join(folder, "batches")
        subprocess.run([os.path.join(options.build, "tests", "train", "step_tool"), "batches", options.shard, str(options.tokens), str(CONTEXT),
                        str(options.steps + 2), batches], check=True)
        print(json.dumps([contest(options, size, batches) for size in options.sizes.split(",")]))


if __name__ == "__main__":
    main()
