# SPDX-License-Identifier: Apache-2.0
"""A systemd of our own: a user's manager, which runs beside whatever has booted the machine.

It looks for signs that the machine was booted by systemd, so it has a /run of its own; its units, its socket and its
services' files stand in the directory that it is given. With control groups of version 2 in the kernel it accounts for
CPU time, whatever the machine itself uses.
"""

import os
import pathlib
import subprocess

from .parts import Process

START = """
mount --make-rprivate / && mount -t tmpfs none /run && mkdir -p /run/systemd/system || exit 1
if mount -t cgroup2 none /sys/fs/cgroup && mkdir -p "/sys/fs/cgroup/$GROUP"; then echo $$ > "/sys/fs/cgroup/$GROUP/cgroup.procs"; fi
exec /lib/systemd/systemd --user --log-target=console --unit=basic.target
"""

CLEAR = 'mount -t cgroup2 none /mnt && find "/mnt/$GROUP" -depth -type d -exec rmdir {} ";"'


class UserManager:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.units = self.directory / "config" / "systemd" / "user"
        self.units.mkdir(parents=True, exist_ok=True)
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.private = self.runtime / "systemd" / "private"
        self.address = f"unix:path={self.private}"
        self.group = f"runbook-lab-{os.getpid()}"
        self.process = None

    @property
    def env(self):
        return {"XDG_RUNTIME_DIR": str(self.runtime), "XDG_CONFIG_HOME": str(self.directory / "config"),
                "HOME": str(self.directory), "SYSTEMD_LOG_LEVEL": "info", "GROUP": self.group,
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime}/no-bus", "XDG_CONFIG_DIRS": "/nonexistent"}

    def unit(self, name, content):
        (self.units / name).write_text(content, encoding="utf-8")

    def start(self):
        self.process = Process(["unshare", "-m", "--propagation", "private", "sh", "-c", START],
                               self.directory / "systemd.log", env=self.env).start()
        self.process.up(lambda: self.private.exists() and self.systemctl("is-active", "basic.target"), "systemd to be up")
        return self

    def systemctl(self, *args, check=True):
        done = subprocess.run(["systemctl", "--user", *args], env={**os.environ, **self.env}, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode != 0:
            raise RuntimeError(f"systemctl {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def show(self, name, prop):
        return self.systemctl("show", name, f"--property={prop}", "--value")

    def stop(self):
        if self.process:
            self.systemctl("exit", check=False)
            self.process.stop()
            self.process = None
        subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", CLEAR], check=False,
                       env={**os.environ, **self.env}, stderr=subprocess.DEVNULL)
