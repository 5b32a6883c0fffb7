# SPDX-License-Identifier: Apache-2.0
"""What `make images` makes, in a real Engine: small, of nobody's account, on a root that is read-only, and healthy."""

import json
import os
import subprocess

import pytest

from lab.parts import ROOT, free_port, wait_for
from lab.prometheus import answers

MEBIBYTE = 1 << 20
# As Compose would start them.
CONFINED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host", "--tmpfs=/tmp")
DAEMONS = {"exporter": 9877, "responder": 9878}


@pytest.fixture(scope="module", name="images")
def the_images(engine):
    done = subprocess.run(["make", "-s", "images"], cwd=ROOT, check=False, text=True, capture_output=True, env={**os.environ, **engine.env})
    assert done.returncode == 0, done.stdout + done.stderr
    yield {daemon: engine.get(f"/images/runbook-{daemon}:latest/json") for daemon in DAEMONS}
    for daemon in DAEMONS:
        engine.docker("image", "rm", "-f", f"runbook-{daemon}:latest", check=False)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_an_image_is_small_and_says_what_it_is(images, daemon):
    image = images[daemon]
    assert image["Size"] <= 40 * MEBIBYTE
    config = image["Config"]
    assert config["User"] == "65532:65532" and f"{DAEMONS[daemon]}/tcp" in config["ExposedPorts"]
    assert config["Healthcheck"]["Test"] == ["CMD", f"/opt/runbook/bin/runbook_{daemon}", "healthy"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == f"runbook-{daemon}"
    assert labels["org.opencontainers.image.version"] and labels["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_runs_confined_and_is_healthy_as_long_as_it_answers(engine, images, daemon):
    assert images
    port, name = free_port(), f"runbook-image-{daemon}"
    places = {"exporter": ["--config.file=/etc/runbook/checks.yml", "--state.directory=/var/lib/runbook"],
              "responder": ["--config.file=/etc/runbook/remediations.yml", "--journal=/var/lib/runbook/journal.db"]}[daemon]
    program = f"/opt/runbook/bin/runbook_{daemon}"
    engine.docker("run", "-d", "--name", name, *CONFINED,
                  f"runbook-{daemon}:latest", *places, f"--web.listen-address=127.0.0.1:{port}")
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "the daemon in it to be ready", 60)
        # The image's own check, as there is no shell to carry out another one.
        assert engine.docker("exec", name, program, "healthy", f"--url=http://127.0.0.1:{port}").returncode == 0
        assert engine.docker("exec", name, program, "healthy", f"--url=http://127.0.0.1:{free_port()}", check=False).returncode == 1
        state = engine.inspect(name)
        assert state["HostConfig"]["ReadonlyRootfs"] and state["State"]["Running"]
        log = engine.docker("logs", name)
        assert "Entered the sandbox" in log.stdout + log.stderr
    finally:
        engine.docker("rm", "-f", "-v", name)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_its_own_health_check_is_carried_out_without_a_shell(engine, images, daemon):
    """On its own ports, in a network of its own."""
    assert images
    name = f"runbook-health-{daemon}"
    engine.docker("run", "-d", "--name", name, "--read-only", "--network=none", "--health-interval=1s", f"runbook-{daemon}:latest")
    try:
        wait_for(lambda: engine.inspect(name)["State"]["Health"]["Status"] == "healthy", "the container to be healthy", 60)
    except AssertionError:
        print(json.dumps(engine.inspect(name)["State"]), engine.docker("logs", name).stderr)
        raise
    finally:
        engine.docker("rm", "-f", "-v", name)
