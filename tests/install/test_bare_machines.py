# SPDX-License-Identifier: Apache-2.0
"""README's first command on machines that have nothing but `git` and `make`: Debian 12 and 13, in a chroot. Their libraries differ, and
what differs in them is tried: the commands over the operators' socket, the pages, and the unit tests of what speaks by them."""

import json
import pathlib
import shutil
import subprocess
import urllib.request

import pytest

from lab import debian13
from lab.parts import ROOT, Process, free_port
from lab.prometheus import answers

# Namespaces of its own for mounts and processes: nothing stays mounted, and nothing runs on, however it ends.
ENTER = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
         'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$0" "$@"']
UNIT = "lib/http/server/test_framing lib/http/server/test_server lib/http/client/test_client"


class Machine:
    def __init__(self, suite):
        self.root = ROOT / "build/bare" / suite
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self.log = self.root.with_suffix(".log")
        subprocess.run(["debootstrap", "--variant=minbase", suite, self.root, debian13.archive()], check=True, stdout=subprocess.DEVNULL,
                       timeout=900)
        for name in ("etc/resolv.conf", *(str(path)[1:] for path in pathlib.Path("/etc/apt/apt.conf.d").iterdir())):
            shutil.copy(f"/{name}", self.root / name)
        subprocess.run(["git", "clone", "-q", ROOT, self.root / "root/runbook"], check=True)
        self.run("apt-get", "-q", "update")
        self.run("apt-get", "-q", "-y", "--no-install-recommends", "install", "git", "make")

    def argv(self, *words):
        return [*ENTER, str(self.root), *words]

    def run(self, *words, expect=0):
        done = subprocess.run(self.argv(*words), check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=1800)
        assert done.returncode == expect, done
        return done.stdout

    def makes(self, *words):
        return self.argv("make", "-C", "/root/runbook", *words)


@pytest.fixture(scope="module", name="machine", params=["bookworm", "trixie"])
def the_machine(request):
    made = Machine(request.param)
    yield made
    shutil.rmtree(made.root, ignore_errors=True)


def test_a_new_user(machine):
    ports = free_port(), free_port()
    process = Process(machine.makes("run", f"EXPORTER_ADDRESS=127.0.0.1:{ports[0]}", f"RESPONDER_ADDRESS=127.0.0.1:{ports[1]}"),
                      machine.log).start()
    try:
        for port in ports:
            process.up(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "both daemons", 1800)  # pylint: disable=cell-var-from-loop
        assert "Nothing is removed" in process.output() and "Ctrl-C ends both" in process.output()
        for command in ("incidents", "remediations", "targets"):
            shown = subprocess.run(machine.argv("/root/runbook/build/runbook_responder", command, "--json",
                                                "--journal=/root/runbook/var/journal.db"), check=False, text=True, capture_output=True)
            assert shown.returncode in (0, 1) and isinstance(json.loads(shown.stdout), list), shown
        for port in ports:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html", "X-Blank": "behind it \t"})
            with urllib.request.urlopen(request, timeout=30) as page:
                assert b"</html>" in page.read()
            assert process.running
    finally:
        process.kill()  # and with it all of its namespace


def test_what_speaks_by_its_libraries(machine):
    machine.run("apt-get", "-q", "-y", "--no-install-recommends", "install", "libcmocka-dev")
    for name in UNIT.split():
        machine.run("make", "-s", "-C", "/root/runbook", f"build/tests/unit/{name}")
        machine.run("sh", "-c", f"cd /root/runbook && build/tests/unit/{name}")
