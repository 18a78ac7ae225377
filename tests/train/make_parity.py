#!/usr/bin/env python3
"""What PyTorch makes of two tiny models: tests/train/parity/NAME.safetensors, from which test_parity.c reads the model, three batches, and what
should come out: logits, every gradient, and the losses of 50 steps.

    make_parity.py FOLDER

The models are written here once more, from what runtime/model says of them, with PyTorch's own functions."""
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

V, C, HEADS, LAYERS, INNER, CONTEXT = 37, 16, 2, 2, 24, 20
STEPS, BATCHES = 50, 3


def names(arch):
    """Name, shape and how it begins."""
    gpt2 = arch == "gpt2"
    yield "transformer.wte.weight", (V, C), 0.3
    if gpt2:
        yield "transformer.wpe.weight", (CONTEXT, C), 0.3
    for layer in range(LAYERS):
        h = f"transformer.h.{layer}."
        yield h + "ln_1.weight", (C,), 1
        yield h + "ln_1.bias", (C,), 0
        yield h + "attn.c_attn.weight", (C, 3 * C), 0.25
        if gpt2:
            yield h + "attn.c_attn.bias", (3 * C,), 0
        yield h + "attn.c_proj.weight", (C, C), 0.25
        if gpt2:
            yield h + "attn.c_proj.bias", (C,), 0
        yield h + "ln_2.weight", (C,), 1
        yield h + "ln_2.bias", (C,), 0
        yield h + "mlp.c_fc.weight", (C, INNER), 0.25
        yield h + "mlp.c_fc.bias", (INNER,), 0
        yield h + "mlp.c_proj.weight", (INNER, C), 0.25
        yield h + "mlp.c_proj.bias", (C,), 0
    yield "transformer.ln_f.weight", (C,), 1
    yield "transformer.ln_f.bias", (C,), 0


def begin(arch):
    params = {}
    for name, shape, scale in names(arch):
        noise = torch.randn(shape) * (0.05 if len(shape) == 1 else scale)
        params[name] = (noise + (1.0 if len(shape) == 1 and scale else 0.0)).requires_grad_()
    return params


def sines():
    half = C // 2
    rates = torch.exp(-torch.arange(half, dtype=torch.float64) * math.log(1e4) / (half - 1))
    angles = torch.arange(CONTEXT, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).float()


