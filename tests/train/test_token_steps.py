#!/usr/bin/env python3
"""The commands of lateen-step that have to do with tokens, from the outside."""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
ROWS = [{"title": "the crash", "body": "it's the café\n🙂"}, {"title": "<EOS> is text", "body": " two  blanks "},
        {"title": "e\u0301 中文", "body": "x" * 500}]


def step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    return subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)


def lines(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)


def byte_tokenizer():
    """The 256 bytes, and a few merges."""
    own = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    chars = {b: chr(b) for b in own}
    chars.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in own)})
    vocab = {chars[b]: b for b in range(256)}
    for token in ("th", "the", "Ġthe"):
        vocab[token] = len(vocab)
    return json.dumps({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
                       "added_tokens": [{"id": 300, "content": "<EOS>", "special": True}],
                       "model": {"type": "BPE", "vocab": vocab, "merges": ["t h", "th e", "Ġ the"]}})


def read_shard(path):
    """The documents of a shard, by what runtime/train/shard.h says of the format."""
    data = pathlib.Path(path).read_bytes()
    magic, version, width, fields, vocabulary, documents, tokens, table = struct.unpack_from("<8s4I3Q", data)
    tap.is_((magic, version, width), (b"lateentk", 1, 2 if vocabulary <= 65536 else 4), "the header")
    tap.is_(struct.unpack_from("<2I", data, 56), (zlib.crc32(data[64:]), zlib.crc32(data[:60])), "the checksums")
    offsets = struct.unpack_from(f"<{documents * fields + 1}Q", data, table)
    ids = struct.unpack_from(f"<{tokens}{'H' if width == 2 else 'I'}", data, 64)
    parts = [list(ids[a:b]) for a, b in zip(offsets, offsets[1:])]
    return [parts[i:i + fields] for i in range(0, len(parts), fields)]


def test_round_trip():
    pathlib.Path("rows.jsonl").write_text(lines(*ROWS), encoding="utf-8")
    pathlib.Path("tokenizer.json").write_text(byte_tokenizer(), encoding="utf-8")
    done = step("tokenize", input="rows.jsonl", tokenizer="tokenizer.json", output="tokens", documents="documents", tokens="count",
                bad_rows="bad")
    documents = read_shard("tokens")
    count = sum(len(field) for document in documents for field in document)
    tap.is_((done.stdout, done.stderr), (f"3 documents, {count} tokens, 0 bad rows\n", ""), "tokenize says what there is")
    tap.is_([pathlib.Path(n).read_text() for n in ("documents", "count", "bad")], ["3\n", f"{count}\n", "0\n"], "in files too")
    tap.is_(documents[0], [[105, 116, 39, 115, 258, 32, 99, 97, 102, 195, 169, 10, 240, 159, 153, 130], [257, 32, 99, 114, 97, 115, 104]],
            "body, then title")
    tap.ok(300 not in documents[1][1], "a text does not name a special token")
    done = step("detokenize", input="tokens", tokenizer="tokenizer.json", output="texts.jsonl")
    texts = [json.loads(line) for line in open("texts.jsonl", encoding="utf-8")]
    tap.is_(texts, [{"body": r["body"], "title": r["title"]} for r in ROWS], "and detokenize gives the texts back")
    step("detokenize", input="tokens", tokenizer="tokenizer.json", output="one.jsonl", rows=1, fields="a,b")
    tap.is_([list(json.loads(line)) for line in open("one.jsonl", encoding="utf-8")], [["a", "b"]], "as many, called as one likes")
    step("tokenize", input="rows.jsonl", tokenizer="tokenizer.json", output="titles", fields="title")
    tap.is_([len(d) for d in read_shard("titles")], [1, 1, 1], "one field")


