# SPDX-License-Identifier: Apache-2.0
"""Where notifications go in the lab: an HTTP server that keeps what it is sent, by path."""

import http.server
import json
import threading

from .apis import APIS, refusal


class Sink:
    def __init__(self):
        self.received = []  # (path, document)
        self.refusals = []  # (status, headers): what the next requests are answered with
        self.apis = {}  # path: the word of a format, whose service takes only what the real one would
        self.wrong = []  # (path, why, body) of what it did not take
        self.headers = []  # of each request
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                word = sink.apis.get(self.path)
                why = refusal(word, body) if word else None
                status, headers = sink.refusals.pop(0) if sink.refusals else (APIS[word][1] if word else 200, {})
                sink.headers.append(dict(self.headers))
                if why:
                    sink.wrong.append((self.path, why, body))
                    status = 400
                if status < 300:
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
