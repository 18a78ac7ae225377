#!/usr/bin/env python3
"""Processor time of the layout for 1,000 and 10,000 boxes, and their ratio: linear is 10, at most 14 is wanted.

    bench/layout.py BUILD_DIR [ROUNDS]

Needs tests/dsl/layout_tool in the build (`make tests/dsl/layout_tool`). Each number is the fastest of all rounds; the two
sizes take turns, so that a busy machine slows both.
"""
import subprocess
import sys

KINDS = ["layered", "groups", "fan", "chain", "long", "loose"]
WANTED = 14


def milliseconds(tool, name):
    return float(subprocess.run([tool, name, "--time", "5"], check=True, capture_output=True, text=True).stdout)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(f"{'graph':10} {'1,000':>10} {'10,000':>10} {'ratio':>7}")
    for kind in KINDS:
        best = {1000: float("inf"), 10000: float("inf")}
        for _ in range(rounds):
            for n in best:
                best[n] = min(best[n], milliseconds(f"{build}/tests/dsl/layout_tool", f"{kind}-{n}"))
        ratio = best[10000] / best[1000]
        print(f"{kind:10} {best[1000]:8.2f}ms {best[10000]:8.2f}ms {ratio:7.1f}{'' if ratio <= WANTED else '  more than wanted'}", flush=True)


if __name__ == "__main__":
    main()
