# SPDX-License-Identifier: Apache-2.0
"""Carries out one phase of one step by action_driver, and the parts that only the tests of actions need."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

ALERT = {"status": "firing", "fingerprint": "00000000000000aa", "startsAt": "2026-01-01T00:00:00Z",
         "endsAt": "0001-01-01T00:00:00Z", "annotations": {}, "generatorURL": ""}


class Step:
    """One step of an incident: its plan, progress and outcome are kept from phase to phase, as the engine does."""

    def __init__(self, build, directory, targets, action, arguments, labels=None, incident="INC-2026-0001"):
        self.program = pathlib.Path(build) / "tests/integration/action_driver"
        assert self.program.exists(), f"{self.program} is missing: run `make drivers`"
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=directory))
        self.incident = incident
        # JSON is YAML.
        self._write("config.yml", {**targets, "step": {action: arguments}})
        self._write("alert.json", {**ALERT, "labels": {"alertname": "test", **(labels or {})}})

    def _write(self, name, content):
        (self.directory / name).write_text(json.dumps(content), encoding="utf-8")

    def path(self, name):
        return self.directory / name

    def call(self, phase, timeout=None, die=None):
        """The driver's answer; None when it was to die, and did."""
        argv = [self.program, self.path("config.yml"), self.path("alert.json"), phase, f"incident={self.incident}"]
        argv += [f"{name}={self.path(name + '.json')}" for name in ("plan", "progress", "outcome")]
        argv += [f"timeout={timeout}"] if timeout else []
        argv += [f"die={die}"] if die else []
        done = subprocess.run([str(word) for word in argv], check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        self.log = done.stderr
        if die and done.returncode == -9:
            return None
        assert done.stdout, f"{phase} ended with {done.returncode}: {done.stderr}"
        assert "Sanitizer" not in done.stderr, done.stderr
        answer = json.loads(done.stdout)
        for name in ("plan", "outcome"):
            if name in answer and not (phase == "undo" and name == "outcome"):
                self._write(f"{name}.json", answer[name])
        return answer

    def fine(self, phase, **how):
        answer = self.call(phase, **how)
        assert answer["result"] == "OK", answer
        return answer.get("plan") or answer.get("outcome") or answer

    def fails(self, phase, code, *words, **how):
        answer = self.call(phase, **how)
        assert answer["result"] == code, answer
        for word in words:
            assert word in answer["error"], answer["error"]
        return answer["error"]

    def dies(self, phase, after):
        """Runs a phase and is killed right after its `after`-th progress was written."""
        assert self.call(phase, die=after) is None, f"{phase} wrote less than {after} progresses"

    def progress(self):
        return json.loads(self.path("progress.json").read_text())

    def plan(self):
        return self.fine("plan")

    def run(self, **how):
        return self.fine("run", **how)


class Proxy:
    """Stands between a client and a server, and lets `meddle(data)` decide about what the client says.

    meddle answers None (pass it on), "swallow" (pass it on and cut the client off before the answer) or "drop"
    (cut both off).
    """

    def __init__(self, meddle, target, path=None):
        self.meddle = meddle
        self.target = target
        family = socket.AF_UNIX if path else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.bind(str(path) if path else ("127.0.0.1", 0))
        self.listener.listen()
        self.port = None if path else self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        is_path = isinstance(self.target, (str, os.PathLike))
        server = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
        server.connect(str(self.target) if is_path else self.target)
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        try:
            while data := client.recv(65536):
                verdict = self.meddle(data)
                if verdict == "swallow":
                    # First the client's side, so that no answer can get through.
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(data)
                    server.settimeout(30)
                    server.recv(65536)
                if verdict:
                    break
                server.sendall(data)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
