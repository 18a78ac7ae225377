#!/usr/bin/env python3
"""Subword vocabularies against a plain reading, in Python, of what Tensor2Tensor's are: by `lateen-step tokenize` and back."""
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
SUBWORDS = ["<pad>", "<EOS>", "the_", "cra", "sh", "crash_", "._", " ._", "s_", "é", "ing_", "é_", "a b", "\\u_", "12", "中", "' '"]
PIECES = ["the", "The", "crash", "s", "ing", " ", "  ", "\n", ".", "_", "\\", "\\u", "\\12;", "12", "½", "é", "e\u0301", "中文", "日本", "🙂", "'", "\"",
          "<pad>", "<EOS>", "u", ";", "\t", "\u00a0", "x"]


def alnum(char):
    return unicodedata.category(char)[0] in "LN"


def words(text):
    """Where letters and numbers meet others it is cut; a single blank is left out, but not at the start or the end."""
    runs = []
    for char in text:
        if runs and alnum(runs[-1][-1]) == alnum(char):
            runs[-1] += char
        else:
            runs.append(char)
    return [r for i, r in enumerate(runs) if r != " " or i in (0, len(runs) - 1)]


def encode(subwords, text):
    ids, longest, found = {s: i for i, s in enumerate(subwords)}, max(map(len, subwords)), []
    for word in words(text):
        word = word.replace("\\", "\\\\").replace("_", "\\u")
        word = "".join(c if c in ids and c != "\n" else f"\\{ord(c)};" for c in word) + "_"
        while word:
            n = next(n for n in range(min(longest, len(word)), 0, -1) if word[:n] in ids)
            found.append(ids[word[:n]])
            word = word[n:]
    return found


def decode(subwords, ids):
    tokens = ["".join({"\\u": "_", "\\\\": "\\"}.get(p) or chr(int(p[1:-1])) if re.fullmatch(r"\\(u|\\|\d+;)", p) else p
                      for p in re.split(r"(\\u|\\\\|\\\d+;)", t)) for t in "".join(subwords[i] for i in ids).split("_") if t]
    return "".join((" " if i and alnum(tokens[i - 1][0]) and alnum(t[0]) else "") + t for i, t in enumerate(tokens))


def run(*args):
    return subprocess.run([STEP] + list(args), capture_output=True, text=True, check=False)


def shard_ids(path):
    data = pathlib.Path(path).read_bytes()
    documents, tokens, table = struct.unpack_from("<3Q", data, 24)
    offsets, ids = struct.unpack_from(f"<{documents + 1}Q", data, table), struct.unpack_from(f"<{tokens}H", data, 64)
    return [list(ids[a:b]) for a, b in zip(offsets, offsets[1:])]


def texts():
    chance, found = random.Random(1), ["a", " ", " a", "a ", "a b", "a  b", ".", "a.b", ". .", "_", "\n"]
    for _ in range(3000):
        found.append("".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 12))))
    for _ in range(500):
        codes = (chance.randrange(1, 0x30000) for _ in range(20))
        found.append("".join(chr(c) for c in codes if unicodedata.category(chr(c)) not in ("Cs", "Cn")) or "x")
    return found


def check(name, subwords, quote):
    pathlib.Path("vocab").write_text("".join(f"{quote}{s}{quote}\n" for s in subwords), encoding="utf-8")
    wanted = texts()
    pathlib.Path("in.jsonl").write_text("".join(json.dumps({"t": t}) + "\n" for t in wanted), encoding="utf-8")
    done = run("tokenize", "--input", "in.jsonl", "--tokenizer", "vocab", "--fields", "t", "--output", "tokens")
    tap.is_(done.stderr, "", f"{name}: tokenize runs")
    got, want = shard_ids("tokens"), [encode(subwords, t) for t in wanted]
    tap.is_(next(((t, g, w) for t, g, w in zip(wanted, got, want) if g != w), None), None, f"{name}: the ids of {len(wanted)} texts")
    run("detokenize", "--input", "tokens", "--tokenizer", "vocab", "--fields", "t", "--rows", "0", "--output", "out.jsonl")
    back = [json.loads(line)["t"] for line in open("out.jsonl", encoding="utf-8")]
    tap.is_(next(((w, b) for w, b in zip(wanted, back) if w != b), None), None, f"{name}: and back to the same texts")
    tap.is_(len(back), len(wanted), f"{name}: all of them")
    tap.is_([decode(subwords, i) for i in want], wanted, f"{name}: as the description has it")


def main():
    signs = list("\\_u;0123456789abcehrst. '\"<>pdEOST")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check("in quotes", SUBWORDS + signs, "'")
        check("in double quotes", SUBWORDS + signs, '"')
        check("only what escapes need", ["<pad>", "<EOS>"] + list("\\_u;0123456789"), "'")
        for lacking in "\\_u;05":
            pathlib.Path("vocab").write_text("".join(f"'{s}'\n" for s in signs if s != lacking), encoding="utf-8")
            done = run("tokenize", "--input", "in.jsonl", "--tokenizer", "vocab", "--fields", "t", "--output", "x")
            tap.contains(done.stderr, f"the vocabulary has no subword `{lacking}`", f"a vocabulary without {lacking} is refused")
        pathlib.Path("vocab").write_bytes(b"'\xff'\n")
        done = run("tokenize", "--input", "in.jsonl", "--tokenizer", "vocab", "--fields", "t", "--output", "x")
        tap.contains(done.stderr, "line 1 is longer than", "one that is not UTF-8 too")
        os.chdir("/")
    tap.done_testing()


main()
