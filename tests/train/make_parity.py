#!/usr/bin/env python3
"""What PyTorch makes of tiny models: tests/train/parity/NAME.safetensors, from which test_parity.c reads the model, three batches, and what
should come out: logits, every gradient, and the losses of 50 steps; for two of them once more with Muon.

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
KV_HEADS, THETA = 1, 100.0
SCALING = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
STEPS, BATCHES = 50, 3
FAMILIES = ("prepend", "gpt2", "llama", "llama-tied")
MUON = ("gpt2", "llama")


def llama_names(arch):
    D = C // HEADS
    yield "model.embed_tokens.weight", (V, C), 0.3
    for layer in range(LAYERS):
        h = f"model.layers.{layer}."
        yield h + "input_layernorm.weight", (C,), 1
        yield h + "self_attn.q_proj.weight", (C, C), 0.25
        yield h + "self_attn.k_proj.weight", (KV_HEADS * D, C), 0.25
        yield h + "self_attn.v_proj.weight", (KV_HEADS * D, C), 0.25
        yield h + "self_attn.o_proj.weight", (C, C), 0.25
        yield h + "post_attention_layernorm.weight", (C,), 1
        yield h + "mlp.gate_proj.weight", (INNER, C), 0.25
        yield h + "mlp.up_proj.weight", (INNER, C), 0.25
        yield h + "mlp.down_proj.weight", (C, INNER), 0.25
    yield "model.norm.weight", (C,), 1
    if arch == "llama":
        yield "lm_head.weight", (V, C), 0.3


def names(arch):
    """Name, shape and how it begins."""
    if arch.startswith("llama"):
        yield from llama_names(arch)
        return
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


def rms_norm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * gain


def frequencies(arch):
    D = C // HEADS
    plain = THETA ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    if arch == "llama":
        return plain
    s, lengths = SCALING, 2 * math.pi / plain
    part = (s["original_max_position_embeddings"] / lengths - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"])
    part = part.clamp(0, 1)
    return (1 - part) * plain / s["factor"] + part * plain


def rotate(arch, x):
    """(heads, T, D): channels i and i + D / 2 are a pair."""
    angles = torch.arange(x.shape[1], dtype=torch.float64)[:, None] * frequencies(arch)
    cos, sin = angles.cos().float(), angles.sin().float()
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def llama_forward(arch, p, ids):
    T, D = len(ids), C // HEADS
    x = F.embedding(ids, p["model.embed_tokens.weight"])
    for layer in range(LAYERS):
        h = f"model.layers.{layer}."
        y = rms_norm(x, p[h + "input_layernorm.weight"])
        q, k, v = ((y @ p[h + f"self_attn.{n}_proj.weight"].T).view(T, -1, D).transpose(0, 1) for n in "qkv")
        q, k = rotate(arch, q), rotate(arch, k)
        k, v = (part.repeat_interleave(HEADS // KV_HEADS, 0) for part in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).reshape(T, C)
        x = x + y @ p[h + "self_attn.o_proj.weight"].T
        y = rms_norm(x, p[h + "post_attention_layernorm.weight"])
        y = F.silu(y @ p[h + "mlp.gate_proj.weight"].T) * (y @ p[h + "mlp.up_proj.weight"].T)
        x = x + y @ p[h + "mlp.down_proj.weight"].T
    head = p["lm_head.weight" if arch == "llama" else "model.embed_tokens.weight"]
    return rms_norm(x, p["model.norm.weight"]) @ head.T


def forward(arch, p, ids):
    """Logits of one document."""
    if arch.startswith("llama"):
        return llama_forward(arch, p, ids)
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
    """Tensor2Tensor's label smoothing, less the entropy of its targets; none but for prepend."""
    logp = F.log_softmax(logits, 1)
    if arch != "prepend":
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


class Muon(torch.optim.Optimizer):
    """Muon as torch.optim.Muon has it (the learning rate as its "original" adjusts it), in single precision instead of bfloat16. Where a
    parameter holds several matrices side by side (GPT-2's c_attn), each is one; rows are what comes out."""

    def __init__(self, params, lr, weight_decay):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @staticmethod
    def orthogonal(x):
        a, b, c = 3.4445, -4.7750, 2.0315
        tall = x.size(0) > x.size(1)
        x = x.T if tall else x
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(5):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x.T if tall else x

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - 0.95)
                direction = p.grad.lerp(m, 0.95)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                parts = zip(*(x.split(C, 1) if x.shape == (C, 3 * C) else (x,) for x in (p, direction)))
                for part, along in parts:
                    rows, columns = part.shape if not getattr(p, "conv1d", False) else part.shape[::-1]
                    part.sub_(group["lr"] * math.sqrt(max(1, rows / columns)) * self.orthogonal(along))


