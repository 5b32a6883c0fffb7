# SPDX-License-Identifier: Apache-2.0
"""Where notifications go in the lab: an HTTP server that keeps what it is sent, by path."""

import http.server
import json
import threading


class Sink:
    def __init__(self):
        self.received = []  # (path, document)
        self.refusals = []  # (status, headers): what the next requests are answered with
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers = sink.refusals.pop(0) if sink.refusals else (200, {})
                if status == 200:
                    sink.received.append((self.path, json.loads(body)))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def to(self, receiver):
        return [document for path, document in self.received if path == f"/{receiver}"]
