#!/usr/bin/env python3
"""Byte-level BPE against PyPI's `tokenizers`: the ids of every kind of text, decoded text, added tokens, files."""
import csv
import gzip
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

tap.need_python("LATEEN_TRAIN_PYTHON", "tokenizers")
import tokenizers  # noqa: E402
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

TOOL = os.path.join(os.environ.get("builddir", "."), "tests/train/bpe_tool")
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PIECES = ["the ", "The", " crash", "'s", "'re", "'LL", "''", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2003", "\u3000", "123", "4 5", "x1y2",
          "été", "e\u0301", "ß", "ǅ", "中文字", "日本語", "한국어", "العربية", "हिन्दी", "🙂", "👩‍👩‍👧", "🇩🇪", "½", "Ⅷ", "²", "_", "--", "...", "\x00",
          "\x7f", "\u200b", "\u180e", "\u0085", "\u2028", "\ufeff", "\ufffd", "<EOS>", "<pad>", "<tag>", "ſ", "K", "Ġ", "Ċ", "aaaaaaaa"]
EOS = ["<pad>", "<EOS>"]


def run_tool(verb, tokenizer, records, width):
    """The records through the tool: bytes in and lists of ids out, or the other way round (width of what goes in)."""
    stdin = b"".join(struct.pack("<I", len(r) // width) + r for r in records)
    done = subprocess.run([TOOL, verb, tokenizer], input=stdin, capture_output=True, check=False)
    if done.returncode:
        tap.fail(f"bpe_tool {verb} runs", done.stderr.decode(errors="replace"))
        return []
    out, at, found = done.stdout, 0, []
    while at < len(out):
        n, = struct.unpack_from("<I", out, at)
        size = n * (4 if width == 1 else 1)
        found.append(out[at + 4:at + 4 + size])
        at += 4 + size
    return [list(struct.unpack(f"<{len(f) // 4}I", f)) for f in found] if width == 1 else found


def encode(path, texts, verb="encode"):
    return run_tool(verb, path, texts, 1)


def decode(path, ids):
    return run_tool("decode", path, [struct.pack(f"<{len(i)}I", *i) for i in ids], 4)


def compare(path, oracle, texts, name, verb="encode"):
    """Ids equal. Mentions of special tokens are text, but for the verb `added`."""
    oracle.encode_special_tokens = verb != "added"
    want = [oracle.encode(t, add_special_tokens=False).ids for t in texts]
    got = encode(path, [t.encode() for t in texts], verb)
    wrong = [i for i, w in enumerate(want) if i >= len(got) or got[i] != w]
    if not tap.ok(not wrong, f"{name}: {len(texts)} texts, {sum(map(len, want))} tokens"):
        tap.note(f"{len(wrong)} differ; first {texts[wrong[0]][:200]!r}\n got {got[wrong[0]:wrong[0] + 1]!r}"[:1500])
        tap.note(f"want {want[wrong[0]]!r}"[:1500])
    return want


def random_texts(seed, n):
    chance = random.Random(seed)
    texts = [""]
    for _ in range(n):
        parts = []
        for _ in range(chance.randrange(1, 30)):
            kind = chance.random()
            if kind < 0.6:
                parts.append(chance.choice(PIECES))
            elif kind < 0.8:
                parts.append(chr(chance.randrange(32, 127)))
            else:
                code = chance.randrange(0x110000)
                parts.append(chr(code) if not 0xD800 <= code < 0xE000 else "?")
        texts.append("".join(parts))
    return texts


def every_character():
    """Each code point where its class shows: behind a letter, a number, a space."""
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for start in range(0, len(codes), 4096):
        yield "".join(f"a{chr(c)}1{chr(c)} {chr(c)}" for c in codes[start:start + 4096])


def trained(texts, vocab, min_frequency=0, **options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(**{"add_prefix_space": False, **options})
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=min_frequency, special_tokens=EOS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def shared_texts():
    root = os.environ.get("LATEEN_SHARED")
    issues, commits = [], []
    if root and os.path.exists(f"{root}/data/github_issues_sample.csv"):
        csv.field_size_limit(1 << 30)
        with open(f"{root}/data/github_issues_sample.csv", encoding="utf-8", newline="") as file:
            issues = [text for row in csv.DictReader(file) for text in (row["issue_title"], row["body"])]
    if root and os.path.exists(f"{root}/data/commit_messages.tsv.gz"):
        with gzip.open(f"{root}/data/commit_messages.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
            commits = [line.rstrip("\n") for line in file]
    return issues, commits


def test_unicode(path, oracle):
    compare(path, oracle, list(every_character()), "every code point, in three places")
    by_class = {}
    for code in range(0x110000):
        by_class.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    by_class.pop("Cs")
    chance = random.Random(2)
    texts = [a + b for x in by_class.values() for y in by_class.values()
             for a, b in [(chance.choice(x) * chance.randrange(1, 4), chance.choice(y) + " ")]]
    compare(path, oracle, texts, f"every pair of the {len(by_class)} classes")
    texts = random_texts(3, 4000)
    ids = compare(path, oracle, texts, "random texts")
    tap.ok([d.decode() for d in decode(path, ids)] == texts, "and back to the same texts")
    compare(path, oracle, ["a" * 5000, " " * 3000 + "x", "ab" * 4000 + "'s" * 50, "中" * 3000, "the" * 3000], "long pieces")


def test_decode(path, oracle):
    chance = random.Random(4)
    ids = [[chance.randrange(oracle.get_vocab_size()) for _ in range(chance.randrange(40))] for _ in range(1000)]
    got = [d.decode("utf-8", "replace") for d in decode(path, ids)]
    tap.is_(got, [oracle.decode(i, skip_special_tokens=True) for i in ids], "1000 lists of random ids decode to the same text")


def test_invalid(path, oracle):
    """Of invalid UTF-8, which `tokenizers` cannot take: cut where a replacement character would be, merged by its model."""
    chance = random.Random(5)
    texts = [bytes(chance.choice(b"ab 1'\xc3\xa9\xff\xed\xa0\x80\xf0\x9f\x99\x82") for _ in range(chance.randrange(1, 40))) for _ in range(3000)]
    texts += [t.encode()[chance.randrange(3):] for t in random_texts(6, 500)]
    cut, want = oracle.pre_tokenizer, []
    for text in texts:
        chars = text.decode("utf-8", "surrogateescape")
        shown = "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in chars)
        ids = []
        for _, (start, end) in cut.pre_tokenize_str(shown):
            piece = "".join(BYTE_CHARS[b] for b in chars[start:end].encode("utf-8", "surrogateescape"))
            ids += [token.id for token in oracle.model.tokenize(piece)]
        want.append(ids)
    got = encode(path, texts)
    tap.is_(next(((t, g) for t, g, w in zip(texts, got, want) if g != w), None), None, f"{len(texts)} texts of invalid UTF-8")
    tap.is_(decode(path, got), texts, "and back to the same bytes")


def byte_chars():
    own = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    moved = [b for b in range(256) if b not in own]
    return {**{b: chr(b) for b in own}, **{b: chr(256 + i) for i, b in enumerate(moved)}}


BYTE_CHARS = byte_chars()


def test_added(folder, texts):
    tokenizer = trained(texts, 600)
    tokenizer.add_tokens([AddedToken("<tag>", lstrip=True, rstrip=True), AddedToken("crash", single_word=True), AddedToken("cra"),
                          AddedToken("the the", normalized=False), AddedToken("日本")])
    tokenizer.add_special_tokens([AddedToken("<EOS><EOS>"), AddedToken("<mask>", lstrip=True, special=True)])
    path = str(folder / "added.json")
    tokenizer.save(path)
    pieces = ["<EOS>", "<pad>", "<tag>", "<mask>", "crash", "cra", " ", "  ", "\n", "\u3000", "x", "é", "1", "_", "the", " the", "日本語", "<", "EOS>"]
    chance = random.Random(7)
    mixed = ["".join(chance.choice(pieces) for _ in range(chance.randrange(1, 12))) for _ in range(4000)]
    compare(path, tokenizer, mixed, "added tokens with all their flags", "added")
    plain = Tokenizer.from_file(path)
    ids = encode(path, [b"a <EOS> b"])[0]
    tap.ok(plain.token_to_id("<EOS>") not in ids, "a text's mention of an added token is text unless asked for")
    copied = subprocess.run([TOOL, "copy", path], capture_output=True, check=True).stdout
    again = Tokenizer.from_str(copied.decode())
    tap.is_(json.loads(again.to_str()), json.loads(tokenizer.to_str()), "the file that is written is the file that was read")


def test_forms(folder, texts, oracle):
    for name, options in (("add_prefix_space", {"add_prefix_space": True}), ("use_regex false", {"use_regex": False})):
        tokenizer = trained(texts[:300], 500, **options)
        path = str(folder / "form.json")
        tokenizer.save(path)
        compare(path, tokenizer, random_texts(8, 1000), name)
        compare(path, tokenizer, random_texts(9, 1000), name + ", with added tokens", "added")
    # The older form of merges, and a file without the model's type.
    old = json.loads(oracle.to_str())
    old["model"]["merges"] = [" ".join(m) for m in old["model"]["merges"]]
    del old["model"]["type"]
    path = str(folder / "old.json")
    pathlib.Path(path).write_text(json.dumps(old), encoding="utf-8")
    compare(path, oracle, random_texts(10, 500), "merges as strings")
    # A pattern of its own. Code points that PCRE2's older Unicode does not know are left out.
    split = Tokenizer.from_str(oracle.to_str())
    split.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated", invert=False),
                                                   pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    path = str(folder / "split.json")
    split.save(path)
    known = ["".join(c for c in t if unicodedata.category(c) != "Cn" and c != "\u180e") for t in random_texts(11, 2000)]
    compare(path, split, known, "Llama 3's pattern through PCRE2")
    ignoring = json.loads(oracle.to_str())
    ignoring["model"]["ignore_merges"] = True
    ignoring["model"]["merges"] = ignoring["model"]["merges"][:100]
    path = str(folder / "ignore.json")
    pathlib.Path(path).write_text(json.dumps(ignoring), encoding="utf-8")
    compare(path, Tokenizer.from_str(json.dumps(ignoring)), random_texts(12, 1000), "ignore_merges")


def train(texts, vocab, min_frequency):
    stdin = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)
    done = subprocess.run([TOOL, "train", str(vocab), str(min_frequency)], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


def compare_trained(texts, vocab, min_frequency, name):
    """The same file, for `tokenizers` and for us."""
    want = json.loads(trained(texts, vocab, min_frequency).to_str())
    got = json.loads(Tokenizer.from_str(train(texts, vocab, min_frequency)).to_str())
    if not tap.ok(got == want, f"trained on {name}: {len(want['model']['merges'])} merges"):
        pairs = enumerate(zip(got["model"]["merges"], want["model"]["merges"]))
        tap.note(f"first difference: {next(((i, g, w) for i, (g, w) in pairs if g != w), None)}; got {len(got['model']['merges'])}")


def test_train(corpus):
    compare_trained(corpus, 2000, 0, "random texts")
    compare_trained(corpus, 1000, 5, "random texts, at least five times each")
    chance = random.Random(13)
    for alphabet in ("ab", "abc", "aab ", "abcdefgh  "):
        texts = ["".join(chance.choice(alphabet) for _ in range(chance.randrange(60))) for _ in range(400)]
        compare_trained(texts, 700, 0, f"texts of {alphabet!r}, where tokens come up in several ways")
    compare_trained(["x"], 1000, 0, "one letter")
    compare_trained([], 1000, 0, "nothing")
    compare_trained(["a" * 1000, "\x00" * 77, "<pad><EOS>" * 9], 400, 0, "runs")
    compare_trained(["abc"] * 3, 258, 0, "no room for merges")
    tap.is_(train(reversed(corpus), 1500, 2), train(corpus, 1500, 2), "the order of the texts does not matter")


def main():
    tap.note(f"tokenizers {tokenizers.__version__}")
    corpus = random_texts(1, 3000) + ["the app crashes when the screen rotates; it's what we'll see in the log"] * 50
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        oracle = trained(corpus, 2000)
        path = str(folder / "tokenizer.json")
        oracle.save(path)
        test_unicode(path, oracle)
        test_decode(path, oracle)
        test_invalid(path, oracle)
        test_added(folder, corpus)
        test_forms(folder, corpus, oracle)
        test_train(corpus)
        for texts, what in zip(shared_texts(), ("issues", "commit messages")):
            if not texts:
                tap.skip(f"LATEEN_SHARED has no {what}")
                continue
            real = trained(texts[:20000], 8192)
            real.save(path)
            compare_trained(texts[:20000], 8192, 0, what)
            ids = compare(path, real, texts, f"all {what}")
            tap.ok([d.decode() for d in decode(path, ids[:3000])] == texts[:3000], "and back")
    tap.done_testing()


main()
