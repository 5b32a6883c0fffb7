# SPDX-License-Identifier: Apache-2.0
"""A PgBouncer of our own before a server of ours: in transaction mode, and everybody over one server connection."""

import os
import pathlib
import shutil

import psycopg2

from .parts import Process, free_port


class PgBouncer:
    def __init__(self, directory, server, user):
        """`user`: the one that all clients become at the server, whoever they are here."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.server = server
        self.user = user
        self.process = None

    def start(self):
        (self.directory / "pgbouncer.ini").write_text(
            f"[databases]\nmcp = host=127.0.0.1 port={self.server.port} dbname=mcp user={self.user}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 50\n", encoding="utf-8")
        account = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if account:
            shutil.chown(self.directory, account, account)
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program:
            raise RuntimeError("pgbouncer is not installed")
        self.process = Process([program, self.directory / "pgbouncer.ini"], self.directory.with_suffix(".log"),
                               user=account, cwd="/").start()
        self.process.up(lambda: self.connect().close() is None, "PgBouncer to answer")
        return self

    def stop(self):
        if self.process:
            self.process.stop()

    def dsn(self, user="app"):
        return f"host=127.0.0.1 port={self.port} dbname=mcp user={user}"

    def connect(self, user="app"):
        connection = psycopg2.connect(self.dsn(user))
        connection.autocommit = True
        return connection
