# SPDX-License-Identifier: Apache-2.0
"""What the documents show is what the daemons take: every example of a check in them is read by the exporter."""

import json
import re
import subprocess

import pytest
import yaml

from lab.parts import ROOT

KINDS = ("docker", "disk", "exec", "files", "heartbeat", "http", "log", "postgres", "prometheus", "redis", "s3", "system", "systemd", "tls")


def examples():
    """(where, the configuration that an example stands for) of each block of YAML that shows checks."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        for block in re.finditer(r"^```yaml\n(.*?)^```", text, re.S | re.M):
            shown = yaml.safe_load(block.group(1))
            where = f"{path.name}:{text.count(chr(10), 0, block.start()) + 2}"
            if isinstance(shown, list) or "checks" in shown or set(shown) & {"warn", "fail", *KINDS}:
                yield where, configuration(shown)


def configuration(shown):
    if isinstance(shown, dict) and "checks" in shown:
        return shown
    checks = shown if isinstance(shown, list) else [{"name": "example", **shown}]
    for check in checks:
        if not set(check) & set(KINDS):  # shown for its conditions alone, which are of Redis
            check["redis"] = {"address": "localhost:6379"}
    there = {check["name"] for check in checks}
    needed = {name for check in checks for name in check.get("needs", [])}
    return {"checks": [*checks, *({"name": name, "http": {"url": "http://localhost/"}} for name in sorted(needed - there))]}


@pytest.mark.parametrize(("where", "shown"), examples(), ids=lambda one: one if isinstance(one, str) else "")
def test_an_example_is_taken(program, tmp_path, where, shown):
    config = tmp_path / "checks.yml"
    # Where an operator's secrets are, there is nothing here.
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    config.write_text(re.sub(r'"/run/secrets/[^"]+"', json.dumps(str(secret)), json.dumps(shown)))
    said = subprocess.run([program, "--config.check", f"--config.file={config}"], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert said.returncode == 0, f"{where}: {said.stdout}"
