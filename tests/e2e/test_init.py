# SPDX-License-Identifier: Apache-2.0
"""`runbook_exporter init` on the lab: what it finds of what the shipped checks.yml has, and that it is all true."""

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

from lab.parts import wait_for

KINDS = ("http", "redis", "disk", "prometheus", "postgres", "docker", "system", "tls", "log", "files", "s3", "systemd")
# As it is written, so that a check in the file may be moved, renamed and given limits.
ABOUT = {
    "http": lambda at: at["url"].replace("localhost", "127.0.0.1"),
    "redis": lambda at: (at["address"], "big_keys" in at),
    "disk": lambda at: tuple(at.get("paths") or at["mountpoints"]),
    "prometheus": lambda at: at["metric"]["name"],
    "postgres": lambda at: (at["dsn"].split()[1], tuple(metric["name"] for metric in at.get("metrics", [])), "groups" in at),
    "docker": lambda at: (at["project"], tuple(at["groups"])),
    "log": lambda at: at["docker"]["project"],
    "tls": lambda at: at["address"],
    "files": lambda at: (tuple(at["directories"]), at["pattern"]),
    "s3": lambda at: at["bucket"],
}


def about(check):
    """What a check looks at, whatever it is called."""
    kind = next(kind for kind in KINDS if kind in check)
    return kind, ABOUT.get(kind, lambda at: None)(check[kind])


def places(lab):
    """The lab is on private ports, so it is said where; what is there is not."""
    neighbours = lab.neighbours
    at = [lab.redis.address, f"host=127.0.0.1 port={lab.postgres.port} dbname=mcp user=runbook_exporter",
          f"127.0.0.1:{lab.prometheus.port}", f"http://127.0.0.1:{lab.alertmanager.port}/", f"http://{neighbours.plain.address}",
          f"http://{neighbours.plain.address}/health", f"https://{neighbours.secure.address}", str(neighbours.backups),
          str(neighbours.logs), "s3://mcp-backups-prod"]
    return [f"--look={place}" for place in at]


def init(lab, *words):
    env = {**lab.exporter.env, "PATH": "/usr/bin:/bin", "DOCKER_HOST": lab.engine.host,
           "AWS_ENDPOINT_URL_S3": lab.neighbours.s3.endpoint, "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-environment"}
    return subprocess.run([lab.exporter.program, "init", *places(lab), *words], env=env, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


@pytest.fixture(scope="module")
def written(lab, tmp_path_factory):
    directory = tmp_path_factory.mktemp("init") / "of" / "mine"
    wait_for(lambda: lab.prometheus.query("http_request_duration_seconds_bucket"), "requests to be measured")
    done = init(lab, f"--dir={directory}")
    assert done.returncode == 0, done
    return directory, done.stdout


def test_it_finds_what_the_shipped_file_has(lab, written):
    found = {about(check) for check in yaml.safe_load((written[0] / "checks.yml").read_text())["checks"]}
    shipped = yaml.safe_load(lab.exporter.config.read_text())["checks"]
    missing = [check["name"] for check in shipped if about(check) not in found]
    print(f"{len(shipped) - len(missing)} of {len(shipped)} found; missing: {missing}")
    assert len(missing) <= 0.05 * len(shipped), missing


def test_none_of_it_is_false(lab, written):
    done = subprocess.run([lab.exporter.program, "checklist", "--all", "--json", f"--config.file={written[0] / 'checks.yml'}"],
                          env={**os.environ, **lab.exporter.env}, text=True, check=False, stdout=subprocess.PIPE, timeout=120)
    stands = {check["name"]: check for check in json.loads(done.stdout)["steps"]}
    # The machine may warn of itself, the lab's certificate is for some days, and of its some seconds nothing is foretold.
    fair = {"system": "warn", "disk": "warn", "storage": "warn", "units": "warn", "certificate": "fail", "backup_s3": "not_set_up"}
    wrong = {name: check for name, check in stands.items()
             if check["standing"] not in ("pass", "unknown" if name.startswith("projected_") else fair.get(name))}
    assert not wrong, wrong
    assert stands["backup_s3"]["standing"] == "not_set_up"  # its keys are for a person to put there


def test_it_passes_both_daemons_and_promtool(binaries, written):
    for words in ([binaries.exporter, "--config.check", f"--config.file={written[0] / 'checks.yml'}"],
                  [binaries.responder, "--config.check", f"--config.file={written[0] / 'remediations.yml'}"],
                  ["promtool", "check", "rules", written[0] / "alerts.yml"]):
        done = subprocess.run(words, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    everything = "".join(path.read_text() for path in written[0].iterdir()) + written[1]
    assert "a-secret-of-the-environment" not in everything


def test_every_check_says_why_it_is_there(written):
    lines = (written[0] / "checks.yml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("  - name: "):
            assert lines[number - 1].startswith("  # ") and not lines[number - 1].startswith("  # ----"), line


def test_nothing_is_written_over(lab, written):
    directory = written[0]
    (directory / "remediations.yml").unlink()
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    done = init(lab, f"--dir={directory}")
    assert done.returncode == 1 and f"{directory}/checks.yml is there already" in done.stderr
    assert {path.name: path.read_bytes() for path in pathlib.Path(directory).iterdir()} == before


def difference(lab, directory, checks):
    file = directory / "changed.yml"
    file.write_text(yaml.safe_dump({"checks": checks}))
    done = init(lab, "--diff", f"--config.file={file}")
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_later_it_tells_what_has_come_and_gone(lab, written):
    checks = yaml.safe_load((written[0] / "checks.yml").read_text())["checks"]
    code, said = difference(lab, written[0], checks)
    assert (code, said) == (0, "0 new, 0 gone\n")

    mine = [check for check in checks if check["name"] not in ("redis", "redis_big_keys")]
    next(check for check in mine if check["name"] == "mcp_server").update(name="mcp", title="Mine", timeout="2s")
    gone = {"name": "billing", "http": {"url": "http://127.0.0.1:1/health"}}
    kept = {"name": "mine", "exec": {"command": ["/bin/true"]}}  # nothing that is looked for, and it answers
    code, said = difference(lab, written[0], [*mine, gone, kept])
    assert code == 1 and said.endswith("2 new, 1 gone\n"), said
    new, lost = said.split("Not found any more:\n")
    shown = yaml.safe_load(new.replace("New, as it may stand under `checks:`", "checks:"))["checks"]
    assert shown == [check for check in checks if check["name"] in ("redis", "redis_big_keys")]  # as it stands, to be pasted
    assert re.search(r"^billing: .*127\.0\.0\.1:1", lost, re.MULTILINE) and "mine" not in lost
