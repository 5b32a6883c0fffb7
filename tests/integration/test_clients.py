# SPDX-License-Identifier: Apache-2.0
"""The clients against real servers: each driver is a cmocka program, each of its tests is one here."""

import os
import subprocess
import xml.etree.ElementTree

import pytest

from lab.parts import free_port
from lab.redis import Redis


def drive(build, workspace, name, **env):
    """Runs a driver once; {test: failure or None}. A driver that dies fails as a whole."""
    program = build / "tests" / "integration" / name
    assert program.exists(), f"{program} is missing: run `make drivers`"
    report = workspace.directory / f"{name}.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run([program], env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "xml",
                                          "CMOCKA_XML_FILE": str(report), **env},
                          check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert report.exists(), f"{name} ended with {done.returncode}:\n{done.stdout}"
    cases = {case.get("name"): case.findtext("failure")
             for case in xml.etree.ElementTree.parse(report).iter("testcase")}
    assert cases, f"{name} ran nothing"
    failures = "\n".join(f"{case}: {failure.strip()}" for case, failure in cases.items() if failure)
    assert not failures, failures  # what leaks then is only what a failed test left lying about
    assert done.returncode == 0, done.stdout[-8000:]
    return cases


@pytest.fixture(scope="module")
def locked_redis(workspace):
    server = Redis(workspace.directory / "locked-redis", password="correct horse").start()
    yield server
    server.stop()


@pytest.fixture
def secure_redis(workspace, authority):
    """The address of a server's TLS."""
    port = free_port()
    server = Redis(workspace.directory / "secure-redis", arguments=[
        "--tls-port", port, "--tls-cert-file", authority.path("localhost.chain.pem"), "--tls-key-file",
        authority.path("localhost.key"), "--tls-ca-cert-file", authority.path("root.pem"), "--tls-auth-clients", "no"])
    server.start()
    yield f"localhost:{port}"
    server.stop()


def test_redis(build, workspace, redis_server, locked_redis, secure_redis, authority):
    drive(build, workspace, "client_redis", RUNBOOK_TEST_REDIS=redis_server.address,
          RUNBOOK_TEST_REDIS_LOCKED=locked_redis.address, RUNBOOK_TEST_REDIS_PASSWORD=locked_redis.password,
          RUNBOOK_TEST_REDIS_TLS=secure_redis, RUNBOOK_TEST_CA=str(authority.root))


def test_postgres(build, workspace, postgres):
    drive(build, workspace, "client_postgres", RUNBOOK_TEST_DSN=postgres.dsn(),
          RUNBOOK_TEST_UNIX_DSN=postgres.dsn().replace("127.0.0.1", str(postgres.directory)))


@pytest.fixture(name="engine_env")
def _engine_env(engine, service_image, postgres, redis_server):
    return {"RUNBOOK_TEST_DOCKER": engine.host, "RUNBOOK_TEST_IMAGE": service_image,
            "RUNBOOK_TEST_DB_PORT": str(postgres.port), "RUNBOOK_TEST_REDIS_PORT": str(redis_server.port)}


def test_docker(build, workspace, engine_env):
    drive(build, workspace, "client_docker", **engine_env)


def test_recreate(build, workspace, engine_env):
    drive(build, workspace, "client_recreate", **engine_env)
