#!/usr/bin/env python3
"""Runs here: steps that do nothing against `make -j2`, and the lines of one step against `cat` to a file.

    bench/run.py BUILD_DIR [STEPS [ROUNDS]]

The steps stand in layers of fifty, each waiting for two of the layer before; a journal, a folder and a log for each are on.
Ours and theirs take turns, so that a busy machine slows both; each number is the fastest of all rounds.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

WIDTH = 50
LINES = 1_000_000


def before(i):
    if i < WIDTH:
        return []
    return [i - WIDTH] + ([i - WIDTH + 1] if i % WIDTH < WIDTH - 1 else [])


def write_programs(n):
    steps = [f"    s{i} = noop()" + (" after " + ", ".join(f"s{b}" for b in before(i)) if before(i) else "") for i in range(n)]
    pathlib.Path("steps.lateen").write_text("\n".join(
        ['component noop() { command ["/bin/true"] }', "pipeline p() {", *steps, "}", ""]), encoding="utf-8")
    rules = [f".PHONY: s{i}\ns{i}: {' '.join(f's{b}' for b in before(i))}\n\t@/bin/true" for i in range(n)]
    pathlib.Path("steps.mk").write_text(
        "\n".join(["all: " + " ".join(f"s{i}" for i in range(n)), *rules, ""]), encoding="utf-8")
    pathlib.Path("lines.lateen").write_text(
        'component lines(n: Integer) { command ["seq", n] }\npipeline p(n: Integer) { lines(n) }\n', encoding="utf-8")


def seconds(command, **more):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)
    return time.perf_counter() - start


def compare(name, rounds, ours, theirs, unit, label):
    best = {"ours": float("inf"), "theirs": float("inf")}
    for _ in range(rounds):
        best["ours"] = min(best["ours"], ours())
        best["theirs"] = min(best["theirs"], theirs())
    print(f"{name:28} {best['ours'] * 1000 / unit:9.3f} ms   {label} {best['theirs'] * 1000 / unit:9.3f} ms"
          f"   ratio {best['ours'] / best['theirs']:.2f}", flush=True)


def main():
    lateen = os.path.abspath(os.path.join(sys.argv[1] if len(sys.argv) > 1 else "build", "lateen"))
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_programs(n)
        compare(f"a step of {n}", rounds,
                lambda: seconds([lateen, "run", "steps.lateen", "-p", "p", "--jobs", "2", "--json"]),
                lambda: seconds(["make", "-s", "-j2", "-f", "steps.mk"]), n, "make -j2")
        compare(f"{LINES:,} lines of a step", rounds,
                lambda: seconds([lateen, "run", "lines.lateen", "-p", "p", f"n={LINES}", "--json"]),
                lambda: seconds(["sh", "-c", f"seq {LINES} | cat >lines"]), 1, "seq | cat >file")
        os.chdir("/")


if __name__ == "__main__":
    main()
