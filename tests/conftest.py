# SPDX-License-Identifier: Apache-2.0
"""Session-wide parts for the integration and end-to-end tests. Nothing is built here: `make` does that."""

import os
import types

import pytest

from lab.engine import Engine
from lab.pages import PAGES
from lab.parts import ROOT, Workspace
from lab.postgres import Postgres
from lab.redis import Redis


SERVICE = "tests/lab/service/service"


@pytest.fixture(scope="session")
def workspace():
    """A temporary directory; whatever runs in it ends with the session."""
    space = Workspace()
    yield space
    space.remove()


@pytest.fixture(scope="session", autouse=True)
def pages(workspace):
    """At the end, whatever pages of metrics the session has seen are read by promtool and by a Prometheus."""
    yield
    PAGES.check_the_rest(workspace.path("pages"))


@pytest.fixture(scope="session")
def build():
    """Where the programs are: RUNBOOK_BUILD, else build/."""
    return ROOT / os.environ.get("RUNBOOK_BUILD", "build")


@pytest.fixture(scope="session")
def binaries(build):
    """.exporter and .responder; and .crash, the responder that has crash points."""
    found = types.SimpleNamespace(exporter=build / "runbook_exporter", responder=build / "runbook_responder",
                                  crash=ROOT / os.environ.get("RUNBOOK_CRASH_BUILD", "build/crash") /
                                  "runbook_responder")
    for program in (found.exporter, found.responder):
        assert program.exists(), f"{program} is missing: run `make build`"
    return found


@pytest.fixture(scope="session")
def postgres(workspace):
    server = Postgres(workspace.directory / "pg").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server(workspace):
    server = Redis(workspace.directory / "redis").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def engine(workspace):
    server = Engine(workspace.directory / "engine").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def service_program(build):
    """The lab's stand-in; one build of it does for all, because it is never built with a sanitizer."""
    found = [path for path in (build / SERVICE, ROOT / "build" / SERVICE) if path.exists()]
    assert found, f"{build / SERVICE} is missing: run `make lab-service`"
    return found[0]


@pytest.fixture(scope="session")
def service_image(engine, service_program):
    """The stand-in as an image: its tag."""
    return engine.image("runbook-lab/service:1.0.0", service_program)
