# SPDX-License-Identifier: Apache-2.0
"""DevOps MCP as its checklist finds it: three services under Compose, PostgreSQL, Redis and Prometheus.

And the exporters that others would set up for it, as Debian has them.
"""

import json
import re
import urllib.parse

import yaml

from lab.compose import Compose
from lab.lab import CLIENT_KEY
from lab.parts import ROOT, free_port, wait_for
from lab.postgres import Postgres
from lab.prometheus import Prometheus
from lab.redis import Redis

from .measuring import BUILD, Scraper, cpu, pss, rss, start


# What the lab's installation has, and the other exporters measure: no logs, backups and buckets.
KINDS = {"http", "redis", "postgres", "docker", "disk", "prometheus", "system"}


class Installation:
    def __init__(self, directory, engine):
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.engine = engine
        self.postgres = Postgres(directory / "pg")
        self.redis = Redis(directory / "redis")
        self.compose = Compose(directory / "compose", engine, BUILD / "tests/lab/service/service", self.postgres,
                               self.redis, health_interval="5s")
        self.prometheus = Prometheus(directory / "prometheus")
        self.secrets = directory / "secrets"
        self._started = []

    def start(self):
        self.secrets.mkdir(mode=0o700)
        (self.secrets / "runbook_exporter_password").write_text("not-asked-for\n", encoding="ascii")
        config = self.directory / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "mcp", "static_configs": [{"targets": [
                f"127.0.0.1:{self.compose.ports[service]}" for service in ("mcp-server", "rest-api")]}]}]}),
            encoding="ascii")
        for part, *words in ((self.postgres,), (self.redis,), (self.compose,), (self.prometheus, config)):
            part.start(*words)
            self._started.append(part)
            if part is self.postgres:
                part.add_keys(CLIENT_KEY, "partner-key", "ci-key")
        wait_for(self.prometheus.targets_up, "Prometheus to reach its targets")
        return self

    def stop(self):
        for part in reversed(self._started):
            part.stop()
        self._started = []

    def checks(self, tree=ROOT):
        """Those of the tree's rules/checks.yml that the installation has the part for, every one due at every scrape.

        A few of them are measured alone: so none needs another."""
        text = (tree / "rules/checks.yml").read_text(encoding="utf-8")
        for shipped, ours in {
                "localhost:8080": f"127.0.0.1:{self.compose.ports['mcp-server']}",
                "localhost:8081": f"127.0.0.1:{self.compose.ports['rest-api']}",
                "localhost:6379": self.redis.address,
                "localhost:9090": f"127.0.0.1:{self.prometheus.port}",
                "host=localhost port=5432": f"host=127.0.0.1 port={self.postgres.port}",
                "unix:///var/run/docker.sock": self.engine.host,
                "/run/secrets": str(self.secrets)}.items():
            text = text.replace(shipped, ours)
        checks = [{key: word for key, word in check.items() if key != "needs"} for check in yaml.safe_load(text)["checks"]]
        return [{**check, "cache": "0s"} for check in checks
                if KINDS & set(check) and not re.search(r"localhost|example\.com|/mnt/", json.dumps(check))]


def checklist(checks):
    """The steps of the morning checklist, and the state of the services that they belong to."""
    return [check for check in checks if "step" in check or check["name"] in ("services", "postgres", "api_keys_live")]


def http_targets(checks):
    return [check["http"]["url"] for check in checks if "http" in check]


class Peers:
    """node_exporter, postgres_exporter, redis_exporter and blackbox_exporter, each with its ordinary defaults."""

    NAMES = ("node", "postgres", "redis", "blackbox")

    def __init__(self, directory, installation, targets):
        self.directory = directory
        self.directory.mkdir(parents=True)
        self.installation = installation
        self.targets = targets
        self.processes = {}
        self.scrapers = {}

    def start(self):
        ports = {name: free_port() for name in self.NAMES}
        postgres, redis = self.installation.postgres, self.installation.redis
        words = {
            "node": [], "redis": [f"--redis.addr=redis://{redis.address}"], "postgres": [],
            "blackbox": ["--config.file=/etc/prometheus/blackbox.yml"],
        }
        source = f"postgresql://runbook_exporter@127.0.0.1:{postgres.port}/mcp?sslmode=disable"
        for name, port in ports.items():
            self.processes[name] = start(
                [f"prometheus-{name}-exporter", f"--web.listen-address=127.0.0.1:{port}", *words[name]],
                self.directory / f"{name}.log", port, {"DATA_SOURCE_NAME": source})
        self.scrapers = {name: [Scraper(ports[name])] for name in ("node", "postgres", "redis")}
        self.scrapers["blackbox"] = [
            Scraper(ports["blackbox"], "/probe?" + urllib.parse.urlencode({"target": target, "module": "http_2xx"}))
            for target in self.targets]
        return self

    def stop(self):
        for process in self.processes.values():
            process.stop()

    def scrape(self, name):
        return [scraper() for scraper in self.scrapers[name]]

    def cpu(self, name):
        return cpu(self.processes[name].pid)

    def rss(self):
        return {name: rss(process.pid) for name, process in self.processes.items()}

    def pss(self):
        return {name: pss(process.pid) for name, process in self.processes.items()}
