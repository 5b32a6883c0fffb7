# SPDX-License-Identifier: Apache-2.0
"""The kind docker on a real Engine: what it tells against what the Engine and the kernel tell, and how it asks."""

import datetime
import json
import signal
import socket
import subprocess
import time

import pytest

from docker_project import PROJECT, Cgroup, Project, Proxy
from lab.certificates import Authority
from lab.engine import Engine
from lab.parts import free_port, wait_for
from scraping import logged, promtool, scrape, value

NO_HEALTH = ("--no-healthcheck",)


@pytest.fixture
def project(engine, service_image, postgres, redis_server):
    made = Project(engine, service_image, {"DB_PORT": postgres.port, "REDIS_PORT": redis_server.port})
    made.remove()
    yield made
    made.remove()


def check(engine, **options):
    return {"name": "d", "docker": {"host": engine.host, "project": PROJECT, **options}}


def seconds(text):
    """RFC 3339 with nanoseconds, as the exporter's doubles have it."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    parsed = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return (int(parsed.timestamp()) * 10**9 + int(fraction.ljust(9, "0")[:9])) / 1e9


def of(found, what, service, container, **more):
    return value(found, f"runbook_docker_container_{what}", check="d", service=service, container=container, **more)


def names(found, container):
    """The families in which the container has samples."""
    return {name.removeprefix("runbook_docker_container_") for name, labels in found.all
            if ("container", container) in labels}


def test_state_of_services_with_and_without_an_endpoint(exporter, engine, project):
    project.run("kd-api", "--label", "version=2.1.0")
    project.run("kd-worker-1", *NO_HEALTH, service="worker")
    project.run("kd-worker-2", *NO_HEALTH, service="worker")
    project.run("kd-worker-1.runbook-INC-2026-0001-1.old", *NO_HEALTH, service="worker", verb="create")
    project.run("kd-made", *NO_HEALTH, service="made", verb="create")
    daemon = exporter([check(engine, services=["kd-api", "worker"], groups=["state"])])
    wait_for(lambda: engine.inspect("kd-api")["State"]["Health"]["Status"] == "healthy", "kd-api to be healthy")
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="d") == 1  # a worker without a health check counts as up
    assert {labels: number for (name, labels), number in found.all.items()
            if name == "runbook_docker_service_containers"} == {
                (("check", "d"), ("service", service)): number
                for service, number in (("kd-api", 1), ("made", 0), ("worker", 2))}
    for name, service, version in (("kd-api", "kd-api", "2.1.0"), ("kd-worker-1", "worker", "1.0.0"),
                                   ("kd-worker-2", "worker", "1.0.0")):
        inspected = engine.inspect(name)
        assert of(found, "running", service, name) == 1
        assert of(found, "created_timestamp_seconds", service, name) == seconds(inspected["Created"])
        assert of(found, "start_timestamp_seconds", service, name) == seconds(inspected["State"]["StartedAt"])
        assert of(found, "restarts_total", service, name) == 0
        assert of(found, "oom_killed", service, name) == 0
        assert of(found, "oom_kills_total", service, name) == 0
        assert of(found, "info", service, name, image=project.image, state="running", version=version,
                  image_id=inspected["Image"].split(":")[1][:12]) == 1
    assert of(found, "healthy", "kd-api", "kd-api") == 1
    assert of(found, "health_failing_streak", "kd-api", "kd-api") == 0
    always = {"running", "created_timestamp_seconds", "start_timestamp_seconds", "restarts_total", "oom_killed",
              "oom_kills_total", "info"}
    assert names(found, "kd-api") == always | {"healthy", "health_failing_streak", "health_transitions_total"}
    assert names(found, "kd-worker-1") == always  # no health check is not an unhealthy one
    assert names(found, "kd-made") == always - {"start_timestamp_seconds"}  # it has not ended, it never began
    assert ".old" not in found.page
    promtool(found.page)

    # Paused is not up, and neither is its health looked after.
    engine.docker("pause", "kd-api")
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="d") == 0
    assert "service kd-api has no running container: kd-api paused" in daemon.page("/")
    assert of(found, "running", "kd-api", "kd-api") == 0
    assert of(found, "healthy", "kd-api", "kd-api") is None
    engine.docker("unpause", "kd-api")

    # A service is expected, whether it has a container or not.
    for name, left in (("kd-worker-1", 1), ("kd-worker-2", 0)):
        engine.docker("rm", "-f", name)
        found = scrape(daemon)
        assert value(found, "runbook_docker_service_containers", check="d", service="worker") == left
        assert names(found, name) == set()
    assert value(found, "runbook_check_success", check="d") == 0
    assert "service worker has no running container" in daemon.page("/")


def test_resources_are_what_the_kernel_counts(exporter, engine, project):
    network = f"{PROJECT}-network"
    engine.docker("network", "create", "--internal", network)
    try:
        project.run("kd-limited", *NO_HEALTH, "--memory", "48m", "--cpus", "0.5", network=network)
        project.run("kd-free", *NO_HEALTH)
        daemon = exporter([check(engine, groups="resources")])
        inspected = engine.inspect("kd-limited")
        group = Cgroup(inspected["State"]["Pid"])
        with pytest.raises(OSError):  # refused, which is traffic as well
            socket.create_connection((inspected["NetworkSettings"]["Networks"][network]["IPAddress"], 1), 10)
        engine.docker("pause", "kd-limited")  # so that nothing moves while it is compared

        def compared():
            found = scrape(daemon)
            expected = {"cpu_seconds_total": group.cpu_seconds(), "memory_usage_bytes": group.memory_bytes(),
                        "memory_limit_bytes": 48 << 20, "pids": group.pids()}
            expected |= dict(zip(("cpu_periods_total", "cpu_throttled_periods_total", "cpu_throttled_seconds_total"),
                                 group.throttling()))
            expected |= dict(zip(("block_read_bytes_total", "block_written_bytes_total"), group.block_bytes()))
            expected |= dict(zip(("network_receive_bytes_total", "network_transmit_bytes_total"),
                                 group.network_bytes()))
            got = {name: of(found, name, "kd-limited", "kd-limited") for name in expected}
            assert got == pytest.approx(expected, rel=1e-12)
            return found, expected

        found, expected = wait_for(compared, "the samples to be what the kernel counts", 20)
        assert expected["cpu_seconds_total"] > 0 and expected["memory_usage_bytes"] > 0 and expected["pids"] == 1
        assert expected["network_receive_bytes_total"] > 0 and expected["network_transmit_bytes_total"] > 0
        assert names(found, "kd-limited") == set(expected)
        assert names(found, "kd-free") == {"cpu_seconds_total", "memory_usage_bytes", "pids",
                                           "block_read_bytes_total", "block_written_bytes_total"}
        assert value(found, "runbook_docker_service_containers", check="d", service="kd-free") is None
        assert value(found, "runbook_check_success", check="d") == 1
        promtool(found.page)
        engine.docker("unpause", "kd-limited")
        engine.docker("stop", "-t", "0", "kd-limited", "kd-free")
        found = scrape(daemon)
        assert names(found, "kd-limited") == set()  # what does not run uses nothing that could be told
    finally:
        project.remove()
        engine.docker("network", "rm", network)


def test_kills_for_want_of_memory_and_how_it_ended(exporter, engine, project):
    id = project.run("kd-hungry", *NO_HEALTH, "--memory", "24m", "--memory-swap", "24m", "--restart", "on-failure:1")
    daemon = exporter([check(engine, services="kd-hungry", groups="state")])

    def told():
        found = scrape(daemon)
        return tuple(of(found, name, "kd-hungry", "kd-hungry") for name in
                     ("oom_kills_total", "running", "restarts_total", "exit_code"))

    def kills():
        """The Engine's own log of them."""
        return len(engine.get("/events", since="1", until=str(time.time()),
                              filters={"event": ["oom"], "container": [id]}))

    assert told() == (0, 1, 0, None)
    for before in (0, 1):  # another process than the container's first one, which goes on
        assert engine.docker("exec", "kd-hungry", "/service", "hog", check=False).returncode == 137
        wait_for(lambda before=before: kills() > before and told() == (kills(), 1, 0, None), "the kill to be told")

    def dies(status):
        wait_for(lambda: project.fault("kd-hungry", "kind=slow&seconds=0") == 200, "the service to answer")
        with pytest.raises(OSError):
            project.fault("kd-hungry", f"kind=die&status={status}")

    dies(3)
    wait_for(lambda: told()[1:] == (1, 1, None), "the restart")
    dies(4)
    wait_for(lambda: told()[1:] == (0, 1, 4), "the end")
    found = scrape(daemon)
    state = engine.inspect("kd-hungry")["State"]
    assert of(found, "finish_timestamp_seconds", "kd-hungry", "kd-hungry") == seconds(state["FinishedAt"])
    assert of(found, "oom_killed", "kd-hungry", "kd-hungry") == state["OOMKilled"]
    assert value(found, "runbook_check_success", check="d") == 0
    assert "service kd-hungry has no running container: kd-hungry exited with status 4<" in daemon.page("/")
    promtool(found.page)
    # Another exporter begins with none: what was before is not its count, but the Engine's mark stays.
    found = scrape(exporter([check(engine, groups="state")]))
    assert of(found, "oom_kills_total", "kd-hungry", "kd-hungry") == 0
    assert of(found, "oom_killed", "kd-hungry", "kd-hungry") == state["OOMKilled"]


