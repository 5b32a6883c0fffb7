# SPDX-License-Identifier: Apache-2.0
"""The whole loop, once for all tests of this directory that ask for it."""

import os
import sys

import pytest

from lab.lab import Lab
from lab.parts import wait_for


@pytest.fixture(scope="package")
def lab(workspace, engine, binaries, service_program):
    loop = Lab(workspace.directory / "lab", engine, binaries.exporter, binaries.responder, service_program)
    try:
        loop.start()
        yield loop
    except BaseException:
        print(loop.logs(), file=sys.stderr)
        raise
    finally:
        loop.stop()


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
