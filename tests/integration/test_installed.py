# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts where: units that systemd takes, a configuration that loads, and nothing that `make uninstall` leaves."""

import os
import re
import subprocess

import pytest

from lab.parts import ROOT

DAEMONS = {"exporter": "checks.yml", "responder": "remediations.yml"}


class Installed:
    def __init__(self, prefix):
        self.prefix = prefix
        self.units = prefix / "lib/systemd/system"
        self.documents = prefix / "share/doc/runbook"
        self.etc = prefix / "etc/runbook"

    def make(self, target):
        """Of the release build, which is what people get."""
        done = subprocess.run(["make", "-s", target, "BUILD=build", f"PREFIX={self.prefix}", f"SYSCONFDIR={self.prefix}/etc"], cwd=ROOT,
                              check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    there = Installed(tmp_path_factory.mktemp("installed"))
    there.make("install")
    return there


@pytest.mark.parametrize("daemon", DAEMONS)
def test_systemd_takes_the_unit_and_finds_it_confined(installed, daemon):
    unit = installed.units / f"runbook-{daemon}.service"
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    assert f"runbook-{daemon}" not in verified.stdout, verified.stdout
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-500:]
    text = unit.read_text(encoding="utf-8")
    assert "Restart=always" in text and re.search(r"^WatchdogSec=", text, re.MULTILINE)
    page = re.search(r"Documentation=file:(\S+)", text).group(1)
    assert os.path.exists(page)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_each_secret_of_the_shipped_file_is_handed_over_by_the_unit(installed, daemon):
    config = installed.etc / DAEMONS[daemon]
    text = config.read_text(encoding="utf-8")
    unit = (installed.units / f"runbook-{daemon}.service").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{credential:([^}]+)\}", text))
    handed = set(re.findall(r"^LoadCredential=(\S+)$", unit, re.MULTILINE))
    assert named and named == {name for name in handed if ":" not in name}
    assert "/run/secrets" not in text
    program = installed.prefix / f"bin/runbook_{daemon}"
    argv = [program, "--config.check", f"--config.file={config}"]
    fine = subprocess.run(argv, check=False, text=True, capture_output=True, env={**os.environ, "CREDENTIALS_DIRECTORY": "/etc/credstore"})
    assert fine.returncode == 0 and "no mistakes" in fine.stdout, fine.stderr
    told = subprocess.run(argv, check=False, text=True, capture_output=True,
                          env={name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"})
    assert told.returncode == 1
    lines = told.stderr.splitlines()
    assert len(lines) == text.count("${credential:")
    for line in lines:
        assert re.match(rf"{re.escape(str(config))}:\d+:\d+: '\w+' is the credential \w+, which systemd hands over", line)


def test_the_documents_find_each_other(installed):
    """But for the way of who builds it into the sources."""
    lost = []
    for page in [*installed.documents.glob("*.md"), *installed.documents.glob("docs/*.md")]:
        if page.name == "developing.md":
            continue
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in link and not (page.parent / link).exists():
                lost.append(f"{page.name}: {link}")
    assert lost == []


def test_what_was_changed_stays_and_nothing_else_does(tmp_path):
    there = Installed(tmp_path / "there")
    there.make("install")
    changed = there.etc / "checks.yml"
    changed.write_text("checks: []\n", encoding="utf-8")
    there.make("install")
    assert changed.read_text(encoding="utf-8") == "checks: []\n"
    assert str(changed) in there.make("uninstall")
    assert [file for file in there.prefix.rglob("*") if file.is_file()] == [changed]
    changed.unlink()
    there.make("install")
    assert there.make("uninstall") == ""
    assert [file for file in there.prefix.rglob("*") if file.is_file() or "runbook" in file.name] == []