def forward(arch, p, ids):
    """Logits of one document."""
    gpt2, T = arch == "gpt2", len(ids)
    x = F.embedding(ids, p["transformer.wte.weight"])
    if gpt2:
        x = x + p["transformer.wpe.weight"][:T]
    else:
        x = x * math.sqrt(C) * (ids != 0)[:, None] + sines()[:T]
    for layer in range(LAYERS):
        h = f"transformer.h.{layer}."
        eps = 1e-5 if gpt2 else 1e-6
        y = F.layer_norm(x, (C,), p[h + "ln_1.weight"], p[h + "ln_1.bias"], eps)
        qkv = y @ p[h + "attn.c_attn.weight"] + p.get(h + "attn.c_attn.bias", 0)
        q, k, v = (part.view(T, HEADS, C // HEADS).transpose(0, 1) for part in qkv.split(C, 1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).reshape(T, C)
        x = x + y @ p[h + "attn.c_proj.weight"] + p.get(h + "attn.c_proj.bias", 0)
        y = F.layer_norm(x, (C,), p[h + "ln_2.weight"], p[h + "ln_2.bias"], eps)
        y = y @ p[h + "mlp.c_fc.weight"] + p[h + "mlp.c_fc.bias"]
        y = F.gelu(y, approximate="tanh") if gpt2 else F.relu(y)
        x = x + y @ p[h + "mlp.c_proj.weight"] + p[h + "mlp.c_proj.bias"]
    eps = 1e-5 if gpt2 else 1e-6
    return F.layer_norm(x, (C,), p["transformer.ln_f.weight"], p["transformer.ln_f.bias"], eps) @ p["transformer.wte.weight"].T


def loss_of(arch, logits, labels, weights):
    """Tensor2Tensor's label smoothing, less the entropy of its targets; none for GPT-2."""
    logp = F.log_softmax(logits, 1)
    if arch == "gpt2":
        each = -logp.gather(1, labels[:, None])[:, 0]
    else:
        high, low = 0.9, 0.1 / (V - 1)
        soft = torch.full_like(logp, low).scatter(1, labels[:, None], high)
        entropy = -(high * math.log(high) + (V - 1) * low * math.log(low))
        each = -(soft * logp).sum(1) - entropy
    return (each * weights).sum() / weights.sum()


def batch():
    lengths = torch.randint(1, CONTEXT + 1, (4,)).tolist()
    N = sum(lengths)
    return {"lengths": lengths, "ids": torch.randint(0, V, (N,)), "labels": torch.randint(1, V, (N,)),
            "weights": torch.randint(0, 3, (N,)).float() + 0.5}


def run(arch, p, b):
    logits = torch.cat([forward(arch, p, ids) for ids in b["ids"].split(b["lengths"])])
    return logits, loss_of(arch, logits, b["labels"], b["weights"])


class AdamAsTensorFlow(torch.optim.Optimizer):
    """Adam with epsilon behind the corrected root, as TensorFlow 1 writes it."""

    def __init__(self, params, lr, betas, eps):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        self.t = 0

    @torch.no_grad()
    def step(self):
        self.t += 1
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            rate = lr * math.sqrt(1 - b2 ** self.t) / (1 - b1 ** self.t)
            for p in group["params"]:
                state = self.state[p]
                m = state.setdefault("m", torch.zeros_like(p))
                v = state.setdefault("v", torch.zeros_like(p))
                m.mul_(b1).add_(p.grad, alpha=1 - b1)
                v.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                p.sub_(rate * m / (v.sqrt() + group["eps"]))


def optimizer(arch, p):
    if arch != "gpt2":
        return AdamAsTensorFlow(p.values(), lr=2e-3, betas=(0.9, 0.98), eps=1e-9)
    matrices = [x for x in p.values() if x.dim() == 2]
    vectors = [x for x in p.values() if x.dim() == 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}], lr=2e-3,
                             betas=(0.9, 0.95), eps=1e-8)


def make(arch, folder):
    torch.manual_seed(1 if arch == "gpt2" else 2)
    p = begin(arch)
    batches = [batch() for _ in range(BATCHES)]
    out = {f"weights.{name}": x.detach().clone() for name, x in p.items()}
    logits, loss = run(arch, p, batches[0])
    loss.backward()
    out["logits"] = logits.detach()
    out.update({f"gradients.{name}": x.grad.clone() for name, x in p.items()})
    for i, b in enumerate(batches):
        out.update({f"batch.{i}.{key}": b[key].float() if key != "lengths" else torch.tensor(b[key]).float() for key in b})
    steps, losses, norms = optimizer(arch, p), [], []
    for i in range(STEPS):
        steps.zero_grad()
        _, loss = run(arch, p, batches[i % BATCHES])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), 0.5 if arch == "gpt2" else math.inf)
        steps.step()
        losses.append(loss.item())
        norms.append(norm.item())
    out["losses"], out["norms"] = torch.tensor(losses), torch.tensor(norms)
    config = {"model_type": "gpt2" if arch == "gpt2" else "lateen-prepend", "n_layer": LAYERS, "n_embd": C, "n_head": HEADS, "n_inner": INNER,
              "vocab_size": V, "n_positions": CONTEXT}
    save_file({k: v.contiguous() for k, v in out.items()}, str(folder / f"{arch}.safetensors"), {"config": json.dumps(config)})


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for arch in ("prepend", "gpt2"):
        make(arch, folder)


if __name__ == "__main__":
    main()
