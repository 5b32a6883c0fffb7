# SPDX-License-Identifier: Apache-2.0
"""What the tests of the exporter share: a target that does as it is told, scraping, and reading pages."""

import http.server
import json
import re
import subprocess
import threading
import types
import urllib.request

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
            def do_GET(self):
                target.hits.append((self.path, dict(self.headers)))
                target.open.wait(60)
                self.send_response(target.status)
                self.send_header("Content-Length", str(len(target.body)))
                self.end_headers()
                self.wfile.write(target.body)

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


def samples(page):
    """{(name, sorted labels): value}; every line must be well-formed."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r'([a-z0-9_]+)(?:\{(.*)\})? (\S+)', line).groups()
        pairs = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert (name, pairs) not in found, line
        found[name, pairs] = float(value)
    return types.SimpleNamespace(all=found, page=page)


def scrape(daemon, query="", timeout=None):
    """One scrape; with a timeout as Prometheus does it: it says it in a header and gives up after it."""
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(timeout)} if timeout else {}
    request = urllib.request.Request(f"{daemon.url}/metrics{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=timeout or 15) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return samples(answer.read().decode())


def value(found, name, /, **labels):
    return found.all.get((name, tuple(sorted(labels.items()))))


def promtool(page):
    """What `promtool check metrics` has to say: nothing."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def logged(daemon, message):
    return [line for line in daemon.process.output().splitlines() if f'msg="{message}"' in line]
