#!/usr/bin/env python3
"""An Argo server for tests/runtime/cluster/test_door_argo.c, written to its published API (the gateway's JSON, server-sent events for
watches, lines of JSON for logs). It serves on a port that it writes to standard output, until standard input ends."""
import http.server
import json
import sys
import threading
import urllib.parse

RUNS = {}
NODES = {"run-1": {"id": "run-1", "name": "run-1", "displayName": "run-1", "type": "DAG", "phase": "Running", "children": ["node-1"]},
         "node-1": {"id": "node-1", "name": "run-1.a", "displayName": "a", "type": "Pod", "phase": "Running", "boundaryID": "run-1", "templateName": "t"}}


def status(phase):
    nodes = {key: dict(node, phase=phase) for key, node in NODES.items()} if phase != "Pending" else {}
    return {"phase": phase, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z" if phase == "Succeeded" else None, "nodes": nodes}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, code, value, kind="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code, grpc, message):
        self.answer(code, {"code": grpc, "message": message, "details": []})

    def chunks(self, kind, texts):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in texts:
            data = text.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

    def handle_one(self, method):
        given = self.body() if method in ("POST", "PUT") else {}
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
        if self.headers.get("Authorization") != "Bearer right":
            return self.refuse(401, 16, "token not valid. see https://argo-workflows.readthedocs.io/en/latest/faq/")
        if path == "/api/v1/version":
            return self.answer(200, {"version": "v3.7.18"})
        if path == "/api/v1/info":
            return self.answer(200, {"managedNamespace": "ml"})
        if parts[:3] == ["api", "v1", "workflow-events"]:
            return self.events(asked)
        if parts[0] == "artifact-files":
            return self.answer(200, b"the model", "application/octet-stream")
        if parts[:4] == ["api", "v1", "workflows", "ml"]:
            return self.workflows(method, parts[4:], given)
        return self.refuse(404, 5, "Not Found")

    def workflows(self, method, parts, given):
        if not parts and method == "POST":
            workflow = given["workflow"]
            name = workflow["metadata"]["name"]
            if name in RUNS:
                return self.refuse(409, 6, f'workflows.argoproj.io "{name}" already exists')
            workflow["metadata"] |= {"uid": "uid-1", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
            RUNS[name] = workflow
            return self.answer(200, workflow)
        if not parts:
            return self.answer(200, {"metadata": {"resourceVersion": "1"}, "items": list(RUNS.values()) or None})
        if parts[0] not in RUNS:
            return self.refuse(404, 5, f'workflows.argoproj.io "{parts[0]}" not found')
        workflow = RUNS[parts[0]]
        if parts[1:] == ["log"]:
            lines = ["2026-01-01T00:00:01.5Z one", "2026-01-01T00:00:02.5Z two: é",
                     '2026-01-01T00:00:03Z time="2026-01-01T00:00:03 UTC" level=info msg="sub-process exited" argo=true error="<nil>"']
            return self.chunks("application/json", [json.dumps({"result": {"content": line, "podName": "pod-1"}}) + "\n" for line in lines])
        if method == "PUT" and parts[1] == "retry":
            if given.get("nodeFieldSelector") != "displayName=a" or given.get("restartSuccessful") is not True:
                return self.refuse(500, 13, f"not what was expected: {given}")
        elif method == "DELETE":
            del RUNS[parts[0]]
            return self.answer(200, {})
        return self.answer(200, workflow)

    def events(self, asked):
        """The run goes on while it is watched."""
        workflow = RUNS[asked["listOptions.fieldSelector"].removeprefix("metadata.name=")]
        texts = []
        for version, phase in enumerate(("Running", "Succeeded"), 2):
            workflow["metadata"]["resourceVersion"] = str(version)
            workflow["status"] = status(phase)
            texts.append("data: " + json.dumps({"result": {"type": "MODIFIED", "object": workflow}}) + "\n\n")
        self.chunks("text/event-stream", texts)

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")

    def do_PUT(self):
        self.handle_one("PUT")

    def do_DELETE(self):
        self.handle_one("DELETE")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away is none of ours."""


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
