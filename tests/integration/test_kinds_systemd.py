# SPDX-License-Identifier: Apache-2.0
"""The kind systemd on a real systemd: a user's manager of its own, whatever has booted the machine."""

import pathlib
import shutil

import pytest

from lab.parts import wait_for
from lab.systemd import UserManager
from scraping import promtool, scrape, value

NOT_ACCOUNTED = ("", "[not set]", "18446744073709551615")


@pytest.fixture(scope="module")
def manager(workspace):
    one = UserManager(workspace.path("systemd"))
    one.unit("app-busy.service", "[Service]\nCPUAccounting=yes\nMemoryAccounting=yes\nIOAccounting=yes\n"
                                 "ExecStart=/bin/sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000'\n")
    one.unit("app-idle.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    one.unit("app-failing.service", "[Service]\nExecStart=/bin/false\nRestart=on-failure\nRestartSec=10ms\n"
                                    "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n")
    one.unit("run-once.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    try:
        yield one.start()
    finally:
        one.stop()


def of(found, what, name, **more):
    return value(found, f"runbook_systemd_unit_{what}", check="s", unit=name, **more)


def units(found, kind, state):
    return value(found, "runbook_systemd_units", check="s", type=kind, state=state)


def test_accounting_is_what_systemd_says_systemd_exporter_28_180_184_187(exporter, manager):
    manager.systemctl("start", "app-busy.service", "app-idle.service")
    daemon = exporter([{"name": "s", "systemd": {"address": manager.address, "direct": True,
                                                 "units": ["app-busy.service", "app-idle.service", "app.slice"]}}])

    def compared():
        before = int(manager.show("app-busy.service", "CPUUsageNSec")) / 1e9
        found = scrape(daemon)
        assert before <= of(found, "cpu_seconds_total", "app-busy.service") <= (
            int(manager.show("app-busy.service", "CPUUsageNSec")) / 1e9)
        assert before > 0.01
        return found

    found = wait_for(compared, "it to be busy")
    assert value(found, "runbook_check_success", check="s") == 1
    for prop, what in (("MemoryCurrent", "memory_bytes"), ("TasksCurrent", "tasks"), ("IOReadBytes", "io_read_bytes_total"),
                       ("MemoryPeak", "memory_peak_bytes"), ("IOWriteBytes", "io_written_bytes_total")):
        for name in ("app-busy.service", "app-idle.service", "app.slice"):
            told = manager.show(name, prop)
            assert (of(found, what, name) is None) == (told in NOT_ACCOUNTED), (name, prop, told)
    promtool(found.page)


def test_patterns_and_counts_by_state_systemd_exporter_172_node_exporter_1036_1919(exporter, manager):
    manager.systemctl("start", "app-busy.service", "app-idle.service", "run-once.service")
    manager.systemctl("start", "app-failing.service", check=False)
    wait_for(lambda: manager.show("app-failing.service", "ActiveState") == "failed", "it to fail for good")
    daemon = exporter([{"name": "s", "systemd": {"address": manager.address, "direct": True, "units": ["app-*.service"],
                                                 "finished": ["run-once.service"],
                                                 "groups": ["state", "resources", "counts"]}},
                       {"name": "all", "systemd": {"address": manager.address, "direct": True, "groups": ["counts"]},
                        "warn": 'runbook_systemd_units{state="failed"} > 0'}])
    found = scrape(daemon)
    for name, state in (("app-busy.service", "active"), ("app-idle.service", "active"), ("app-failing.service", "failed")):
        assert of(found, "state", name, state=state) == 1
        assert of(found, "restarts_total", name) == int(manager.show(name, "NRestarts"))
    assert of(found, "restarts_total", "app-failing.service") > 0
    assert of(found, "last_result_success", "run-once.service") == 1
    assert of(found, "inactive_enter_timestamp_seconds", "app-failing.service") > (
        of(found, "active_enter_timestamp_seconds", "app-busy.service"))
    assert value(found, "runbook_check_success", check="s") == 0 and "app-failing.service is failed" in daemon.page("/")
    listed = [line.split()[3 if line[0] == "●" else 2] for line in manager.systemctl(
        "list-units", "--all", "--plain", "--no-legend", "--type=service").splitlines()]
    assert {state: units(found, "service", state) for state in ("active", "inactive", "failed")} == {
        state: listed.count(state) for state in ("active", "inactive", "failed")}
    assert units(found, "timer", "failed") == 0
    assert value(found, "runbook_check_success", check="all") == 1
    assert value(found, "runbook_check_series_beyond_threshold", check="all", level="warn") == 1
    promtool(found.page)


def test_a_users_own_systemd_node_exporter_1036_systemd_exporter_172(exporter, manager):
    """As logind has it: the socket below /run/user; by a number that no user of this machine has."""
    manager.systemctl("start", "app-idle.service")
    place = pathlib.Path("/run/user/4243571")
    place.mkdir(parents=True)
    try:
        (place / "systemd").symlink_to(manager.private.parent)
        checks = {"number": {"user": "4243571", "units": ["app-idle.service"]},
                  "nobody": {"user": "no-such-user", "units": ["app-idle.service"]},
                  "root": {"user": "nobody", "units": ["app-idle.service"]}}
        daemon = exporter([{"name": name, "systemd": options} for name, options in checks.items()])
        found = scrape(daemon)
        assert value(found, "runbook_systemd_unit_state", check="number", unit="app-idle.service", state="active") == 1
        assert {name: value(found, "runbook_check_success", check=name) for name in checks} == {
            "number": 1, "nobody": 0, "root": 0}
        assert "there is no user no-such-user" in daemon.page("/")
        assert "/run/user/65534/systemd/private" in daemon.page("/")
    finally:
        shutil.rmtree(place)
