#!/usr/bin/env python3
"""Subword vocabularies against a plain reading, in Python, of what Tensor2Tensor's are and how they are built: by `lateen-step tokenize`
and back, and by `lateen-step tokenizer --kind t2t`."""
import collections
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


def escape(word):
    word = word.replace("\\", "\\\\").replace("_", "\\u")
    return word.replace("\n", "\\10;") + "_"


def build_round(counts, pieces, alphabet, least, length):
    """Counts what begins where a piece begins; long strings that are common take their number from what they begin with."""
    found, longest = collections.Counter(), max(map(len, pieces))
    for word, count in counts.items():
        text, start = escape(word), 0
        while start < len(text):
            for end in range(start + 1, min(len(text) + 1, start + length)):
                found[text[start:end]] += count
            start += next(n for n in range(min(longest, len(text) - start), 0, -1) if text[start:start + n] in pieces)
    kept = []
    for piece in sorted(found, key=len, reverse=True):
        if found[piece] >= least and len(piece) > 1:
            kept.append((found[piece], piece))
            for n in range(1, len(piece)):
                found[piece[:n]] -= found[piece]
    kept += [(found[c], c) for c in alphabet]
    return [piece for _, piece in sorted(kept, reverse=True)]


def build(counts, least, length):
    alphabet = set("\\_u;0123456789<pad>EOS").union(*counts)
    pieces = list(alphabet)
    for _ in range(4):
        pieces = build_round(counts, set(pieces), alphabet, max(least, 1), length)
    return ["<pad>_", "<EOS>_"] + pieces


def build_of_size(corpus, size, length):
    counts = collections.Counter(w for text in corpus if text for w in words(text))

    def search(low, high):
        least = (low + high) // 2
        here = build(counts, least, length)
        if abs(len(here) - size) * 100 < size or low >= high or least < 2:
            return here
        there = search(least + 1, high) if len(here) > size else search(low, least - 1)
        return there if abs(len(there) - size) < abs(len(here) - size) else here

    return "".join(f"'{piece}'\n" for piece in search(1, 1000))


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


def check_built(name, corpus, size, length):
    pathlib.Path("corpus.jsonl").write_text("".join(json.dumps({"t": t}) + "\n" for t in corpus), encoding="utf-8")
    done = run("tokenizer", "--kind", "t2t", "--input", "corpus.jsonl", "--fields", "t", "--vocab", str(size), "--max-subtoken-length", str(length),
               "--output", "built")
    tap.is_(done.stderr, "", f"{name}: tokenizer runs")
    with open("built", encoding="utf-8", newline="") as file:
        got = file.read()
    want = build_of_size(corpus, size, length)
    tap.is_(next(((i, g, w) for i, (g, w) in enumerate(zip(got.split("\n"), want.split("\n"))) if g != w), None), None, f"{name}: the same pieces")
    tap.is_(len(got), len(want), f"{name}: as many of them")
    done = run("tokenize", "--input", "corpus.jsonl", "--tokenizer", "built", "--fields", "t", "--output", "tokens")
    run("detokenize", "--input", "tokens", "--tokenizer", "built", "--fields", "t", "--rows", "0", "--output", "out.jsonl")
    tap.is_([json.loads(line)["t"] for line in open("out.jsonl", encoding="utf-8")], corpus, f"{name}: and it writes all of its texts")


def test_build():
    chance = random.Random(2)
    names = ["".join(chance.choice("etaoinshr") for _ in range(chance.randrange(1, 7))) for _ in range(400)]
    common = [" ".join(chance.choice(names[:1 + int(400 * chance.random() ** 3)]) for _ in range(12)) for _ in range(300)]
    check_built("words", common, 600, 200)
    check_built("words, short pieces", common, 300, 4)
    check_built("words, few pieces", common, 40, 200)
    check_built("words, more pieces than there are", common, 5000, 200)
    check_built("all kinds of signs", texts()[:1500], 700, 12)
    check_built("emoji", ["🙂🙂👍🏽" * n for n in range(1, 30)], 60, 200)
    check_built("one line", ["crash"], 100, 200)
    check_built("one letter at most", ["the crash of the crashes"] * 9, 100, 2)
    check_built("nothing", [], 100, 200)
    pathlib.Path("long.jsonl").write_text(json.dumps({"t": "".join(chance.choice("abcdefghijkl") for _ in range(90000))}) + "\n", encoding="utf-8")
    done = run("tokenizer", "--kind", "t2t", "--input", "long.jsonl", "--fields", "t", "--vocab", "500000", "--output", "built")
    tap.contains(done.stderr, "too many different strings that stand there 1 times; lower the length of a subword", "a word without end")
    for options, why in ((("--kind", "words"), "--kind wants `bpe` or `t2t`, not `words`"), (("--vocab", "0"), "a vocabulary has up to"),
                         (("--max-subtoken-length", "1"), "each of fewer than 2 to 256 characters"),
                         (("--max-subtoken-length", "257"), "a whole number from 0 to 256")):
        done = run("tokenizer", "--kind", "t2t", "--input", "corpus.jsonl", "--fields", "t", "--output", "none", *options)
        tap.contains(done.stderr, why, f"refused: {why}")
        tap.ok(not os.path.exists("none"), "and nothing is written")


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
        test_build()
        os.chdir("/")
    tap.done_testing()


main()
