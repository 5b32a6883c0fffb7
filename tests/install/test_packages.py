# SPDX-License-Identifier: Apache-2.0
"""The packages as they are handed out: what is in them, that they are the same wherever they are built, and their life on a
machine that systemd has booted. By `make test-install`, as it takes minutes."""

import os
import re
import shutil
import subprocess

import pytest

from harness.booted_machine import BootedMachine
from lab.parts import ROOT, wait_for

DAEMONS = ("exporter", "responder")
NAMES = [f"runbook-{daemon}" for daemon in DAEMONS]
VERSION = re.search(r"^## \[([0-9][^]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE).group(1) + "-1"
STATE = "/var/lib/runbook-responder"
# The commands of docs/operating.md, each of which one of the tests below runs.
PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
COMMANDS = [line.split("  #")[0].strip() for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
            for line in block.splitlines() if line.strip()]


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more).stdout


@pytest.fixture(scope="module")
def packages():
    """As `make test-install` has built them."""
    found = sorted((ROOT / "build/deb").glob("*.deb"))
    assert [file.name.split("_")[:2] for file in found] == [[name, VERSION] for name in NAMES]
    return found


def test_lintian_has_nothing_to_say(packages):
    done = subprocess.run(["lintian", "--allow-root", "--pedantic", "--display-info", "--fail-on=error,warning,info,pedantic",
                           *packages], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_package_has_all_of_its_daemon(packages, daemon):
    package = packages[DAEMONS.index(daemon)]
    files = {line.split()[5][1:]: line.split()[0] for line in run("dpkg-deb", "-c", package).splitlines()}
    config = {"exporter": "checks.yml", "responder": "remediations.yml"}[daemon]
    documents = f"/usr/share/doc/runbook-{daemon}"
    for file in (f"/usr/bin/runbook_{daemon}", f"/usr/share/man/man1/runbook_{daemon}.1.gz", f"/etc/runbook/{config}",
                 f"/etc/default/runbook-{daemon}", f"/usr/share/bash-completion/completions/runbook_{daemon}",
                 f"/usr/share/zsh/vendor-completions/_runbook_{daemon}", f"{documents}/copyright", f"{documents}/README.md",
                 f"{documents}/changelog.gz", f"{documents}/docs/operating.md", f"{documents}/rules/alerts-services.yml",
                 f"{documents}/runbook-{daemon}.spdx.json"):
        assert file in files, file
    for kind in ("service", "socket"):
        assert [file for file in files if file.endswith(f"/systemd/system/runbook-{daemon}.{kind}")]
    assert run("dpkg-deb", "-I", package, "conffiles").split() == sorted([f"/etc/default/runbook-{daemon}", f"/etc/runbook/{config}"])
    assert not [file for file, mode in files.items() if mode[0] == "-" and (mode[5] == "w" or mode[8] == "w" or mode[3] == "s")]
    fields = run("dpkg-deb", "-f", package)
    assert f"Version: {VERSION}\n" in fields and "libmicrohttpd" in fields


def test_two_builds_are_the_same_to_the_bit(tmp_path):
    """From the tarball, in two folders, at two times, by two accounts' habits; and the tarball itself."""
    sums = []
    for at, (folder, umask, zone) in enumerate((("a", 0o022, "UTC"), ("somewhere/else/deeper", 0o077, "Asia/Kolkata"))):
        there = tmp_path / folder
        there.mkdir(parents=True)
        environment = {**os.environ, "TZ": zone, "CC": "gcc", "LC_ALL": "C.UTF-8" if at else "C"}
        run("make", "-s", "-C", ROOT, "dist", env=environment)
        tarball = next((ROOT / "build/dist").glob("*.tar.gz"))
        run("tar", "-x", "-f", tarball, "-C", there, "--strip-components=1")
        old = os.umask(umask)
        try:
            run("make", "-s", "-C", there, f"-j{os.cpu_count()}", "build", env=environment)
            run("make", "-s", "-C", there, "deb", env=environment)
        finally:
            os.umask(old)
        built = [tarball, *sorted((there / "build/deb").glob("*.deb"))]
        sums.append([line.split()[0] for line in run("sha256sum", *built).splitlines()])
        assert len(sums[-1]) == 3
        if at == 0:
            shutil.rmtree(there)
    assert sums[0] == sums[1]


def version_before(package, directory):
    """The same with an older version and other files of /etc."""
    work = directory / "work"
    run("dpkg-deb", "-R", package, work)
    control = work / "DEBIAN/control"
    control.write_text(control.read_text(encoding="utf-8").replace(f"Version: {VERSION}", "Version: 0.0.9-1"), encoding="utf-8")
    for file in (work / "etc/runbook").iterdir():
        file.write_text("# As it was shipped before.\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    run("dpkg-deb", "--root-owner-group", "-b", work, directory / package.name.replace(VERSION, "0.0.9-1"))
    shutil.rmtree(work)


class Operator:
    """Works on the machine by the commands of docs/operating.md."""

    def __init__(self, machine):
        self.machine = machine
        self.left = set(COMMANDS) - {"make deb", "make portable"}

    def does(self, beginning):
        lines = {line for line in COMMANDS if line.startswith(beginning)}
        assert len(lines) == 1, (beginning, lines)
        self.left -= lines
        return self.machine.shell(lines.pop())


@pytest.fixture(scope="module")
def operator(workspace, packages):
    machine = BootedMachine(workspace.path("booted"))
    for folder in ("build/deb", "before"):
        (machine.root / "root" / folder).mkdir(parents=True)
    shutil.copytree(ROOT / "build/portable", machine.root / "root/build/portable", ignore=shutil.ignore_patterns("tree"))
    for package in packages:
        shutil.copy(package, machine.root / "root/build/deb")
        version_before(package, machine.root / "root/before")
    yield Operator(machine)
    machine.stop()


def named_after_runbook(machine):
    """Whatever a package may have left: in systemd's places, too."""
    found = machine.run("find", "/etc", "/usr", "/lib", "/var", "/run", "-xdev", "-name", "*runbook*").stdout.split()
    return {path for path in found if not path.startswith(("/etc/credstore/", "/var/cache/apt", "/var/log", "/usr/local"))}


def secret_of(machine, name):
    """As the exporter finds it, and who may read it."""
    process = machine.shows("runbook-exporter", "MainPID")
    file = f"/proc/{process}/root/run/credentials/runbook-exporter.service/{name}"
    return machine.output("stat", "-c", "%a", file).strip(), machine.output("cat", file)


def ready(machine):
    return all(machine.shows(name, "ActiveState") == "active" for name in NAMES)


def test_life_on_a_machine(operator):
    machine = operator.machine
    before = named_after_runbook(machine)

    # A fresh install: both run, nothing had to be written first. The same for the version before.
    operator.does("apt-get install ./build/deb/")
    assert operator.does("systemctl is-active").split() == ["active", "active"]
    machine.shell("apt-get -y purge runbook-exporter runbook-responder && apt-get install ./before/runbook-*.deb")
    assert operator.does("systemctl is-active").split() == ["active", "active"]
    assert "runbook_check_success" in operator.does("curl -s localhost:9877/metrics")
    assert machine.shows("runbook-exporter", "NRestarts") == machine.shows("runbook-responder", "NRestarts") == "0"
    assert "is up" in machine.shell("curl -s localhost:9878/-/ready")

    # A secret that nobody but root can read reaches the daemon, and so does the next one.
    assert "cannot open the secret file" in machine.shell("curl -s 'localhost:9877/probe?check=api_keys&debug=1'")
    for value in ("hunter2", "hunter3"):
        machine.shell(f"echo {value} > password")
        operator.does("install -d -m 0700 /etc/credstore")
        operator.does("install -m 0600 password")
        operator.does("systemctl restart runbook-exporter")
        mode, seen = secret_of(machine, "runbook_exporter_password")
        assert mode in ("400", "440") and seen == f"{value}\n"
    assert "secret file" not in machine.shell("curl -s 'localhost:9877/probe?check=api_keys&debug=1'")
    assert "no mistakes" in operator.does("CREDENTIALS_DIRECTORY=/etc/credstore runbook_exporter --config.check")

    # What an operator has changed, and what the responder has written down.
    machine.shell("echo '# Changed here.' >> /etc/runbook/checks.yml")
    operator.does("systemctl reload")
    operator.does("runbook_responder pause")
    assert ready(machine)

    # The next version: what was changed stays, what was not is new, the journal goes on.
    operator.does("apt-get -o Dpkg::Options::=--force-confold install ./build/deb/")
    assert machine.output("dpkg-query", "-W", "-f", "${Version}\n", *NAMES).split() == [VERSION, VERSION]
    wait_for(lambda: ready(machine), "both to run again", timeout=60)
    checks, remediations = (machine.output("cat", f"/etc/runbook/{name}.yml") for name in ("checks", "remediations"))
    assert checks.startswith("# As it was shipped before.") and checks.endswith("# Changed here.\n")
    assert not remediations.startswith("# As it was shipped before.")
    assert '"paused": true' in machine.shell("curl -s localhost:9878/api/v1/status").replace('"paused":true', '"paused": true')
    operator.does("runbook_responder resume")

    # A copy of the journal, and back from it.
    operator.does("runbook_responder backup")
    operator.does("cp -p /var/lib/runbook-responder/journal.key")
    machine.shell("runbook_responder pause --reason 'after the copy'")
    operator.does("systemctl stop runbook-responder")
    operator.does("rm -f")
    operator.does("install -m 0600 journal.db")
    operator.does("chown")
    operator.does("runbook_responder verify")
    operator.does("systemctl start runbook-responder")
    assert '"paused":false' in machine.shell("curl -s localhost:9878/api/v1/status").replace(" ", "")

    # And the version before again, by which the journal can still be read.
    operator.does("apt-get -y -o Dpkg::Options::=--force-confold install --allow-downgrades ./before/")
    wait_for(lambda: ready(machine), "the version before to run", timeout=60)

    # Removed: the programs are gone, the journal and the configuration are not.
    operator.does("apt-get -y remove")
    assert machine.run("systemctl", "is-active", *NAMES).stdout.split() == ["inactive", "inactive"]
    assert machine.run("test", "-e", "/usr/bin/runbook_responder").returncode == 1
    assert machine.output("cat", "/etc/runbook/checks.yml").endswith("# Changed here.\n")
    assert machine.run("test", "-s", f"{STATE}/journal.db").returncode == 0

    # Purged: nothing is, and nobody was asked.
    operator.does("apt-get -y purge")
    assert named_after_runbook(machine) == before
    assert machine.run("test", "-e", "/etc/runbook").returncode == 1

    # The tree that needs nothing of the machine, by the same units; it goes as it came.
    machine.shell("install -D /dev/null /etc/default/runbook-exporter && echo RUNBOOK_EXPORTER_FLAGS=--log.level=debug > /etc/default/runbook-exporter")
    operator.does("tar -C /")
    operator.does("cp -rn")
    operator.does("cp /opt/runbook")
    operator.does("systemctl daemon-reload")
    operator.does("systemctl enable --now")
    wait_for(lambda: ready(machine), "both to run from their tree", timeout=60)
    assert machine.output("cat", "/etc/default/runbook-exporter") == "RUNBOOK_EXPORTER_FLAGS=--log.level=debug\n"
    assert "runbook_check_success" in machine.shell("curl -s localhost:9877/metrics")
    process = machine.shows("runbook-responder", "MainPID")
    assert machine.output("readlink", f"/proc/{process}/exe").strip() == "/opt/runbook/bin/runbook_responder"
    operator.does("systemctl disable --now")
    operator.does("rm -rf /opt/runbook")
    machine.shell("systemctl daemon-reload; rm -rf /etc/runbook /etc/default/runbook-* /var/lib/private/runbook-* /var/lib/runbook-*")
    assert operator.left == set()


def test_who_does_not_answer_is_started_again(operator):
    """By the watchdog, or after an end that somebody has asked for by a signal."""
    machine = operator.machine
    machine.shell("apt-get install ./build/deb/runbook-*.deb")
    for name in NAMES:
        assert machine.shows(name, "WatchdogUSec") in ("2min", "3min")
        machine.shell(f"mkdir -p /etc/systemd/system/{name}.service.d && "
                      f"printf '[Service]\\nWatchdogSec=8s\\nRestartSec=0\\n' > /etc/systemd/system/{name}.service.d/short.conf")
    machine.output("systemctl", "daemon-reload")
    machine.output("systemctl", "restart", *NAMES)
    for name in NAMES:
        told = machine.shows(name, "WatchdogTimestampMonotonic")
        wait_for(lambda name=name, told=told: machine.shows(name, "WatchdogTimestampMonotonic") != told, f"{name} to answer", timeout=60)
        assert machine.shows(name, "NRestarts") == "0"
        machine.output("systemctl", "kill", "--signal=STOP", name)
    for name in NAMES:
        wait_for(lambda name=name: machine.shows(name, "NRestarts") == "1" and machine.shows(name, "ActiveState") == "active",
                 f"{name} to be started again", timeout=90)
        machine.output("systemctl", "kill", "--signal=TERM", name)
        wait_for(lambda name=name: machine.shows(name, "NRestarts") == "2", f"{name} to be started again", timeout=90)
