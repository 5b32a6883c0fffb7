# SPDX-License-Identifier: Apache-2.0
"""docker/compose.yml with what docker/configure writes: as Compose reads it, every version of it, and as who reads each file takes it.

That the whole runs is shown by tests/install/test_stack.py.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
import yaml

from lab.debian13 import compose_v2
from lab.parts import ROOT

FILE = ROOT / "docker/compose.yml"
PROXIES = {"exporter-docker", "responder-docker"}
RULE_FILES = yaml.safe_load((ROOT / "rules/prometheus.yml").read_text())["rule_files"]
SERVICES = PROXIES | {"exporter", "responder", "prometheus", "alertmanager", "grafana"}


def configure(build, *words, check=True):
    """docker/configure with the programs of this build."""
    env = {**os.environ, "PATH": f"{build.resolve()}:{os.environ['PATH']}", "RUNBOOK_DOCKER_SOCKET": "/var/run/docker.sock"}
    return subprocess.run([ROOT / "docker/configure", *words], check=check, text=True, capture_output=True, env=env, timeout=120)


@pytest.fixture(scope="module", name="configured")
def the_configured(build, tmp_path_factory):
    directory = tmp_path_factory.mktemp("stack") / "here"
    done = configure(build, directory)
    assert "To be filled in" in done.stdout and f"--env-file {directory}/.env" in done.stdout
    return directory


def compose_of(version):
    """The words of that version's command: v2, or whichever the machine has."""
    if version == "v2":
        return [str(compose_v2(ROOT / "build/debian13"))]
    standalone = shutil.which("docker-compose")
    return [standalone] if standalone else ["docker", "compose"]


def read(version, directory, *words, **env):
    return subprocess.run([*compose_of(version), "--env-file", directory / ".env", "-f", FILE, *words], check=False, text=True,
                          capture_output=True, cwd=directory, env={**os.environ, **env}, timeout=60)


@pytest.fixture(scope="module", name="stack")
def the_stack(configured):
    """The file as Compose has understood it, all variables put in."""
    return yaml.safe_load(read("v2", configured, "config").stdout)


@pytest.mark.parametrize("version", ["of this machine", "v2"])
def test_compose_reads_the_file(configured, version):
    done = read(version, configured, "config")
    assert done.returncode == 0 and "WARN" not in done.stderr, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == SERVICES


@pytest.mark.parametrize("version", ["of this machine", "v2"])
def test_without_configure_it_says_what_to_do(configured, version, tmp_path):
    (tmp_path / ".env").write_text("COMPOSE_PROJECT_NAME=runbook\n")
    done = read(version, tmp_path, "config")
    assert configured and done.returncode != 0 and "docker/configure writes it" in done.stderr


def test_every_service_is_confined_watched_and_limited(stack):
    assert set(stack["services"]) == SERVICES
    for name, service in stack["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"], name
        assert service["healthcheck"]["test"][0] == "CMD" and service["restart"] == "unless-stopped", name
        assert int(service["mem_limit"]) <= 1 << 30 and service["pids_limit"] <= 256, name
        assert int(service["user"].partition(":")[0]) > 0, name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(service), name


def test_nothing_but_grafana_can_be_published_beyond_loopback(configured, stack):
    def published(services):
        return {(name, port.get("host_ip", "everywhere")) for name, service in services.items() for port in service.get("ports", ())}

    ours = {(name, "127.0.0.1") for name in SERVICES - PROXIES}
    assert published(stack["services"]) == ours
    everywhere = yaml.safe_load(read("v2", configured, "config", RUNBOOK_GRAFANA_ADDRESS="0.0.0.0").stdout)
    assert published(everywhere["services"]) - ours == {("grafana", "0.0.0.0")}
    assert not [name for name, service in stack["services"].items() if service.get("network_mode") not in (None, "none")]


def test_the_socket_is_the_proxies_and_theirs_is_one_daemons(stack):
    def having(path):
        return {name for name, service in stack["services"].items() for volume in service["volumes"] if volume["target"] == path}

    assert having("/var/run/docker.sock") == PROXIES
    assert not [volume for service in stack["services"].values() for volume in service["volumes"]
                if "docker.sock" in volume["source"] and volume["target"] != "/var/run/docker.sock"]
    for proxy in PROXIES:
        assert stack["services"][proxy]["network_mode"] == "none" and not stack["services"][proxy].get("ports")
        mounting = {name for name, service in stack["services"].items() for volume in service["volumes"] if volume["source"] == proxy}
        assert mounting == {proxy, proxy.removesuffix("-docker")}
        assert "uid=65532" in stack["volumes"][proxy]["driver_opts"]["o"] and "mode=0700" in stack["volumes"][proxy]["driver_opts"]["o"]


def test_who_sends_alertmanager_an_alert_is_one_of_us(stack):
    """Neither Grafana, which others may reach, nor a service of the stack."""
    networks = {name: set(service.get("networks") or ()) for name, service in stack["services"].items()}
    assert networks["alertmanager"] == {"watched"} and networks["grafana"] == {"shown"}
    assert {name for name in networks if "watched" in networks[name]} == {"exporter", "responder", "prometheus", "alertmanager"}
    assert stack["networks"]["stack"]["external"] and stack["networks"]["stack"]["name"] == "devops-mcp_default"


def may_read(path, user):
    """Whether an account may read a file, whoever may look into the directories above it: a mount does not ask."""
    uid, gid = (int(number) for number in user.split(":"))
    state = os.stat(path)
    if state.st_mode & 0o007:
        return "everybody"
    return (state.st_uid == uid and state.st_mode & 0o400) or (state.st_gid == gid and state.st_mode & 0o040)


