# SPDX-License-Identifier: Apache-2.0
"""docker/demo, and so docker/compose.yml beside the stack of docker/compose.demo.yml, really started, in an Engine with networks.

Prometheus, Alertmanager, HAProxy, PostgreSQL and Redis are Debian's, as images under the names that the files expect. Grafana is
in no Debian package: its service is left out, and its dashboards are held against its types and a Prometheus elsewhere.
"""

import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from integration.documents import commands
from lab import debian_images
from lab.debian13 import compose_v2
from lab.engine import Engine
from lab.parts import ROOT, wait_for

SERVICES = ("exporter", "responder", "prometheus", "alertmanager")
# Calls that no file of the demo needs.
OTHERS = [("GET", "/info"), ("POST", "/containers/{}/kill"), ("POST", "/containers/{}/exec"), ("DELETE", "/containers/{}?v=1"), ("GET", "/volumes")]


class Demo:
    def __init__(self, engine, directory):
        self.engine = engine
        self.directory = directory
        self.env = {**engine.env, "COMPOSE": str(compose_v2(ROOT / "build/debian13")), "RUNBOOK_DEMO_SERVICES": " ".join(SERVICES),
                    "RUNBOOK_DOCKER_SOCKET": str(engine.socket)}
        self.told = None

    def run(self, *words):
        return subprocess.run([ROOT / "docker/demo", self.directory, *words], check=False, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env, cwd=ROOT, timeout=900)

    def containers(self):
        return {one["Names"][0].lstrip("/"): one for one in self.engine.get("/containers/json", all="1")}

    def inspect(self, name):
        return self.engine.inspect(name)

    def query(self, query):
        """{job or so: value} of an instant query, over the port that is published on loopback."""
        words = urllib.parse.urlencode({"query": query})
        answer = json.loads(self.engine.inside("curl", "-sS", f"http://127.0.0.1:9090/api/v1/query?{words}").stdout)
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def responder(self, path):
        access = self.directory / "access/operator"
        return json.loads(self.engine.inside("curl", "-sS", "--cacert", access / "ca.pem", "-u", f"operator:{(access / 'password').read_text().strip()}",
                                             f"https://localhost:9878{path}").stdout)

    def docker_call(self, daemon, method, path):
        """The status of a call to Docker over the socket that this daemon has."""
        pid = self.inspect(f"runbook-{daemon}-1")["State"]["Pid"]
        return int(self.engine.inside("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "--unix-socket",
                                      f"/proc/{pid}/root/run/runbook/docker.sock", f"http://docker{path}").stdout)

    def logs(self):
        return "\n".join(f"== {name}\n{self.engine.docker('logs', '--tail', '15', name, check=False).stderr}" for name in self.containers())


@pytest.fixture(scope="module", name="networked")
def an_engine_with_networks(workspace):
    server = Engine(workspace.directory / "networked", networks=True).start()
    yield server
    server.stop()


@pytest.fixture(scope="module", name="demo")
def the_demo(networked, tmp_path_factory):
    """docker/demo, when it has told its story."""
    done = subprocess.run(["make", "-s", "demo-images"], cwd=ROOT, check=False, text=True, capture_output=True, env=networked.env)
    assert done.returncode == 0, done.stdout + done.stderr
    for make, tag in ((debian_images.prometheus, "prom/prometheus:v3.5.0"), (debian_images.alertmanager, "prom/alertmanager:v0.28.1"),
                      (debian_images.haproxy, "haproxy:3.2"), (debian_images.postgres, "postgres:17"), (debian_images.redis, "redis:8")):
        make(networked, tag)
    made = Demo(networked, tmp_path_factory.mktemp("demo") / "here")
    made.told = made.run()
    assert made.told.returncode == 0, made.told.stdout[-6000:] + made.logs()
    yield made
    made.run("down")
    assert made.containers() == {} and not [one for one in networked.get("/volumes")["Volumes"] or () if one["Name"].startswith("runbook_")]


def test_the_fault_is_healed_while_one_watches(demo):
    told = demo.told.stdout
    for words in ("the alert high_latency of mcp-server is firing", "INC-", "healed", "docker.restart", "redis.flush"):
        assert words in told, told[-4000:]
    incident = demo.responder("/api/v1/incidents?limit=1")["incidents"][0]
    assert incident["remediation"] == "high_latency" and incident["state"] == "healed"
    # Who is called has been told, over the stack's network.
    person = demo.engine.docker("logs", "devops-mcp-person-1").stdout
    assert "High latency: mcp-server restarted" in person


def test_it_is_healed_again_when_it_is_broken_again(demo):
    was = demo.responder("/api/v1/incidents?limit=1")["incidents"][0]["number"]
    done = demo.run()
    assert done.returncode == 0, done.stdout[-4000:]
    again = demo.responder("/api/v1/incidents?limit=1")["incidents"][0]
    assert again["number"] != was and again["state"] == "healed" and f"{again['number']} is healed" in done.stdout


def test_prometheus_scrapes_both_daemons_and_the_stack(demo):
    up = {(metric["job"], metric["instance"]): value for metric, value in demo.query("up")}
    assert up == {("runbook_exporter", "exporter:9877"): 1, ("runbook_responder", "responder:9878"): 1,
                  ("devops-mcp", "mcp-server:8080"): 1, ("devops-mcp", "rest-api:8081"): 1}


@pytest.mark.parametrize("check", ["mcp_server", "rest_api", "redis", "postgres", "disk", "services", "containers", "logs", "prometheus", "alertmanager",
                                   "database", "system"])
