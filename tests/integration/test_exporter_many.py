# SPDX-License-Identifier: Apache-2.0
"""Many checks, a fifth of which hang for good: the page comes, the others are fresh, and the exporter stays small."""

import pathlib
import re
import time

from exporter_flags import AskedExporter
from lab.parts import ROOT
from scraping import scrape, value


def status_of(daemon, field):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)[1])


def many(target, hole, count):
    """The checks, and the names of those that hang."""
    target.says({"status": "healthy"})
    target.server.socket.listen(1024)  # of its five, the kernel would drop what comes together
    hung = {f"web{n}" for n in range(0, count, 5)}
    return [{"name": name, "timeout": "1h", "http": {"url": hole if name in hung else target.url}}
            for name in (f"web{n}" for n in range(count))], hung


def assert_only_those_hang(daemon, checks, hung, timeout):
    """The scrape ends before Prometheus would give up, with everything fresh that can be."""
    begun = time.time()
    found = scrape(daemon, timeout=timeout)
    for name in (check["name"] for check in checks):
        last = value(found, "runbook_check_last_run_timestamp_seconds", check=name)
        assert (last == 0) if name in hung else (last >= begun - 0.01), name
        assert value(found, "runbook_check_success", check=name) == int(name not in hung)


def test_many_hung_checks_cost_the_others_nothing(exporter, target, hole):
    checks, hung = many(target, hole, 200)
    daemon = exporter(checks)
    for number in range(1, 4):  # only the first scrape waits for those that hang
        assert_only_those_hang(daemon, checks, hung, 4)
        assert len(target.hits) == number * (len(checks) - len(hung))
    assert len(hung) < status_of(daemon, "Threads") <= len(checks)


class Limited(AskedExporter):
    """With a limit, so that what is measured does not depend on how slow the target is: it then gets more threads."""

    def arguments(self):
        return [*super().arguments(), "--workers=300"]


def test_a_thousand_checks_of_which_200_hang_take_40_mb(target, hole, tmp_path):
    """The build as it is shipped: a sanitizer's would be large for reasons of its own."""
    checks, hung = many(target, hole, 1000)
    config = tmp_path / "checks.yml"
    config.write_text(str({"checks": checks}).replace("'", '"'))
    daemon = Limited(ROOT / "build/runbook_exporter", config, tmp_path / "exporter").start()
    try:
        for _ in range(2):
            assert_only_those_hang(daemon, checks, hung, 5)
        assert status_of(daemon, "VmRSS") * 1024 <= 40e6
    finally:
        daemon.process.kill()  # it would wait for what hangs