def test_shards():
    rows = [{"title": f"title {i}", "body": "the crash " * (i % 5 + 1)} for i in range(40)]
    pathlib.Path("forty.jsonl").write_text(lines(*rows), encoding="utf-8")
    step("tokenize", input="forty.jsonl", tokenizer="tokenizer.json", output="whole")
    done = step("tokenize", input="forty.jsonl", tokenizer="tokenizer.json", output="parts", shard_tokens=100, tokens="count")
    files = sorted(os.listdir("parts"))
    tap.is_(files, [f"tokens-{i:05}-of-{len(files):05}" for i in range(len(files))], "a folder of shards")
    tap.contains(done.stdout, f"40 documents, {pathlib.Path('count').read_text().strip()} tokens, 0 bad rows; {len(files)} shards", "and told so")
    parts = [read_shard("parts/" + f) for f in files]
    tap.is_(sum(parts, []), read_shard("whole"), "one behind the other they are the whole")
    tap.ok(all(100 <= sum(len(field) for d in part for field in d) < 160 for part in parts[:-1]), "each as large as asked for")
    step("detokenize", input="parts", tokenizer="tokenizer.json", output="texts.jsonl", rows=0)
    texts = [json.loads(line) for line in open("texts.jsonl", encoding="utf-8")]
    tap.is_([(t["title"], t["body"]) for t in texts], [(r["title"], r["body"]) for r in rows], "and detokenize reads them")
    with open("parts/" + files[2], "r+b") as file:
        file.seek(80)
        file.write(b"?!")
    done = step("detokenize", input="parts", tokenizer="tokenizer.json", output="x")
    tap.is_(done.stderr, f"lateen-step: `parts/{files[2]}`: the file is damaged: its checksum differs\n", "a damaged one is named")
    for options in ({"input": "bad.jsonl"}, {"input": "forty.jsonl", "output": "parts"}):
        done = step("tokenize", **{"tokenizer": "tokenizer.json", "output": "none", "shard_tokens": 10, **options})
        tap.is_(done.returncode, 1, f"fails: {done.stderr.strip()}")
    tap.is_([f for f in os.listdir(".") if f.startswith(("none", "parts."))], [], "and leaves nothing")
    tap.is_(sorted(os.listdir("parts")), files, "nor takes anything")


def test_bad_rows():
    rows = [ROWS[0], "no json", {"title": "no body"}, "[1]"] + [ROWS[1]] * 5
    pathlib.Path("bad.jsonl").write_text(lines(*rows), encoding="utf-8")
    done = step("tokenize", input="bad.jsonl", tokenizer="tokenizer.json", output="tokens", max_bad=40, bad_rows="bad")
    tap.is_(pathlib.Path("bad").read_text(), "3\n", "bad rows are counted")
    tap.contains(done.stdout, "left out: row 3 has no `body`", "and told")
    tap.contains(done.stdout, "line 2: not JSON", "with their line")
    tap.is_(len(read_shard("tokens")), 6, "the others are there")
    done = step("tokenize", input="bad.jsonl", tokenizer="tokenizer.json", output="none", max_bad=30)
    tap.is_((done.returncode, done.stderr), (1, "lateen-step: 3 of 9 rows cannot be used, more than 30 in a hundred\n"), "too many")
    tap.ok(not os.path.exists("none"), "leave nothing")
    pathlib.Path("empty").write_text("")
    step("tokenize", input="empty", tokenizer="tokenizer.json", output="tokens")
    tap.is_(read_shard("tokens"), [], "an empty table")


def test_clean():
    rows = [{"id": "1", "title": " The\tCAFÉ\u00a0\u2003crash ", "body": "İ Σ\n\nB"}, {"id": "2", "title": "one", "body": "two words"},
            {"id": "3", "title": "", "body": "x"}, {"id": "4", "title": " \n ", "body": "x"}] + [{"id": "5", "title": "A b", "body": "C d"}] * 6
    pathlib.Path("raw.jsonl").write_text(lines(*rows), encoding="utf-8")
    done = step("clean", input="raw.jsonl", output="clean.jsonl", min_words=2, max_bad=30, dropped="dropped")
    tap.is_((done.returncode, done.stdout.splitlines()[-1]), (0, "7 rows, 3 left out"), "clean says how many")
    tap.contains(done.stdout, "left out: row 2 has 1 words in `title`", "and which")
    tap.is_(pathlib.Path("dropped").read_text(), "3\n", "in a file too")
    cleaned = [json.loads(line) for line in open("clean.jsonl", encoding="utf-8")]
    tap.is_(cleaned[0], {"id": "1", "title": "the café crash", "body": "i σ b"}, "even texts, other columns as they were")
    step("clean", input="raw.jsonl", output="clean.jsonl", fields="title", lower="false", max_bad=20)
    cleaned = [json.loads(line) for line in open("clean.jsonl", encoding="utf-8")]
    tap.is_((len(cleaned), cleaned[0]["title"], cleaned[0]["body"]), (8, "The CAFÉ crash", rows[0]["body"]), "one column, letters as they are")
    done = step("clean", input="raw.jsonl", output="none.jsonl", min_words=2)
    tap.is_((done.returncode, done.stderr), (1, "lateen-step: 3 of 10 rows would be left out, more than 10 in a hundred\n"), "too many")
    tap.ok(not os.path.exists("none.jsonl"), "leave nothing")


