#!/usr/bin/env python3
"""What watching one large workflow costs: an object of 10,000 nodes, of which 100 change from one version to the next, once a second.

    bench/cluster/status.py BUILD_DIR [NODES] [VERSIONS] [ROUNDS]

Needs tests/runtime/cluster/status_tool in the build (`make tests/runtime/cluster/status_tool`). Times are processor milliseconds for
one version, the fewest of all rounds: read (parsed as it streams, told what changed) and projected onto the live run. The peer, in
the same run, is Python's json (whose parser is C), which reads the version and compares its nodes with those before. Must reach, at
one version a second: 250 ms, which is a quarter of a core, and 100 MiB.
"""
import gzip
import base64
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

CHANGED = 100


def node(i, phase, ended):
    name = f"big.for-loop-1({i}:{i}).train"
    value = {"id": f"big-{i * 2654435761 % 2**32}", "name": name, "displayName": "train", "type": "Pod", "templateName": "train",
             "templateScope": "local/big", "phase": phase, "boundaryID": f"big-item-{i}", "startedAt": "2026-01-01T00:00:01Z",
             "finishedAt": ended, "progress": "1/1", "resourcesDuration": {"cpu": 3, "memory": 120}, "hostNodeName": "node-1",
             "inputs": {"parameters": [{"name": "i", "value": str(i)}]}}
    if phase == "Succeeded":
        value["outputs"] = {"exitCode": "0", "parameters": [{"name": "loss", "value": f"0.{i}", "valueFrom": {"path": "/tmp/outputs/loss/data"}}],
                            "artifacts": [{"name": "main-logs", "s3": {"key": f"big/big-train-{i}/main.log"}}]}
    return value


def item(i):
    return {"id": f"big-item-{i}", "name": f"big.for-loop-1({i}:{i})", "displayName": f"for-loop-1({i}:{i})", "type": "DAG", "phase": "Running",
            "boundaryID": "big", "templateName": "for-loop-1", "startedAt": "2026-01-01T00:00:01Z", "children": []}


def versions(count, n):
    """The workflow, again and again. Half of its nodes are steps, half the items around them."""
    n //= 2
    nodes = {"big": {"id": "big", "name": "big", "displayName": "big", "type": "DAG", "phase": "Running", "startedAt": "2026-01-01T00:00:00Z"},
             "big-loop": {"id": "big-loop", "name": "big.for-loop-1", "displayName": "for-loop-1", "type": "TaskGroup", "phase": "Running",
                          "boundaryID": "big", "startedAt": "2026-01-01T00:00:00Z", "children": [f"big-item-{i}" for i in range(n)]}}
    for i in range(n):
        nodes[f"big-item-{i}"] = item(i)
        new = node(i, "Running", None)
        nodes[new["id"]] = new
    order = list(range(n))
    random.Random(1).shuffle(order)
    for version in range(count):
        for i in order[version * CHANGED % n:][:CHANGED] if version else []:
            done = node(i, "Succeeded", f"2026-01-01T00:{version % 60:02d}:00Z")
            nodes[done["id"]] = done
        yield {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "big", "uid": "u", "resourceVersion": str(version)},
               "spec": {"entrypoint": "big"}, "status": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "nodes": nodes}}


def write(path, count, n, packed):
    size = 0
    with open(path, "w", encoding="utf-8") as file:
        for version in versions(count, n):
            if packed:
                status = dict(version["status"])
                nodes = json.dumps(status.pop("nodes"), separators=(",", ":")).encode()
                status["compressedNodes"] = base64.b64encode(gzip.compress(nodes, 6)).decode()
                version = {**version, "status": status}
            size = file.write(json.dumps(version, separators=(",", ":")) + "\n")
    return size


def ours(build, path, n):
    tool = os.path.join(build, "tests/runtime/cluster/status_tool")
    return json.loads(subprocess.run([tool, path, str(n // 2)], check=True, stdout=subprocess.PIPE).stdout)


def theirs(path):
    """In a process of its own, for its memory."""
    read, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        known, times = {}, []
        with open(path, encoding="utf-8") as file:
            for line in file:
                begun = time.process_time()
                status = json.loads(line)["status"]
                nodes = status["nodes"] if "nodes" in status else json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"])))
                changed = [key for key, value in nodes.items() if known.get(key) != value]
                known = nodes
                times.append((time.process_time() - begun) * 1000)
        assert len(changed) <= CHANGED
        mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        os.write(write_end, json.dumps({"read": sum(times[1:]) / len(times[1:]), "mib": mib}).encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read) as file:
        answer = json.load(file)
    os.waitpid(pid, 0)
    return answer


def main():
    build = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    with tempfile.TemporaryDirectory() as folder:
        for packed in (False, True):
            path = os.path.join(folder, "objects")
            size = write(path, count, n, packed)
            mine = [ours(build, path, n) for _ in range(rounds)]
            peer = [theirs(path) for _ in range(rounds)]
            best = min(mine, key=lambda m: m["read"] + m["project"])
            print(f"{n} nodes, {best['told']} changed, {size / 1e6:.1f} MB {'compressed' if packed else 'as JSON'}")
            print(f"  lateen        {best['read']:7.1f} ms read  {best['project']:5.2f} ms projected  {best['mib']:6.1f} MiB"
                  f"   (the first: {best['first_read']:.1f} + {best['first_project']:.1f} ms)")
            print(f"  python json   {min(p['read'] for p in peer):7.1f} ms read and compared       {peer[0]['mib']:6.1f} MiB")


main()
