# SPDX-License-Identifier: Apache-2.0
"""What `make portable` makes, on a machine that has nothing else: a chroot with the tree, and what every machine has."""

import json
import os
import pathlib
import re
import subprocess
import urllib.request

import pytest

from harness.target import Target
from lab.certificates import Authority
from lab.parts import ROOT, Process, free_port, wait_for
from lab.prometheus import answers

MEBIBYTE = 1 << 20
# A mount namespace of its own, so that nothing stays mounted however it ends.
ENTER = ['unshare', '-m', 'sh', '-c', 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec env -i /usr/sbin/chroot "$0" "$@"']
BIN = "/opt/runbook/bin"


def tarball():
    found = list((ROOT / "build/portable").glob("runbook-*-linux-*.tar.gz"))
    assert len(found) == 1, "run `make portable`"
    return found[0]


class Machine:
    """`authorities`: where its family of distributions keeps them."""

    def __init__(self, root, authorities, pem):
        self.root = root
        for name in ("proc", "dev", "tmp", "etc", "var"):
            (root / name).mkdir(parents=True)
        subprocess.run(["tar", "-C", root, "-xzf", tarball()], check=True)
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        place = root / authorities.lstrip("/")
        place.parent.mkdir(parents=True)
        place.write_bytes(pem)

    def argv(self, *words):
        return [*ENTER, str(self.root), *words]

    def run(self, *words, expect=0):
        done = subprocess.run(self.argv(*words), check=False, text=True, capture_output=True, timeout=60, env={"PATH": os.environ["PATH"]})
        assert done.returncode == expect, done
        return done.stdout

    def write(self, name, document):
        (self.root / name).write_text(json.dumps(document))  # JSON is YAML
        return f"/{name}"

    def starts(self, program, *flags, before=()):
        port = free_port()
        process = Process([*before, *self.argv(f"{BIN}/{program}", f"--web.listen-address=127.0.0.1:{port}", *flags)],
                          self.root / f"tmp/{program}.log").start()
        process.up(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), f"{program} to be ready", 60)
        return process, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module", name="authority")
def the_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="target")
def the_target(authority):
    target = Target(authority.issue("web", "DNS:localhost"))
    target.says({"status": "healthy"})
    yield target
    target.stop()


def checks_of(target):
    """What asks for a name, an authority of the system's (by either library), and a time zone."""
    port = int(re.search(r":(\d+)/", target.url).group(1))
    return {"checks": [{"name": "web", "http": {"url": target.url, "json": {"status": "healthy"}}},
                       {"name": "certificate", "tls": {"address": f"localhost:{port}"}},
                       {"name": "job", "heartbeat": {"cron": "0 3 * * *", "timezone": "Asia/Kolkata", "grace": "1h"}}]}


def get(url):
    with urllib.request.urlopen(url, timeout=15) as answer:
        return answer.read().decode()


# The kernel of before, by what it does not have: every call that 4.18 knows has a number of at most 334.
OLD = """
import ctypes, os, struct, sys
def line(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
program = (line(0x20, 0, 0, 0) + line(0x25, 0, 1, 334) + line(0x06, 0, 0, 0x00050000 | 38) + line(0x06, 0, 0, 0x7fff0000))
code = ctypes.create_string_buffer(program, len(program))
fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(fprog), 0, 0) == 0, ctypes.get_errno()
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_it_is_small_and_holds_what_it_loads_with_its_licences():
    names = subprocess.run(["tar", "-tzf", tarball()], check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    assert all(name == "opt/" or name.startswith("opt/runbook/") for name in names)
    assert tarball().stat().st_size < 20 * MEBIBYTE
    licences = {name.rsplit("/", 1)[1] for name in names if "/licences/" in name}
    assert {"libc6", "libcurl4", "libgnutls30", "libssl3"} <= {re.sub("t64$", "", name) for name in licences}


@pytest.mark.parametrize("place", ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"])
def test_certificates_and_time_zones_are_found(tmp_path, authority, target, place):
    machine = Machine(tmp_path / "machine", place, authority.file.read_bytes())
    config = machine.write("tmp/checks.yml", checks_of(target))
    page = machine.run(f"{BIN}/runbook_exporter", "--once=-", f"--config.file={config}", "--state.directory=/tmp")
    for check in ("web", "certificate"):
        assert f'runbook_check_success{{check="{check}"}} 1' in page, page
    (machine.root / place.lstrip("/")).unlink()
    page = machine.run(f"{BIN}/runbook_exporter", "--once=-", f"--config.file={config}", "--state.directory=/tmp", expect=2)
    assert 'runbook_check_success{check="web"} 0' in page


@pytest.mark.parametrize("kernel", ["as it is", "4.18"])
def test_both_daemons_run_where_there_is_nothing_else(tmp_path, authority, target, kernel):
    machine = Machine(tmp_path / "machine", "/etc/pki/tls/certs/ca-bundle.crt", authority.file.read_bytes())
    before = ["/usr/bin/python3", "-c", OLD] if kernel == "4.18" else []
    sandbox = "auto" if before else "require"
    config = machine.write("tmp/checks.yml", checks_of(target))
    exporter, url = machine.starts("runbook_exporter", f"--config.file={config}", f"--sandbox={sandbox}", before=before)
    responder, door = machine.starts("runbook_responder", "--config.file=/opt/runbook/share/doc/runbook/rules/remediations.yml",
                                     "--journal=/var/journal.db", f"--sandbox={sandbox}", before=before)
    try:
        wait_for(lambda: 'runbook_check_success{check="web"} 1' in get(f"{url}/metrics"), "the check to succeed", 30)
        assert "runbook_" in get(f"{door}/metrics")
        for daemon in (exporter, responder):  # which unshare, sh and chroot have become
            loaded = re.findall(r" (/\S+\.so\S*)", pathlib.Path(f"/proc/{daemon.pid}/maps").read_text(encoding="utf-8"))
            assert loaded and all("/opt/runbook/lib/" in library for library in loaded), loaded
    finally:
        assert [exporter.stop(), responder.stop()] == [0, 0]
    for program in ("runbook_exporter", "runbook_responder"):
        log = (machine.root / f"tmp/{program}.log").read_text()
        assert "Entered the sandbox" in log and ("missing" in log) == bool(before), log


def test_the_units_start_it_from_its_place(tmp_path):
    subprocess.run(["tar", "-C", tmp_path, "-xzf", tarball()], check=True)
    for daemon in ("exporter", "responder"):
        unit = (tmp_path / f"opt/runbook/lib/systemd/system/runbook-{daemon}.service").read_text()
        program = re.search(r"^ExecStart=(\S+) ", unit, re.MULTILINE).group(1)
        assert program == f"{BIN}/runbook_{daemon}" and (tmp_path / program.lstrip("/")).exists()
        assert "/usr/local" not in unit and "--config.file=/etc/runbook/" in unit
