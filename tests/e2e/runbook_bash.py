# SPDX-License-Identifier: Apache-2.0
"""The runbook's own bash lines, as they stand there, on the lab's services; and what Runbook says of the same."""

import json
import math
import os
import re
import subprocess
import urllib.request

SHIM = "#!/bin/sh\nexec /usr/bin/redis-cli -p {port} \"$@\"\n"


class Beside:
    """Runs lines of the runbook by bash, and reads the checklist, the capacity report and the page of the exporter."""

    def __init__(self, lab, directory):
        self.lab = lab
        self.environment = {
            "PATH": f"{directory}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(directory),
            "DOCKER_HOST": lab.engine.host, "COMPOSE_PROJECT_NAME": lab.compose.project, "PGPORT": str(lab.postgres.port),
            "RUNBOOK_LAB": os.environ.get("RUNBOOK_LAB", "")}
        (directory / "redis-cli").write_text(SHIM.format(port=lab.redis.port), encoding="ascii")
        (directory / "redis-cli").chmod(0o755)
        production = lab.compose.directory / "docker-compose.production.yml"
        if not production.exists():
            production.symlink_to(lab.compose.file)

    def bash(self, line):
        """What the line prints, on stdout and stderr; only addresses are the lab's."""
        for shipped, ours in self.lab.addresses().items():
            if shipped.startswith("localhost:"):
                line = line.replace(shipped, str(ours))
        line = line.replace("-p 5432", f"-p {self.lab.postgres.port}")
        done = subprocess.run(["bash", "-c", line], env=self.environment, text=True, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, cwd=self.lab.compose.directory)
        return done.stdout.strip()

    def psql(self, query, user="mcp_user"):
        """The rows of a query, their columns separated by |."""
        return self.bash(f'psql -h localhost -U {user} -d mcp -At -c "{query}"').splitlines()

    def _report(self, *words):
        done = subprocess.run([self.lab.exporter.program, f"--config.file={self.lab.exporter.config}", *words, "--json"],
                              text=True, check=False, stdout=subprocess.PIPE, timeout=120, cwd=self.lab.exporter.directory,
                              env={**self.lab.exporter.env, "PATH": "/usr/bin:/bin"})
        return json.loads(done.stdout)

    def step(self, check):
        """What `checklist --all` says of a check."""
        return next(step for step in self._report("checklist", "--all")["steps"] if step["name"] == check)

    def standing(self, check):
        return self.step(check)["standing"]

    def row(self, metric):
        """{series: value} of a row of `capacity`."""
        row = next(row for row in self._report("capacity")["rows"] if row["metric"] == metric)
        return {value["series"]: value["value"] for value in row["values"]}

    def one(self, metric):
        return next(iter(self.row(metric).values()), None)

    def page(self, metric, **labels):
        """The values of the metric's series on the exporter's page that have these labels."""
        found = []
        for text, value in re.findall(rf"^{metric}(?:\{{(.*)\}})? (\S+)$", self.lab.exporter.page(), re.MULTILINE):
            has = dict(re.findall(r'([a-z_]+)="([^"]*)"', text))
            if all(has.get(name) == wanted for name, wanted in labels.items()):
                found.append(float(value))
        return found

    def fault(self, service, query):
        request = urllib.request.Request(self.lab.compose.url(service, f"/fault?{query}"), method="POST", data=b"")
        urllib.request.urlopen(request, timeout=10).close()


def size_of(text):
    """Bytes of "1.13M", "23Gi", "5.2MiB", "78G"; NaN of what is none."""
    found = re.match(r"^([0-9.]+) ?([KMGT]?)i?B?$", text.strip())
    return float(found[1]) * 1024 ** " KMGT".index(found[2] or " ") if found else math.nan


def is_close(one, other, share):
    return abs(one - other) <= share * max(abs(one), abs(other))
