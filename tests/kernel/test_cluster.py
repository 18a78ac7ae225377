#!/usr/bin/env python3
"""`lateen check FILE --on NAME` and `check P on NAME` against an API server of ours, from the command line's end: what is said at
which line, with which exit status, and that no secret is in it."""
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tap  # noqa: E402

TOKEN = "planted-7c2e41-token"
SECRET = "cGxhbnRlZC1zZWNyZXQ="

PROGRAM = """component hello(token: Secret) {
    image "busybox:1.36"
    command ["echo", token]
}

pipeline p(token: Secret = secret("github", "token")) {
    settings { service_account "runner" }
    first = hello(token)
    second = hello(token) with gpu 2, node_selector {pool: "big"}
}

pipeline q() {
    settings { default_image "busybox:1.36" }
    r = w()
}

component w() {
    script sh \"\"\"true\"\"\"
}

cluster prod { context "here" }
cluster elsewhere { context "here", namespace "nowhere" }
cluster unknown { context "there" }
"""


class World:
    """What the server says; a test changes it."""
    def __init__(self):
        self.log = []
        self.answers = {}
        self.reset()

    def reset(self):
        self.log.clear()
        self.answers = {
            "/version": (200, {"gitVersion": "v1.35.4"}),
            "/apis/argoproj.io/v1alpha1": (200, {"kind": "APIResourceList", "resources": [{"name": "workflows"}]}),
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": (201, {"status": {"allowed": True}}),
            "/apis/argoproj.io/v1alpha1/namespaces/ml/workflows": (201, {"kind": "Workflow"}),
            "/api/v1/namespaces/ml/serviceaccounts/runner": (200, {"kind": "ServiceAccount"}),
            "/api/v1/namespaces/ml/serviceaccounts/default": (200, {"kind": "ServiceAccount"}),
            "/api/v1/namespaces/ml/secrets/github": (200, {"kind": "Secret", "data": {"token": SECRET}}),
            "/apis/apps/v1/deployments": (200, {"items": [{"status": {"availableReplicas": 1}}]}),
            "/api/v1/nodes": (200, {"items": [{"metadata": {"labels": {"pool": "big"}}, "status": {"allocatable": {"nvidia.com/gpu": "2"}}}]}),
        }


WORLD = World()


def status(code, message, **details):
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message, "details": details}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        WORLD.log.append((self.command, path, query, body.decode()))
        code, answer = WORLD.answers.get(path, status(404, f"{path} not found"))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            code, answer = status(401, "Unauthorized")
        text = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET


SAID = []


def lateen(*arguments, text=None, **environment):
    done = subprocess.run([tap.lateen(), *arguments], input=text or "", capture_output=True, text=True, timeout=120, check=False,
                          env=dict(os.environ, NO_COLOR="1", **environment))
    SAID.append(done.stdout + done.stderr)
    return done


def diagnostics(*arguments):
    done = lateen("check", "p.lateen", "--json", *arguments)
    try:
        return done, [(d["code"], d["start"]["line"]) for d in json.loads(done.stdout)]
    except (ValueError, KeyError, TypeError):
        return done, done.stdout


def good():
    done, found = diagnostics("--on", "prod")
    tap.is_((done.returncode, found), (0, []), "two pipelines that nothing would stop")
    tap.contains(done.stderr, "p on prod (http://127.0.0.1:", "the first is named, with the server")
    tap.contains(done.stderr, "Kubernetes v1.35.4, namespace ml): nothing would stop it", "its version and the namespace")
    tap.contains(done.stderr, "q on prod", "and the second")
    posts = [(path, query, json.loads(body)) for method, path, query, body in WORLD.log if method == "POST" and "workflows" in path]
    tap.is_([query for _, query, _ in posts], ["dryRun=All&fieldValidation=Strict"] * 2, "both are strict dry runs")
    tap.is_([body["kind"] for _, _, body in posts], ["Workflow"] * 2, "of workflows")
    done, found = diagnostics("--on", "prod", "-p", "q")
    tap.ok(done.returncode == 0 and "p on prod" not in done.stderr, "-p names one")


