# SPDX-License-Identifier: Apache-2.0
"""How small the exporter is with one check of every kind there is."""

import json
import re
import shutil
import ssl
import subprocess
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.parts import ROOT, Process, wait_for
from lab.runbook import Exporter
from lab.s3 import S3

from .measuring import BUILD, MB, Scraper, pss, rss

SCRAPES = 20


def kinds():
    """As the exporter itself names them."""
    text = subprocess.run([BUILD / "runbook_exporter", "describe"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return [name for name in re.findall(r"^## (\S+)$", text, re.MULTILINE)]


class SecureServer:
    """An HTTPS server with a certificate of its own."""

    def __init__(self, directory):
        self.certificate = directory / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "90",
                        "-keyout", directory / "key.pem", "-out", self.certificate], check=True, stderr=subprocess.DEVNULL)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that does not trust us, or only looks at the certificate

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, directory / "key.pem")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def start_bus(directory):
    """A D-Bus without a systemd on it, where there is one: then the kind fails, having spoken to it."""
    program, address = shutil.which("dbus-daemon"), directory / "bus"
    if not program:
        return None
    process = Process([program, "--session", "--nofork", "--nopidfile", f"--address=unix:path={address}"],
                      directory / "bus.log").start()
    process.up(address.exists, "D-Bus to listen")
    return process


def write_files(directory):
    (directory / "logs").mkdir()
    (directory / "logs/app.log").write_text("INFO it runs\nERROR it does not\n" * 1000, encoding="ascii")
    (directory / "backups").mkdir()
    with tarfile.open(directory / "backups/backup.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "rules", "rules")


def checks(directory, installation, secure, bucket):
    """{kind: its options}."""
    dsn = installation.postgres.dsn(user="runbook_exporter")
    trust = {"ca_file": str(secure.certificate)}
    return {
        "http": {"url": f"https://{secure.address}/", "tls_config": trust},
        "redis": {"address": installation.redis.address},
        "postgres": {"dsn": dsn, "long_running": "5m"},
        "docker": {"host": installation.engine.host, "project": "devops-mcp", "services": ["mcp-server", "rest-api", "worker"]},
        "disk": {"mountpoints": ["/"]},
        "prometheus": {"url": installation.prometheus.url, "query": "sum(rate(http_requests_total[1h]))"},
        "system": {},
        "tls": {"address": secure.address, "tls_config": trust},
        "exec": {"command": ["/bin/echo", "OK - fine | users=4"]},
        "files": {"directories": [str(directory / "backups")], "format": "tar"},
        "log": {"files": [str(directory / "logs/*.log")],
                "patterns": [{"name": "error", "pattern": "error|exception", "ignore_case": True}]},
        "s3": {"bucket": "backups", "region": bucket.region, "endpoint": bucket.endpoint,
               "access_key_file": str(directory / "access"), "secret_key_file": str(directory / "secret")},
        "heartbeat": {"period": "1d"},
        "systemd": {"units": ["docker.service"], "address": f"unix:path={directory}/bus"},
    }


def run(table, bench):
    directory = bench.directory / "kinds"
    directory.mkdir()
    write_files(directory)
    secure, bucket = SecureServer(directory), S3()
    for number in range(100):
        bucket.put("backups", f"{number}.dump", 1000, time.time())
    (directory / "access").write_text(next(iter(bucket.keys)), encoding="ascii")
    (directory / "secret").write_text(next(iter(bucket.keys.values())), encoding="ascii")
    bus = start_bus(directory)
    options = checks(directory, bench.installation(), secure, bucket)
    names = kinds()
    missing = set(names) - set(options)
    assert not missing, f"tests/bench/kinds.py has no check of {', '.join(sorted(missing))}"
    config = directory / "checks.yml"
    config.write_text(json.dumps({"checks": [{"name": name, name: options[name]} for name in names]}), encoding="ascii")
    exporter = Exporter(BUILD / "runbook_exporter", config, directory / "exporter").start()
    scrape = Scraper(exporter.port, headers={})
    try:
        for _ in range(SCRAPES):
            page = scrape().decode()
        succeed = re.findall(r'^runbook_check_success\{check="(\w+)"\} 1$', page, re.MULTILINE)
        size, share = rss(exporter.process.pid), pss(exporter.process.pid)
    finally:
        scrape.close()
        exporter.stop()
        secure.stop()
        bucket.stop()
        if bus:
            bus.stop()
    table.add(f"RSS with a check of every kind ({len(names)}, {len(succeed)} succeed)", f"{size / MB:.1f} MB",
              f"PSS {share / MB:.1f} MB", size / MB, 16, False, "MB", failing=sorted(set(names) - set(succeed)))
