#!/usr/bin/env python3
"""Decoding on the processor, greedily, against CTranslate2 and ggml (llama.cpp), in one run.

    bench/decode.py BUILD_DIR [--size small] [--precisions f32,bf16,int8] [--peers ctranslate2,ggml] [--texts 1] [--prompt 64] [--tokens 128]
                    [--threads 1,2] [--rounds 7] [--warm 2]

Needs tests/train/decode_tool in the build (`make tests/train/decode_tool`), and a python with numpy and, of the peers, ctranslate2, or
llama-cpp-python and gguf; one that is not there is left out. The model has GPT-2's shape and random weights, the same for all: 6 layers of
512 channels, 8 heads, a vocabulary of 8192 (23 million) for `small`. `--size` takes `tiny`, `small` or `gpt2`, whose vocabulary is 50257.

Every runner is a process that has loaded its model and waits. They take turns, round by round, so that whatever else the machine does
meets all of them; each does so with every number of threads. Behind the rate by the clock stands the one by the processor's seconds, which
other programs disturb less; with several threads it counts their waiting. Printed are the tokens a second behind the prompt: the median of the rounds at
the best number of threads, and the median of the ratios round by round against the faster peer. `first texts` says on how many of the first
text's tokens a peer agrees with ours before the first difference: in f32 it is all of them, unless two tokens are nearly as likely.

bf16 of CTranslate2 is its own type `bfloat16`; ggml's is GGUF's BF16, int8 its Q8_0 (blocks of 32 with a scale of 16 bits)."""
import argparse
import importlib.util
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SIZES = {"tiny": (2, 128, 4, 512, 8192), "small": (6, 512, 8, 2048, 8192), "gpt2": (12, 768, 12, 3072, 50257)}
CONTEXT, EPSILON = 1024, 1e-5
NEEDS = {"ctranslate2": ("numpy", "ctranslate2"), "ggml": ("numpy", "llama_cpp", "gguf")}


def prompt_of(options, vocabulary, text):
    return [(i * 7919 + text * 31 + 17) % vocabulary for i in range(options.prompt)]


# ---- the model, in everyone's form ----

def weights_of(size):
    import numpy
    layers, C, _, F, V = SIZES[size]
    random = numpy.random.default_rng(1)

    def normal(*shape, scale=0.02):
        return (random.standard_normal(shape) * scale).astype("float32")
    # Wider than GPT-2 begins, so that the likeliest token stands out.
    ret = {"transformer.wte.weight": normal(V, C, scale=0.08), "transformer.wpe.weight": normal(CONTEXT, C)}
    for l in range(layers):
        at = f"transformer.h.{l}."
        for name, shape in (("attn.c_attn", (C, 3 * C)), ("attn.c_proj", (C, C)), ("mlp.c_fc", (C, F)), ("mlp.c_proj", (F, C))):
            ret[f"{at}{name}.weight"], ret[f"{at}{name}.bias"] = normal(*shape, scale=0.06), normal(shape[1])
        for name in ("ln_1", "ln_2"):
            ret[f"{at}{name}.weight"], ret[f"{at}{name}.bias"] = 1 + normal(C), normal(C)
    ret["transformer.ln_f.weight"], ret["transformer.ln_f.bias"] = 1 + normal(C), normal(C)
    return ret


