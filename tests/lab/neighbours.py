# SPDX-License-Identifier: Apache-2.0
"""What the shipped checks look at beside the services: regions, a certificate, Grafana, backups and their bucket, logs.

Backups are real ones, of the lab's own servers; S3 is the lab's, which verifies signatures. Grafana is in no Debian
package: an HTTP server gives its answer.
"""

import http.server
import pathlib
import subprocess
import tarfile
import threading
import time

from .certificates import Authority
from .parts import free_port, serve_tls
from .s3 import S3

ANSWERS = {"/health": b'{"status": "healthy"}', "/api/health": b'{"database": "ok", "version": "0"}'}


class Answering:
    """A server that answers as ANSWERS says."""

    def __init__(self, tls=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                body = ANSWERS.get(self.path, b"")
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.server.daemon_threads = True
        if tls:
            serve_tls(self.server, *tls)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Neighbours:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.backups, self.logs = (self.directory / name for name in ("backups", "log"))
        for path in (self.backups, self.logs):
            path.mkdir(parents=True)
        self.authority = Authority(self.directory / "certificates")
        self.plain = Answering()
        self.secure = Answering(self.authority.issue("api", sans="IP:127.0.0.1"))
        self.s3 = S3(region="us-east-1")

    def addresses(self):
        return {
            "https://api-east.mcp.example.com": f"http://{self.plain.address}",
            "https://api-west.mcp.example.com": f"http://{self.plain.address}",
            "api.mcp.example.com:443": self.secure.address,
            "https://s3.us-east-1.amazonaws.com": self.s3.endpoint.replace("localhost", "127.0.0.1"),
            "localhost:3000": self.plain.address,
            "/var/log/mcp": self.logs,
            "/mnt/data": "/dev/shm",  # a volume that is mounted everywhere
            "[/backups]": f"[{self.backups}]",
        }

    def write_secrets(self, secrets):
        (key, secret), = self.s3.keys.items()
        (secrets / "backup_access_key").write_text(f"{key}\n", encoding="ascii")
        (secrets / "backup_secret_key").write_text(f"{secret}\n", encoding="ascii")

    def back_up(self, postgres, redis):
        """The runbook's manual backup, down to the bucket's listing."""
        place = self.backups / f"mcp_{time.strftime('%Y%m%d_%H%M%S')}"
        place.mkdir()
        for name, words in (("postgres_mcp.dump", []), ("vectors.dump", ["-t", "vector_embeddings"])):
            subprocess.run(["pg_dump", "-d", postgres.dsn(), *words, "-F", "c", "-f", place / name], check=True)
        redis.client.save()
        (place / "redis.rdb").write_bytes((redis.directory / "dump.rdb").read_bytes())
        with tarfile.open(place / "configs.tar.gz", "w:gz") as archive:
            archive.add(__file__, "etc/mcp/config")
        (place / "image_versions.txt").write_text("devops-mcp-mcp-server 1.0.0\n", encoding="ascii")
        (self.logs / "service.log").write_text("started\n", encoding="ascii")
        for file in place.iterdir():
            self.s3.put("mcp-backups-prod", f"{place.name}/{file.name}", file.stat().st_size, time.time())

    def stop(self):
        for part in (self.plain, self.secure, self.s3):
            part.stop()
