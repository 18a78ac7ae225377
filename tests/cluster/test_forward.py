#!/usr/bin/env python3
"""A port of a step's pod on a real cluster, reached from here through the API server: `lateen forward`."""
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import kube
from kube import tap

PROGRAM = """
component serve() {
    image "IMAGE"
    script sh \"\"\"
        mkdir -p /tmp/w; echo "a page" > /tmp/w/index.html; head -c 5000000 /dev/urandom > /tmp/w/large
        echo "sum $(sha256sum < /tmp/w/large | cut -d ' ' -f 1)"; timeout 120 httpd -f -p 8080 -h /tmp/w || true
    \"\"\"
}
pipeline serving() { webapp = serve() }
cluster real { kubeconfig "KUBECONFIG", namespace "SPACE" }
"""
LATEEN = os.environ["LATEEN"]


def spawn(folder, name, *words):
    with open(folder / name, "w") as out:
        return subprocess.Popen([LATEEN, *words], cwd=folder, stdout=out, stderr=subprocess.STDOUT)


def wait_for(look, pattern, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := re.search(pattern, look()):
            return found
        time.sleep(0.3)
    return None


def get(address, path):
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as answer:
            return answer.read()
    except (OSError, urllib.error.HTTPError) as err:
        return str(err).encode()


def log_of(space, workflow):
    try:
        return "".join(space.log(pod["metadata"]["name"]) for pod in space.pods(workflow))
    except kube.Refused:
        return ""


def main():
    cluster = kube.need(2)
    with tempfile.TemporaryDirectory() as name, cluster.namespace() as space:
        folder = pathlib.Path(name)
        (folder / "p.lateen").write_text(PROGRAM.replace("IMAGE", kube.IMAGE).replace("KUBECONFIG", cluster.kubeconfig).replace("SPACE", space.name))
        run = spawn(folder, "run", "run", "p.lateen", "--on", "real")
        wait_for(lambda: " ".join(space.workflows()), "serving", 60)
        workflow = next(iter(space.workflows()), "none")
        found = wait_for(lambda: log_of(space, workflow), "sum ([0-9a-f]{64})", 90)
        if not tap.ok(found is not None, f"a step serves: {(folder / 'run').read_text()}"):
            tap.done_testing()
        forward = spawn(folder, "forward", "forward", f"{workflow}.webapp", "8080")
        address = wait_for(lambda: (folder / "forward").read_text(), r"127\.0\.0\.1:\d+", 30)
        if tap.ok(address is not None, f"its port is reached from here: {(folder / 'forward').read_text()}"):
            bodies = []
            threads = [threading.Thread(target=lambda: bodies.append(get(address.group(0), "/large"))) for _ in range(4)]
            for thread in threads:
                thread.start()
            tap.is_(get(address.group(0), "/index.html"), b"a page\n", "a page of it")
            for thread in threads:
                thread.join()
            tap.is_([hashlib.sha256(b).hexdigest() for b in bodies], [found.group(1)] * 4, "5 MB, four times at once")
            tap.contains(get(address.group(0), "/none").decode(), "404", "and what it does not have")
        elsewhere = spawn(folder, "elsewhere", "forward", f"{workflow}.webapp", "8081")
        address = wait_for(lambda: (folder / "elsewhere").read_text(), r"127\.0\.0\.1:\d+", 30)
        if tap.ok(address is not None, "a port on which nothing listens leads there, too"):
            get(address.group(0), "/")
            told = wait_for(lambda: (folder / "elsewhere").read_text(), "nothing listens on port 8081", 20)
            tap.ok(told is not None, f"and what is wrong is told: {(folder / 'elsewhere').read_text()}")
        elsewhere.send_signal(signal.SIGINT)
        elsewhere.wait(20)
        forward.send_signal(signal.SIGINT)
        tap.ok(forward.wait(20) is not None, "an interrupt ends it")
        space.patch(space.path(f"workflows/{workflow}"), {"spec": {"shutdown": "Terminate"}})
        run.wait(120)
    tap.done_testing()


main()