def test_between_two_restarts_a_container_is_not_up(exporter, engine, project):
    # There is nothing whose health could be asked: it ends at once, with status 1, time and again.
    project.run("kd-loop", *NO_HEALTH, "--restart", "always", command=["healthcheck"])
    daemon = exporter([check(engine, services="kd-loop", groups="state")])

    def waits():
        found = scrape(daemon)
        return of(found, "exit_code", "kd-loop", "kd-loop") == 1 and found

    found = wait_for(waits, "the Engine to wait before it restarts it")
    assert of(found, "running", "kd-loop", "kd-loop") == 0
    assert of(found, "restarts_total", "kd-loop", "kd-loop") >= 1
    assert value(found, "runbook_docker_service_containers", check="d", service="kd-loop") == 0
    assert any("kd-loop restarting, it ended with status 1" in line for line in logged(daemon, "Check failed"))


def test_health_turns_and_since_when_it_fails(exporter, engine, project):
    project.run("kd-ill", "--health-interval", "150ms", "--health-retries", "2")
    daemon = exporter([check(engine, services="kd-ill", groups="state")])

    def healthy(wanted):
        found = scrape(daemon)
        return of(found, "healthy", "kd-ill", "kd-ill") == wanted and found

    found = wait_for(lambda: healthy(1), "it to be healthy")
    assert of(found, "health_failing_timestamp_seconds", "kd-ill", "kd-ill") is None
    project.fault("kd-ill", "kind=unhealthy")

    def began():
        """When the first of the failures on end was, while the Engine and the exporter can see it."""
        scrape(daemon)
        health = engine.inspect("kd-ill")["State"]["Health"]
        streak = health["FailingStreak"]
        return seconds(health["Log"][-streak]["Start"]) if 0 < streak <= len(health["Log"]) else None

    first = wait_for(began, "the health check to fail", every=0.02)
    found = wait_for(lambda: healthy(0), "it to be unhealthy")
    assert of(found, "health_failing_timestamp_seconds", "kd-ill", "kd-ill") == first

    def long_ago():
        scrape(daemon)
        return engine.inspect("kd-ill")["State"]["Health"]["FailingStreak"] > 7

    wait_for(long_ago, "the first failure to be forgotten by the Engine")
    found = scrape(daemon)
    assert of(found, "health_failing_streak", "kd-ill", "kd-ill") > 7
    assert of(found, "health_failing_timestamp_seconds", "kd-ill", "kd-ill") == first
    assert value(found, "runbook_check_success", check="d") == 0
    assert "container kd-ill is unhealthy" in daemon.page("/")
    promtool(found.page)
    project.fault("kd-ill", "kind=none")
    found = wait_for(lambda: healthy(1), "it to be healthy again")
    assert of(found, "health_failing_streak", "kd-ill", "kd-ill") == 0
    assert of(found, "health_failing_timestamp_seconds", "kd-ill", "kd-ill") is None