def test_a_check_that_runs_in_a_container_sees_what_it_is_about(demo, check):
    wait_for(lambda: demo.query(f'runbook_check_standing{{check="{check}",standing="pass"}} == 1'), f"{check} to pass", 90, every=1)


def test_every_container_is_healthy_and_confined(demo):
    containers = {name for name in demo.containers() if name.startswith("runbook-")}
    assert containers == {f"runbook-{service}-1" for service in (*SERVICES, "exporter-docker", "responder-docker")}
    for name in containers:
        wait_for(lambda name=name: demo.inspect(name)["State"]["Health"]["Status"] == "healthy", f"{name} to be healthy", 60, every=0.5)
        state = demo.inspect(name)
        assert state["HostConfig"]["ReadonlyRootfs"] and state["HostConfig"]["CapDrop"] == ["ALL"] and state["RestartCount"] == 0, name
        assert not state["Config"]["User"].startswith("0"), name
    for daemon in ("exporter", "responder"):
        log = demo.engine.docker("logs", f"runbook-{daemon}-1")
        assert "Entered the sandbox" in log.stdout + log.stderr
        assert "refused for who made them" not in log.stdout + log.stderr


def test_the_proxies_let_through_what_was_needed_and_no_other_call(demo):
    """The restart has gone through; what is not in the list has not, and that it has not is the proxy's own word."""
    target = demo.inspect("devops-mcp-mcp-server-1")
    for daemon in ("exporter", "responder"):
        assert demo.docker_call(daemon, "GET", f"/containers/{target['Id']}/json") == 200
        for method, path in OTHERS:
            assert demo.docker_call(daemon, method, path.format(target["Id"])) == 403, (daemon, method, path)
    assert demo.docker_call("exporter", "POST", f"/containers/{target['Id']}/restart") == 403
    assert demo.inspect("devops-mcp-mcp-server-1")["State"]["StartedAt"] == target["State"]["StartedAt"]


def test_a_proxy_that_was_killed_comes_back_to_its_daemon(demo):
    demo.engine.docker("kill", "runbook-exporter-docker-1")
    demo.engine.docker("start", "runbook-exporter-docker-1")
    wait_for(lambda: demo.docker_call("exporter", "GET", "/_ping") == 200, "the proxy to be back", 30)


def test_the_page_of_coverage_knows_checks_and_alerts(demo):
    access = demo.directory / "access/operator"
    told = demo.engine.inside("curl", "-sS", "--cacert", access / "ca.pem", "-u", f"operator:{(access / 'password').read_text().strip()}",
                              "https://localhost:9878/coverage").stdout
    assert "high_latency" in told and "check_failing" in told and "redis" in told, told


def test_without_the_programs_the_images_configure(demo, tmp_path):
    """As somebody has it who was given images, and no clone that is built."""
    for name in ("docker", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name)
    done = subprocess.run([tmp_path / "docker/configure", tmp_path / "here"], check=False, text=True, capture_output=True, env=demo.env, timeout=120)
    assert done.returncode == 0, done.stderr
    for file in ("docker/exporter.cfg", "docker/responder.cfg", "access/daemon/web.config.yml", "grafana/dashboards/runbook-overview.json"):
        assert (tmp_path / "here" / file).stat().st_size > 100, file


def test_nothing_listens_beyond_loopback(demo):
    """Neither by Docker's proxies, nor by a rule of iptables that leads in."""
    listening = re.findall(r"^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+) ", demo.engine.inside("ss", "-Htln").stdout, re.MULTILINE)
    assert {port for _, port in listening} == {"9877", "9878", "9090", "9093"} and {address for address, _ in listening} == {"127.0.0.1"}
    leading_in = [rule for rule in demo.engine.inside("iptables", "-t", "nat", "-S", "DOCKER").stdout.splitlines() if "DNAT" in rule]
    assert len(leading_in) == 4 and not [rule for rule in leading_in if "-d 127.0.0.1/32" not in rule]


def test_who_may_send_an_alert_to_alertmanager_is_in_no_other_network(demo):
    def networks(name):
        return set(demo.inspect(name)["NetworkSettings"]["Networks"])

    assert networks("runbook-alertmanager-1") == {"runbook_watched"}
    assert not [name for name in demo.containers() if name.startswith("devops-mcp-") and networks(name) != {"devops-mcp_default"}]
    assert networks("runbook-exporter-docker-1") == networks("runbook-responder-docker-1") == {"none"}


def of_the_document(beginning):
    return [command for name, _, command in commands() if name == "docker.md" and command.startswith(beginning)]


def test_the_commands_of_the_document(demo):
    """In their order, in the demo's directory; what it has is kept. The demo's own are what all of this stands on."""
    assert [command.split("/demo")[-1] for command in of_the_document("docker/demo")] == ["", " down"]
    was = {file: file.read_bytes() for file in demo.directory.rglob("*") if file.is_file()}
    shown = of_the_document("docker/configure") + of_the_document("docker compose") + of_the_document("docker run")
    assert len(shown) == 5
    for command in shown:
        line = command.replace("/etc/runbook/stack", str(demo.directory)).replace("docker compose", demo.env["COMPOSE"])
        line += " " + " ".join(SERVICES) if line.endswith("up -d") else ""  # without Grafana
        done = subprocess.run(["bash", "-c", line], check=False, text=True, capture_output=True, env=demo.env, cwd=ROOT, timeout=300)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        for service in SERVICES:
            wait_for(lambda name=f"runbook-{service}-1": demo.inspect(name)["State"]["Health"]["Status"] == "healthy", f"{service} to be healthy", 90)
    assert {file: file.read_bytes() for file in was} == was
