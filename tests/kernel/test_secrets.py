#!/usr/bin/env python3
"""No secret reaches YAML, log, store, error or notebook. A secret is planted where steps find it; a step that was given it prints
it in every way it can; then everything that was written, and everything that was said, is searched for it."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

SECRET = "planted-4f1b9c-secret"

PROGRAM = """component leak(token: Secret) -> (said: String) {
    script sh \"\"\"
        echo "token is $token"
        echo "on stderr: $token" >&2
        printf '%s' "$token" | cut -c1-8 | tr -d '\\n'; printf '%s\\n' "$token" | cut -c9-
        echo "fine" > "$out_said"
        \"\"\"
}

component fails(token: Secret) {
    script sh \"\"\"echo "failing with $token" >&2; exit 3\"\"\"
}

pipeline leaky(token: Secret = secret("planted", "token")) {
    settings { default_image "alpine:3.20" }
    leak(token)
}

pipeline failing(token: Secret = secret("planted", "token")) {
    settings { default_image "alpine:3.20" }
    fails(token) with secret_env {OTHER: secret("planted", "token")}
}
"""


def lateen(*arguments, text=None):
    environment = dict(os.environ, PLANTED_TOKEN=SECRET, NO_COLOR="1")
    done = subprocess.run([tap.lateen(), *arguments], input=text or "", capture_output=True, text=True, timeout=120, check=False,
                          env=environment)
    return done.returncode, done.stdout + done.stderr


# (arguments, exit status, what must be said: a test that says nothing proves nothing)
CALLS = [
    (["compile", "p.lateen", "-p", "leaky"], 0, "secretKeyRef"),
    (["compile", "p.lateen", "-p", "leaky", "--for", "kfp", "-o", "leaky.tar.gz"], 0, "wrote"),
    (["graph", "p.lateen", "-p", "leaky", "-o", "leaky.svg"], 0, ""),
    (["graph", "p.lateen", "-p", "leaky", "-o", "leaky.json"], 0, ""),
    (["run", "p.lateen", "-p", "leaky"], 0, "Succeeded"),
    (["run", "p.lateen", "-p", "leaky", "--json"], 0, '"fine"'),
    (["run", "p.lateen", "-p", "failing"], 1, "failing with ***"),
    (["logs", "last"], 0, "failing with ***"),
    (["runs"], 0, "failing"),
    (["run", "p.lateen", "-p", "leaky", "token=" + "x" * 5], 2, "never stands on a command line"),
]

CELLS = """leaky()
leak(token: secret("planted", "token"))
leak(token: env("PLANTED_TOKEN"))

"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pathlib.Path("p.lateen").write_text(PROGRAM, encoding="utf-8")
        for arguments, status, part in CALLS:
            name = "lateen " + " ".join(arguments)
            code, said = lateen(*arguments)
            if not tap.is_(code, status, f"{name}: exit status"):
                tap.note(said)
            tap.contains(said, part, f"{name}: it did say something")
            tap.ok(SECRET not in said, f"{name}: but not the secret")
        code, said = lateen("exec", "-", text=PROGRAM + CELLS)
        if not tap.is_(code, 0, "cells that use it run"):
            tap.note(said)
        tap.contains(said, "token is ***", "what they print of it is masked")
        tap.ok(SECRET not in said, "the secret is not shown")
        code, said = lateen("exec", "-", text='print secret("planted", "token")\n')
        tap.is_(code, 1, "a secret is no text: it cannot be printed")
        tap.ok(SECRET not in said, "nor is it in the error")
        files = [p for p in pathlib.Path(".").rglob("*") if p.is_file()]
        tap.ok(any(p.name == "store.db" for p in files), "the store was written")
        found = [str(p) for p in files if SECRET.encode() in p.read_bytes()]
        tap.is_(found, [], f"no file of {len(files)} holds the secret")
        os.chdir("/")
    tap.done_testing()


main()
