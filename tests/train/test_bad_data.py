#!/usr/bin/env python3
"""Tokenizers, corpora, tables and token shards as nobody wants them, through the steps that read them: each is read, or refused with a sentence
and nothing left behind."""
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
MIB = 1024 * 1024
CSV = b"title,body\n" + b"".join(b"title %d,body %d\n" % (i, i) for i in range(60))
# So much grows to more than 64 MiB, and is 250 times smaller than that when it is packed.
BOMB = b"title,body\n" + (b"a," + b"b" * 4000 + b"\n") * (17 * 1024)


def step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    return subprocess.run([STEP, command] + args, capture_output=True, text=True, errors="replace", check=False)


def remove(*names):
    for name in names:
        if os.path.isdir(name):
            shutil.rmtree(name)
        elif os.path.exists(name):
            os.remove(name)


def refused(done, why, name, *left):
    """One sentence of the program's own, of which `why` is a part, and no output."""
    tap.is_(done.returncode, 1, f"{name}: refused")
    tap.contains(done.stderr, why, f"{name}: {why}")
    tap.ok(done.stderr.startswith("lateen-step: ") and done.stderr.count("\n") == 1, f"{name}: in one sentence")
    tap.is_([n for n in os.listdir(".") if n in left or n.endswith(".tmp")], [], f"{name}: nothing is left")


# ---- tokenizers ----

def byte_tokenizer():
    own = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    chars = {b: chr(b) for b in own}
    chars.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in own)})
    vocab = {"<pad>": 0, "<EOS>": 1, **{chars[b]: 2 + b for b in range(256)}, "th": 258, "the": 259}
    return {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}, "added_tokens": [],
            "model": {"type": "BPE", "vocab": vocab, "merges": ["t h", "th e"]}}


def changed(change):
    tokenizer = byte_tokenizer()
    change(tokenizer, tokenizer["model"])
    return json.dumps(tokenizer)


TOKENIZERS = [
    ("no merges", changed(lambda t, m: m.pop("merges")), "the model has no merges"),
    ("merges that are a text", changed(lambda t, m: m.update(merges="t h")), "the model has no merges"),
    ("no vocabulary", changed(lambda t, m: m.pop("vocab")), "vocab"),
    ("a merge of a token that is not there", changed(lambda t, m: m["merges"].append("q1 h")), "merge 2: the vocabulary has no token `q1`"),
    ("one that makes a token that is not there", changed(lambda t, m: m["merges"].append("the th")), "has no token `theth`"),
    ("a merge of one", changed(lambda t, m: m["merges"].append("the")), "merge 2 is neither"),
    ("a merge of three", changed(lambda t, m: m["merges"].append(["t", "h", "e"])), "merge 2 is neither"),
    ("a token that makes itself", changed(lambda t, m: (m["vocab"].update({"": 260}), m["merges"].append(["", "the"]))), "the id 260 has 0 bytes"),
    ("an id twice", changed(lambda t, m: m["vocab"].update(x1=5)), "the id 5 is that of two tokens, `x1` among them"),
    ("an added one with the id of another", changed(lambda t, m: t["added_tokens"].append({"id": 5, "content": "<x>"})), "the id 5"),
    ("an id without end", changed(lambda t, m: m["vocab"].update(x1=4000000000)), "the id of the token `x1` is no whole number from 0 to"),
    ("an id below 0", changed(lambda t, m: m["vocab"].update(x1=-1)), "is no whole number"),
    ("too many tokens", changed(lambda t, m: m["vocab"].update({f"h{i}": 260 + i for i in range(1 << 20)})), "is no whole number from 0 to"),
    ("a byte that is no token", changed(lambda t, m: m["vocab"].pop("a")), "no token for the byte 0x61"),
    ("another kind of model", changed(lambda t, m: m.update(type="WordPiece")), "not of the type `BPE`"),
    ("another way to cut", changed(lambda t, m: t.update(pre_tokenizer={"type": "Whitespace"})), "pre-tokenizer"),
    ("half a file", json.dumps(byte_tokenizer())[:2000], "not JSON"),
    ("brackets without end", '{"a":' + "[" * 100000, "not JSON"),
    ("nothing", "", "as it does not begin with `{`, it is read as a subword vocabulary"),
    ("NULs", "\0\0\0\n", "line 1 is longer than 1024 bytes, holds NUL"),
    ("a table", "title,body\na,b\n", "it is read as a subword vocabulary: the vocabulary has no subword"),
]


