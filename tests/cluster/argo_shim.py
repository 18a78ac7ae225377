"""An Argo server of our own before a real cluster: its published REST API, carried out by the Kubernetes API. For want of the real
one, which cannot be built from its module."""
import http.client
import http.server
import json
import re
import threading
import urllib.parse

import kube

PATCHES = {"stop": {"spec": {"shutdown": "Stop"}}, "terminate": {"spec": {"shutdown": "Terminate"}}, "suspend": {"spec": {"suspend": True}}}
GRPC = {400: 3, 404: 5, 409: 6, 403: 7, 422: 3}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cluster = token = None

    def log_message(self, *args):
        pass

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code, message):
        self.answer(code, {"code": GRPC.get(code, 13), "message": message})

    def pass_on(self, method, path, body=None, kind="application/json"):
        """What Kubernetes answers, or its refusal in the server's words."""
        status, text = self.cluster.exchange(method, path, body, kind)
        value = json.loads(text)
        if status >= 400:
            self.refuse(status, value.get("message", ""))
        else:
            self.answer(200, value)

    def lines(self, path):
        """A stream of Kubernetes', line by line."""
        connection = http.client.HTTPConnection(*self.cluster.address, timeout=600)
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise kube.Refused(path, answer.status, answer.read().decode())
        yield from answer

    def stream(self, kind, texts):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in texts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.write(b"0\r\n\r\n")

    def handle_one(self, method):
        length = int(self.headers.get("Content-Length", 0))
        given = json.loads(self.rfile.read(length) or b"{}")
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        options = {k.partition(".")[2]: v for k, v in asked.items() if k.startswith(("listOptions.", "logOptions."))}
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.refuse(401, "token not valid")
        if path == "/api/v1/version":
            return self.answer(200, {"version": "v3.7.18"})
        if path == "/api/v1/info":
            return self.answer(200, {})
        if parts[:3] == ["api", "v1", "workflow-events"]:
            return self.events(parts[3], options)
        if parts[:3] == ["api", "v1", "workflows"]:
            return self.workflows(method, parts[3], parts[4:], options, given, asked)
        return self.refuse(404, "Not Found")

    def workflows(self, method, space, parts, options, given, asked):
        path = f"{kube.ARGO}/namespaces/{space}/workflows"
        if not parts:
            return self.pass_on(method, f"{path}?{urllib.parse.urlencode(options)}", given["workflow"] if method == "POST" else None)
        if parts == ["lint"]:
            return self.pass_on("POST", f"{path}?dryRun=All&fieldValidation=Strict", given["workflow"])
        if len(parts) == 1:
            return self.pass_on(method, f"{path}/{parts[0]}")
        if parts[1] == "log":
            return self.log(space, asked["podName"], options)
        if parts[1] in PATCHES:
            return self.pass_on("PATCH", f"{path}/{parts[0]}", PATCHES[parts[1]], "application/merge-patch+json")
        return self.refuse(501, f"{parts[1]} is not carried out here")

    def events(self, space, options):
        options |= {"watch": "true", "allowWatchBookmarks": "true"}
        found = self.lines(f"{kube.ARGO}/namespaces/{space}/workflows?{urllib.parse.urlencode(options)}")
        self.stream("text/event-stream", (b"data: {\"result\":" + line.strip() + b"}\n\n" for line in found if b'"BOOKMARK"' not in line[:40]))

    def log(self, space, pod, options):
        query = {k: v for k, v in options.items() if k in ("container", "follow", "timestamps")}
        try:
            found = self.lines(f"/api/v1/namespaces/{space}/pods/{pod}/log?{urllib.parse.urlencode(query)}")
            lines = [next(found)]
        except (kube.Refused, StopIteration):
            return self.stream("application/json", [])
        entries = (json.dumps({"result": {"content": re.sub(r"\n$", "", line.decode()), "podName": pod}}).encode() + b"\n"
                   for part in (lines, found) for line in part)
        return self.stream("application/json", entries)

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


def start(cluster, token):
    """Its address."""
    Handler.cluster, Handler.token = cluster, token
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"
