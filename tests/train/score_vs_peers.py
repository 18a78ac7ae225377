#!/usr/bin/env python3
"""lateen-step score against PyPI's rouge_score and sacrebleu, row by row and over all rows: random text of every kind and
hand-made lines always, real issues where LATEEN_SHARED has them.

LATEEN_TRAIN_PYTHON names a python that has both (./quickstart test sets one up).
"""
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

tap.need_python("LATEEN_TRAIN_PYTHON", "rouge_score", "sacrebleu")

from rouge_score import rouge_scorer  # noqa: E402
from sacrebleu.metrics import BLEU  # noqa: E402

RANDOM_ROWS = 1500
REAL_ROWS = 2000
# The same formulas in another order of operations.
TOLERANCE = 1e-9
TYPES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}

HAND_MADE = [
    ("", ""), ("", "the app crashes"), ("the app crashes", ""), ("the app crashes", "the app crashes"), (" \t ", "a"),
    ("the cat sat on the mat", "the the the the the the"), ("a b c d e f", "f e d c b a"), ("a b c d", "a b c"),
    ("İstanbul 5 \u212A elvin \u212Belsius", "i stanbul 5 k elvin elsius"), ("ÄÖÜ straße ẞ", "äöü STRASSE ss"), ("アプリが 落ちる", "アプリが 落ちる"),
    ("1,000.5 is 3.14, not 2.", "1,000.5 is 3.14 , not 2 ."), ("x..y,,z...", "x . . y , , z ..."), ("5-6 a-b -1 --", "5 - 6 a-b -1 --"),
    (".5 5. ,5 5,", ". 5 5 ."), ("&quot;a&quot; &amp;lt; &lt;b&gt; &amp;amp;", '"a" < <b> &'), ("<skipped>x -\ny\nz", "x y z"), ("don't it's 'q'", "don't it ' s 'q"),
    ("{a}[b](c)<d>/e\\f|g~h`i^j_k@l?m=n;o:p!q#r$s%t&u*v+w", "a b c d e f g h i j k l m n o p q r s t u v w"),
    ("a\u00A0b\u2003c\u3000d\u0085e\u200Bf\u2028g\x1Ch", "a b c d e f g h"), ("tail-\n", "tail-"), ("tail \u3000", "tail"), ("\r\na\rb\r\n", "a b"),
    ("crashes crashing crashed crash", "crash"), ("sky skies dying innings news proceed", "skies sky die inning news proceeded"),
    ("generalization relational hopefulness formaliti vietnamization controlled", "general relate hopeful formal vietnam control"),
    ("yyyy syzygy enjoy spied died flies dies happily geology theologically 11ing a11ed", "yy enjoyment spies dy fly die happy geologi"),
    ("emoji 🙂🙂 e\u0301 \U0001F468\u200D\U0001F469", "🙂 emoji é"), ("a" * 3000, "a" * 3000 + "b"), ("w " * 700 + "x", "x " + "w " * 650),
]

PIECES = (
    [chr(c) for c in range(0x20, 0x7F)] + list("aeiou  ..,,--&  \t\n\r'0123456789") +
    ["&quot;", "&amp;", "&lt;", "&gt;", "<skipped>", "-\n", "\u00A0", "\u0085", "\u2028", "\u3000", "\u200B", "é", "É", "İ", "\u212A",
     "ß", "ж", "中", "🙂", "\u0301", "ﬁ", "①", "٣", "\x1C", "\x0B", "the ", "app ", "crash", "ing ", "1.5", "3,000", "ation", "ness "]
)
SUFFIXES = ("", "s", "es", "ed", "ing", "ied", "ies", "eed", "ational", "tional", "enci", "izer", "alli", "entli", "bli", "ization", "fulli", "logi",
            "iveness", "icate", "ative", "alize", "ical", "ness", "al", "ance", "er", "ement", "ment", "ent", "ion", "sion", "tion", "ous", "ize",
            "e", "ll", "y", "lly", "ly", "ousness", "biliti")


def word(rng):
    return "".join(rng.choice("bcdlstrzwxyaeiouyy") for _ in range(rng.randrange(1, 7))) + rng.choice(SUFFIXES)


