# SPDX-License-Identifier: Apache-2.0
"""A Docker Engine: the one that RUNBOOK_TEST_DOCKER_HOST names, else a dockerd of our own."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse

from .parts import Process, wait_for


# What leads docker to another Engine than DOCKER_HOST says, or to this one by other means.
ELSEWHERE = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
# Where dockerd looks for a containerd that runs already, and takes it.
SYSTEM_CONTAINERD = pathlib.Path("/run/containerd/containerd.sock")
# A network of its own for dockerd: what it does to bridges, addresses and iptables is gone with it.
OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward && exec "$@"', "sh")


def docker_program():
    """Debian's client when there is one: what else is in PATH may be too new for Debian's Engine."""
    return "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else shutil.which("docker")


class Engine:
    def __init__(self, directory, flags=(), networks=False):
        """With `flags` it is always a dockerd of our own, started with them; with `networks`, one whose containers may
        have networks, which are none of the machine's: see inside()."""
        self.networks = networks
        self.flags = flags or (("--iptables=true", "--bridge=docker0") if networks else ())
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.outside = None if self.flags else os.environ.get("RUNBOOK_TEST_DOCKER_HOST")
        self.socket = self.directory / "docker.sock"
        self.host = self.outside or f"unix://{self.socket}"
        if self.outside and self.outside.startswith("unix://"):
            self.socket = pathlib.Path(self.outside[len("unix://"):])
        self.process = None
        self.containerd = None
        self._images = []

    def start(self):
        if self.outside:
            wait_for(self.answers, f"the Engine at {self.host}")
            return self
        last = None
        for driver in ("overlay2", "vfs"):
            try:
                return self._start(driver)
            except (RuntimeError, AssertionError) as error:
                last = error
                self._end()
        raise last

    def _start(self, driver):
        argv = [*(OWN_NETWORK if self.networks else ()), shutil.which("dockerd") or "/usr/sbin/dockerd", f"--data-root={self.directory}/{driver}",
                f"--exec-root={self.directory}/exec", f"--pidfile={self.directory}/pid", f"--host={self.host}",
                "--iptables=false", "--ip6tables=false", "--bridge=none", f"--storage-driver={driver}",
                "--shutdown-timeout=2", *self._containerd(), *self.flags]
        self.process = Process(argv, self.directory.parent / f"dockerd-{driver}.log",
                               env={"DOCKER_RAMDISK": "true"} if _on_ramdisk() else {}).start()
        return self if self.process.up(self.answers, "dockerd to answer", 60) else None

    def _containerd(self):
        """Flags for a containerd of our own, where dockerd would otherwise do its work in that of the machine's Engine.

        Its places are those of the one that dockerd starts when there is none.
        """
        if not SYSTEM_CONTAINERD.exists():
            return []
        places = self.directory / "exec/containerd"
        places.mkdir(parents=True, exist_ok=True)
        config = places / "own.toml"
        config.write_text(f'version = 2\nroot = "{self.directory}/containerd"\nstate = "{places}/daemon"\n'
                          f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{places}/own.sock"\n',
                          encoding="utf-8")
        self.containerd = Process(["containerd", f"--config={config}"], self.directory.parent / "containerd.log").start()
        self.containerd.up((places / "own.sock").exists, "containerd to listen")
        return [f"--containerd={places}/own.sock"]

    def answers(self):
        return self.docker("version", "--format", "{{.Server.Version}}", check=False).returncode == 0

    def stop(self):
        if self.outside:
            self._clean_outside()
        else:
            # Only a dockerd that runs can remove the cgroups and bridges of what it started.
            ids = self.output("ps", "-aq").split()
            if ids:
                self.docker("rm", "-f", *ids, check=False)
            self.docker("network", "prune", "-f", check=False)
            self._end()

    def go(self, number=signal.SIGTERM):
        """dockerd ends, by a signal; what runs there is kept for come()."""
        self.process.send(number)
        self.process.wait(60)

    def come(self):
        """dockerd as before, after go()."""
        self.process.start().up(self.answers, "dockerd to answer again", 60)

    def _end(self):
        for process in (self.process, self.containerd):
            if process:
                process.stop()
        self.process = self.containerd = None
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            points = [line.split()[4] for line in mounts]
        for point in reversed(points):
            if point.startswith(f"{self.directory}/"):
                subprocess.run(["umount", "-l", point], check=False)

    def _clean_outside(self):
        for project in ("devops-mcp",):
            ids = self.output("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}",
                              "--filter", "label=runbook.lab").split()
            if ids:
                self.docker("rm", "-f", *ids, check=False)
        for tag in self._images:
            self.docker("rmi", tag, check=False)

    @property
    def env(self):
        inherited = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        return {**inherited, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"}

    def docker(self, *args, check=True):
        """Runs the client; its CompletedProcess."""
        done = subprocess.run([docker_program(), *map(str, args)], env=self.env, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done

    def output(self, *args):
        return self.docker(*args).stdout.strip()

    def inside(self, *words, check=True, env=None):
        """Runs a program of this machine where the containers' ports are published; its CompletedProcess."""
        enter = ("nsenter", f"--net=/proc/{self.process.pid}/ns/net") if self.networks else ()
        return subprocess.run([*enter, *map(str, words)], check=check, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**self.env, **(env or {})})

    def get(self, path, **query):
        """One GET of the Engine's API (many times as fast as its client): the answer, None for 404."""
        text = urllib.parse.urlencode({name: value if isinstance(value, str) else json.dumps(value)
                                       for name, value in query.items()})
        connection = _Connection(self.host)
        try:
            connection.request("GET", f"{path}?{text}")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise RuntimeError(f"the Engine answered {answer.status} to {path}: {body!r}")
            # Events are one document a line.
            return ([json.loads(line) for line in body.splitlines()] if path == "/events" else json.loads(body))
        finally:
            connection.close()

    def post(self, path, **query):
        """One POST without a body, of what has no answer."""
        connection = _Connection(self.host)
        try:
            connection.request("POST", f"{path}?{urllib.parse.urlencode(query)}")
            answer = connection.getresponse()
            body = answer.read()
            if not 200 <= answer.status < 300:
                raise RuntimeError(f"the Engine answered {answer.status} to {path}: {body!r}")
        finally:
            connection.close()

    def inspect(self, name):
        """What the Engine says of a container, None when there is none."""
        return self.get(f"/containers/{name}/json")

    def image(self, tag, program, entrypoint="/service", version="1.0.0"):
        """An image FROM scratch that holds one static program. Returns its tag."""
        with tempfile.TemporaryDirectory(dir=self.directory) as context:
            shutil.copy(program, pathlib.Path(context) / "service")
            (pathlib.Path(context) / "Dockerfile").write_text(
                f'FROM scratch\nCOPY service {entrypoint}\nENTRYPOINT ["{entrypoint}"]\n'
                # As an image has them that inherits the second one from its base: its own version is the first.
                f'LABEL runbook.lab=1 version={version} org.opencontainers.image.version=22.04\n'
                f'HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD ["{entrypoint}", "healthcheck"]\n',
                encoding="utf-8")
            self.docker("build", "-q", "-t", tag, context)
        self._images.append(tag)
        return tag

    def tag(self, image, other):
        """Another tag of an image."""
        self.docker("tag", image, other)
        self._images.append(other)
        return other


class _Connection(http.client.HTTPConnection):
    """To unix:///path or tcp://host:port."""

    def __init__(self, host):
        super().__init__("localhost", timeout=60)
        self.target = urllib.parse.urlsplit(host)

    def connect(self):
        if self.target.scheme == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self.target.path)
        else:
            self.sock = socket.create_connection((self.target.hostname, self.target.port), self.timeout)


def _on_ramdisk():
    """runc cannot pivot_root on a root that is a ramdisk."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return any(line.split()[1:3] in (["/", "rootfs"], ["/", "tmpfs"]) for line in mounts)
