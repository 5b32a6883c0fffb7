# SPDX-License-Identifier: Apache-2.0
"""What the capacity report says of projections and of limits that nobody has set: on a real Prometheus with a past."""

import json
import re
import subprocess
import time

import pytest
import yaml

from docker_project import PROJECT, Project
from lab.parts import ROOT, wait_for
from lab.prometheus import Prometheus

DAY = 86400
SHIPPED = {check["name"]: check for check in yaml.safe_load((ROOT / "rules/checks.yml").read_text(encoding="utf-8"))["checks"]}
ROWS = {row["metric"]: row for part in yaml.safe_load((ROOT / "rules/checks.yml").read_text(encoding="utf-8"))["capacity"]
        for row in part["rows"]}


@pytest.fixture(scope="module")
def past(workspace):
    """A Prometheus that has 3 days of CPU, of the disk "/" and of a falling size of the database, and 5 minutes of the rest."""
    directory, now = workspace.path("past"), int(time.time())
    long, short = range(now - 3 * DAY, now, 120), range(now - 300, now, 20)
    series = {"runbook_capacity_cpu_used_ratio": {"": (long, lambda at: 0.9 - (now - at) / DAY * 0.1)},
              "runbook_disk_size_bytes": {'{mountpoint="/"}': (long, lambda at: 100),
                                          '{mountpoint="/new"}': (short, lambda at: 100)},
              "runbook_disk_available_bytes": {'{mountpoint="/"}': (long, lambda at: 60),
                                               '{mountpoint="/new"}': (short, lambda at: 60 + (now - at))},
              "runbook_postgres_database_size_bytes": {'{database="mcp"}': (long, lambda at: 1e6 + (now - at) * 10)},
              **{f"runbook_system_memory_{name}_bytes": {f'{{instance="{one}"}}': (short, lambda at: 2000 + now - at) for one in "ab"}
                 for name in ("total", "available")}}
    text = "".join(f"# TYPE {name} gauge\n" + "".join(f"{name}{labels} {of(at)} {at}\n" for labels, (times, of) in each.items()
                                                     for at in times) for name, each in series.items())
    (directory / "past.txt").write_text(text + "# EOF\n", encoding="ascii")
    (directory / "prometheus.yml").write_text("{}\n", encoding="ascii")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", directory / "past.txt", directory / "data"],
                   check=True, stdout=subprocess.DEVNULL)
    server = Prometheus(directory).start(directory / "prometheus.yml")
    wait_for(lambda: server.query("count_over_time(runbook_system_memory_total_bytes[1h])"), "the past")
    yield server
    server.stop()


def projection(name, server):
    check = SHIPPED[name]
    return {**check, "prometheus": {**check["prometheus"], "url": server.url}}


@pytest.fixture
def report(runs, past):
    def report(*names, expect=0):
        checks = [projection(name, past) for name in names]
        rows = [ROWS[check["prometheus"]["metric"]["name"]] for check in checks]
        return runs("capacity", checks=checks, capacity=[{"section": "S", "rows": rows}], expect=expect).stdout
    return report


def test_f2_a_projection_stays_within_its_bounds(report):
    """The CPU's would be 390 %, and that of the database less than nothing."""
    text = report("projected_cpu", "projected_database")
    assert re.search(r"^  CPU used +100 %\n", text, re.MULTILINE), text
    assert re.search(r'^  Database +0 B  \{database="mcp"\}\n', text, re.MULTILINE), text


def test_f2_from_too_little_history_nothing_is_foretold(report):
    """Neither of all that is asked for, nor of one series beside another; and it is no failure."""
    text = report("projected_memory", "projected_storage")
    assert re.search(r"^  Memory used +unknown  \(runbook_capacity_projected_memory_used_bytes: [0-9.ms ]+ of history, "
                     r"and 1d is needed\)\n", text, re.MULTILINE), text
    assert re.search(r'^  Storage used +40 B  \{mountpoint="/"\}\n +unknown  \(.*: \{mountpoint="/new"\}: [0-9.ms ]+ of history, '
                     r"and 1d is needed\)\n", text, re.MULTILINE), text


def test_f2_without_any_history_nothing_is_foretold(runs, past):  # noqa: F811  pylint: disable=redefined-outer-name
    check = {"name": "p", "prometheus": {"url": past.url, "query": "vector(-5)", "history": {"of": "no_such_metric  # at all"},
                                         "metric": {"name": "runbook_capacity_p_ratio"}}}
    rows = [{"title": "P", "metric": "runbook_capacity_p_ratio"}]
    text = runs("capacity", checks=[check], capacity=[{"section": "S", "rows": rows}], expect=0).stdout
    assert "unknown  (runbook_capacity_p_ratio: 0 s of history, and 1d is needed)" in text
    answer = json.loads(runs("capacity", "--json", checks=[check], capacity=[{"section": "S", "rows": rows}], expect=0).stdout)
    assert answer["rows"][0]["values"] == [] and answer["rows"][0]["wrong"] is False


def test_history_needs_to_know_of_what(runs):  # noqa: F811  pylint: disable=redefined-outer-name
    check = {"name": "p", "prometheus": {"url": "http://x", "query": "up", "history": {"at_least": "1d"}}}
    assert "'history' needs 'of'" in runs("--config.check", checks=[check], expect=1).stderr
    check["prometheus"]["history"]["of"] = "sum("
    assert re.search(r"checks.yml:\d+:\d+: ", runs("--config.check", checks=[check], expect=1).stderr)


@pytest.fixture
def container(engine, service_image):
    """One that nobody has given a limit."""
    project = Project(engine, service_image)
    project.run("no-limit")
    yield project
    project.remove()


def test_f2_no_limit_is_none_and_no_failure(runs, redis_server, container):  # noqa: F811  pylint: disable=redefined-outer-name
    checks = [{"name": "redis", "redis": {"address": redis_server.address}},
              {"name": "services", "docker": {"host": container.engine.host, "project": PROJECT, "groups": ["resources"]}}]
    rows = [ROWS["runbook_redis_memory_max_bytes"], ROWS["runbook_docker_container_memory_limit_bytes"]]
    text = runs("capacity", checks=checks, capacity=[{"section": "S", "rows": rows}], expect=0).stdout
    assert re.findall(r"^  Limit of memory +(.*)$", text, re.MULTILINE) == ["none", "none"], text
    checks[0]["redis"]["address"] = "127.0.0.1:1"  # what failed is neither
    text = runs("capacity", checks=checks, capacity=[{"section": "S", "rows": rows}], expect=1).stdout
    assert re.search(r"^  Limit of memory +-  \(.*Connection refused\)$", text, re.MULTILINE), text