def test_a_flap_between_two_scrapes_is_counted_issue_8(exporter, engine, project):
    project.run("kd-flap", "--health-interval", "100ms", "--health-retries", "2")

    def health(wanted):
        wait_for(lambda: engine.inspect("kd-flap")["State"]["Health"]["Status"] == wanted, f"it to be {wanted}")

    health("healthy")
    began = time.time()
    wait_for(lambda: time.time() > began + 1, "the second to pass in which the exporter would still see it")
    daemon = exporter([check(engine, services="kd-flap", groups="state")])

    def told():
        found = scrape(daemon)
        turns = tuple(of(found, "health_transitions_total", "kd-flap", "kd-flap", to=to) for to in ("healthy", "unhealthy"))
        return turns + tuple(value(found, "runbook_docker_service_events_total", check="d", service="kd-flap", event=event)
                             for event in ("unhealthy", "die", "start", "restart"))

    assert told() == (0, 0, 0, 0, 0, 0)
    project.fault("kd-flap", "kind=unhealthy")
    health("unhealthy")
    project.fault("kd-flap", "kind=none")
    health("healthy")
    wait_for(lambda: told() == (1, 1, 1, 0, 0, 0), "the flap to be counted")
    assert of(scrape(daemon), "healthy", "kd-flap", "kd-flap") == 1  # nothing else tells of it

    # The counts are the state's: a reload keeps them. A restart is a death and a start.
    daemon.config.write_text(json.dumps({"checks": [check(engine, services="kd-flap", groups="state"),
                                                    {"name": "new", "system": {}}]}))
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: value(scrape(daemon), "runbook_check_success", check="new") == 1, "the reload")
    assert told() == (1, 1, 1, 0, 0, 0)
    engine.docker("restart", "-t", "0", "kd-flap")
    health("healthy")
    wait_for(lambda: told() == (2, 1, 1, 1, 1, 1), "the restart to be counted")
    assert value(scrape(daemon), "runbook_docker_event_gaps_total", check="d") == 0


