# SPDX-License-Identifier: Apache-2.0
"""Targets and exporters for the tests of the exporter."""

import json
import os
import socket
import subprocess

import pytest

from exporter_flags import AskedExporter
from harness.target import Target
from integration.actions import Step
from integration.docker_access import DockerAccess
from integration.docker_service import PROJECT, Service
from lab.authority import Authority
from scraping import declared_labels, read_openmetrics, undeclared_labels


@pytest.fixture
def target():
    server = Target()
    yield server
    server.stop()


@pytest.fixture
def hole():
    """An address that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def program(build):
    found = build / "runbook_exporter"
    assert found.exists(), f"{found} is missing: run `make build`"
    return found


@pytest.fixture(scope="session")
def declared(program):
    return declared_labels(subprocess.run([program, "describe"], text=True, check=True, stdout=subprocess.PIPE).stdout)


@pytest.fixture
def exporter(program, tmp_path, declared):
    """Starts exporters with the checks that a test gives; ends them."""
    started = []

    def start(checks, defaults=None, env=None, **more):
        config = tmp_path / f"checks-{len(started)}.yml"
        config.write_text(json.dumps({"defaults": defaults or {}, "checks": checks, **more}))  # JSON is YAML
        daemon = AskedExporter(program, config, tmp_path / f"exporter-{len(started)}")
        started.append(daemon)
        return daemon.start(env)

    yield start
    for daemon in started:
        if daemon.process.running:
            families = read_openmetrics(daemon)  # the last page of every test, whatever was measured in it
            assert undeclared_labels(families, declared) == set()  # to be put into `labels` of their check_kind
    assert [daemon.stop() for daemon in started] == [0] * len(started)  # a sanitizer's finding is not 0


@pytest.fixture
def runs(program, tmp_path):
    """Runs the exporter's program with a file of checks (None: without one) until it ends."""
    def run(*words, checks=(), title=None, capacity=None, expect=None, stdout=subprocess.PIPE, **env):
        config = tmp_path / "checks.yml"
        document = {"checks": list(checks or ()), "defaults": {"timeout": "2s"}, **({"title": title} if title else {}),
                    **({"capacity": capacity} if capacity else {})}
        config.write_text(json.dumps(document))
        file = [] if checks is None else [f"--config.file={config}"]
        done = subprocess.run([program, *file, *words], stdout=stdout, stderr=subprocess.PIPE,
                              text=True, check=False, env={**os.environ, **env}, timeout=60)
        if expect is not None:
            assert done.returncode == expect, done
        return done
    return run


@pytest.fixture
def service(engine, service_image, postgres, redis_server):
    made = Service(engine, service_image, postgres, redis_server)
    yield made
    made.clean()


@pytest.fixture(scope="session")
def allowed(build, workspace, engine):
    """allowed(file) → where a proxy listens that lets through what the steps of a remediations.yml need."""
    made = DockerAccess(build, workspace.path("access"), engine)
    yield made
    made.stop()


@pytest.fixture
def step(build, workspace, engine, allowed):
    """Steps, those on Docker through a proxy that lets no call through but what their action needs."""
    def make(action, arguments, labels=None, host=None, **targets):
        docker = {"host": host or allowed.of_action(action) or engine.host, "project": PROJECT}
        return Step(build, workspace.path("steps"), {"docker": docker, **targets}, action, arguments, labels)
    return make
