#!/usr/bin/env python3
"""Byte-level BPE on one thread: training against `tokenizers`, encoding against `tokenizers` and `tiktoken`, with the same
vocabulary and texts.

    bench/tokenizer.py BUILD_DIR TEXTS [SIZE] [ROUNDS]

TEXTS holds a text a line, gzip or not. Needs tests/train/bpe_tool in the build (`make tests/train/bpe_tool`), and a python with
tokenizers and tiktoken. Seconds are processor time, the fewest of all rounds; the peers take turns, so that a busy machine slows
all of them.
"""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tiktoken  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: E402

SPECIAL = ["<pad>", "<EOS>"]


def read_texts(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def timed(action, *args):
    begun = time.process_time()
    result = action(*args)
    return time.process_time() - begun, result


def train_theirs(texts, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False,
                                                             initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def as_tiktoken(file):
    own = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    byte_of = {chr(b): b for b in own}
    byte_of.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in own)})
    vocab = json.loads(file)["model"]["vocab"]
    ranks = {bytes(byte_of[c] for c in token): id for token, id in vocab.items() if token not in SPECIAL}
    pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
    return tiktoken.Encoding("own", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def main():
    build, path = sys.argv[1:3]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 8192
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    tool, texts = f"{build}/tests/train/bpe_tool", read_texts(path)
    stdin = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)
    best = {}

    def take(what, seconds):
        best[what] = min(best.get(what, seconds), seconds)

    with tempfile.NamedTemporaryFile("wb") as file:
        for _ in range(rounds):
            done = subprocess.run([tool, "train", str(size), "0"], input=stdin, capture_output=True, check=True)
            take("train, lateen", float(done.stderr))
            seconds, theirs = timed(train_theirs, texts, size)
            take("train, tokenizers", seconds)
        file.write(done.stdout)
        file.flush()
        short = as_tiktoken(done.stdout)
        for _ in range(rounds):
            take("encode, lateen", float(subprocess.run([tool, "time", file.name], input=stdin, capture_output=True, check=True).stdout))
            take("encode, tokenizers", timed(lambda: [theirs.encode(t, add_special_tokens=False) for t in texts])[0])
            take("encode, tokenizers in one batch", timed(theirs.encode_batch_fast, texts)[0])
            take("encode, tiktoken", timed(lambda: [short.encode_ordinary(t) for t in texts])[0])
    megabytes = (len(stdin) - 4 * len(texts)) / 1e6
    print(f"{len(texts)} texts, {megabytes:.1f} MB, a vocabulary of {size}, best of {rounds}")
    for what, seconds in best.items():
        ours = best[what.split(",")[0] + ", lateen"]
        print(f"{what:32} {seconds:8.3f} s {megabytes / seconds:8.1f} MB/s   {seconds / ours:5.2f} times ours")


main()
