# SPDX-License-Identifier: Apache-2.0
"""What every part of the lab is made of: a workspace, processes, ports, and waiting for a condition.

Nothing may outlive a test run, however it ends. So every process carries RUNBOOK_LAB=<workspace> in its
environment, and each workspace has a warden: a small process that waits for its owner to go, however it
goes, and then ends whatever carries the mark, unmounts what is mounted below and removes the directory.
"""

import atexit
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = "RUNBOOK_LAB"


class NotYet(AssertionError):
    """A condition that did not come true by its deadline."""


class Died(BaseException):
    """A process of the lab has ended that should run: there is nothing left to wait for."""


def wait_for(condition, what, timeout=30, every=0.05):
    """Calls condition() until it returns something true, which is returned. Errors count as "not yet"."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            last = answer
        except Exception as error:  # pylint: disable=broad-except
            last = error
        if time.monotonic() > deadline:
            raise NotYet(f"waited {timeout} s for {what}; last: {last!r}")
        time.sleep(every)


_reservations = []


def free_port():
    """A TCP port of 127.0.0.1 that is free now and is given to nobody else, in this process or in another one.

    Each port has a unix socket in the abstract namespace for its reservation, which ends with the process. Ports come
    from below the range that the kernel gives to outgoing connections, so that none of those takes them.
    """
    first = 20000 + os.getpid() * 37 % 10000
    for port in [*range(first, 32700), *range(20000, first)]:
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0runbook-lab-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        _reservations.append(reservation)
        return port
    raise RuntimeError("no free port")


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve_tls(server, certificate, key):
    """Has a socketserver of Python's speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)


class Process:
    """One process, its output in a log file."""

    def __init__(self, argv, log, env=None, user=None, cwd=None):
        self.argv = [str(word) for word in argv]
        self.log = pathlib.Path(log)
        self.env = env or {}
        self.user = user
        self.cwd = cwd
        self.child = None

    @property
    def pid(self):
        return self.child.pid if self.child else None

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def start(self):
        account = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env={**os.environ, **self.env}, cwd=self.cwd,
                                          start_new_session=True, **account)
        return self

    def send(self, number):
        if self.running:
            self.child.send_signal(number)

    def wait(self, timeout=30):
        return self.child.wait(timeout)

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Asks it to end; kills it when it does not. Its exit status, None when it never ran."""
        if self.child is None:
            return None
        if self.running:
            self.child.send_signal(number)
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode

    def kill(self):
        if self.child is not None:
            self.child.kill()
            self.child.wait()

    def output(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines=30):
        return "\n".join(self.output().splitlines()[-lines:])

    def up(self, condition, what, timeout=30):
        """Waits until condition() holds; fails at once, with its last words, when the process has ended."""
        def alive_and_holds():
            return not self.running or condition()

        try:
            wait_for(alive_and_holds, what, timeout)
        except NotYet as error:
            raise NotYet(f"{error}\n{self.tail()}") from None
        if not self.running:
            raise RuntimeError(f"{self.argv[0]} ended with {self.child.returncode}:\n{self.tail()}")
        return self


class Workspace:
    """A short temporary directory (unix sockets have 107 characters) with a warden."""

    def __init__(self):
        sweep()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="runbook-lab-", dir="/tmp"))
        self.directory.chmod(0o755)
        os.environ[MARK] = str(self.directory)
        self._warden = subprocess.Popen([sys.executable, __file__, str(self.directory)],
                                        stdin=subprocess.PIPE, start_new_session=True,
                                        env={k: v for k, v in os.environ.items() if k != MARK})
        (self.directory / "warden").write_text(str(self._warden.pid))
        atexit.register(self.remove)

    def path(self, *names):
        """A new directory below."""
        path = self.directory.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def remove(self):
        if self._warden is None:
            return
        atexit.unregister(self.remove)
        os.environ.pop(MARK, None)
        self._warden.stdin.close()
        self._warden.wait()
        self._warden = None


def _marked(directory):
    """The processes that carry the mark of a workspace or work in it, and the first processes of its containers.

    redis-server writes its title over its environment and its arguments, so that where it works is all that tells.
    """
    wanted = f"{MARK}={directory}".encode()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (wanted in (entry / "environ").read_bytes().split(b"\0")
                    or f"{directory}/".encode() in (entry / "cmdline").read_bytes()
                    or os.readlink(entry / "cwd").startswith(f"{directory}/")):
                yield int(entry.name)
        except OSError:
            continue
    for file in pathlib.Path(directory).glob("*/exec/containerd/daemon/*/moby/*/init.pid"):
        pid = int(file.read_text())
        if pathlib.Path(f"/proc/{pid}").exists():
            yield pid


def _signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _clear_engines(directory):
    """Lets a dockerd that still answers remove its containers and networks: only it knows their cgroups and bridges."""
    for sock in pathlib.Path(directory).glob("*/docker.sock"):
        client = f"docker -H unix://{sock}"
        for command in (f"{client} ps -aq | xargs -r {client} rm -f", f"{client} network prune -f"):
            try:
                subprocess.run(["sh", "-c", command], check=False, timeout=20, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin:/usr/local/bin"})
            except subprocess.TimeoutExpired:
                pass


def clear(directory):
    """Ends all that belongs to a workspace and removes it."""
    _clear_engines(directory)
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0), (signal.SIGKILL, 2.0)):
        deadline = time.monotonic() + patience
        pids = set(_marked(directory))
        _signal_all(pids, number)
        while pids and time.monotonic() < deadline:
            time.sleep(0.05)
            pids = set(_marked(directory))
        if not pids:
            break
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        points = [line.split()[4] for line in mounts]
    for point in reversed(points):
        if point.startswith(f"{directory}/"):
            subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(directory, ignore_errors=True)


def sweep():
    """Clears what earlier runs left whose warden is gone too (a power cut, an out-of-memory kill)."""
    for directory in pathlib.Path("/tmp").glob("runbook-lab-*"):
        try:
            warden = int((directory / "warden").read_text())
            if str(directory).encode() in pathlib.Path(f"/proc/{warden}/cmdline").read_bytes():
                continue
        except (OSError, ValueError):
            # Just being made by somebody else, or left behind.
            if time.time() - directory.stat().st_mtime < 60:
                continue
        clear(directory)


def _warden_main(directory):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    clear(directory)


if __name__ == "__main__":
    _warden_main(sys.argv[1])
