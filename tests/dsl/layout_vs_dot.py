#!/usr/bin/env python3
"""Crossings of our layout against graphviz' dot, on the same graphs, counted by the same counter.

Both drawings are taken as polylines, edge by edge; a crossing is a point where two edges that share no end meet properly.
The bound is 1.1 times dot's. LAYOUT_TOOL names another layout_tool; `--save DIR` leaves DIR/NAME.{ours,dot}.svg to look at.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

BOUND = 1.1
INCH = 72.0


def tool(*args):
    path = os.environ.get("LAYOUT_TOOL") or os.path.join(tap.build_dir(), "tests/dsl/layout_tool")
    return subprocess.run([path, *args], check=True, capture_output=True, text=True).stdout


def ours(graph):
    """One polyline an edge: its pieces, one after the other."""
    edges = {}
    for edge in graph["edges"]:
        points = []
        for line in edge["lines"]:
            points += [tuple(p) for p in graph["lines"][line] if not points or tuple(p) != points[-1]]
        if points:
            edges[edge["from"], edge["to"]] = points
    return edges


def first_member(graph, group):
    """Some box in a group, for dot, which joins boxes only."""
    return next(i for i, n in enumerate(graph["nodes"]) if i and n["parent"] == group and not n["group"])


def dot_text(graph):
    nodes = graph["nodes"]
    out = ["digraph g { compound=true; ranksep=0.6; nodesep=0.5; node [shape=box, fixedsize=true, label=\"\"];"]

    def members(group):
        for i, n in enumerate(nodes):
            if i == 0 or n["parent"] != group:
                continue
            if n["group"]:
                out.append(f"subgraph cluster_{i} {{ margin=18;")
                members(i)
                out.append("}")
            else:
                out.append(f"n{i} [width={n['w'] / INCH}, height={n['h'] / INCH}];")

    members(0)
    for a, b in ours(graph):
        if nodes[b]["group"]:
            out.append(f"n{a} -> n{first_member(graph, b)} [lhead=cluster_{b}, id=\"{a}>{b}\"];")
        else:
            out.append(f"n{a} -> n{b} [id=\"{a}>{b}\"];")
    out.append("}")
    return "\n".join(out)


def bezier(p, samples=16):
    for i in range(1, samples + 1):
        t = i / samples
        c = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3)
        yield tuple(sum(c[k] * p[k][axis] for k in range(4)) for axis in (0, 1))


def dot_edges(graph):
    drawn = json.loads(subprocess.run(["dot", "-Tjson"], input=dot_text(graph), check=True, capture_output=True, text=True).stdout)
    edges = {}
    for edge in drawn.get("edges", []):
        a, b = edge["id"].split(">")
        spline = edge["pos"].split()
        end = next((tuple(map(float, s[2:].split(","))) for s in spline if s.startswith("e,")), None)
        control = [tuple(map(float, s.split(","))) for s in spline if not s.startswith(("e,", "s,"))]
        points = [control[0]]
        for i in range(0, len(control) - 1, 3):
            points += bezier(control[i:i + 4])
        edges[int(a), int(b)] = points + ([end] if end else [])
    return edges


def side(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def cross(a, b, c, d):
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def crossings(edges):
    ends = list(edges)
    # A hair's breadth apart, edge by edge, so that two corners in one point still count as a crossing.
    edges = {e: [(x + i * 0.0017, y + i * 0.0011) for x, y in edges[e]] for i, e in enumerate(ends)}
    n = 0
    for i, a in enumerate(ends):
        for b in ends[i + 1:]:
            if set(a) & set(b):
                continue
            pa, pb = edges[a], edges[b]
            n += sum(cross(pa[k], pa[k + 1], pb[m], pb[m + 1]) for k in range(len(pa) - 1) for m in range(len(pb) - 1))
    return n


def svg(graph, edges, boxes, path, flip=None):
    w = max((b[0] + b[2] for b in boxes), default=0) + 20
    h = max((b[1] + b[3] for b in boxes), default=0) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {w} {h}" width="{w}" height="{h}"><rect x="-10" y="-10" width="{w}" height="{h}" fill="white"/>']
    out += [f'<rect x="{x}" y="{y}" width="{bw}" height="{bh}" rx="6" fill="{"none" if g else "#dde8ff"}" stroke="#567"/>' for x, y, bw, bh, g in boxes]
    out += ['<path fill="none" stroke="black" d="M' + " L".join(f"{x} {y}" for x, y in p) + '"/>' for p in edges.values()]
    with open(path, "w") as f:
        f.write("\n".join(out) + "</svg>")


def save(graph, name, folder):
    boxes = [(n["x"], n["y"], n["w"], n["h"], n["group"]) for n in graph["nodes"]]
    svg(graph, ours(graph), boxes, f"{folder}/{name}.ours.svg")
    with open(f"{folder}/{name}.dot.svg", "wb") as f:
        f.write(subprocess.run(["dot", "-Tsvg"], input=dot_text(graph).encode(), check=True, capture_output=True).stdout)


def main():
    tap.need("dot()")
    arguments = sys.argv[1:]
    folder = arguments[arguments.index("--save") + 1] if "--save" in arguments else None
    names = [a for a in arguments if a not in ("--save", folder)] or tool("list").split()
    total_ours = total_dot = 0
    for name in names:
        graph = json.loads(tool(name))
        mine, dots = crossings(ours(graph)), crossings(dot_edges(graph))
        total_ours += mine
        total_dot += dots
        tap.ok(mine <= BOUND * dots, f"{name}: {mine} crossings, dot {dots}")
        if folder:
            save(graph, name, folder)
    tap.note(f"all: {total_ours} crossings, dot {total_dot}")
    tap.done_testing()


if __name__ == "__main__":
    main()
