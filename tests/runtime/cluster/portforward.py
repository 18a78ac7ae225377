"""What an API server does with pods/portforward over WebSocket, v4.channel.k8s.io; the pod's name says how it behaves. For
api_server.py."""
import base64
import hashlib
import json
import os
import struct
import time
import urllib.parse

SEEN = {}  # tokens by pod


def frame(payload, kind=2, last=True, mask=False):
    n = len(payload)
    head = bytes([(0x80 if last else 0) | kind, (0x80 if mask else 0) | (n if n < 126 else 126 if n < 65536 else 127)])
    head += b"" if n < 126 else struct.pack(">H", n) if n < 65536 else struct.pack(">Q", n)
    return head + (bytes(4) if mask else b"") + payload


def read_frame(stream):
    """(kind, payload), or None at the end. A client's frames must have a mask."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    assert head[0] & 0x80 and head[1] & 0x80, "a frame without mask, or in parts"
    n = head[1] & 0x7F
    if n == 126:
        n, = struct.unpack(">H", stream.read(2))
    elif n == 127:
        n, = struct.unpack(">Q", stream.read(8))
    mask = stream.read(4)
    return head[0] & 15, bytes(b ^ m for b, m in zip(stream.read(n), mask * (n // 4 + 1)))


def refuse(handler, status, reason):
    message = 'pods "x" is forbidden: User "ada" cannot create resource "pods/portforward"' if status == 403 else reason
    handler.answer(status, json.dumps({"kind": "Status", "code": status, "reason": reason, "message": message}).encode())


def upgrade(handler, accept):
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header("Sec-WebSocket-Accept", accept)
    handler.send_header("Sec-WebSocket-Protocol", handler.headers["Sec-WebSocket-Protocol"])
    handler.end_headers()


def echo(handler, write):
    """Says again what comes, in capitals, until "bye"."""
    while True:
        got = read_frame(handler.rfile)
        if not got or got[0] == 8:
            return
        if got[0] != 2:
            continue
        assert got[1][:1] == b"\0", "a channel that is not for data"
        if got[1][1:].startswith(b"bye"):
            write(frame(b"\0BYE\n") + frame(struct.pack(">H", 1000), 8))
            return
        write(frame(b"\0" + got[1][1:].upper()))


def behave(handler, name, port):
    def write(data):
        handler.wfile.write(data)

    start = frame(b"\0" + struct.pack("<H", port)) + frame(b"\1" + struct.pack("<H", port))
    if name == "bytewise":
        for i in range(len(start)):
            write(start[i:i + 1])
        echo(handler, write)
    elif name == "parts":  # a message in parts, a ping between them
        write(start + frame(b"\0one ", last=False) + frame(b"", 9) + frame(b"two ", 0, last=False) + frame(b"three\n", 0))
        write(frame(b"\1") + frame(b"") + frame(b"\7noise") + frame(struct.pack(">H", 1000), 8))
    elif name == "ping":
        write(start + frame(b"hello", 9))
        kind = 0
        while kind != 10:
            kind, payload = read_frame(handler.rfile)
        write(frame(b"\0pong " + payload + b"BYE\n") + frame(struct.pack(">H", 1000), 8))
    elif name == "refused":
        write(start + frame(b"\1error forwarding port: connect: connection refused"))
    elif name == "gone":
        write(start + frame(b"\1the sandbox is\ngone"))
    elif name == "masked":
        write(start + frame(b"\0x", mask=True))
    elif name == "cut":
        write(start + frame(b"\0half of it")[:-4])
    elif name == "code":
        write(start + frame(struct.pack(">H", 1011), 8))
    elif name == "flood":
        write(start)
        for i in range(200):
            write(frame(b"\0" + b"%07d\n" % i * 8192))
        write(frame(struct.pack(">H", 1000), 8))
    elif name == "deaf":  # takes nothing, says nothing
        write(start)
        time.sleep(60)
    else:
        write(start)
        echo(handler, write)


def serve(handler, name):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)
    tokens = SEEN.setdefault(name, [])
    tokens.append(handler.headers.get("Authorization"))
    accept = hashlib.sha1(handler.headers["Sec-WebSocket-Key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    if handler.headers["Sec-WebSocket-Protocol"] != "v4.channel.k8s.io" or handler.headers["Connection"] != "Upgrade":
        refuse(handler, 400, "BadRequest")
    elif name == "denied":
        refuse(handler, 403, "Forbidden")
    elif name == "expired" and tokens[0] == tokens[-1]:
        refuse(handler, 401, "Unauthorized")
    elif name == "plain":
        handler.wfile.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n")
    elif name == "nonsense":
        handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
    elif name == "liar":
        upgrade(handler, base64.b64encode(os.urandom(20)).decode())
    else:
        upgrade(handler, base64.b64encode(accept).decode())
        try:
            behave(handler, name, int(query["ports"][0]))
        except OSError:
            pass
