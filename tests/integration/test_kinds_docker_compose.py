# SPDX-License-Identifier: Apache-2.0
"""The kind docker beside docker-compose: what Compose was told to run against what runs."""

import json
import shutil
import subprocess

import pytest
import yaml

from lab.parts import ROOT, wait_for
from scraping import logged, promtool, scrape, value

PROJECT = "kd-compose"


class Stack:
    """A Compose project of services without ports or health checks."""

    def __init__(self, engine, image, directory, **services):
        self.engine, self.file = engine, directory / "docker-compose.yml"
        base = {"image": image, "network_mode": "none", "stop_grace_period": "0s", "healthcheck": {"disable": True},
                "environment": {"SERVICE": "web", "PORT": "8080", "DB_HOST": "", "DB_PORT": "1", "REDIS_PORT": "1"}}
        self.file.write_text(json.dumps({"version": "2.4", "services": {name: {**base, **more}
                                                                        for name, more in services.items()}}))

    def compose(self, *args, check=True):
        program = [shutil.which("docker-compose")] if shutil.which("docker-compose") else ["docker", "compose"]
        done = subprocess.run([*program, "-p", PROJECT, "-f", self.file, *args], env=self.engine.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert not check or done.returncode == 0, done.stdout


@pytest.fixture
def stack(engine, service_image, tmp_path):
    made = []

    def start(*args, **services):
        one = Stack(engine, service_image, tmp_path, **services)
        made.append(one)
        one.compose("up", "-d", *args)
        return one

    yield start
    for one in made:
        one.compose("kill", check=False)
        one.compose("down", "--timeout", "0", check=False)


def check(engine, **more):
    """As the shipped check has it, in this project and without its services."""
    shipped, = (one for one in yaml.safe_load((ROOT / "rules" / "checks.yml").read_text(encoding="utf-8"))["checks"]
                if one["name"] == "services")
    return {"name": "d", "docker": {"host": engine.host, "project": PROJECT, "groups": ["state"], **more},
            "warn": shipped["warn"], "fail": shipped["fail"]}


def replicas(found, service):
    return tuple(value(found, f"runbook_docker_service_replicas_{what}", check="d", service=service)
                 for what in ("running", "wanted"))


def beyond(found, level):
    return value(found, "runbook_check_series_beyond_threshold", check="d", level=level)


def test_a6_two_of_three_replicas_dead_are_told_and_judged(exporter, engine, stack):
    compose = stack("--scale", "web=3", web={}, other={}, job={"command": ["copy"]})
    wait_for(lambda: engine.inspect(f"{PROJECT}_job_1")["State"]["Status"] == "exited", "the job to be done")
    daemon = exporter([check(engine)])
    found = scrape(daemon)
    assert replicas(found, "web") == (3, 3) and replicas(found, "other") == (1, 1)
    assert replicas(found, "job") == (None, None)  # nothing of it is to run
    assert beyond(found, "warn") == beyond(found, "fail") == 0

    engine.docker("kill", f"{PROJECT}_web_1", f"{PROJECT}_web_3")
    found = scrape(daemon)
    assert replicas(found, "web") == (1, 3) and replicas(found, "other") == (1, 1)
    assert value(found, "runbook_docker_service_containers", check="d", service="web") == 1
    assert (beyond(found, "warn"), beyond(found, "fail")) == (1, 0)
    assert '{service=&quot;web&quot;}' in daemon.page("/")
    engine.docker("kill", f"{PROJECT}_web_2")
    found = scrape(daemon)
    assert replicas(found, "web") == (0, 3)
    assert (beyond(found, "warn"), beyond(found, "fail")) == (1, 1)
    promtool(found.page)

    compose.compose("up", "-d", "--scale", "web=2")  # a replacement keeps its number
    found = scrape(daemon)
    assert replicas(found, "web") == (2, 2)
    compose.compose("run", "-d", "web")  # one-off, which is nobody's replica
    assert replicas(scrape(daemon), "web") == (2, 2)


def test_a6_replicas_that_were_removed_are_wanted_where_the_operator_says_so(exporter, engine, stack):
    stack("--scale", "web=2", web={})
    daemon = exporter([check(engine, replicas={"web": 2, "api": 1})])
    found = scrape(daemon)
    assert replicas(found, "web") == (2, 2) and replicas(found, "api") == (0, 1)
    assert value(found, "runbook_check_success", check="d") == 0  # what is said to be there must be
    assert "service api has no running container" in daemon.page("/")
    engine.docker("rm", "-f", f"{PROJECT}_web_1")
    found = scrape(daemon)
    assert replicas(found, "web") == (1, 2)
    assert (beyond(found, "warn"), beyond(found, "fail")) == (2, 1)


def test_n14_a_misspelt_project_or_service_fails_with_the_name_that_there_is(exporter, engine, stack):
    stack(web={}, worker={})
    checks = {"project": {"project": "kd_compsoe"}, "service": {"services": ["wroker", "web"]}, "right": {}}
    daemon = exporter([{**check(engine, **options), "name": name} for name, options in checks.items()])
    found = scrape(daemon)
    assert {name: value(found, "runbook_check_success", check=name) for name in checks} == {
        "project": 0, "service": 0, "right": 1}
    reasons = "\n".join(logged(daemon, "Check failed"))
    assert f'there is no container of project \\"kd_compsoe\\"; did you mean \\"{PROJECT}\\"?' in reasons
    assert "service wroker has no running container, nor any other (did you mean worker?)" in reasons