class Both:
    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def zero_grad(self):
        for each in self.optimizers:
            each.zero_grad()

    def step(self):
        for each in self.optimizers:
            each.step()


def adamw(params, lr=2e-3):
    matrices = [x for x in params if x.dim() == 2]
    vectors = [x for x in params if x.dim() == 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}], lr=lr,
                             betas=(0.9, 0.95), eps=1e-8)


def with_muon(arch, p, muon=Muon):
    hidden = [x for name, x in p.items() if x.dim() == 2 and (".h." in name or ".layers." in name)]
    for x in hidden:
        x.conv1d = arch == "gpt2"
    return Both(muon(hidden, lr=5e-3, weight_decay=0.1), adamw([x for x in p.values() if not any(x is y for y in hidden)]))


def optimizer(arch, p):
    if arch == "prepend":
        return AdamAsTensorFlow(p.values(), lr=2e-3, betas=(0.9, 0.98), eps=1e-9)
    return adamw(list(p.values()))


class SinglePrecision:
    """Torch, but that its bfloat16 is single precision."""
    bfloat16 = torch.float32

    def __getattr__(self, name):
        return getattr(torch, name)


def curve(arch, p, batches, steps):
    losses, norms = [], []
    for i in range(STEPS):
        steps.zero_grad()
        _, loss = run(arch, p, batches[i % BATCHES])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), math.inf if arch == "prepend" else 0.5)
        steps.step()
        losses.append(loss.item())
        norms.append(norm.item())
    return torch.tensor(losses), torch.tensor(norms)


def copy_of(p):
    return {name: x.detach().clone().requires_grad_() for name, x in p.items()}


def muon_curve(arch, p, batches):
    """Of our Muon; where PyTorch has one and every matrix is a parameter, its own must say the same."""
    first, _ = ours = curve(arch, *begun(arch, p, batches, Muon))
    if hasattr(torch.optim, "Muon") and arch == "llama":
        sys.modules["torch.optim._muon"].torch = SinglePrecision()
        theirs, _ = curve(arch, *begun(arch, p, batches, torch.optim.Muon))
        sys.modules["torch.optim._muon"].torch = torch
        assert (first - theirs).abs().max() < 1e-5, (first - theirs).abs().max()
    return ours


def begun(arch, p, batches, muon):
    p = copy_of(p)
    return p, batches, with_muon(arch, p, muon)


def config_of(arch):
    if not arch.startswith("llama"):
        return {"model_type": "gpt2" if arch == "gpt2" else "lateen-prepend", "n_layer": LAYERS, "n_embd": C, "n_head": HEADS, "n_inner": INNER,
                "vocab_size": V, "n_positions": CONTEXT}
    config = {"model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": C, "num_attention_heads": HEADS,
              "num_key_value_heads": KV_HEADS, "intermediate_size": INNER, "vocab_size": V, "max_position_embeddings": CONTEXT,
              "rms_norm_eps": 1e-6, "rope_theta": THETA, "tie_word_embeddings": arch == "llama-tied"}
    return config if arch == "llama" else config | {"rope_scaling": SCALING}


def make(arch, folder):
    torch.manual_seed({"prepend": 2, "gpt2": 1, "llama": 3, "llama-tied": 4}[arch])
    p = begin(arch)
    batches = [batch() for _ in range(BATCHES)]
    out = {f"weights.{name}": x.detach().clone() for name, x in p.items()}
    logits, loss = run(arch, p, batches[0])
    loss.backward()
    out["logits"] = logits.detach()
    out.update({f"gradients.{name}": x.grad.clone() for name, x in p.items()})
    for i, b in enumerate(batches):
        out.update({f"batch.{i}.{key}": b[key].float() if key != "lengths" else torch.tensor(b[key]).float() for key in b})
    if arch in MUON:
        out["muon.losses"], out["muon.norms"] = muon_curve(arch, p, batches)
    out["losses"], out["norms"] = curve(arch, p, batches, optimizer(arch, p))
    save_file({k: v.contiguous() for k, v in out.items()}, str(folder / f"{arch}.safetensors"), {"config": json.dumps(config_of(arch))})


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for arch in FAMILIES:
        make(arch, folder)


if __name__ == "__main__":
    main()
