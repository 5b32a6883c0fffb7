# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL cluster of our own, with the runbook's database `mcp`, its tables, roles and grants."""

import glob
import os
import pathlib
import re
import shutil
import signal
import subprocess

import psycopg2

from .parts import ROOT, Process, free_port, wait_for

SCHEMA = pathlib.Path(__file__).with_name("schema.sql")
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "16MB",
            "listen_addresses": "127.0.0.1", "autovacuum": "off", "log_min_messages": "warning",
            "shared_preload_libraries": "pg_stat_statements"}


def documented_roles():
    """The statements that docs/postgresql.md tells an operator to run: so they are tested as they stand there."""
    text = (ROOT / "docs" / "postgresql.md").read_text(encoding="utf-8")
    return re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1]


def program(name):
    """A server program: Debian keeps them out of PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name)]
    if not found[-1]:
        raise RuntimeError(f"PostgreSQL's {name} is not installed")
    return found[-1]


class Postgres:
    def __init__(self, directory, max_connections=100):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data = self.directory / "data"
        self.port = free_port()
        self.max_connections = max_connections
        self.process = None
        # The server refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None

    def start(self):
        if not self.data.exists():
            if self.user:
                shutil.chown(self.directory, self.user, self.user)
            subprocess.run([program("initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                            "--locale=C", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/",
                           user=self.user, group=self.user, extra_groups=[] if self.user else None)
        settings = {**SETTINGS, "port": self.port, "max_connections": self.max_connections,
                    "unix_socket_directories": self.directory}
        argv = [program("postgres"), "-D", self.data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self.process = Process(argv, self.directory.with_suffix(".log"), user=self.user, cwd="/").start()
        self.process.up(lambda: self.connect("postgres").close() is None, "PostgreSQL to answer")
        if not self.sql("SELECT 1 FROM pg_database WHERE datname = 'mcp'", dbname="postgres"):
            self.sql("CREATE DATABASE mcp", dbname="postgres")
            self.sql(SCHEMA.read_text(encoding="utf-8"))
            self.sql(documented_roles())
        return self

    def standby(self, directory):
        """A standby of this server, from a base backup; it streams over the unix socket. Not started."""
        standby = Postgres(directory, self.max_connections)
        if self.user:
            shutil.chown(standby.directory, self.user, self.user)
        subprocess.run([program("pg_basebackup"), "-D", standby.data, "-R", "-X", "stream", "--checkpoint=fast",
                        "--no-sync", "-d", f"host={self.directory} port={self.port} user=postgres "
                        "application_name=standby"], check=True, cwd="/",
                       user=self.user, group=self.user, extra_groups=[] if self.user else None)
        return standby

    def stop(self):
        if self.process:
            self.process.stop(signal.SIGINT)  # a fast shutdown

    def dsn(self, dbname="mcp", user="postgres"):
        return f"host=127.0.0.1 port={self.port} dbname={dbname} user={user}"

    def connect(self, dbname="mcp", user="postgres"):
        connection = psycopg2.connect(self.dsn(dbname, user))
        connection.autocommit = True
        return connection

    def sql(self, query, *args, dbname="mcp"):
        """Runs one query as superuser; its rows, [] when it has none."""
        connection = self.connect(dbname)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, args or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, query, *args):
        return self.sql(query, *args)[0][0]

    def reset(self):
        """The tables as they were after start()."""
        self.sql("TRUNCATE api_keys, contexts, vector_embeddings, api_key_audit RESTART IDENTITY")

    def add_keys(self, *names):
        for name in names:
            self.sql("INSERT INTO api_keys (name, key_hash, expires_at) "
                     "VALUES (%s, md5(%s), now() + interval '90 days')", name, name)

    def live_keys(self):
        return [row[0] for row in self.sql("SELECT name FROM api_keys WHERE revoked_at IS NULL ORDER BY name")]

    def wait_value(self, query, wanted, timeout=30):
        return wait_for(lambda: self.value(query) == wanted, f"{query} = {wanted}", timeout)
