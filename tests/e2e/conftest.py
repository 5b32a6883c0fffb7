# SPDX-License-Identifier: Apache-2.0
"""The whole loop, once for all tests of this directory that ask for it."""

import contextlib
import os
import shutil
import sys

import pytest

from lab.debian13 import compose_v2
from lab.lab import Lab
from lab.parts import ROOT, wait_for

# Which docker-compose, and whether the rules' times are shortened. `make check-deep` has those that take a quarter of an hour.
SEQUENCES = [("v1", False), *([("v1", True), ("v2", True)] if os.environ.get("RUNBOOK_DEEP") else [])]


@contextlib.contextmanager
def started(directory, engine, binaries, program, **how):
    loop = Lab(directory, engine, binaries.exporter, binaries.responder, program, **how)
    try:
        loop.start()
        yield loop
    except BaseException:
        print(loop.logs(), file=sys.stderr)
        raise
    finally:
        loop.stop()


@pytest.fixture(scope="package")
def lab(workspace, engine, binaries, service_program):
    with started(workspace.directory / "lab", engine, binaries, service_program) as loop:
        yield loop


@pytest.fixture(params=SEQUENCES, ids=lambda one: f"{one[0]}-{'for-5m' if one[1] else 'shortened'}")
def lab_by_compose(request):
    """The calm lab; or one with the times of rules/ and the version of docker-compose that is asked for."""
    version, real_times = request.param
    if not real_times:
        yield request.getfixturevalue("calm_lab")
        return
    workspace, *parts = map(request.getfixturevalue, ("workspace", "engine", "binaries", "service_program"))
    compose = compose_v2(ROOT / "build/debian13") if version == "v2" else shutil.which("docker-compose")
    with started(workspace.directory / f"lab-{version}", *parts, compose=compose, real_times=True) as loop:
        failures = request.session.testsfailed
        yield loop
        if request.session.testsfailed > failures:
            print(loop.logs(), file=sys.stderr)


@pytest.fixture
def calm_lab(lab, request):
    """The lab with nothing wrong in it; when the test fails, the ends of the logs are shown and kept."""
    wait_for(lab.calm, "the lab to be calm", 60, every=0.2)
    failures = request.session.testsfailed
    yield lab
    if request.session.testsfailed > failures:
        print(lab.logs(), file=sys.stderr)
        if "RUNBOOK_KEEP_LOGS" in os.environ:
            lab.keep_logs(os.environ["RUNBOOK_KEEP_LOGS"])
