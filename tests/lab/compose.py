# SPDX-License-Identifier: Apache-2.0
"""The Compose project devops-mcp: the stand-in as mcp-server, rest-api and worker, on the host's loopback."""

import json
import pathlib
import shutil
import subprocess
import urllib.request

from .parts import free_port, wait_for

PROJECT = "devops-mcp"
SERVICES = ("mcp-server", "rest-api", "worker")


class Compose:
    def __init__(self, directory, engine, program, postgres, redis_server, services=SERVICES, project=PROJECT,
                 max_connections=20, health_interval="1s", compose=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.program = program
        self.postgres = postgres
        self.redis = redis_server
        self.services = services
        self.project = project
        self.max_connections = max_connections
        self.health_interval = health_interval
        # What is called: this docker-compose, or the machine's.
        standalone = compose or shutil.which("docker-compose")
        self.command = [standalone] if standalone else ["docker", "compose"]
        self.ports = {service: free_port() for service in services}
        self.file = self.directory / "docker-compose.yml"

    def url(self, service, path=""):
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def _service(self, service):
        environment = {"SERVICE": service, "PORT": self.ports[service], "DB_HOST": "127.0.0.1",
                       "DB_PORT": self.postgres.port, "DB_MAX_CONNECTIONS": self.max_connections,
                       "REDIS_PORT": self.redis.port, "LOG_LEVEL": "info", "SECURITY_MODE": "normal"}
        return {"image": f"{self.project}-{service}:1.0.0", "network_mode": "host", "restart": "unless-stopped",
                "stop_grace_period": "1s", "environment": {name: str(value) for name, value in environment.items()},
                "healthcheck": {"test": ["CMD", "/service", "healthcheck"], "interval": self.health_interval,
                                "timeout": "5s", "retries": 3}}

    def start(self):
        """Builds an image of each service and has docker-compose start them; waits until all are healthy."""
        first = f"{self.project}-{self.services[0]}:1.0.0"
        self.engine.image(first, self.program)
        for service in self.services[1:]:
            self.engine.tag(first, f"{self.project}-{service}:1.0.0")
        # JSON is YAML.
        content = {"version": "2.4", "services": {service: self._service(service) for service in self.services}}
        self.file.write_text(json.dumps(content, indent=2), encoding="utf-8")
        self.compose("up", "-d")
        for service in self.services:
            wait_for(lambda service=service: self.healthy(service), f"{service} to be healthy", 60, every=0.2)
        return self

    def stop(self):
        self.compose("down", "--timeout", "0", check=False)

    def compose(self, *args, check=True):
        done = subprocess.run([*self.command, "-p", self.project, "-f", self.file, *args], env=self.engine.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=self.directory)
        if check and done.returncode != 0:
            raise RuntimeError(f"docker-compose {' '.join(args)}: {done.stdout}")
        return done

    def containers(self, service=None, everything=True):
        """Ids of the containers of the project or of one service; of those that run only unless `everything`."""
        labels = [f"com.docker.compose.project={self.project}"]
        if service:
            labels.append(f"com.docker.compose.service={service}")
        return [one["Id"] for one in self.engine.get("/containers/json", all="1" if everything else "0",
                                                     filters={"label": labels})]

    def container(self, service):
        """The id of the service's running container."""
        return self.containers(service, everything=False)[0]

    def inspect(self, service):
        return self.engine.inspect(self.container(service))

    def environment(self, service):
        return dict(pair.split("=", 1) for pair in self.inspect(service)["Config"]["Env"])

    def started_at(self, service):
        return self.inspect(service)["State"]["StartedAt"]

    def healthy(self, service):
        return self.inspect(service)["State"]["Health"]["Status"] == "healthy"

    def fault(self, service, kind, **parameters):
        """Breaks a service; a restart heals it."""
        query = "&".join([f"kind={kind}", *(f"{name}={value}" for name, value in parameters.items())])
        request = urllib.request.Request(self.url(service, f"/fault?{query}"), method="POST", data=b"")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
