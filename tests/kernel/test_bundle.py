#!/usr/bin/env python3
"""`lateen doctor --bundle`: what stands in it, and that no secret does, wherever one may lie on a machine."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

PLANTED = {kind: f"planted-{kind}-5c1e" for kind in (
    "variable", "file", "argument", "message", "output", "url", "token", "password", "exec", "kubetoken", "kubepassword", "stored")}

PROGRAM = f"""component fails(said: String, token: Secret) {{
    script sh \"\"\"echo "the log says $said" >&2; exit 3\"\"\"
}}

component wrong() -> (n: Integer) {{
    script sh \"\"\"printf 'password=%s' {PLANTED["message"]} > "$out_n" \"\"\"
}}

component gives() -> (said: String) {{ script sh \"\"\"echo {PLANTED["output"]} > "$out_said" \"\"\" }}

cluster kfp {{ kfp "http://127.0.0.1:9/pipeline?token={PLANTED["url"]}", token secret("kfp", "token") }}
cluster dex {{ kfp "http://127.0.0.1:9", auth dex, user "me@example.org", password env("DEX_PASS") }}
pipeline one(said: String, token: Secret = secret("stored", "token")) {{ fails(said, token) }}
pipeline two() {{ wrong() }}
pipeline three() {{ gives() }}
"""

KUBECONFIG = f"""apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:9"}}}}]
users: [{{name: u, user: {{token: {PLANTED["kubetoken"]}}}}}]
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder, "home")
        secrets = home / ".config" / "lateen" / "secrets" / "stored"
        secrets.mkdir(parents=True)
        (secrets / "token").write_text(PLANTED["file"] + "\n", encoding="utf-8")
        (home / ".kube").mkdir()
        (home / ".kube" / "config").write_text(KUBECONFIG, encoding="utf-8")
        program = pathlib.Path(folder, "p.lateen")
        program.write_text(PROGRAM, encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SOME_API_TOKEN": PLANTED["variable"],
                       "KFP_TOKEN": PLANTED["token"], "DEX_PASS": PLANTED["password"], "LC_ALL": "C.UTF-8"}

        def lateen(*arguments):
            return subprocess.run([tap.lateen(), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
                                  check=False)

        lateen("run", str(program), "-p", "one", f"said={PLANTED['argument']}")
        lateen("run", str(program), "-p", "two")
        lateen("run", str(program), "-p", "three")
        done = lateen("doctor", "--bundle", "bundle.txt", "--file", str(program))
        tap.is_(done.returncode, 0, "a bundle is written")
        tap.contains(done.stdout, "bundle.txt", "and named")
        text = pathlib.Path(folder, "bundle.txt").read_text(encoding="utf-8")
        for part in ("Lateen ", "libraries", "http://127.0.0.1:9", "reached", "  kfp\n", "  dex\n", "L1002", "Failed 1", "Error 1",
                     "Succeeded 1", "recent errors", "exit code 3"):
            tap.contains(text, part, f"it holds {part.strip()!r}")
        for kind, secret in PLANTED.items():
            tap.ok(secret not in text and secret not in done.stdout + done.stderr, f"and no secret of the kind {kind}")
        tap.ok("the log says" not in text, "nor what a step wrote")
        done = lateen("doctor", "--bundle", "-")
        tap.ok(done.returncode == 0 and "recent errors" in done.stdout, "- is standard output")
        done = lateen("doctor", "--bundle", "nowhere/bundle.txt")
        tap.is_(done.returncode, 3, "a place that cannot be written")


main()
tap.done_testing()