# (name, what the server says otherwise, --on, exit status, codes with the lines they are at)
CASES = [
    ("no Secret", {"/api/v1/namespaces/ml/secrets/github": status(404, "not found")}, "prod", 1, [("L1006", 8)]),
    ("a Secret without the key", {"/api/v1/namespaces/ml/secrets/github": (200, {"data": {"tokn": SECRET}})}, "prod", 1, [("L1006", 8)]),
    ("no service account", {"/api/v1/namespaces/ml/serviceaccounts/runner": status(404, "not found")}, "prod", 1, [("L1006", 6)]),
    ("Secrets that may not be read", {"/api/v1/namespaces/ml/secrets/github": status(403, 'User "ada" cannot get resource "secrets"')}, "prod", 0,
     [("L1008", 8)]),
    ("no node with the label", {"/api/v1/nodes": (200, {"items": []})}, "prod", 0, [("L1007", 9)]),
    ("not allowed", {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": (201, {"status": {"allowed": False}})}, "prod", 1,
     [("L1003", 6), ("L1003", 12)]),
    ("no Argo", {"/apis/argoproj.io/v1alpha1": status(404, "not found")}, "prod", 1, [("L1004", 6), ("L1004", 12)]),
    ("refused", {"/apis/argoproj.io/v1alpha1/namespaces/ml/workflows": status(422, "no", causes=[{"field": "spec.templates[1]", "message": "bad"}])},
     "prod", 1, None),
    ("no such namespace", {"/apis/argoproj.io/v1alpha1/namespaces/nowhere/workflows": status(404, "not found", kind="namespaces")}, "elsewhere", 1,
     [("L1006", 6), ("L1006", 12)]),
    ("no such context", {}, "unknown", 1, [("L1002", 6), ("L1002", 12)]),
    ("no such cluster", {}, "prd", 2, ""),
]


def cases():
    for name, answers, target, code, want in CASES:
        WORLD.reset()
        WORLD.answers.update(answers)
        done, found = diagnostics("--on", target)
        if want is None:
            tap.ok(done.returncode == code and {c for c, _ in found} == {"L1005"}, f"{name}: {found}")
        else:
            tap.is_((done.returncode, found), (code, want), name)
    tap.contains(SAID[-1], "the program declares `prod`, `elsewhere`, `unknown`", "a cluster that is not declared, and those that are")


def in_a_cell():
    WORLD.reset()
    done = lateen("exec", "-", text=PROGRAM + "check p on prod\nprod\n")
    tap.is_(done.returncode, 0, "`check p on prod` in a cell")
    tap.contains(done.stdout, "nothing would stop it", "says so")
    tap.contains(done.stdout, "context          here", "and a cluster's name alone shows what it is")
    WORLD.answers["/api/v1/namespaces/ml/secrets/github"] = status(404, "not found")
    done = lateen("exec", "-", text=PROGRAM + "check p on prod\nprint \"after\"\n")
    tap.is_(done.returncode, 1, "what would stop it ends the cell in error")
    tap.ok("error[L1006]: the namespace `ml` has no Secret `github`" in done.stdout + done.stderr and "after" not in done.stdout, "with the finding")


def wrong_token(folder):
    other = pathlib.Path(folder, "other")
    other.write_text(pathlib.Path(folder, "config").read_text().replace(TOKEN, TOKEN + "-old"))
    done = lateen("check", "p.lateen", "--on", "prod", "-p", "q", KUBECONFIG=str(other))
    tap.is_(done.returncode, 1, "a token that the server does not know")
    tap.contains(done.stdout, "error[L1003]: `http://127.0.0.1:", "is said")
    tap.contains(done.stdout, "the token of the context `here`", "with what to do")
    os.environ["KUBECONFIG"] = str(other)
    tap.ok(TOKEN not in lateen("doctor").stdout, "the doctor does not show it either")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pathlib.Path("p.lateen").write_text(PROGRAM)
        pathlib.Path("config").write_text(json.dumps({
            "current-context": "here", "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "ml"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
            "users": [{"name": "u", "user": {"token": TOKEN}}]}))
        for name in list(os.environ):
            if re.fullmatch(r"(https?|all)_proxy", name, re.IGNORECASE):
                del os.environ[name]
        os.environ.update(KUBECONFIG=os.path.join(folder, "config"), HOME=folder)
        good()
        cases()
        in_a_cell()
        wrong_token(folder)
        said = "".join(SAID)
        tap.ok("planted" not in said and SECRET not in said, f"no secret in the {len(said)} characters that were said")
    tap.done_testing()


main()
