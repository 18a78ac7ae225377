#!/usr/bin/env python3
"""Runs through an Argo server, on a real cluster: submitted, watched by its events, with logs and values, steered. The server is
argo_shim.py."""
import os
import pathlib
import subprocess
import tempfile
import time

import argo_shim
import kube
from kube import tap

LATEEN = os.environ["LATEEN"]
TOKEN = "planted-3f9a-token"
PROGRAM = """
component say(text: String) -> (said: String) {
    image "IMAGE"
    script sh \"\"\"
        echo "I say $text"; printf "%s!" "$text" > "$out_said"
    \"\"\"
}
component bad() {
    image "IMAGE"
    command ["sh", "-c", "echo to err >&2; exit 3"]
}
component slow() {
    image "IMAGE"
    command ["sleep", "60"]
}
pipeline fine(text: String = "no") {
    a = say(text)
    b = say(a.said)
}
pipeline broken() { a = bad() }
pipeline long() { a = slow() }
cluster hub { argo "URL", token env("HUB_TOKEN"), namespace "SPACE" }
"""


class Hub:
    def __init__(self, space, folder):
        self.space, self.folder = space, pathlib.Path(folder)
        self.program = self.folder / "p.lateen"
        url = argo_shim.start(space.cluster, TOKEN)
        self.program.write_text(PROGRAM.replace("IMAGE", kube.IMAGE).replace("URL", url).replace("SPACE", space.name))

    def command(self, *words, token=TOKEN):
        return {"args": [LATEEN, *words], "cwd": self.folder, "env": dict(os.environ, HUB_TOKEN=token)}

    def lateen(self, *words, **more):
        done = subprocess.run(**self.command(*words, **more), capture_output=True, text=True, timeout=180, check=False)
        return done.returncode, done.stdout + done.stderr


def runs(hub):
    rc, said = hub.lateen("run", str(hub.program), "-p", "fine", "text=yes", "--on", "hub")
    tap.is_(rc, 0, f"a run through the Argo server succeeds{': ' + said if rc else ''}")
    tap.contains(said, "Succeeded", "and is shown to its end")
    name = next(iter(hub.space.workflows()))
    for step, line in (("a", "I say yes"), ("b", "I say yes!")):
        said = hub.lateen("logs", f"{name}.{step}")[1]
        tap.contains(said, line, f"the log of `{step}` is kept")
        tap.ok("sub-process exited" not in said, "without the executor's line")
    rc, said = hub.lateen("run", str(hub.program), "-p", "broken", "--on", "hub")
    tap.is_(rc, 1, "one that fails fails")
    tap.contains(said, "exit code 3", "and says of what")


def steering(hub):
    with subprocess.Popen(**hub.command("run", str(hub.program), "-p", "long", "--on", "hub"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as run:
        end, name = time.monotonic() + 60, None
        while not name and time.monotonic() < end:
            time.sleep(0.3)
            name = next((n for n, w in hub.space.workflows().items() if w["spec"]["entrypoint"] == "long"
                         and w.get("status", {}).get("phase") == "Running"), None)
        rc, said = hub.lateen("stop", name or "none")
        tap.is_(rc, 0, f"a run is stopped through the server{': ' + said if rc else ''}")
        said = run.communicate(timeout=120)[0]
    tap.is_(run.returncode, 1, "whoever shows it sees the end")
    tap.is_(hub.lateen("delete", name or "none")[0], 0, "it is deleted")
    tap.ok(name not in hub.space.workflows(), "and gone")


def refused(hub):
    rc, said = hub.lateen("check", str(hub.program), "-p", "fine", "--on", "hub")
    tap.is_(rc, 0, f"nothing would stop it{': ' + said if rc else ''}")
    tap.contains(said, "v3.7.18", "the server says what it is")
    rc, said = hub.lateen("run", str(hub.program), "-p", "fine", "--on", "hub", token="another")
    tap.ok(rc != 0, "a token that is not known is not let in")
    tap.contains(said, "does not accept who you are", "and told as that")


def main():
    cluster = kube.need(2)
    with cluster.namespace() as space, tempfile.TemporaryDirectory() as folder:
        hub = Hub(space, folder)
        for part in (refused, runs, steering):
            part(hub)
        kept = "".join(p.read_bytes().decode("latin-1") for p in pathlib.Path(folder).rglob("*") if p.is_file())
        tap.ok(TOKEN not in kept, "the token stands in nothing that was kept")
    tap.done_testing()


main()
