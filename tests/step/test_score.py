#!/usr/bin/env python3
"""lateen-step baseline, score and split, from the outside: what they write and say, and what they make of bad input."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.join(tap.build_dir(), "lateen-step")
OUTPUTS = ("table", "rows", "rouge-1", "rouge-2", "rouge-l", "bleu", "empty", "compared", "unpaired")


def run(folder, *arguments):
    return subprocess.run([STEP, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def write(folder, name, content):
    data = content if isinstance(content, bytes) else "".join(json.dumps(row) + "\n" for row in content).encode()
    pathlib.Path(folder, name).write_bytes(data)


def text(folder, name):
    return pathlib.Path(folder, name).read_text(encoding="utf-8")


def lines(folder, name):
    return [json.loads(line) for line in text(folder, name).splitlines()]


def score(folder, *more):
    outputs = [part for name in OUTPUTS for part in ("--" + name, "out-" + name)]
    return run(folder, "score", "--predictions", "p", "--references", "r", "--output", "out", *outputs, *more)


def refused(done, part, name):
    tap.is_(done.returncode, 1, f"{name} is a failure")
    tap.contains(done.stderr, part, "and the sentence says why")


def test_baseline(folder):
    write(folder, "in", [{"url": "u1", "body": "  one two\n\nthree\tfour five"}, {"url": "u2", "body": "é"}, {"url": "u3", "body": ""}])
    done = run(folder, "baseline", "--input", "in", "--words", "3", "--output", "out")
    tap.is_(done.stdout, "3 titles, the first 3 words of `body`\n", "baseline says what it made")
    tap.is_(lines(folder, "out"), [{"title": "one two three"}, {"title": "é"}, {"title": ""}], "the first words, one blank between them")
    run(folder, "baseline", "--input", "in", "--words", "1", "--key", "url", "--output", "out")
    tap.is_(lines(folder, "out")[0], {"url": "u1", "title": "one"}, "with a key")
    refused(run(folder, "baseline", "--input", "in", "--field", "nope", "--output", "x"), "no column `nope`; there are `url`, `body`",
            "a column that is not there")
    refused(run(folder, "baseline", "--input", "in", "--key", "title", "--output", "x"), "--key cannot be `title`", "the title as a key")
    write(folder, "in", b"")
    done = run(folder, "baseline", "--input", "in", "--output", "out")
    tap.is_((done.returncode, text(folder, "out")), (0, ""), "of an empty file an empty one")


def test_score(folder):
    write(folder, "r", [{"title": "The app crashes on start", "body": "the app crashes"}, {"title": "é 中", "body": "x"}, {"title": "a b", "body": ""},
                        {"title": "more", "body": ""}])
    write(folder, "p", [{"title": "app crashes on start"}, {"title": "中"}, {"title": " \t"}])
    done = score(folder)
    tap.is_((done.returncode, done.stderr), (0, ""), "score runs")
    tap.contains(done.stdout, "3 rows compared, in their order.\nWithout a partner, and not compared: 0 predictions, 1 references.\n",
                 "and says what was compared")
    tap.contains(done.stdout, "1 of 3 predictions are empty: they count as 0", "and how many are empty")
    tap.contains(done.stdout, "In 1 references ROUGE sees no word", "and where ROUGE is blind")
    tap.is_({name: text(folder, "out-" + name) for name in ("empty", "compared", "unpaired")},
            {"empty": "0.3333333333333333", "compared": "3", "unpaired": "1"}, "the counts as files")
    metrics = json.loads(text(folder, "out"))["metrics"]
    tap.is_([(m["name"], m["format"]) for m in metrics],
            [("rouge-1", "PERCENTAGE"), ("rouge-2", "PERCENTAGE"), ("rouge-l", "PERCENTAGE"), ("bleu", "RAW"), ("empty", "PERCENTAGE")],
            "the metrics in Kubeflow's form")
    tap.ok(abs(metrics[0]["numberValue"] - 8 / 9 / 3) < 1e-12, "ROUGE-1: precision 1, recall 4/5 in one row of three")
    tap.is_(float(text(folder, "out-rouge-1")), metrics[0]["numberValue"], "and the same as a file")
    tap.is_([set(m) for m in metrics], [{"name", "numberValue", "format"}] * 5, "and nothing else in it")
    table = text(folder, "out-table")
    tap.contains(table, "| | predictions | first 12 words |\n| --- | ---: | ---: |\n| ROUGE-1, F | 29.6 % | 25.0 % |\n", "a table, with the baseline beside")
    tap.contains(table, "| empty | 33.3 % | 33.3 % |", "and its empty ones")
    rows = lines(folder, "out-rows")
    tap.is_([(r["row"], r["prediction"], r["reference"]) for r in rows[:2]],
            [(1, "app crashes on start", "The app crashes on start"), (2, "中", "é 中")], "each row's texts")
    tap.is_(rows[0]["rouge_1"], {"f": 1.6 / 1.8, "precision": 1.0, "recall": 0.8}, "and scores")
    write(folder, "r", [{"title": "The app crashes on start"}])
    done = score(folder)
    tap.contains(text(folder, "out-table"), "| | predictions |\n| --- | ---: |\n", "without the body there is no baseline")
    tap.contains(done.stdout, "2 predictions, 0 references", "predictions left over")


def test_keys(folder):
    write(folder, "r", b"id,title\nb,second title\na,first title\nz,nobody\n,no key\n")
    write(folder, "p", [{"id": "a", "said": "first title"}, {"id": "b", "said": "wrong"}, {"id": "a", "said": "again"}, {"id": "q", "said": "?"}, {"id": "", "said": ""}])
    done = score(folder, "--key", "id", "--prediction-field", "said")
    tap.is_((done.returncode, done.stderr), (0, ""), "rows are paired by a key, of CSV and of JSON lines")
    tap.contains(done.stdout, "2 rows compared, by key.\nWithout a partner, and not compared: 2 predictions, 2 references.\n"
                 "Of predictions with the same key the first counts; 1 others were left out.\n", "and it says which were not")
    tap.is_([(r["reference"], r["rouge_l"]["f"]) for r in lines(folder, "out-rows")], [("second title", 0.0), ("first title", 1.0)], "the pairs")


def test_bad(folder):
    def tables(predictions, references):
        write(folder, "p", predictions)
        write(folder, "r", references)

    one = [{"title": "a"}]
    tables(b"", b"")
    refused(score(folder), "there is nothing to compare: of 0 predictions and 0 references none belong together", "two empty files")
    tables(one, b"")
    refused(score(folder), "of 1 predictions and 0 references", "no references")
    tables([{"text": "a"}], one)
    refused(score(folder), "the predictions: there is no column `title`; there are `text`", "no column of predictions")
    tables(one, one)
    refused(score(folder, "--key", "id"), "the predictions: there is no column `id`", "no key")
    refused(score(folder, "--stem", "yes"), "--stem wants `true` or `false`, not `yes`", "a wrong option")
    refused(run(folder, "score", "--predictions", "nowhere", "--references", "r", "--output", "x"), "cannot open `nowhere`", "no file")
    tables(b'{"title": "a"}\n[1]\n', one * 2)
    os.remove(os.path.join(folder, "out-rows")) if os.path.exists(os.path.join(folder, "out-rows")) else None
    refused(score(folder), "`p`, line 2: not a JSON object", "a line that is no object")
    tap.ok(not os.path.exists(os.path.join(folder, "out-rows")), "and no half-written rows stay")
    tables(b"title\n\xff\xfe caf\xc3 ok\n", b"title\nok \xe2\x82\n")
    tap.is_((score(folder).returncode, lines(folder, "out-rows")[0]["rouge_1"]["recall"]), (0, 1.0), "invalid UTF-8 is compared as U+FFFD")
    tables([{"title": "a" * 5000000}], [{"title": "a" * 5000000}])
    tap.is_((score(folder).returncode, float(text(folder, "out-rouge-1"))), (0, 1.0), "one word of five million letters")
    tables([{"title": "a " * 65536}], [{"title": "b " + "a " * 65535}])
    tap.is_(score(folder).returncode, 0, "as many words as can be")
    tables([{"title": "a " * 65537}], one)
    refused(score(folder), "row 1 of the references and its prediction: a text has 65537 tokens; at most 65536 can be compared", "more words")
    tables([{"title": "a"}], b'{"title": "' + b"a" * (17 << 20) + b'"}\n')
    refused(score(folder), "line 1 is longer than", "a huge line")
    if os.access("/dev/full", os.W_OK):
        tables(one, one)
        refused(score(folder, "--output", "/dev/full"), "cannot write `/dev/full`", "a full disk")


def split(folder, *more):
    return run(folder, "split", "--input", "in", "--train", "train", "--dev", "dev", "--near", "near", *more)


def test_split(folder):
    rows = [{"n": str(i), "title": f"Title number {i} of many, it is {i * 7 % 100}"} for i in range(1000)]
    rows += [{"n": "again", "title": "title NUMBER 5 of many - it is 35"}]
    write(folder, "in", rows)
    done = split(folder)
    tap.is_((done.returncode, done.stderr), (0, ""), "split runs")
    train, dev = lines(folder, "train"), lines(folder, "dev")
    tap.is_(sorted(r["n"] for r in train + dev), sorted(r["n"] for r in rows), "each row is in one part")
    tap.is_([r["n"] for r in dev], [r["n"] for r in rows if r in dev], "in its order")
    tap.ok(60 < len(dev) < 140, f"about a tenth is in the second: {len(dev)}")
    tap.ok(any({"5", "again"} <= {r["n"] for r in part} for part in (train, dev)), "equal titles, but for case and marks, are in one part")
    tap.contains(done.stdout, f"{len(train)} rows in the first part, {len(dev)} in the second", "and the counts are said")
    before = text(folder, "dev")
    write(folder, "in", list(reversed(rows)))
    split(folder)
    tap.is_(sorted(text(folder, "dev").splitlines()), sorted(before.splitlines()), "the order of rows changes nothing")
    # Which titles go into the second part is fixed for good: people compare results with those of last year.
    write(folder, "in", [{"title": f"word{i}"} for i in range(40)])
    split(folder)
    tap.is_([r["title"] for r in lines(folder, "dev")], GOLDEN_DEV, "the same part on every machine")
    split(folder, "--share", "0")
    tap.is_((len(lines(folder, "train")), text(folder, "dev")), (40, ""), "nothing in the second part")
    split(folder, "--share", "1")
    tap.is_((text(folder, "train"), len(lines(folder, "dev"))), ("", 40), "everything in the second part")
    for share in ("1.5", "-1", "nan", "x", ""):
        refused(split(folder, "--share", share), "--share wants a number from 0 to 1", f"a share of {share!r}")
    write(folder, "in", b"")
    tap.is_((split(folder).returncode, text(folder, "train"), text(folder, "dev")), (0, "", ""), "an empty table in two parts")


MANY = """apple brook candle desert engine forest garden harbor island jungle kitchen ladder mountain nephew orange pillow quarry
river saddle temple uncle valley window yellow zebra""".split()
GOLDEN_DEV = ["word30", "word34"]


def near_of(folder, titles):
    """Pairs that are reported, whichever part each is in."""
    write(folder, "in", [{"title": title} for title in titles])
    split(folder, "--share", "0.5")
    return {frozenset(pair.values()) for pair in lines(folder, "near")}


def test_near(folder):
    """Titles in two families: with enough members each family has some in both parts."""
    base = "app crashes when the screen rotates"
    found = near_of(folder, [f"{base} {x}" for x in MANY] + [f"something else entirely here {x} {x}" for x in MANY])
    tap.ok(found and all(all(t.startswith(base) for t in pair) for pair in found), f"one word another: {len(found)} pairs")
    words = base.split()
    found = near_of(folder, [" ".join(words[:i] + words[i + 1:]) for i in range(6)] + [base])
    tap.ok(all(len(pair) == 2 for pair in found) and any(base in pair for pair in found), "one word less or more")
    tap.is_(near_of(folder, [f"fix bug {x}" for x in MANY]), set(), "titles of few words are not near")
    tap.is_(near_of(folder, [f"one two {x} {x} three four" for x in MANY]), set(), "two words another: not near")
    tap.ok(near_of(folder, [f"Fix  bug {x}!" for x in range(30)]), "numbers are all the same")
    long = "the settings dialog forgets the language that was chosen and shows english menus until the program is started again"
    found = near_of(folder, [long.replace("dialog", x).replace("menus", x[::-1]) for x in MANY])
    tap.ok(found, f"two words of a long title another: {len(found)} pairs")
    tap.is_(near_of(folder, [f"{x} {x[::-1]} {y} {y[::-1]} {x}{y}" for x, y in zip(MANY, MANY[1:])]), set(), "other titles are not near")


def test_move(folder):
    rows = [{"n": str(i), "title": f"version {i} of the tool"} for i in range(40)]
    rows += [{"n": x, "title": f"{x} is something of its own: {x}"} for x in MANY]
    write(folder, "in", rows)
    split(folder, "--share", "0.5")
    before, pairs = lines(folder, "dev"), lines(folder, "near")
    done = split(folder, "--share", "0.5", "--move", "true")
    train, dev = lines(folder, "train"), lines(folder, "dev")
    near = {pair["dev"] for pair in pairs}
    tap.ok(pairs and len(near) < len(before), f"{len(near)} of {len(before)} keys are near")
    tap.ok(all(row["title"] not in near for row in dev), "none of them stays")
    tap.is_(sorted(r["n"] for r in train + dev), sorted(r["n"] for r in rows), "each row is in one part")
    tap.contains(done.stdout, f"{len(train)} rows in the first part, {len(dev)} in the second", "the counts are those behind it")
    tap.is_(done.stdout.count("nearly equal: "), 3, "three of them are shown")
    refused(split(folder, "--move", "maybe"), "--move wants `true` or `false`", "another word")


def main():
    for test in (test_baseline, test_score, test_keys, test_bad, test_split, test_near, test_move):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    tap.done_testing()


main()