def test_train():
    rows = [{"title": f"the {word} crashes", "body": f"the {word} crashed, it's the {word} that the log shows"} for word in
            ("app", "page", "parser", "naïve 表")] * 5
    pathlib.Path("many.jsonl").write_text(lines(*rows), encoding="utf-8")
    done = step("tokenizer", input="many.jsonl", vocab=300, output="trained.json")
    tap.contains(done.stdout, "300 tokens, 42 of them merges", "tokenizer says what it found")
    vocab = json.loads(pathlib.Path("trained.json").read_text())["model"]["vocab"]
    tap.is_((vocab["<pad>"], vocab["<EOS>"], vocab["!"]), (0, 1, 2), "special tokens first, then bytes")
    tap.ok("Ġthe" in vocab, "a common word is a token")
    step("tokenize", input="many.jsonl", tokenizer="trained.json", output="tokens")
    step("detokenize", input="tokens", tokenizer="trained.json", output="texts.jsonl", rows=0)
    texts = [json.loads(line) for line in open("texts.jsonl", encoding="utf-8")]
    tap.is_([(t["title"], t["body"]) for t in texts], [(r["title"], r["body"]) for r in rows], "there and back")
    done = step("tokenizer", input="many.jsonl", vocab=5000, min_frequency=3, output="trained.json")
    tap.contains(done.stdout, "fewer than the 5000 asked for", "a small corpus has few tokens")
    for options, why in (({"vocab": 257}, "a vocabulary of 257 is not between 258"), ({"vocab": 9999999}, "--vocab wants a whole number"),
                         ({"fields": "nope"}, "no column `nope`"), ({"input": "bad.jsonl"}, "3 of 9 rows cannot be used")):
        done = step("tokenizer", **{"input": "many.jsonl", "output": "x.json", **options})
        tap.is_(done.returncode, 1, "fails")
        tap.contains(done.stderr, why, f"and says: {why}")
        tap.ok(not os.path.exists("x.json"), "and leaves nothing")
    step("tokenizer", input="empty", output="trained.json")
    tap.is_(len(json.loads(pathlib.Path("trained.json").read_text())["model"]["vocab"]), 258, "of nothing: the bytes")


def test_wrong():
    for options, why in (({"fields": "body,nope"}, "there is no column `nope`; there are `title`, `body`"),
                         ({"fields": "body,body"}, "names the column `body` twice"), ({"fields": "body,"}, "an empty name"),
                         ({"fields": ",".join(map(str, range(17)))}, "more than 16 columns"), ({"tokenizer": "rows.jsonl"}, "not JSON"),
                         ({"tokenizer": "nowhere"}, "cannot open `nowhere`"), ({"output": "no/such/folder"}, "cannot make")):
        done = step("tokenize", **{"input": "rows.jsonl", "tokenizer": "tokenizer.json", "output": "x", **options})
        tap.is_(done.returncode, 1, "fails")
        tap.contains(done.stderr, why, f"and says: {why}")
    if os.access("/dev/full", os.W_OK):
        done = step("tokenize", input="rows.jsonl", tokenizer="tokenizer.json", output="/dev/full")
        tap.contains(done.stderr, "/dev/full`: No space left on device", "a full disk")
    else:
        tap.skip("there is no /dev/full")
    step("tokenize", input="rows.jsonl", tokenizer="tokenizer.json", output="tokens")
    other = json.loads(byte_tokenizer())
    other["model"]["merges"].pop()
    pathlib.Path("other.json").write_text(json.dumps(other), encoding="utf-8")
    for options, why in (({"tokenizer": "other.json"}, "another tokenizer"), ({"fields": "a"}, "2 fields, and --fields names 1"),
                         ({"input": "rows.jsonl"}, "not a token shard")):
        done = step("detokenize", **{"input": "tokens", "tokenizer": "tokenizer.json", "output": "x", **options})
        tap.is_(done.returncode, 1, "fails")
        tap.contains(done.stderr, why, f"and says: {why}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        test_round_trip()
        test_bad_rows()
        test_shards()
        test_clean()
        test_train()
        test_wrong()
        for command in ("clean", "tokenizer", "tokenize", "detokenize"):
            tap.contains(step(command, help="").stdout, "--output PATH", f"{command} --help")
        os.chdir("/")
    tap.done_testing()


main()
