# SPDX-License-Identifier: Apache-2.0
"""Kind exec: real programs, how they end, what they say, and that nothing of them is left."""

import json
import os
import pathlib
import sys
import textwrap

import pytest

from lab.parts import wait_for
from scraping import logged, promtool, scrape, value


@pytest.fixture
def script(tmp_path):
    """Writes a program in Python; its argv."""
    def write(name, body):
        path = tmp_path / name
        path.write_text("import json, os, signal, subprocess, sys, time\n" + textwrap.dedent(body))
        return [sys.executable, "-S", "-E", str(path)]

    return write


def ended(pid):
    """Whether a process is gone; a zombie that nobody waits for is, too."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_exit_codes(exporter, script):
    fails = script("fails", "sys.stderr.write('no\\nsuch luck\\n'); sys.exit(3)")
    daemon = exporter([{"name": "true", "exec": {"command": "/bin/true"}},
                       {"name": "false", "exec": {"command": ["/bin/false"]}},
                       {"name": "fails", "exec": {"command": fails}},
                       {"name": "three", "exec": {"command": fails, "success": [0, 3]}},
                       {"name": "killed", "exec": {"command": script("killed", "os.kill(os.getpid(), 9)")}},
                       {"name": "absent", "exec": {"command": "/nowhere/at/all"}}])
    found = scrape(daemon)
    for check, code, success in (("true", 0, 1), ("false", 1, 0), ("fails", 3, 0), ("three", 3, 1),
                                 ("killed", None, 0), ("absent", None, 0)):
        assert value(found, "runbook_check_success", check=check) == success, check
        assert value(found, "runbook_exec_exit_code", check=check) == code, check
    page = daemon.page("/")
    for reason in ("ended with 3: no<", "/bin/false ended with 1", "was ended by SIGKILL",
                   "/nowhere/at/all: No such file or directory"):
        assert reason in page, page
    assert "such luck" not in page
    promtool(found.page)


def test_nagios_plugins(exporter, script):
    plugin = script("plugin", "print('LOAD WARNING - 1.5 | load1=1.5;1;2;0 time=20ms'); sys.exit(1)")
    daemon = exporter([{"name": "warning", "exec": {"command": plugin, "output": "nagios"}},
                       {"name": "enough", "exec": {"command": plugin, "output": "nagios", "success": [0, 1]}}])
    found = scrape(daemon)
    for check, success in (("warning", 0), ("enough", 1)):
        assert value(found, "runbook_check_success", check=check) == success
        assert value(found, "runbook_exec_exit_code", check=check) == 1
        assert value(found, "runbook_exec_performance", check=check, label="load1") == 1.5
        assert value(found, "runbook_exec_performance", check=check, label="time", unit="seconds") == 0.02
        assert value(found, "runbook_exec_performance_limit", check=check, label="load1", limit="critical_upper") == 2
    assert "ended with 1: LOAD WARNING - 1.5 <" in daemon.page("/")
    promtool(found.page)


def test_prometheus_text_of_the_metrics_that_the_check_names(exporter, script):
    tool = script("tool", """
        print('# TYPE apt_upgrades_pending gauge')
        print('apt_upgrades_pending{origin="Debian-Security"} 4')
        print('apt_upgrades_pending{origin="Debian"} 2')
        print('process_cpu_seconds_total 1')
        """)
    checks = [{"name": "apt", "exec": {"command": tool, "output": "prometheus", "metrics": [
        {"name": "apt_upgrades_pending", "help": "Packages that can be upgraded."}]}}]
    daemon = exporter(checks)
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="apt") == 1
    assert value(found, "apt_upgrades_pending", check="apt", origin="Debian-Security") == 4
    assert value(found, "apt_upgrades_pending", check="apt", origin="Debian") == 2
    assert value(found, "runbook_exec_ignored_samples", check="apt") == 1
    assert "# HELP apt_upgrades_pending Packages that can be upgraded." in found.page
    promtool(found.page)

    broken = script("tool", "print('apt_upgrades_pending 1'); print('Traceback (most recent call last):')")
    assert broken == tool
    assert value(scrape(daemon), "runbook_check_success", check="apt") == 0
    assert "line 2 of the output is no sample" in daemon.page("/")


def test_it_gets_its_arguments_as_they_are_and_an_environment_of_its_own(exporter, script, tmp_path):
    told = tmp_path / "told"
    tool = script("tool", f"""
        json.dump({{'argv': sys.argv[1:], 'env': dict(os.environ), 'cwd': os.getcwd(), 'fds': os.listdir('/proc/self/fd'),
                   'stdin': sys.stdin.read(), 'group': os.getpgrp() == os.getpid(),
                   'masked': [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])]}},
                  open({str(told)!r}, 'w'))
        """)
    daemon = exporter([{"name": "tool", "exec": {"command": [*tool, "a b", "$HOME", ";", "*", ""],
                                                 "environment": {"COLOUR": "blue sky", "LANG": "de"},
                                                 "directory": str(tmp_path)}}], env={"SECRET": "x"})
    assert value(scrape(daemon), "runbook_check_success", check="tool") == 1, daemon.page("/")
    said = json.loads(told.read_text())
    assert said["argv"] == ["a b", "$HOME", ";", "*", ""]
    assert said["env"].pop("LC_CTYPE", None) in (None, "C.UTF-8")  # Python sets it itself
    assert said["env"] == {"COLOUR": "blue sky", "LANG": "de", "PATH": os.environ["PATH"]}
    assert said["cwd"] == str(tmp_path)
    assert said["stdin"] == "" and said["group"] and said["masked"] == []
    assert set(said["fds"]) <= {"0", "1", "2", "3", "4"}  # the file it writes and the directory are its own


def test_at_the_deadline_the_whole_group_is_killed(exporter, script, tmp_path):
    pids = tmp_path / "pids"
    tool = script("tool", f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(1000)'])
        open({str(pids)!r} + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')
        os.rename({str(pids)!r} + '.new', {str(pids)!r})
        time.sleep(1000)
        """)
    daemon = exporter([{"name": "tool", "timeout": "2s", "exec": {"command": tool}}])
    scrape(daemon)
    for pid in wait_for(pids.read_text, "the program to tell its processes").split():
        wait_for(lambda pid=pid: ended(pid), f"process {pid} to end")
    wait_for(lambda: "it did not end in time and was killed" in daemon.page("/"), "the reason")


