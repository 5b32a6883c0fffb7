# SPDX-License-Identifier: Apache-2.0
"""A target that does as it is told."""

import http.server
import json
import threading

from lab.parts import serve_tls


class Target:
    """An HTTP server that counts what it is asked, and answers when it is let."""

    def __init__(self, tls=None):
        self.hits = []
        self.status, self.body = 200, b"{}"
        self.open = threading.Event()
        self.open.set()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target.hits.append((self.path, dict(self.headers)))
                target.open.wait(60)
                self.send_response(target.status)
                self.send_header("Content-Length", str(len(target.body)))
                self.end_headers()
                self.wfile.write(target.body)

            do_POST = do_GET  # pylint: disable=invalid-name

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        if tls:
            serve_tls(self.server, *tls)
            self.url = f"https://localhost:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, document, status=200):
        self.status, self.body = status, json.dumps(document).encode()

    def stop(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()
