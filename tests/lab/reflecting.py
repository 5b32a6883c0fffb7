# SPDX-License-Identifier: Apache-2.0
"""Servers that repeat what they were told in secret: in errors, in answers, in names."""

import http.server
import json
import socketserver
import struct
import threading


def _serve(server):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def saying(answer):
    """A server that says the same to whoever sends it anything."""
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(answer)
    return _serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))


def refusing_postgres(words):
    refused = b"SFATAL\0VFATAL\0C28P01\0M" + words.encode() + b"\0\0"
    return saying(b"E" + struct.pack(">I", len(refused) + 4) + refused)


def answering(answers):
    """An HTTP server: answers(method, path, body) gives status, reason and document of each request."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, reason, document = answers(self.command, self.path, asked)
            body = json.dumps(document).encode()
            self.send_response(status, reason)
            self.send_header("Api-Version", "1.41")  # by which an Engine is known
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, format, *args):  # pylint: disable=redefined-builtin
            pass
    return _serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def at(server):
    return f"127.0.0.1:{server.server_address[1]}"


def stop(servers):
    for server in servers:
        server.shutdown()
        server.server_close()
