# SPDX-License-Identifier: Apache-2.0
"""What the tests of the kind docker share: containers of a project, their cgroups, and a proxy before the Engine."""

import http.server
import pathlib
import socketserver
import threading
import urllib.request

from lab.engine import _Connection
from lab.parts import free_port

PROJECT = "kind-docker"


class Project:
    """Containers as Compose would label them."""

    def __init__(self, engine, image, environment=None):
        self.engine, self.image, self.environment = engine, image, environment or {}
        self.ports = {}

    def run(self, name, *options, service=None, network="host", verb="run", command=()):
        """Starts (or creates) a container; its id."""
        self.ports[name] = free_port()
        labels = {"com.docker.compose.project": PROJECT, "com.docker.compose.service": service or name,
                  "com.docker.compose.oneoff": "False", "runbook.lab": "1"}
        environment = {"PORT": self.ports[name], "SERVICE": service or name, **self.environment}
        return self.engine.output(
            verb, *(["-d"] if verb == "run" else []), "--name", name, "--network", network,
            *(word for label in labels.items() for word in ("--label", "=".join(label))),
            *(word for key, value in environment.items() for word in ("--env", f"{key}={value}")), *options,
            self.image, *command)

    def fault(self, name, query):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}/fault?{query}", method="POST", data=b"")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status

    def remove(self):
        found = self.engine.output("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        if found:
            self.engine.docker("rm", "-f", *found)


class Cgroup:
    """What the kernel itself counts for the cgroup of a process, v1 or v2."""

    def __init__(self, pid):
        root, self.pid, self.paths = pathlib.Path("/sys/fs/cgroup"), pid, {}
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                self.paths[controller] = root / controller / path.lstrip("/")
        self.second = "memory" not in self.paths

    def _read(self, controller, first, second):
        name = second if self.second else first
        return (self.paths["" if self.second else controller] / name).read_text(encoding="ascii")

    def _fields(self, controller, first, second):
        return dict(line.split() for line in self._read(controller, first, second).splitlines())

    def cpu_seconds(self):
        if self.second:
            return int(self._fields("", "", "cpu.stat")["usage_usec"]) / 1e6
        return int(self._read("cpuacct", "cpuacct.usage", "")) / 1e9

    def throttling(self):
        """(periods, throttled periods, throttled seconds)."""
        fields = self._fields("cpu", "cpu.stat", "cpu.stat")
        seconds = int(fields["throttled_usec"]) / 1e6 if self.second else int(fields["throttled_time"]) / 1e9
        return int(fields["nr_periods"]), int(fields["nr_throttled"]), seconds

    def memory_bytes(self):
        usage = int(self._read("memory", "memory.usage_in_bytes", "memory.current"))
        fields = self._fields("memory", "memory.stat", "memory.stat")
        return usage - int(fields["inactive_file" if self.second else "total_inactive_file"])

    def pids(self):
        return int(self._read("pids", "pids.current", "pids.current"))

    def block_bytes(self):
        """(read, written)."""
        lines = self._read("blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat").splitlines()
        if self.second:
            pairs = [dict(pair.split("=") for pair in line.split()[1:]) for line in lines]
            return tuple(sum(int(pair[key]) for pair in pairs) for key in ("rbytes", "wbytes"))
        return tuple(sum(int(line.split()[2]) for line in lines if line.split()[1] == word) for word in ("Read", "Write"))

    def network_bytes(self):
        """(received, sent) on all interfaces but the loopback."""
        lines = pathlib.Path(f"/proc/{self.pid}/net/dev").read_text(encoding="ascii").splitlines()[2:]
        fields = [line.replace(":", " ").split() for line in lines]
        return tuple(sum(int(one[at]) for one in fields if one[0] != "lo") for at in (1, 9))


class Proxy:
    """Before the Engine, on a socket of its own: writes down what is asked and how, and may answer itself."""

    def __init__(self, path, engine):
        self.host = f"unix://{path}"
        self.asked = []        # (method, path)
        self.connections = 0
        self.refused = {}      # a piece of a path: the status that is answered
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                proxy.connections += 1

            def address_string(self):
                return "unix"

            def answer(self):
                proxy.asked.append((self.command, self.path))
                status = next((number for piece, number in proxy.refused.items() if piece in self.path), None)
                headers, body = {}, b'{"message":"refused"}'
                if status is None and self.command == "GET":
                    connection = _Connection(engine.host)
                    connection.request("GET", self.path)
                    found = connection.getresponse()
                    status, body = found.status, found.read()
                    headers = {name: found.headers[name] for name in ("Api-Version", "Date") if name in found.headers}
                    connection.close()
                self.send_response_only(status or 405)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

            def log_message(self, *args):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