def test_tokenizers():
    pathlib.Path("rows.csv").write_bytes(CSV)
    for name, text, why in TOKENIZERS:
        pathlib.Path("tokenizer").write_text(text, encoding="utf-8")
        for shard_tokens in (0, 50) if len(text) < MIB else (0,):
            refused(step("tokenize", input="rows.csv", tokenizer="tokenizer", output="out", shard_tokens=shard_tokens), why, name, "out")
    pathlib.Path("tokenizer").write_text(changed(lambda t, m: m.update(merges=["th e", "t h", "t h"])), encoding="utf-8")
    tap.is_(step("tokenize", input="rows.csv", tokenizer="tokenizer", output="out").returncode, 0, "merges that are never reached, and one twice")


# ---- corpora ----

def rows(*texts):
    return "".join(json.dumps({"title": t, "body": b}) + "\n" for t, b in texts).encode()


CORPORA = [
    ("one line", rows(("a", "b")), None),
    ("one letter 300,000 times", rows(("a", "b" * 300000)), None),
    ("emoji", rows(*[("🙂👍🏽", "👩‍👩‍👧‍👦" * 20)] * 5), None),
    ("NULs spelt out", rows(*[("\0\0", "\0a\0")] * 5), None),
    ("NULs", b"title,body\n" + b"\0\0,\0\0\0\n" * 3, None),
    ("blanks", rows(*[(" ", "\n\t")] * 5), None),
    ("bytes that are no text", b"title,body\n" + b"\xff\xfe,\x80\xc3(\n" * 4, None),
    ("what tokens are made of", rows(*[("<pad>_<EOS>\\u", "\\_u;0123456789 <EOS> <pad>")] * 4), None),
    ("no row", b"title,body\n", "there are no documents to learn from"),
    ("no byte", b"", "there are no documents to learn from"),
]


def test_corpora():
    for name, data, why in CORPORA:
        pathlib.Path("corpus").write_bytes(data)
        for kind in ("bpe", "t2t"):
            remove("made", "tokens", "model")
            done = step("tokenizer", input="corpus", kind=kind, output="made", max_subtoken_length=20)
            tap.is_((done.returncode, done.stderr), (0, ""), f"{name}: a tokenizer, {kind}")
            done = step("tokenize", input="corpus", tokenizer="made", output="tokens")
            tap.is_((done.returncode, done.stderr), (0, ""), f"{name}: tokens")
            done = step("train", data="tokens", tokenizer="made", steps=1, batch_tokens=64, context=32, dev_share=0, output="model", checkpoints="")
            if why:
                refused(done, why, name, "model")
            else:
                tap.is_((done.returncode, done.stderr), (0, ""), f"{name}: a step of training")
    step("tokenize", input="corpus", tokenizer="made", output="tokens")
    pathlib.Path("corpus").write_bytes(rows(("a", "b")))
    step("tokenize", input="corpus", tokenizer="made", output="tokens")
    seeds = [step("train", data="tokens", tokenizer="made", steps=1, batch_tokens=64, context=32, dev_share=0.9, output="model", checkpoints="")]
    refused(seeds[0], "all 1 are kept to look at; lower their share", "one document, and that not to learn from", "model")


# ---- tables ----

def packed(data, change):
    data = bytearray(gzip.compress(data, mtime=0))
    change(data)
    return bytes(data)


def zstd(data, change=lambda data: data):
    program = shutil.which("zstd")
    return change(subprocess.run([program, "-c"], input=data, capture_output=True, check=True).stdout) if program else None


