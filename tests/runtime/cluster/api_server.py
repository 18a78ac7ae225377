#!/usr/bin/env python3
"""A TLS server for tests/runtime/cluster/test_http.c: api_server.py FOLDER. Makes an authority and certificates in FOLDER, then
serves on four ports, which it writes to standard output on one line, until standard input ends: a good certificate (for
localhost, 127.0.0.1 and kube.example), one that has expired, one that is not valid yet, and plain text without TLS. The first asks for a client
certificate and takes none but the authority's."""
import http.server
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
import portforward  # noqa: E402 (the line before is for it)

FOLDER = pathlib.Path(sys.argv[1])
GONE = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        """What came, as JSON."""
        length = int(self.headers.get("Content-Length", 0))
        peer = self.connection.getpeercert() if hasattr(self.connection, "getpeercert") else None
        subject = dict(part[0] for part in peer["subject"]) if peer else {}
        name = self.connection.asked_for if hasattr(self.connection, "asked_for") else None
        told = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode(), "who": subject.get("commonName"),
                "authorization": self.headers.get("Authorization"), "accept": self.headers.get("Accept"),
                "type": self.headers.get("Content-Type"), "groups": self.headers.get_all("Impersonate-Group"),
                "host": self.headers.get("Host").partition(":")[0], "name": name}
        self.answer(200, json.dumps(told).encode())

    def do_POST(self):
        self.echo()

    def do_GET(self):
        if self.path == "/redirect":
            self.answer(302, b"", Location="/elsewhere")
        elif self.path == "/busy":
            self.answer(429, b"{}", Retry_After="7")
        elif self.path == "/port":
            self.answer(200, str(self.client_address[1]).encode())
        elif self.path == "/never":
            GONE.wait()
        elif self.path == "/drip":
            self.drip()
        elif self.path == "/endless":
            self.endless()
        elif self.path == "/reset":
            self.reset()
        elif self.path.startswith("/stream"):
            self.stream()
        elif "/pods/" in self.path:
            self.pod()
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"half": ')
            self.close_connection = True
        else:
            self.echo()

    def pod(self):
        """A pod that runs, whatever its name (which says how its ports behave)."""
        name = self.path.partition("/pods/")[2].partition("/")[0]
        if "/portforward" in self.path:
            portforward.serve(self, name)
            self.close_connection = True
        elif name == "nowhere":
            self.answer(404, json.dumps({"kind": "Status", "code": 404, "reason": "NotFound", "message": 'pods "nowhere" not found'}).encode())
        else:
            self.answer(200, json.dumps({"kind": "Pod", "status": {"phase": "Pending" if name == "pending" else "Running"}}).encode())

    def stream(self):
        """A body in chunks: /stream/whole, /stream/hang (never ends), /stream/reset, /stream/flood (40 MB)."""
        kind = self.path.removeprefix("/stream/")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        parts = [b"%08d " % i * 10000 for i in range(400)] if kind == "flood" else [b"one\n", b"two\n", b"three\n"]
        try:
            for part in parts:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                GONE.wait(0 if kind == "flood" else 0.01)
            if kind == "hang":
                GONE.wait()
            elif kind == "reset":
                self.reset()
            else:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def drip(self):
        """A byte now and then: never silent, never done."""
        self.send_response(200)
        self.end_headers()
        try:
            while not GONE.wait(0.05):
                self.wfile.write(b" ")
        except OSError:
            pass
        self.close_connection = True

    def endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not GONE.is_set():
                self.wfile.write(b" " * 60000)
        except OSError:
            pass
        self.close_connection = True

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def make_authority():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj", "/CN=test authority",
            "-keyout", FOLDER / "ca.key", "-out", FOLDER / "ca.crt")
    (FOLDER / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={FOLDER}/index\nserial={FOLDER}/serial\nnew_certs_dir={FOLDER}\ndefault_md=sha256\npolicy=p\n"
        "unique_subject=no\n[p]\ncommonName=supplied\n[server]\nsubjectAltName=DNS:localhost,DNS:kube.example,IP:127.0.0.1\n[client]\n")
    (FOLDER / "index").touch()
    (FOLDER / "serial").write_text("01\n")


def make(name, kind, start, end):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", FOLDER / f"{name}.key",
            "-out", FOLDER / f"{name}.csr")
    openssl("ca", "-batch", "-config", FOLDER / "ca.cnf", "-cert", FOLDER / "ca.crt", "-keyfile", FOLDER / "ca.key", "-extensions", kind,
            "-startdate", start, "-enddate", end, "-in", FOLDER / f"{name}.csr", "-out", FOLDER / f"{name}.crt", "-notext")


def serve(name):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if name:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(FOLDER / f"{name}.crt", FOLDER / f"{name}.key")
        context.load_verify_locations(FOLDER / "ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = lambda connection, asked, _: setattr(connection, "asked_for", asked)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    make_authority()
    for name, kind, start, end in [("good", "server", "20200101000000Z", "20490101000000Z"),
                                   ("old", "server", "20200101000000Z", "20210101000000Z"),
                                   ("new", "server", "20480101000000Z", "20490101000000Z"),
                                   ("ada", "client", "20200101000000Z", "20490101000000Z")]:
        make(name, kind, start, end)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj", "/CN=another authority",
            "-keyout", FOLDER / "other.key", "-out", FOLDER / "other.crt")
    servers = [serve(name) for name in ("good", "old", "new", None)]
    print(*[server.server_address[1] for server in servers], flush=True)
    sys.stdin.read()
    GONE.set()


main()
