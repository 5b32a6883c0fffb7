# SPDX-License-Identifier: Apache-2.0
"""The whole loop: DevOps MCP under Compose, Prometheus, Alertmanager, both daemons, with the lab's copy of rules/."""

import os
import pathlib
import shutil
import subprocess

from .alertmanager import Alertmanager
from .compose import Compose
from .load import Load, call
from .neighbours import Neighbours
from .parts import Died, wait_for
from .postgres import Postgres
from .prometheus import Prometheus
from .redis import Redis
from .runbook import Exporter, Responder, has_ended
from .scale import copy_rules
from .sink import Sink

CLIENT_KEY = "client-key"
# PostgreSQL and the service have the same limit, as an installation has that never looked at either: the pool can
# take every connection that the server gives.
CONNECTIONS = 60


class Lab:
    def __init__(self, directory, engine, exporter, responder, program, tell=lambda text: None, compose=None, real_times=False):
        """`compose`: the docker-compose that is used. `real_times`: those of rules/, none of them shortened."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.tell = tell
        self.postgres = Postgres(self.directory / "pg", CONNECTIONS)
        self.redis = Redis(self.directory / "redis")
        self.sink = Sink()
        self.neighbours = Neighbours(self.directory / "neighbours")
        self.compose = Compose(self.directory / "compose", engine, program, self.postgres, self.redis,
                               max_connections=CONNECTIONS, compose=compose)
        self.prometheus = Prometheus(self.directory / "prometheus")
        self.alertmanager = Alertmanager(self.directory / "alertmanager")
        self.rules = self.directory / "rules"
        self.evidence = self.directory / "evidence"
        self.exporter = Exporter(exporter, self.rules / "checks.yml", self.directory / "exporter",
                                 {"SSL_CERT_FILE": str(self.neighbours.authority.file)})
        self.responder = Responder(responder, self.rules / "remediations.yml", self.directory / "responder")
        self.load = None
        self.real_times = real_times
        self.slowness = 10 if real_times else 1  # how much longer than usual one has to wait for what it does
        self.prepare = lambda lab: None  # changes the lab's copy of the rules before anything reads them
        self.by_hand = set()  # incidents that no alert has set off, and none ends
        self._started = []

    def addresses(self):
        """What stands in the shipped rules, and what the lab has instead."""
        return {
            "localhost:8080": f"127.0.0.1:{self.compose.ports['mcp-server']}",
            "localhost:8081": f"127.0.0.1:{self.compose.ports['rest-api']}",
            "localhost:6379": self.redis.address,
            "localhost:9090": f"127.0.0.1:{self.prometheus.port}",
            "localhost:9093": f"127.0.0.1:{self.alertmanager.port}",
            "localhost:9877": f"127.0.0.1:{self.exporter.port}",
            "localhost:9878": f"127.0.0.1:{self.responder.port}",
            "127.0.0.1:9878": f"127.0.0.1:{self.responder.port}",
            "host=localhost port=5432": f"host=127.0.0.1 port={self.postgres.port}",
            "unix:///var/run/docker.sock": self.engine.host,
            "/run/secrets": self.directory / "secrets",
            "var/evidence": self.evidence,
            "../var/tokens/alerts": self.responder.token("alerts"),
            "FILL IN WHO IS CALLED": f"{self.sink.url}/person",
            **self.neighbours.addresses(),
        }

    def _write_secrets(self):
        secrets = self.directory / "secrets"
        secrets.mkdir(mode=0o700)
        for receiver in ("oncall", "security"):
            (secrets / f"runbook_{receiver}_url").write_text(f"{self.sink.url}/{receiver}\n", encoding="ascii")
        for role in ("exporter", "responder"):
            (secrets / f"runbook_{role}_password").write_text("not-asked-for\n", encoding="ascii")
        self.neighbours.write_secrets(secrets)

    def _write_families(self):
        """What the responder's page of coverage goes by."""
        families = self.directory / "families.json"
        families.write_bytes(subprocess.run([self.exporter.program, "families", f"--config.file={self.exporter.config}"], check=True,
                                            env={**os.environ, **self.exporter.env}, stdout=subprocess.PIPE).stdout)
        self.responder.more = [f"--families={families}", f"--alerts={self.rules / 'prometheus.yml'}"]

    def _begin(self, what, part, *args):
        self.tell(what)
        part.start(*args)
        self._started.append(part)

    def start(self):
        self._write_secrets()
        copy_rules(self.rules, self.addresses(), self.real_times)
        self.prepare(self)
        self._write_families()
        self._begin("PostgreSQL", self.postgres)
        self._begin("Redis", self.redis)
        self.postgres.add_keys(CLIENT_KEY, "partner-key", "ci-key")
        self.postgres.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self.neighbours.back_up(self.postgres, self.redis)
        self._begin("DevOps MCP: mcp-server, rest-api, worker", self.compose)
        self._begin("a receiver of notifications", self.sink)
        self._begin("runbook_exporter", self.exporter)
        self._begin("runbook_responder", self.responder)
        self._begin("Alertmanager", self.alertmanager, self.rules / "alertmanager.yml")
        self._begin("Prometheus", self.prometheus, self.rules / "prometheus.yml")
        self.load = Load([self.compose.url(service, "/api/v1/contexts") for service in ("mcp-server", "rest-api")],
                         CLIENT_KEY)
        self._begin("clients", self.load)
        wait_for(self.prometheus.targets_up, "Prometheus to reach all its targets", 30 * self.slowness, every=0.2)
        wait_for(self.calm, "rates of every service and no alert", 60 * self.slowness, every=0.2)
        return self

    def calm(self):
        """Traffic is measured and answered, no alert with a remediation is there, and no incident is under way."""
        window = "1m" if self.real_times else "5s"
        rates = self.prometheus.query(f'sum by (service) (rate(http_requests_total{{status="200"}}[{window}])) > 0')
        alerts = [name for name, _ in self.prometheus.alerts() if not name.startswith(("check_", "runbook_"))]
        open_ones = [one for one in self.responder.incidents() if not has_ended(one) or (one["episode_open"] and one["number"] not in self.by_hand)]
        return (len(rates) == 2 and not alerts and not open_ones
                and all(self.compose.healthy(service) for service in self.compose.services))

    def settled(self):
        """Nothing is under way: every incident has ended, and each of its steps is let go of or undone."""
        incidents = [self.responder.incident(one["number"]) for one in self.responder.incidents()]
        return all(one["ended_at"] and not one["undo_requested"] and
                   all(step["settled"] or step["status"] in ("waiting", "skipped", "undone") for step in one["steps"])
                   for one in incidents)

    def stop(self):
        for part in reversed(self._started):
            part.stop()
        self._started = []
        self.neighbours.stop()

    def assert_alive(self):
        for daemon in (self.exporter, self.responder):
            if not daemon.process.running:
                raise Died(f"{daemon.program.name} ended with {daemon.process.child.returncode}:\n"
                           f"{daemon.process.tail()}")

    def attack(self, key, addresses=6):
        """A stolen key, used from many places at once."""
        return [call(self.compose.url("mcp-server", "/api/v1/contexts"), key, address=f"203.0.113.{number}")
                for number in range(addresses)]

    def call(self, key, service="mcp-server"):
        return call(self.compose.url(service, "/api/v1/contexts"), key)

    def logs(self):
        """The end of every log, for whoever has to find out why a test failed."""
        return "\n".join(f"== {file.name}\n" + "\n".join(file.read_text(errors="replace").splitlines()[-25:])
                         for file in sorted([*self.directory.glob("*.log"), *self.directory.glob("*/*.log")]))

    def keep_logs(self, target):
        """Copies logs and rules to a directory that outlives the lab."""
        target = pathlib.Path(target)
        target.mkdir(parents=True, exist_ok=True)
        for file in [*self.directory.glob("*.log"), *self.directory.glob("*/*.log"), *self.rules.glob("*")]:
            shutil.copy(file, target / file.name)
