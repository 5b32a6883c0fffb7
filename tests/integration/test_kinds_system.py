# SPDX-License-Identifier: Apache-2.0
"""Kind system on this machine: its numbers are those that the kernel tells others, too."""

import os

from scraping import promtool, scrape, value


def test_system_tells_what_the_capacity_report_reads(exporter):
    daemon = exporter([{"name": "machine", "system": {"exclude_interfaces": []}}])
    before = os.times()
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="machine") == 1
    assert value(found, "runbook_system_cpu_cores", check="machine") == os.sysconf("SC_NPROCESSORS_ONLN")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert value(found, "runbook_system_memory_total_bytes", check="machine") == memory
    assert 0 < value(found, "runbook_system_memory_available_bytes", check="machine") < memory
    assert value(found, "runbook_system_cpu_seconds_total", check="machine", mode="user") >= before.user
    for window in ("1m", "5m", "15m"):
        assert value(found, "runbook_system_load_average", check="machine", window=window) >= 0
    # The exporter's own answer went through lo.
    first = value(found, "runbook_system_network_sent_bytes_total", check="machine", interface="lo")
    second = value(scrape(daemon), "runbook_system_network_sent_bytes_total", check="machine", interface="lo")
    assert second >= first + len(found.page)
    promtool(found.page)