def test_what_the_engine_has_forgotten_is_told(exporter, engine, project):
    project.run("kd-busy", *NO_HEALTH)
    daemon = exporter([check(engine, groups="state")])
    assert value(scrape(daemon), "runbook_docker_event_gaps_total", check="d") == 0
    for _ in range(260):  # one event each, which push all others out of the Engine's memory
        engine.post(f"/images/{project.image}/tag", repo="kd-busy", tag="1")
    engine.docker("rmi", "kd-busy:1")
    wait_for(lambda: value(scrape(daemon), "runbook_docker_event_gaps_total", check="d") == 1, "it to be told")


def test_only_gets_over_kept_connections_and_what_is_gone_is_passed_over(exporter, engine, project, workspace):
    one = project.run("kd-one", *NO_HEALTH)
    two = project.run("kd-two", *NO_HEALTH)
    proxy = Proxy(workspace.path("docker-proxy") / "socket", engine)
    try:
        daemon = exporter([{"name": "d", "docker": {"host": proxy.host, "project": PROJECT}}])
        found = scrape(daemon)
        assert of(found, "cpu_seconds_total", "kd-two", "kd-two") > 0
        assert value(scrape(daemon), "runbook_check_success", check="d") == 1
        assert proxy.connections <= 1 + 2 * 2 < len(proxy.asked)  # one, and one for each question about a container
        assert {method for method, _ in proxy.asked} == {"GET"}
        assert sorted(path.split("/", 2)[2] for _, path in proxy.asked
                      if "/containers/" in path and "/containers/json" not in path) == sorted(
                          f"containers/{id}/{what}" for id in (one, two)
                          for what in ("json", "stats?stream=0&one-shot=1") for _ in range(2))

        proxy.refused = {f"/containers/{two}/json": 404, "/stats": 404}
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="d") == 1
        assert names(found, "kd-two") == set() and of(found, "running", "kd-one", "kd-one") == 1

        proxy.refused = {"/stats": 500}
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="d") == 0
        assert "Docker: refused" in daemon.page("/")
        assert of(found, "running", "kd-two", "kd-two") == 1 and of(found, "pids", "kd-two", "kd-two") is None

        # A proxy may let only containers be seen: then kills are not counted, and not told as none.
        proxy.refused = {"/events": 403, "/stats": 404}
        wait_for(lambda: of(scrape(daemon), "oom_kills_total", "kd-one", "kd-one") is None, "the events to be refused")
        assert value(scrape(daemon), "runbook_check_success", check="d") == 1
        assert {method for method, _ in proxy.asked} == {"GET"}
    finally:
        proxy.stop()