def test_what_it_leaves_in_the_background_is_neither_waited_for_nor_left(exporter, script, tmp_path):
    told = tmp_path / "pid"
    tool = script("tool", f"""
        child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(1000)'])
        open({str(told)!r}, 'w').write(str(child.pid))
        print('OK | a=1')
        """)
    daemon = exporter([{"name": "tool", "timeout": "60s", "exec": {"command": tool, "output": "nagios"}}])
    found = scrape(daemon)  # gives up after 15 s, long before the child would end
    assert value(found, "runbook_check_success", check="tool") == 1
    assert value(found, "runbook_exec_performance", check="tool", label="a") == 1
    wait_for(lambda: ended(told.read_text()), "its child to end")


def test_who_says_too_much_is_killed(exporter, script):
    chatty = script("chatty", "while True: print('x' * 1000)")
    daemon = exporter([{"name": "chatty", "exec": {"command": chatty, "output": "nagios", "output_limit": "10KiB"}},
                       {"name": "quiet", "timeout": "500ms", "exec": {"command": chatty}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="chatty") == 0
    assert "it wrote more than 10240 bytes and was killed" in daemon.page("/")
    assert value(found, "runbook_check_success", check="quiet") == 0  # nobody reads it; it just never ends


def skipped(found, check):
    """The items that a check skipped, by reason."""
    return {dict(labels)["reason"]: count for (name, labels), count in found.all.items()
            if name == "runbook_check_items_skipped" and dict(labels)["check"] == check}


@pytest.mark.parametrize("line", [
    'other{check="a"} 1', 'other_bucket{le="1"} 5 # {trace_id="a"} 1', '{"my.metric"} 3', r'other{l="C:\dir"} 1',
    "other 1 1700000000.5", "other {count:12,sum:100,schema:3}",
    "other{" + ",".join(f'l{number}="v"' for number in range(70)) + "} 1"])
def test_b2_a_line_of_a_metric_that_nobody_asked_for_costs_nothing(exporter, script, line):
    tool = script("tool", f"print({line!r}); print('x_a 1')")
    found = scrape(exporter([{"name": "b2", "exec": {"command": tool, "output": "prometheus",
                                                     "metrics": [{"name": "x_a"}]}}]))
    assert value(found, "runbook_check_success", check="b2") == 1
    assert value(found, "x_a", check="b2") == 1
    assert value(found, "runbook_exec_ignored_samples", check="b2") == 1
    assert skipped(found, "b2") == {}


def test_b2_a_sample_that_cannot_be_taken_costs_itself_and_is_told_once(exporter, script):
    tool = script("tool", r"""
        sys.stdout.buffer.write(b'x_a{check="mine"} 1\nx_a{l="C:\\dir"} 2\nx_a{l="\xff"} 3\nx_a{l="4"} 4 # {t="a"} 1\n'
                                b'x_a {count:1,sum:2}\nx_a{l="5"} 5 1700000000.5\nx_a{l="\0"} 6\nx_a{l="7"} 7\n')
        """)
    daemon = exporter([{"name": "b2", "exec": {"command": tool, "output": "prometheus", "metrics": [{"name": "x_a"}]}}])
    for _ in range(3):
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="b2") == 1
        assert [value(found, "x_a", check="b2", l=label) for label in (r"C:\\dir", "4", "5", "7")] == [2, 4, 5, 7]
        assert skipped(found, "b2") == {"reserved": 1, "not_utf8": 1, "malformed": 2}
        promtool(found.page)
    told = logged(daemon, "Items of the check were skipped")
    assert len(told) == 3, told
    assert any("reason=malformed" in line and "count=2" in line and "x_a on line 5" in line and "line 7" in line
               for line in told), told
    script("tool", "print('x_a 1')")
    assert skipped(scrape(daemon), "b2") == {}
    assert logged(daemon, "Items of the check are no longer skipped")


def test_g2_labels_of_histograms_and_summaries_cost_their_sample(exporter, script):
    tool = script("tool", r"""print('x_a{le="1"} 1\nx_a{l="b",quantile="0.5"} 2\nx_a{l="c"} 3')""")
    found = scrape(exporter([{"name": "g2", "exec": {"command": tool, "output": "prometheus", "metrics": [{"name": "x_a"}]}}]))
    assert [sample for sample in found.all if sample[0] == "x_a"] == [("x_a", (("check", "g2"), ("l", "c")))]
    assert skipped(found, "g2") == {"reserved": 2}
    promtool(found.page)


def test_kind_3_of_two_equal_series_page_and_verdict_agree(exporter, script):
    tool = script("tool", "print('x_a{l=\"1\"} 90'); print('x_a{l=\"1\"} 3'); print('x_a{l=\"2\"} 90')")
    daemon = exporter([{"name": "twice", "warn": "x_a < 7", "exec": {
        "command": tool, "output": "prometheus", "metrics": [{"name": "x_a"}]}}])
    found = scrape(daemon)
    assert value(found, "x_a", check="twice", l="1") == 3  # of the two it is the one beyond the condition
    assert value(found, "runbook_check_series_beyond_threshold", check="twice", level="warn") == 1
    assert skipped(found, "twice") == {"duplicate": 1}
    assert any("reason=duplicate" in line and "x_a{" in line for line in logged(daemon, "Items of the check were skipped"))


def test_e1_nagios_units_are_measured_or_counted(exporter, script):
    plugin = script("plugin", "print('OK | temp=42C fan=1200RPM v=3.3V m=10kB age=3d big=1PB load=0,5 same=1 same=2 '"
                              "'odd=5furlong; none=U')")
    daemon = exporter([{"name": "e1", "exec": {"command": plugin, "output": "nagios"}}])
    found = scrape(daemon)
    for label, unit, expected in (("temp", "celsius", 42), ("fan", "rpm", 1200), ("v", "volts", 3.3),
                                  ("m", "bytes", 10000), ("age", "seconds", 259200), ("big", "bytes", 1 << 50)):
        assert value(found, "runbook_exec_performance", check="e1", label=label, unit=unit) == expected, label
    assert value(found, "runbook_exec_performance", check="e1", label="load") == 0.5
    assert value(found, "runbook_exec_performance", check="e1", label="same") == 1
    assert skipped(found, "e1") == {"unknown_unit": 1, "duplicate": 1}
    assert any("reason=unknown_unit" in line and "odd has the unit furlong" in line for line in logged(daemon, "Items of the check were skipped"))
    promtool(found.page)
