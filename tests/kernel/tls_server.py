#!/usr/bin/env python3
"""A TLS server for tests/kernel/test_resolver.c: tls_server.py FOLDER. Makes a certificate for 127.0.0.1 in FOLDER, writes the
port to standard output, serves until standard input ends. /NAME.yaml are the files of FOLDER; the other paths misbehave."""
import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import threading

FOLDER = pathlib.Path(sys.argv[1])
GONE = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        port = self.server.server_address[1]
        path = self.path.partition("?")[0]
        if path == "/redirect":
            self.answer(302, Location="/moved/small.yaml")
        elif path == "/to-http":
            self.answer(302, Location=f"http://127.0.0.1:{port}/small.yaml")
        elif path == "/to-file":
            self.answer(302, Location=f"file://{FOLDER}/small.yaml")
        elif path == "/loop":
            self.answer(302, Location="/loop")
        elif path == "/broken":
            self.answer(503, b"later")
        elif path == "/never":
            GONE.wait()
        elif path == "/endless":
            self.endless()
        elif path == "/claims-much":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 40))
            self.end_headers()
            self.wfile.write(b"a")
        elif (FOLDER / os.path.basename(path)).is_file():
            self.answer(200, (FOLDER / os.path.basename(path)).read_bytes())
        else:
            self.answer(404, b"no such thing")

    def endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not GONE.is_set():
                self.wfile.write(b"# endless\n" * 6000)
        except OSError:
            pass
        self.close_connection = True


def main():
    key, certificate = FOLDER / "key.pem", FOLDER / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    GONE.set()
    server.server_close()


main()