def write_ours(size, weights, folder):
    layers, C, heads, F, V = SIZES[size]
    header, at = {}, 0
    for name, numbers in weights.items():
        header[name] = {"dtype": "F32", "shape": list(numbers.shape), "data_offsets": [at, at + numbers.nbytes]}
        at += numbers.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for numbers in weights.values():
            file.write(numbers.tobytes())
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({"model_type": "gpt2", "n_layer": layers, "n_embd": C, "n_head": heads, "n_inner": F, "vocab_size": V, "n_positions": CONTEXT,
                   "layer_norm_epsilon": EPSILON, "activation_function": "gelu_new", "resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1}, file)


def write_ctranslate2(size, weights, folder):
    from ctranslate2 import specs
    layers, _, heads, _, V = SIZES[size]
    spec = specs.TransformerDecoderModelSpec.from_config(layers, heads, pre_norm=True, activation=specs.Activation.GELUTanh)
    decoder = spec.decoder

    def put(to, name, turned=False):
        to.weight = weights[name + ".weight"].T.copy() if turned else weights[name + ".weight"]
        if name + ".bias" in weights:
            to.bias = weights[name + ".bias"]

    def norm(to, name):
        to.gamma, to.beta = weights[name + ".weight"], weights[name + ".bias"]
    decoder.scale_embeddings = False
    put(decoder.embeddings, "transformer.wte")
    decoder.position_encodings.encodings = weights["transformer.wpe.weight"]
    put(decoder.projection, "transformer.wte")
    norm(decoder.layer_norm, "transformer.ln_f")
    for l in range(layers):
        layer, at = decoder.layer[l], f"transformer.h.{l}."
        norm(layer.self_attention.layer_norm, at + "ln_1")
        put(layer.self_attention.linear[0], at + "attn.c_attn", True)
        put(layer.self_attention.linear[1], at + "attn.c_proj", True)
        norm(layer.ffn.layer_norm, at + "ln_2")
        put(layer.ffn.linear_0, at + "mlp.c_fc", True)
        put(layer.ffn.linear_1, at + "mlp.c_proj", True)
    spec.config.layer_norm_epsilon = EPSILON
    spec.register_vocabulary([f"t{i}" for i in range(V)])
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "t0"
    spec.validate()
    spec.optimize(quantization=None)
    spec.save(folder)


def write_ggml(size, weights, path, precision):
    import gguf
    layers, C, heads, F, V = SIZES[size]
    kind = {"f32": gguf.GGMLQuantizationType.F32, "bf16": gguf.GGMLQuantizationType.BF16, "int8": gguf.GGMLQuantizationType.Q8_0}[precision]
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(C)
    writer.add_feed_forward_length(F)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_layer_norm_eps(EPSILON)
    writer.add_vocab_size(V)
    writer.add_tokenizer_model("no_vocab")

    def put(name, numbers, wide=False):
        if wide or numbers.ndim == 1:
            writer.add_tensor(name, numbers)
        else:
            writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
    put("token_embd.weight", weights["transformer.wte.weight"])
    put("position_embd.weight", weights["transformer.wpe.weight"], True)
    names = {"attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc",
             "ffn_down": "mlp.c_proj"}
    for l in range(layers):
        for theirs, ours in names.items():
            for part in ("weight", "bias"):
                numbers = weights[f"transformer.h.{l}.{ours}.{part}"]
                put(f"blk.{l}.{theirs}.{part}", numbers.T.copy() if numbers.ndim == 2 else numbers)
    for part in ("weight", "bias"):
        put(f"output_norm.{part}", weights[f"transformer.ln_f.{part}"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ---- the peers, each in a process of its own, a round for each line of input ----

def serve_ctranslate2(options):
    import ctranslate2
    V = SIZES[options.size][4]
    kind = {"f32": "float32", "bf16": "bfloat16", "int8": "int8"}[options.precision]
    if kind not in ctranslate2.get_supported_compute_types("cpu"):
        raise SystemExit(f"has no {kind} here")
    generator = ctranslate2.Generator(options.model, device="cpu", compute_type=kind, intra_threads=options.count, inter_threads=1)
    prompts = [[f"t{i}" for i in prompt_of(options, V, text)] for text in range(options.texts)]
    for _ in sys.stdin:
        begun, busy = time.perf_counter(), [time.process_time()]
        generator.generate_batch(prompts, max_length=1, min_length=1, sampling_topk=1, beam_size=1, include_prompt_in_result=False)
        middle = time.perf_counter()
        busy.append(time.process_time())
        out = generator.generate_batch(prompts, max_length=options.tokens + 1, min_length=options.tokens + 1, sampling_topk=1, beam_size=1,
                                       include_prompt_in_result=False, end_token=[])
        ended = time.perf_counter()
        busy.append(time.process_time())
        # The prompt is in both calls.
        print(middle - begun, ended - middle - (middle - begun), busy[2] - 2 * busy[1] + busy[0], peak(), *out[0].sequences_ids[0][:options.tokens], flush=True)


def serve_ggml(options):
    import ctypes
    import numpy
    import llama_cpp as ggml
    V = SIZES[options.size][4]
    quiet = ggml.llama_log_callback(lambda *_: None)
    ggml.llama_log_set(quiet, ctypes.c_void_p(0))
    ggml.llama_backend_init()
    model = ggml.llama_model_load_from_file(options.model.encode(), ggml.llama_model_default_params())
    params = ggml.llama_context_default_params()
    params.n_ctx = (options.prompt + options.tokens) * options.texts
    params.n_batch = params.n_ubatch = max(options.prompt, options.texts)
    params.n_seq_max = options.texts
    params.n_threads = params.n_threads_batch = options.count
    context = ggml.llama_init_from_model(model, params)
    batch = ggml.llama_batch_init(max(options.prompt, options.texts), 0, 1)

    def decode(entries):
        batch.n_tokens = len(entries)
        for i, (token, place, text, wanted) in enumerate(entries):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, place, 1, text, wanted
        if ggml.llama_decode(context, batch):
            raise SystemExit("cannot decode")

    def likeliest(i):
        return int(numpy.ctypeslib.as_array(ggml.llama_get_logits_ith(context, i), (V,)).argmax())
    for _ in sys.stdin:
        begun = time.perf_counter()
        ggml.llama_memory_clear(ggml.llama_get_memory(context), True)
        last, said = [], []
        for text in range(options.texts):
            prompt = prompt_of(options, V, text)
            decode([(token, i, text, i + 1 == len(prompt)) for i, token in enumerate(prompt)])
            last.append(likeliest(len(prompt) - 1))
        middle, busy = time.perf_counter(), time.process_time()
        for i in range(options.tokens):
            said.append(last[0])
            decode([(token, options.prompt + i, text, True) for text, token in enumerate(last)])
            last = [likeliest(text) for text in range(options.texts)]
        print(middle - begun, time.perf_counter() - middle, time.process_time() - busy, peak(), *said, flush=True)


def peak():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---- the contest ----

class Runner:
    def __init__(self, name, threads, command):
        self.name, self.threads, self.rates, self.busy, self.prompts, self.said, self.memory, self.why = name, threads, [], [], [], [], 0, ""
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def go(self, options):
        if self.why:
            return
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline().split()
        if not line:
            self.why = (self.process.stderr.read().strip().splitlines() or ["ended"])[-1]
            return
        self.prompts.append(options.texts * options.prompt / float(line[0]))
        self.rates.append(options.texts * options.tokens / float(line[1]))
        self.busy.append(options.texts * options.tokens / float(line[2]))
        self.memory, self.said = int(line[3]) // 1024, line[4:]

    def end(self):
        if not self.why:
            self.process.stdin.close()
        self.process.wait()

    def rate(self, warm):
        return statistics.median(self.rates[warm:]) if self.rates[warm:] else 0.0


def runners_of(options, precision, models):
    ret = []
    for count in options.threads:
        numbers = [str(n) for n in (count, options.texts, options.prompt, options.tokens)]
        ret.append(Runner("lateen", count, [os.path.join(options.build, "tests", "train", "decode_tool"), models["ours"], precision, *numbers]))
        for peer in options.peers:
            ret.append(Runner(peer, count, [sys.executable, os.path.abspath(__file__), "--serve", peer, "--model", models[peer, precision],
                                            "--precision", precision, "--count", str(count), "--size", options.size, "--texts",
                                            str(options.texts), "--prompt", str(options.prompt), "--tokens", str(options.tokens)]))
    return ret


def agreement(ours, theirs):
    n = 0
    while n < min(len(ours), len(theirs)) and ours[n] == theirs[n]:
        n += 1
    return n


def contest(options, precision, models):
    runners = runners_of(options, precision, models)
    for _ in range(options.rounds + options.warm):
        for runner in runners:
            runner.go(options)
    for runner in runners:
        runner.end()
    best = {}
    print(f"\n{precision}: {options.size}, {options.texts} texts at a time, {options.prompt} tokens of prompt, {options.tokens} behind it")
    for runner in runners:
        if runner.why:
            print(f"  {runner.name:12} {runner.threads} threads: {runner.why}")
            continue
        print(f"  {runner.name:12} {runner.threads} threads {runner.rate(options.warm):9.1f} tokens/s {statistics.median(runner.busy[options.warm:]):9.1f} a processor second   "
              f"prompts {statistics.median(runner.prompts[options.warm:]):9.0f}/s   {runner.memory} MiB")
        if runner.name not in best or runner.rate(options.warm) > best[runner.name].rate(options.warm):
            best[runner.name] = runner
    ours, peers = best.get("lateen"), [r for name, r in best.items() if name != "lateen"]
    if not ours or not peers:
        return
    fastest = max(peers, key=lambda r: r.rate(options.warm))
    ratios = [a / b for a, b in zip(ours.rates[options.warm:], fastest.rates[options.warm:])]
    print(f"  against {fastest.name}, the faster one: {ours.rate(options.warm) / fastest.rate(options.warm):.2f} (round by round: median "
          f"{statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f})")
    for peer in peers:
        print(f"  first texts: {peer.name} says the same for {agreement(ours.said, peer.said)} of {options.tokens} tokens")


def prepare(options, folder):
    weights = weights_of(options.size)
    models = {"ours": os.path.join(folder, "ours")}
    os.mkdir(models["ours"])
    write_ours(options.size, weights, models["ours"])
    for precision in options.precisions:
        for peer in options.peers:
            models[peer, precision] = os.path.join(folder, f"{peer}-{precision}")
            if peer == "ggml":
                write_ggml(options.size, weights, models[peer, precision], precision)
            else:
                os.mkdir(models[peer, precision])
                write_ctranslate2(options.size, weights, models[peer, precision])
    return models


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("--size", default="small", choices=SIZES)
    parser.add_argument("--precisions", default="f32,bf16,int8", type=lambda text: text.split(","))
    parser.add_argument("--peers", default="ctranslate2,ggml", type=lambda text: text.split(","))
    parser.add_argument("--threads", default="1,2", type=lambda text: [int(n) for n in text.split(",")])
    for name, fallback in (("texts", 1), ("prompt", 64), ("tokens", 128), ("rounds", 7), ("warm", 2), ("count", 1)):
        parser.add_argument("--" + name, type=int, default=fallback)
    for name in ("serve", "model", "precision"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    if options.serve:
        {"ctranslate2": serve_ctranslate2, "ggml": serve_ggml}[options.serve](options)
        return
    for peer in list(options.peers):
        missing = [name for name in NEEDS[peer] if not importlib.util.find_spec(name)]
        if missing:
            print(f"{peer}: left out, this python has no {', '.join(missing)}")
            options.peers.remove(peer)
    with tempfile.TemporaryDirectory() as folder:
        models = prepare(options, folder)
        for precision in options.precisions:
            contest(options, precision, models)


main()