def random_rows(rng, n):
    rows = []
    for i in range(n):
        if i % 3 == 0:
            reference = "".join(rng.choice(PIECES) for _ in range(rng.randrange(60)))
            prediction = "".join(rng.choice(PIECES) for _ in range(rng.randrange(60)))
        else:
            words = [word(rng) for _ in range(rng.randrange(1, 25))]
            reference = " ".join(rng.choice(words) for _ in range(rng.randrange(30)))
            prediction = " ".join(rng.choice(words) + rng.choice(["", "", ".", ",", "s"]) for _ in range(rng.randrange(30)))
        if i % 5 == 0 and reference:
            cut = rng.randrange(len(reference))
            prediction = reference[:cut] + prediction[:10] + reference[cut + 3:]
        rows.append((reference, prediction))
    return rows


def real_rows(path):
    """Titles, and as predictions what a person may begin with: the body's first words."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [(row["issue_title"], " ".join(row["body"].split()[:12])) for row in csv.DictReader(file)]
    return rows[:REAL_ROWS]


def write_rows(path, rows, side):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"title": row[side]}, ensure_ascii=side == 0) + "\n" for row in rows)


def score(folder, rows, stem):
    """The rows' scores, and the metrics by name, or None."""
    paths = {name: os.path.join(folder, name) for name in ("references", "predictions", "rows", "output")}
    write_rows(paths["references"], rows, 0)
    write_rows(paths["predictions"], rows, 1)
    command = [os.path.join(tap.build_dir(), "lateen-step"), "score", "--stem", "true" if stem else "false"]
    for name, path in paths.items():
        command += ["--" + name, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if not tap.is_((done.returncode, done.stderr), (0, ""), f"score runs over {len(rows)} rows"):
        return None
    with open(paths["rows"], encoding="utf-8") as file:
        ours = [json.loads(line) for line in file]
    with open(paths["output"], encoding="utf-8") as file:
        metrics = {m["name"]: m["numberValue"] for m in json.load(file)["metrics"]}
    return ours, metrics


def close(a, b):
    return abs(a - b) <= TOLERANCE * max(1, abs(b))


def rouge_of(scorer, row):
    """Score tuples as our rows write them."""
    scores = scorer.score(*row)
    return {ours: {"f": scores[theirs].fmeasure, "precision": scores[theirs].precision, "recall": scores[theirs].recall}
            for ours, theirs in TYPES.items()}


def wrong_rouge(ours, theirs):
    return [(name, part) for name in TYPES for part in ("f", "precision", "recall") if not close(ours[name][part], theirs[name][part])]


def compare(name, rows, stem):
    with tempfile.TemporaryDirectory() as folder:
        got = score(folder, rows, stem)
    if not got:
        return
    ours, metrics = got
    scorer = rouge_scorer.RougeScorer(list(TYPES.values()), use_stemmer=stem)
    rouge = [rouge_of(scorer, row) for row in rows]
    tap.is_(len(ours), len(rows), f"{name}: a line for each row")
    bad = [(row, line, want) for row, line, want in zip(rows, ours, rouge) if wrong_rouge(line, want)]
    tap.is_(bad[:3], [], f"{name}: ROUGE-1, 2 and L, precision and recall of each row{' with stems' if stem else ''}")
    for ours_name in TYPES:
        mean = sum(r[ours_name]["f"] for r in rouge) / len(rouge)
        tap.ok(close(metrics[ours_name.replace("_", "-")], mean), f"{name}: the mean of {ours_name}: {metrics[ours_name.replace('_', '-')]} and {mean}")
    if stem:
        return
    sentence = BLEU(effective_order=True)
    bad = [(row, line["bleu"]) for row, line in zip(rows, ours) if not close(line["bleu"], sentence.sentence_score(row[1], [row[0]]).score)]
    tap.is_(bad[:3], [], f"{name}: each row's BLEU")
    corpus = BLEU().corpus_score([row[1] for row in rows], [[row[0] for row in rows]]).score
    tap.ok(close(metrics["bleu"], corpus), f"{name}: BLEU of all rows: {metrics['bleu']} and {corpus}")


def main():
    rng = random.Random(20)
    rows = random_rows(rng, RANDOM_ROWS)
    for stem in (False, True):
        compare("hand-made", HAND_MADE, stem)
        compare("random", rows, stem)
    compare("no match at all", [("a b c", "x y z"), ("d", "")], False)
    compare("short ones", [("a b c", "a b c"), ("d e", "d")], False)
    path = tap.shared("data/github_issues_sample.csv")
    if not path:
        tap.skip("LATEEN_SHARED names no folder with data/github_issues_sample.csv")
    else:
        for stem in (False, True):
            compare("issues", real_rows(path), stem)
    tap.done_testing()


main()