def test_secrets_are_files_of_who_reads_them_alone(configured, stack):
    files = {name: secret["file"] for name, secret in stack["secrets"].items()}
    assert {pathlib.Path(file).parent for file in files.values()} == {configured / "secrets"}
    assert {pathlib.Path(file).name for file in files.values()} == set(os.listdir(configured / "secrets"))
    used = [(service["user"], secret["source"]) for service in stack["services"].values() for secret in service.get("secrets", ())]
    assert {name for _, name in used} == set(files)
    for user, name in used:
        assert may_read(files[name], user) and may_read(files[name], user) != "everybody", name
    # What is shown is where they are, and none of them.
    shown = json.dumps(stack) + (configured / ".env").read_text()
    secret = [file.read_text().strip() for file in configured.rglob("*") if file.is_file() and file.name in {*files, "password", "server.key"}]
    assert len([text for text in secret if text]) == 6 and not [text for text in secret if text and text in shown]
    for service, where in (("prometheus", "prometheus"), ("alertmanager", "alertmanager"), ("responder", "daemon")):
        for file in (configured / "access" / where).iterdir():
            assert may_read(file, stack["services"][service]["user"]) and not may_read(file, "4711:4711"), file


def test_all_that_is_mounted_is_there_and_no_more_than_read(configured, stack):
    for name, service in stack["services"].items():
        for volume in service["volumes"]:
            if volume["type"] == "bind" and volume["source"].startswith(str(configured)):
                assert os.path.isdir(volume["source"]) and volume["read_only"], (name, volume)


def test_each_file_is_taken_by_who_reads_it(configured, build):
    rule_files = yaml.safe_load((configured / "prometheus/prometheus.yml").read_text())["rule_files"]
    assert len(rule_files) > 4 and {*rule_files, "prometheus.yml"} == set(os.listdir(configured / "prometheus"))
    for words in ([build / "runbook_exporter", "--config.check", f"--config.file={configured}/exporter/checks.yml"],
                  [build / "runbook_responder", "--config.check", f"--config.file={configured}/responder/remediations.yml"],
                  ["promtool", "check", "config", "--syntax-only", configured / "prometheus/prometheus.yml"],
                  ["promtool", "check", "rules", *(configured / "prometheus" / name for name in RULE_FILES)],
                  ["amtool", "check-config", configured / "alertmanager/alertmanager.yml"]):
        done = subprocess.run(words, check=False, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    boards = [json.loads(board.read_text()) for board in (configured / "grafana/dashboards").glob("*.json")]
    assert len({board["uid"] for board in boards}) == len(boards) >= 7
    source = yaml.safe_load((configured / "grafana/provisioning/datasources/prometheus.yml").read_text())
    assert source["datasources"][0]["url"] == "http://prometheus:9090"


@pytest.mark.parametrize(("daemon", "file"), [("exporter", "checks.yml"), ("responder", "remediations.yml")])
def test_the_proxies_let_through_what_the_files_need(configured, build, daemon, file):
    written = configured / f"docker/{daemon}.cfg"
    told = subprocess.run([build / f"runbook_{daemon}", "docker-access", f"--config.file={configured / daemon / file}",
                           "--listen=/run/runbook/docker.sock"], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert written.read_text() == told and "http-request allow" in told
    assert subprocess.run([shutil.which("haproxy") or "/usr/sbin/haproxy", "-c", "-f", written], check=False).returncode == 0


def test_what_was_changed_stays_and_the_proxies_follow_it(build, tmp_path):
    configure(build, tmp_path)
    changed, proxy = tmp_path / "responder/remediations.yml", tmp_path / "docker/responder.cfg"
    assert "/containers/create" in proxy.read_text()
    document = yaml.safe_load(changed.read_text())
    document["remediations"] = [{"name": "a", "match": ['alertname="a"'], "steps": [{"docker.restart": {"service": "web"}}]}]
    changed.write_text(json.dumps(document))
    (tmp_path / "secrets/runbook_oncall_url").write_text("https://example.org/hook\n")
    was = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.parent.name != "docker"}
    assert b"https://localhost:9878/" in was[tmp_path / "prometheus/alerts-services.yml"]
    configure(build, tmp_path)
    assert {file: file.read_bytes() for file in was} == was
    assert "/containers/create" not in proxy.read_text() and "/restart" in proxy.read_text()


def test_a_host_that_the_table_does_not_know_is_told(build, tmp_path):
    table = tmp_path / "hosts"
    table.write_text("".join(line for line in (ROOT / "docker/hosts").read_text().splitlines(True) if "6379" not in line))
    done = configure(build, tmp_path / "here", table, check=False)
    assert done.returncode == 1 and "localhost:6379" in done.stderr and f"{table} does not say" in done.stderr
    assert not (tmp_path / "here/exporter/checks.yml").exists()
    done = configure(build, check=False)
    assert done.returncode == 2 and "usage" in done.stderr


@pytest.mark.parametrize("version", ["of this machine", "v2"])
def test_the_stack_of_the_demo_is_read_and_publishes_nothing(configured, version):
    done = subprocess.run([*compose_of(version), "-p", "devops-mcp", "--env-file", configured / ".env", "-f", ROOT / "docker/compose.demo.yml", "config"],
                          check=False, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0 and "WARN" not in done.stderr, done.stderr
    for name, service in yaml.safe_load(done.stdout)["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and not service.get("ports"), name
        assert not [volume for volume in service.get("volumes", ()) if "docker.sock" in str(volume)], name