TABLES = [
    ("a byte order mark, and CRLF", b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n"), None),
    ("CR alone", CSV.replace(b"\n", b"\r"), None),
    ("semicolons and blanks behind", CSV.replace(b",", b";") + b"\n\n;\n" * 2, None),
    ("a quote that is never closed", CSV + b'x,"y\n' + CSV, "the quote that line 62 opens is never closed"),
    ("a row of a hundred megabytes", b"title,body\na," + b"x y " * (25 * MIB) + b"\n", "the record that ends in line 2 is longer than 16777216 bytes"),
    ("one of seventeen in quotes", b'title,body\na,"' + b"x y " * (17 * MIB // 4) + b'"\n', "the quote that line 2 opens is not closed within"),
    ("the same in JSON", b'{"title":"a","body":"' + b"x y " * (17 * MIB // 4) + b'"}\n', "line 1 is longer than 16777216 bytes"),
    ("a column that is not there", b"title,text\na,b\n", "there is no column `body`; there are `title`, `text`"),
    ("rows that are too short", CSV + b"only\n" * 9, "9 of 69 rows cannot be used, more than 5 in a hundred"),
    ("rows that are too long", CSV + b"a,b,c\n" * 9, "9 of 69 rows cannot be used"),
    ("rows that are no JSON", rows(*[("a", "b")] * 20) + b"{]\n" * 3, "3 of 23 rows cannot be used"),
    ("a first row that is no JSON", b"{]\n" + rows(("a", "b")), "line 1: not JSON"),
    ("one array", b'[{"title":"a","body":"b"}]', "is one JSON array"),
    ("UTF-16", CSV.decode().encode("utf-16"), "it is UTF-16"),
    ("brackets without end", b'{"title":"a","body":' + b"[" * 200000 + b"\n", "maximum parsing depth"),
    ("gzip", packed(CSV, lambda data: None), None),
    ("gzip, cut", packed(CSV * 99, lambda data: data.__delitem__(slice(len(data) // 2, None))), "it is cut off: it ends within its gzip data"),
    ("gzip, without its length", packed(CSV, lambda data: data.__delitem__(slice(-4, None))), "it is cut off"),
    ("gzip, another checksum", packed(CSV, lambda data: data.__setitem__(-8, data[-8] ^ 1)), "its gzip data are damaged: incorrect data check"),
    ("gzip that grows without end", packed(BOMB, lambda data: None), "it grows to more than 250 times its size"),
    ("zstd", zstd(CSV), None),
    ("zstd, cut", zstd(CSV * 99, lambda data: data[:len(data) // 2]), "it is cut off: it ends within its zstd data"),
    ("zstd that grows without end", zstd(BOMB), "it grows to more than 250 times its size"),
]


def test_tables():
    for name, data, why in TABLES:
        if data is None:
            tap.skip(f"{name}: the program zstd is not installed")
            continue
        pathlib.Path("table").write_bytes(data)
        for command in ("tokenizer", "tokenize") if len(data) < MIB else ("tokenize",):
            remove("out")
            done = step(command, input="table", output="out", **({"tokenizer": "good"} if command == "tokenize" else {}))
            if why:
                refused(done, why, f"{name}, {command}", "out")
            else:
                tap.is_((done.returncode, done.stderr), (0, ""), f"{name}, {command}: read")


# ---- token shards ----

def lie(data, at, number):
    """A header that says something else, with its checksum made right."""
    struct.pack_into("<I", data, at, number)
    struct.pack_into("<I", data, 60, zlib.crc32(data[:60]))


def flip(data, at):
    data[at] ^= 1


SHARDS = [
    ("cut within the header", lambda d: d.__delitem__(slice(40, None)), "not a token shard"),
    ("cut within the ids", lambda d: d.__delitem__(slice(100, None)), "the header and the file's 100 bytes do not agree"),
    ("longer", lambda d: d.extend(b"\0" * 8), "do not agree"),
    ("of another format", lambda d: d.__setitem__(slice(0, 8), b"PK\3\4...."), "not a token shard"),
    ("of a later version", lambda d: lie(d, 8, 2), "a token shard of version 2, of which only 1 is known"),
    ("with another header", lambda d: flip(d, 33), "the header is damaged: its checksum differs"),
    ("with another id", lambda d: flip(d, 70), "the file is damaged: its checksum differs"),
    ("of another tokenizer", lambda d: lie(d, 48, 7), "the tokens were made by another tokenizer"),
    ("with a smaller vocabulary than its ids", lambda d: lie(d, 20, 3), "the id"),
]


def test_shards():
    step("tokenize", input="rows.csv", tokenizer="good", output="whole")
    step("tokenize", input="rows.csv", tokenizer="good", output="parts", shard_tokens=200)
    options = {"tokenizer": "good", "steps": 1, "batch_tokens": 64, "context": 32, "output": "model", "checkpoints": ""}
    second = sorted(os.listdir("parts"))[1]
    for name, change, why in SHARDS:
        for path, data in (("whole", "whole"), ("parts/" + second, "parts")):
            good = pathlib.Path(path).read_bytes()
            bad = bytearray(good)
            change(bad)
            pathlib.Path(path).write_bytes(bad)
            done = step("train", data=data, **options)
            wanted = why if data == "whole" or "tokenizer" not in why and "id" != why[-2:] else f"`parts/{second}`: fields, vocabulary or tokenizer"
            refused(done, wanted, f"a shard {name}", "model")
            if data == "parts":
                tap.contains(done.stderr, f"`parts/{second}`", "the file is named")
            pathlib.Path(path).write_bytes(good)
    os.remove("parts/" + second)
    refused(step("train", data="parts", **options), f"cannot open `parts/{second}`", "a shard that is missing", "model")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        test_tokenizers()
        pathlib.Path("good").write_text(json.dumps(byte_tokenizer()), encoding="utf-8")
        test_corpora()
        test_tables()
        test_shards()
        os.chdir("/")
    tap.done_testing()


main()
