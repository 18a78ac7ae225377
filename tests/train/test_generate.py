#!/usr/bin/env python3
"""lateen-step generate and evaluate from the outside, with a model that was trained for a moment."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # noqa: E402

STEP = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "lateen-step"))
ROWS = 13


def step(command, **options):
    args = [arg for key, value in options.items() for arg in ("--" + key.replace("_", "-"), str(value))]
    return subprocess.run([STEP, command] + args, capture_output=True, text=True, check=False)


def titles(name="titles", **options):
    done = step("generate", **{"model": "model", "input": "some", "output": name, "max_tokens": 10, **options})
    tap.is_((done.returncode, done.stderr), (0, ""), f"generates {options}")
    return [json.loads(line) for line in pathlib.Path(name).read_text(encoding="utf-8").splitlines()], done.stdout


def make_model():
    for name, options in (("synthetic-issues", {"rows": 150, "output": "issues"}),
                          ("tokenizer", {"input": "issues", "vocab": 350, "output": "tokenizer.json"}),
                          ("tokenize", {"input": "issues", "tokenizer": "tokenizer.json", "output": "tokens"}),
                          ("train", {"data": "tokens", "tokenizer": "tokenizer.json", "steps": 40, "warmup": 10, "lr": 0.005, "batch_tokens": 512,
                                     "context": 128, "checkpoints": "", "output": "model"})):
        done = step(name, **options)
        tap.is_((done.returncode, done.stderr), (0, ""), name)
    with open("issues", encoding="utf-8") as issues, open("some", "w", encoding="utf-8") as some:
        some.writelines([next(issues) for _ in range(ROWS)] + ['{"url":"empty","repo":"","title":"t","body":""}\n'])
    long = {"url": "long", "title": "t", "body": "word " * 3000}
    with open("some", "a", encoding="utf-8") as some:
        some.write(json.dumps(long) + "\n")


def test_methods():
    for options in ({}, {"method": "beam"}, {"method": "sample", "top_k": 20, "top_p": 0.9}, {"method": "beam", "beam": 1}):
        first, _ = titles(batch=1, **options)
        second, said = titles(batch=7, threads=2, **options)
        tap.is_(len(first), ROWS + 2, "a title of each row, of an empty and of a long one too")
        tap.is_(first, second, "the same alone and in company")
        tap.contains(said, f"{ROWS + 2} titles of ", "says how many")
    for precision in ("bf16", "int8"):
        first, _ = titles(batch=1, precision=precision)
        tap.is_(titles(batch=7, threads=2, precision=precision)[0], first, f"the same alone and in company, in {precision}")
    greedy, _ = titles()
    for precision in ("bf16", "int8"):
        others = sum(a != b for a, b in zip(titles(precision=precision)[0], greedy))
        tap.ok(others <= 3, f"narrower weights rarely change a title: {others} of {len(greedy)} in {precision}")
    tap.is_(titles(method="sample", top_k=1)[0], greedy, "chance among one is no chance")
    tap.is_(titles(method="sample", temperature=0)[0], greedy, "nor is it without warmth")
    tap.ok(titles(method="sample", seed=2)[0] != titles(method="sample", seed=3)[0], "another seed, other titles")


def test_lengths():
    none, said = titles(max_tokens=0)
    tap.is_({row["title"] for row in none}, {""}, "no tokens, no titles")
    tap.contains(said, "(100 %) are empty", "which it says")
    rows, said = titles(min_tokens=3, max_tokens=3, rows=4)
    tap.is_(len(rows), 4, "four rows")
    tap.contains(said, "titles of 3.0 tokens each", "of three tokens")


def test_key():
    rows, _ = titles(key="url")
    tap.ok([row["url"] for row in rows][-2:] == ["empty", "long"] and all(set(row) == {"url", "title"} for row in rows), "a key is taken along")


def test_evaluate():
    forced = ("accuracy", "accuracy_top5", "accuracy_per_sequence", "neg_log_perplexity", "approx_bleu_score", "rouge_2_fscore", "rouge_L_fscore")
    numbers = ("loss", "rouge_1", "rouge_2", "rouge_l", "bleu", "empty") + forced
    done = step("evaluate", model="model", input="issues", rows=30, max_tokens=10, output="scores", table="table", predictions="own",
                **{name: name for name in numbers})
    tap.is_((done.returncode, done.stderr), (0, ""), "evaluates")
    tap.contains(done.stdout, "the right titles, token by token: loss ", "says the loss")
    values = {name: float(pathlib.Path(name).read_text(encoding="utf-8")) for name in numbers}
    tap.ok(0 < values["loss"] < 6 and 0 <= values["rouge_l"] <= 1, f"numbers {values}")
    tap.ok(all(0 <= values[name] <= 1 for name in forced if name != "neg_log_perplexity"), "Tensor2Tensor's are shares")
    tap.ok(values["accuracy_per_sequence"] <= values["accuracy"] <= values["accuracy_top5"], "and the more is asked, the less of it is right")
    tap.is_(values["neg_log_perplexity"], -values["loss"], "but one, which is the loss")
    tap.is_(len(pathlib.Path("own").read_text(encoding="utf-8").splitlines()), 30, "its own titles")
    metrics = json.loads(pathlib.Path("scores").read_text(encoding="utf-8"))
    tap.is_([m["name"] for m in metrics["metrics"]], ["rouge-1", "rouge-2", "rouge-l", "bleu", "empty"] + list(forced), "metrics")
    for part in ("first 12 words", "| the right titles, token by token | |", f"| accuracy_top5 | {100 * values['accuracy_top5']:.1f} % |"):
        tap.contains(pathlib.Path("table").read_text(encoding="utf-8"), part, f"the table has {part}")
    tap.ok("By ROUGE-L these predictions are worse than the first 12 words." in done.stdout, "and is told to be better")
    again = step("score", predictions="own", references="head", output="again") if not make_head() else None
    tap.is_(json.loads(pathlib.Path("again").read_text(encoding="utf-8"))["metrics"], metrics["metrics"][:5], f"the scores are std.score's {again.stderr}")
    tap.is_([name for name in os.listdir(".") if "scores." in name], [], "nothing else is left")


def make_head():
    with open("issues", encoding="utf-8") as issues, open("head", "w", encoding="utf-8") as head:
        head.writelines([next(issues) for _ in range(30)])


def test_refusals():
    shutil.copytree("model", "cut")
    os.truncate("cut/model.safetensors", 5000)
    shutil.copytree("model", "other")
    config = json.loads(pathlib.Path("model/config.json").read_text(encoding="utf-8"))
    pathlib.Path("other/config.json").write_text(json.dumps({**config, "n_embd": 64}), encoding="utf-8")
    shutil.copytree("model", "small")
    pathlib.Path("small/config.json").write_text(json.dumps({**config, "vocab_size": 20}), encoding="utf-8")
    shutil.copytree("model", "bare")
    os.remove("bare/tokenizer.json")
    cases = [({"model": "nothing"}, "cannot open it"), ({"model": "cut"}, "cut/model.safetensors"), ({"model": "other"}, "another shape"),
             ({"model": "small"}, "its model knows 20"), ({"model": "bare"}, "tokenizer.json"), ({"method": "luck"}, "`greedy`, `beam` or `sample`"),
             ({"max_tokens": 126}, "no room for the body"), ({"min_tokens": 20}, "more than --max-tokens"), ({"field": "text"}, "`text`"),
             ({"device": "cuda"}, "--device cuda: "), ({"precision": "int4"}, "`int8`"), ({"input": "nothing"}, "nothing")]
    for command in ("generate", "evaluate"):
        for options, want in cases:
            done = step(command, **{"model": "model", "input": "some", "output": "bad", "max_tokens": 10, **options})
            tap.is_(done.returncode, 1, f"{command} refuses {options}")
            tap.contains(done.stderr, want, "and says why")
    tap.is_([name for name in os.listdir(".") if name.startswith("bad")], [], "nothing is written")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_model()
        test_methods()
        test_lengths()
        test_key()
        test_evaluate()
        test_refusals()
        os.chdir("/")
    tap.done_testing()


main()
