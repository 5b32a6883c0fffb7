# SPDX-License-Identifier: Apache-2.0
"""`docker-access`: a real HAProxy before a real Engine lets through what the file needs, and nothing else.

That it lets all of it through is shown by every test of an action: their steps go through it (see `step`).
"""

import http.client
import json
import pathlib
import socket
import subprocess

import pytest

RULES = pathlib.Path(__file__).parents[2] / "rules"


def ask(address, method, target, headers=()):
    """The status that a call is answered with."""
    connection = http.client.HTTPConnection("docker", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(20)
    connection.sock.connect(address.removeprefix("unix://"))
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (*headers, ("Content-Length", "0")):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status != 403 or "docker-access" in json.loads(body)["message"]
        return answer.status
    finally:
        connection.close()


@pytest.fixture(scope="module", name="shipped")
def the_shipped(allowed):
    return allowed.start("shipped", RULES / "remediations.yml")


# No shipped step has a need of these, or of their like.
OTHERS = [
    ("GET", "/info"), ("GET", "/volumes"), ("DELETE", "/volumes/data"), ("POST", "/volumes/prune"), ("POST", "/containers/prune"),
    ("POST", "/containers/web/exec"), ("POST", "/exec/1/start"), ("POST", "/containers/web/attach?stream=1"), ("GET", "/containers/web/export"),
    ("POST", "/containers/web/kill"), ("GET", "/containers/web/top"), ("POST", "/commit?container=web"), ("POST", "/images/create?fromImage=x"),
    ("POST", "/build?remote=x"), ("POST", "/images/load"), ("GET", "/images/web/get"), ("POST", "/swarm/init"), ("POST", "/plugins/pull?remote=x"),
    ("GET", "/secrets"), ("POST", "/networks/prune"), ("POST", "/session"), ("OPTIONS", "/containers/json?all=1"), ("GET", "/containers/web/stats?stream=1"),
    # What is let through, with more to it.
    ("DELETE", "/containers/web?v=1&force=1"), ("DELETE", "/containers/web?v=0&force=0&force=1"), ("DELETE", "/images/web?force=1"),
    ("POST", "/build/prune?all=1&filters=x"), ("GET", "/containers/web/logs?follow=1&stdout=1"), ("POST", "/containers/web/json"),
    ("POST", "/containers/create?name=web&platform=x"), ("GET", "/events"),
    # Paths that are not what they look like.
    ("GET", "/containers/../info?/json"), ("GET", "/containers/%2e%2e/json"), ("GET", "/containers/web%2Fexec/json"), ("GET", "//containers/web/json"),
    ("GET", "/v1.41/../containers/web/json"), ("GET", "/containers/web/json/"), ("GET", "/images/a/../../info?/json"), ("GET", "/containers/web/json?x=/exec"),
]


def test_no_other_call_is_let_through(shipped):
    assert [call for call in OTHERS if ask(shipped, *call) != 403] == []
    assert [call for call in OTHERS if ask(shipped, call[0], f"/v1.44{call[1]}") != 403] == []
    upgrade = (("Connection", "Upgrade"), ("Upgrade", "h2c"))
    assert ask(shipped, "GET", "/containers/json?all=1", upgrade) == 200  # and is no upgrade


def test_only_what_the_steps_of_the_file_need(allowed):
    restarts = allowed.of_action("docker.restart").removeprefix("unix://")
    assert ask(restarts, "POST", "/containers/nobody/restart?t=1") == 404  # the Engine's own answer
    for call in (("POST", "/containers/create?name=x"), ("DELETE", "/containers/nobody"), ("PUT", "/containers/nobody/archive?path=/"),
                 ("GET", "/containers/nobody/logs?stdout=1&stderr=1&timestamps=1&tail=1")):
        assert ask(restarts, *call) == 403, call


def test_the_checks_ask_and_change_nothing(build):
    done = subprocess.run([build / "runbook_exporter", "docker-access", f"--config.file={RULES}/checks.yml"], check=True,
                          text=True, stdout=subprocess.PIPE)
    allowed = [line.split("method ")[1].split()[0] for line in done.stdout.splitlines() if "http-request allow" in line]
    assert len(allowed) > 5 and set(allowed) == {"GET"}


def test_the_proxy_says_that_the_engine_is_away(allowed, build, tmp_path):
    config = tmp_path / "remediations.yml"
    config.write_text('docker: {host: "unix:///nobody", project: p}\nescalate_to: nobody\nremediations:\n'
                      '  - {name: a, match: [\'alertname="a"\'], steps: [{docker.record: {service: web}}]}\n')
    gone = type(allowed)(build, tmp_path, type("Nobody", (), {"host": f"unix://{tmp_path}/nobody.sock"}))
    try:
        assert ask(gone.start("gone", config), "GET", "/_ping") == 503
    finally:
        gone.stop()


@pytest.mark.parametrize("flag", ["--listen=:1 ssl crt x", "--engine=/a'b", "--listen=", "--engine=/x\n    bind :1"])
def test_what_is_no_address_is_refused(build, flag):
    done = subprocess.run([build / "runbook_responder", "docker-access", f"--config.file={RULES}/remediations.yml", flag],
                          check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1 and done.stdout == "" and "is no address" in done.stderr
