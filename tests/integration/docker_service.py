# SPDX-License-Identifier: Apache-2.0
"""What the tests of the actions on Docker share: containers of one project, in whatever state a test wants them."""

from lab.parts import free_port, wait_for

PROJECT = "runbook-actions"
BEFORE = {"LOG_LEVEL": "info", "SECURITY_MODE": "normal"}


class Service:
    """Containers of one Compose project, started by the Engine's own client: compose's labels are what counts."""

    def __init__(self, engine, image, postgres, redis_server):
        self.engine = engine
        self.image = image
        self.environment = {"DB_PORT": postgres.port, "REDIS_PORT": redis_server.port, **BEFORE}

    def start(self, number=1, service="web", project=PROJECT, options=()):
        name = f"{project}_{service}_{number}"
        self.engine.docker("run", "-d", "--name", name, *self.labels(service, project, number), "--network", "host",
                           "--restart", "unless-stopped", "--stop-timeout", "1", "--health-interval", "300ms", "-e", f"PORT={free_port()}",
                           *(word for key, value in self.environment.items() for word in ("-e", f"{key}={value}")),
                           *options, self.image)
        wait_for(lambda: self.health(name) == "healthy", f"{name} to be healthy", 60)
        return name

    def plain(self, service, *options, number=1, project=PROJECT, network="none", command=()):
        """One without a health check, and with no policy of its own; it runs when this returns."""
        name = f"{project}_{service}_{number}"
        self.engine.docker("run", "-d", "--name", name, *self.labels(service, project, number), "--network", network,
                           "--no-healthcheck", "-e", f"PORT={free_port()}",
                           *(word for key, value in self.environment.items() for word in ("-e", f"{key}={value}")),
                           *options, self.image, *command)
        return name

    def state(self, name):
        return self.engine.inspect(name)["State"]

    @staticmethod
    def labels(service, project=PROJECT, number=1):
        labels = {"project": project, "service": service, "oneoff": "False", "container-number": number}
        return [word for key, value in labels.items() for word in ("--label", f"com.docker.compose.{key}={value}")]

    def created(self, name, *args):
        """A container that never runs."""
        self.engine.docker("create", "--name", name, "--network", "none", *args, self.image)
        return name

    def health(self, name):
        return self.engine.inspect(name)["State"]["Health"]["Status"]

    def started_at(self, name):
        return self.engine.inspect(name)["State"]["StartedAt"]

    def id(self, name):
        return self.engine.inspect(name)["Id"]

    def env(self, name):
        return dict(pair.split("=", 1) for pair in self.engine.inspect(name)["Config"]["Env"])

    def names(self):
        return set(self.engine.output("ps", "-a", "--format", "{{.Names}}", "--filter",
                                      f"label=com.docker.compose.project={PROJECT}").split())

    def kept(self):
        """What is there for the way back."""
        return {name for name in self.engine.output("ps", "-a", "--format", "{{.Names}}").split() if ".runbook-" in name}

    def clean(self):
        for name in self.kept():
            self.engine.docker("rm", "-f", name)
        for project in (PROJECT, "elsewhere"):
            ids = self.engine.output("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split()
            if ids:
                self.engine.docker("rm", "-f", *ids)
