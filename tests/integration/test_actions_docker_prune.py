# SPDX-License-Identifier: Apache-2.0
"""docker.prune: what goes, and what stays although nothing runs of it. D2 of the faults that were found."""

import time

import pytest

from integration.docker_service import PROJECT
from lab.parts import wait_for

OLD = {"older_than": "1s"}
ONLY = {"containers": False, "networks": False, "images": False, "build_cache": False}


@pytest.fixture
def waste(service, engine, service_program):
    """What may go and what must stay, of each sort, all of it older than OLD."""
    if engine.outside:
        pytest.skip("an Engine that is somebody's own is not pruned")
    theirs = service.labels("x", "elsewhere")
    # The project's image is deployed anew: what it ran before has no name any more.
    images = {"before": engine.image("runbook-lab/deployed:1", service_program, "/deployed", version="1")}
    images["before"] = engine.output("inspect", "--format", "{{.Id}}", images["before"])
    engine.image("runbook-lab/deployed:1", service_program, "/deployed", version="2")
    engine.docker("run", "-d", "--name", f"{PROJECT}_web_1", *service.labels("web"), "--network", "none",
                  "--no-healthcheck", "runbook-lab/deployed:1")
    for version in ("a", "b"):
        engine.image("runbook-lab/waste:1", service_program, "/waste", version=version)
        images[version] = engine.output("inspect", "--format", "{{.Id}}", "runbook-lab/waste:1")
    engine.docker("create", "--name", "image-user", images["b"])
    engine.docker("tag", "runbook-lab/deployed:1", "runbook-lab/waste:1")
    for name, *options in (("old-job",), ("other_db_1", *theirs), ("runs-no-more", *service.labels("web")), ("evidence", "--label", "runbook.keep=1"),
                           (f"{PROJECT}_web_1.runbook-INC-2026-0009-1.old",), ("treasure", "-v", "precious:/data")):
        service.created(name, *options)
    service.created("lends")
    engine.docker("create", "--name", "borrows", *theirs, "--network", "container:lends", service.image)
    networks = {"by-hand": (), "jobs": (), "elsewhere_default": ("--label", "com.docker.compose.project=elsewhere"),
                f"{PROJECT}_default": ("--label", f"com.docker.compose.project={PROJECT}")}
    for network, options in networks.items():
        engine.docker("network", "create", *options, network)
    engine.docker("create", "--name", "net-user", "--network", "jobs", service.image)
    made = time.time()
    wait_for(lambda: int(time.time()) > made + 1, "all of it to be old")
    yield images
    ids = engine.output("ps", "-aq").split()
    if ids:
        engine.docker("rm", "-f", *ids)
    for network in networks:
        engine.docker("network", "rm", network, check=False)
    engine.docker("volume", "rm", "precious", check=False)
    engine.docker("rmi", "-f", *images.values(), "runbook-lab/waste:1", "runbook-lab/deployed:1", check=False)


def names(items):
    return {item["name"] for item in items}


def why(document):
    return {item["name"]: item["why"] for item in document["kept"]}


def test_prune_takes_the_waste_and_nothing_else(step, waste, engine, service):
    young = step("docker.prune", {}).plan()
    assert young["targets"] == 0 and "less than older_than" in why(young)["old-job"]
    assert "less than older_than" in why(young)[waste["a"][:19]]

    prune = step("docker.prune", OLD, protect=["treasure"])
    plan = prune.plan()
    assert names(plan["containers"]) == {"old-job", "net-user", "image-user"}
    assert not plan["networks"]
    assert [item["id"] for item in plan["images"]] == [waste["a"]]
    kept = why(plan)
    assert "project elsewhere" in kept["other_db_1"] and "belongs to the project" in kept["runs-no-more"]
    assert "runbook.keep" in kept["evidence"] and "protected" in kept["treasure"] and "borrows" in kept["lends"]
    assert "by hand" in kept["by-hand"] and "project elsewhere" in kept["elsewhere_default"]
    assert "last deployment" in kept[waste["before"][:19]]
    assert f"{len(kept)} unused thing(s) are kept" in plan["summary"] and engine.inspect("old-job")

    # What comes into use after the plan stays.
    engine.docker("rename", "image-user", f"{PROJECT}_web_2.runbook-INC-2026-0009-2.old")
    outcome = prune.run()
    assert names(outcome["removed"]) == {"old-job", "net-user", waste["a"][:19]}
    assert {"image-user", "other_db_1", "by-hand", "lends"} <= names(outcome["kept"])
    assert engine.inspect("old-job") is None and engine.inspect("net-user") is None
    for name in ("runs-no-more", "treasure", "other_db_1", "evidence", "lends", "borrows", f"{PROJECT}_web_1",
                 f"{PROJECT}_web_1.runbook-INC-2026-0009-1.old", f"{PROJECT}_web_2.runbook-INC-2026-0009-2.old"):
        assert engine.inspect(name), name
    images = engine.output("images", "-aq", "--no-trunc").split()
    assert {waste["b"], waste["before"]} <= set(images) and waste["a"] not in images
    assert {"by-hand", "jobs", "elsewhere_default", f"{PROJECT}_default"} <= set(
        engine.output("network", "ls", "--format", "{{.Name}}").split())
    assert engine.output("volume", "ls", "-q") == "precious"
    # Again, as after a crash.
    assert not prune.run()["removed"]

    # What was named goes as well.
    named = step("docker.prune", {**OLD, "images": False, "projects": ["elsewhere"], "network_names": ["by-hand"]},
                 protect=["treasure"])
    plan = named.plan()
    assert names(plan["containers"]) == {"other_db_1", "borrows"}
    assert names(plan["networks"]) == {"by-hand", "elsewhere_default"}
    named.run()
    assert engine.inspect("other_db_1") is None and engine.inspect("runs-no-more")
    assert {"jobs", f"{PROJECT}_default"} <= set(engine.output("network", "ls", "--format", "{{.Name}}").split())


def test_what_prune_is_not_told_to_do(step):
    step("docker.prune", ONLY).fails("check", "EINVAL", "nothing is left")
    step("docker.prune", {"older_than": "0"}).fails("check", "EINVAL", "older_than")
    step("docker.prune", {"projects": [PROJECT]}).fails("check", "EINVAL", "never removed")
    step("docker.prune", {"networks": False, "network_names": ["x"]}).fails("check", "EINVAL", "not looked for")
    step("docker.prune", {"projects": [""]}).fails("check", "EINVAL", "empty name")
