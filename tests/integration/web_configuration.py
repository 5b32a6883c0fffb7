# SPDX-License-Identifier: Apache-2.0
"""What the tests of the web configuration share: an authority, users, and daemons that real curl talks to."""

import json
import os
import pathlib
import subprocess

from lab.parts import Process, free_port, wait_for

# bcrypt, made by crypt(3): alice and bob at the lowest cost there is, slow at the usual one.
ALICE = ("alice:open sesame", "$2y$04$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG")
BOB = ("bob:tram depot", "$2y$04$NU5ZxnETUYVGEty73bl3..vulIi31q8agnQkC5yTWM5B/TC59lWiK")
SLOW = ("slow:snail", "$2y$10$I8tAQd6At/VX76VeanxS2.oRgQilGHrZ3OVrxJMTh0r8ziZ029jJS")


class Served:
    """A daemon with a web configuration. `path` of its URL is asked by curl: (status, headers, body)."""

    def __init__(self, program, directory, config, web=None, *flags, ca=None, launcher=(), env=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port, self.ca, self.web = free_port(), ca, None
        self.config = self.directory / "config.yml"
        self.config.write_text(json.dumps(config))  # JSON is YAML
        self.argv = [*launcher, program, f"--config.file={self.config}", *flags]
        if not any("listen-address" in flag or "systemd-socket" in flag for flag in flags):
            self.argv.append(f"--web.listen-address=127.0.0.1:{self.port}")
        if web is not None:
            self.web = self.directory / "web.yml"
            self.configure(web)
            self.argv.append(f"--web.config.file={self.web}")
        self.process = Process(self.argv, self.directory / "log", env, cwd=self.directory)

    def configure(self, web):
        """Replaces the file at once, as an operator's tool does it."""
        new = self.web.with_suffix(".new")
        new.write_text(web if isinstance(web, str) else json.dumps(web))
        os.replace(new, self.web)

    def start(self):
        self.process.start()
        return self.process.up(lambda: "msg=Listening" in self.process.output(), "the daemon to listen") and self

    def curl(self, path="/-/healthy", *words, user=None):
        scheme = "https" if self.ca else "http"
        argv = ["curl", "--silent", "--show-error", "--include", "--max-time", "30", "--noproxy", "*", *map(str, words)]
        if self.ca:
            argv += ["--cacert", str(self.ca)]
        if user:
            argv += ["--user", user]
        done = subprocess.run([*argv, f"{scheme}://localhost:{self.port}{path}", "--resolve",
                               f"localhost:{self.port}:127.0.0.1"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            return 0, {}, done.stderr.decode()
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        lines = head.split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body

    def status(self, path="/-/healthy", *words, user=None):
        return self.curl(path, *words, user=user)[0]

    def logs(self, words, timeout=15):
        return wait_for(lambda: words in self.process.output(), f"{words!r} in the log", timeout)

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0