def test_all_containers_of_the_engine_with_labels_podman_exporter_34_61_infra_container_exporter_9_13(exporter, engine,
                                                                                                     project):
    """docker-exporter#173, logporter#18, podman_exporter#205: what is not Compose's, chosen by name, with labels."""
    project.run("kd-inside", *NO_HEALTH, "--label", "team=core")
    engine.docker("run", "-d", "--name", "kd-outside", "--network", "none", *NO_HEALTH, "--label", "runbook.lab=1",
                  "--label", "com.example.tier=gold", "--label", "secret=x", project.image)
    engine.docker("run", "-d", "--name", "other-outside", "--network", "none", *NO_HEALTH, "--label", "runbook.lab=1",
                  project.image)
    try:
        options = {"host": engine.host, "exclude": ["devops-mcp*"], "labels": ["team", "com.example.tier"]}
        daemon = exporter([{"name": "d", "docker": options},
                           {"name": "some", "docker": {**options, "include": ["kd-*"]}}])
        found = scrape(daemon)
        for what, number in (("running", 1), ("pids", 1)):
            assert of(found, what, "kd-inside", "kd-inside", project=PROJECT, team="core") == number
            name = f"runbook_docker_container_{what}"
            assert value(found, name, check="d", container="kd-outside", com_example_tier="gold") == number
            assert value(found, name, check="d", container="other-outside") == number
            assert value(found, name, check="some", container="kd-outside", com_example_tier="gold") == number
            assert value(found, name, check="some", container="other-outside") is None
        assert value(found, "runbook_docker_service_replicas_running", check="d", project=PROJECT,
                     service="kd-inside") == 1
        assert "secret" not in found.page
        promtool(found.page)
    finally:
        engine.docker("rm", "-f", "kd-outside", "other-outside")


@pytest.fixture(scope="module")
def guarded(workspace, service_program):
    """A dockerd that demands client certificates: the authority, its TCP address, and what clients have."""
    authority = Authority(workspace.path("docker-tls"))
    certificate, key = authority.issue("engine", "IP:127.0.0.1", "serverAuth")
    address = f"127.0.0.1:{free_port()}"
    engine = Engine(workspace.directory / "engine-tls",
                    [f"--host=tcp://{address}", "--tlsverify", f"--tlscacert={authority.file}",
                     f"--tlscert={certificate}", f"--tlskey={key}"])
    engine.start()
    try:
        archive = workspace.path("docker-tls") / "image.tar"
        subprocess.run(["tar", "-cf", archive, "-C", service_program.parent, service_program.name], check=True)
        engine.docker("import", "-c", 'ENTRYPOINT ["/service"]', archive, "kd-image")
        Project(engine, "kd-image").run("kd-far")
        yield engine, authority, address
    finally:
        engine.stop()


def test_tls_with_client_certificates_as_docker_tls_verify_has_it(exporter, guarded, workspace):
    engine, authority, address = guarded
    other = Authority(workspace.path("docker-tls-other"), "other")
    certificate, key = map(str, authority.issue("client", None, "clientAuth"))
    stranger, stranger_key = map(str, other.issue("stranger", None, "clientAuth"))
    mine = {"ca_file": str(authority.file), "cert_file": certificate, "key_file": key}
    far = {"host": f"tcp://{address}", "project": PROJECT, "services": ["kd-far"]}
    cases = {"good": mine, "ca": {**mine, "ca_file": str(other.file)}, "none": {"ca_file": str(authority.file)},
             "stranger": {**mine, "cert_file": stranger, "key_file": stranger_key}, "plain": {},
             "missing": {**mine, "ca_file": "/nowhere/ca.pem"}}
    daemon = exporter([{"name": name, "docker": {**far, **options}} for name, options in cases.items()])
    found = scrape(daemon)
    assert {name: value(found, "runbook_check_success", check=name) for name in cases} == {
        name: int(name == "good") for name in cases}
    labels = {"check": "good", "service": "kd-far", "container": "kd-far"}
    inspected = engine.inspect("kd-far")
    assert value(found, "runbook_docker_container_start_timestamp_seconds", **labels) == seconds(
        inspected["State"]["StartedAt"])
    assert value(found, "runbook_docker_container_pids", **labels) == 1
    reasons = "\n".join(logged(daemon, "Check failed"))
    for name, words in (("ca", "certificate"), ("none", "asked without a client certificate (cert_file)"),
                        ("stranger", f"asked with the certificate {stranger}"), ("plain", "an Engine with TLS needs ca_file"),
                        ("missing", "/nowhere/ca.pem")):
        assert [line for line in reasons.splitlines() if f"check={name} " in line and words in line], (name, reasons)
    secret = (workspace.path("docker-tls") / "client.key").read_text().splitlines()[1]
    assert secret not in reasons + daemon.page("/") + found.page
    daemon.stop()
