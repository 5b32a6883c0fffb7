# SPDX-License-Identifier: Apache-2.0
"""Thresholds, and the commands that run the checks once: checklist, alerts, --once."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

import pytest
import yaml

from lab.parts import wait_for
from scraping import logged, promtool, samples, scrape, value


DISK = {"name": "disk", "title": "Disk space", "step": 4, "disk": {"mountpoints": ["/", "/proc"]}}
HEALTHY = {"json": {"status": "healthy"}}


def full(limit):
    """The disk with a limit that it is always (or never) beyond."""
    return {**DISK, "warn": [f"runbook_disk_size_bytes{{mountpoint=\"/\"}} > {limit}"], "advice": "Make room"}


def test_the_limits_stand_beside_the_values(exporter):
    checks = [{**full("1KiB"), "runbook_url": "https://r/?a&b",
               "fail": ["runbook_disk_used_ratio > 101 %", "runbook_disk_available_bytes / runbook_disk_size_bytes < 0"]},
              {**full("1KiB"), "name": "other", "step": 5, "runbook_url": "javascript:x"}]
    daemon = exporter(checks, title="<MCP>")
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="disk") == 1  # what was measured is no failure to measure
    assert value(found, "runbook_check_threshold", check="disk", level="warn", comparison=">",
                 expression='runbook_disk_size_bytes{mountpoint=\\"/\\"}') == 1024
    assert value(found, "runbook_check_threshold", check="disk", level="fail", comparison=">",
                 expression="runbook_disk_used_ratio") == 1.01
    assert value(found, "runbook_check_series_beyond_threshold", check="disk", level="warn") == 1
    assert value(found, "runbook_check_series_beyond_threshold", check="disk", level="fail") == 0
    page = daemon.page("/")
    assert "0 of them failing, 2 warning" in page
    assert "Make room" in page and re.search(r"<div>[0-9.]+ [KMGT]iB \{mountpoint=&quot;/&quot;\} <small>warn: "
                                             r"runbook_disk_size_bytes", page)
    assert '<a href="https://r/?a&amp;b">' in page and '<a href="javascript:' not in page and "javascript:x" in page
    assert "<h1>&lt;MCP&gt;: Runbook exporter</h1>" in page
    assert re.search(r's\n[0-9.]+ [KMGT]iB \{mountpoint="/"\}  \(warn: runbook_disk_size_bytes\{mountpoint="/"\} > 1KiB\)\n'
                     r'\n# HELP', daemon.page("/probe?check=disk&debug=1"))
    promtool(found.page)


def test_the_checklist_goes_by_steps_and_exits_as_the_worst(runs, target):
    target.says({"status": "healthy"})
    web = {"name": "web", "title": "System health", "step": 1, "advice": "Investigate immediately",
           "runbook_url": "https://runbook.example/health", "http": {"url": target.url, **HEALTHY}}
    other = {"name": "other", "disk": {"mountpoints": ["/nowhere"]}}  # no step: not on the list
    done = runs("checklist", checks=[other, full("1024TiB"), web], title="DevOps MCP", expect=0)
    lines = done.stdout.splitlines()
    assert lines[0] == "=== DevOps MCP: Daily operations checklist ==="
    assert re.fullmatch(r" 1\. System health \.+ ✓ PASS", lines[3])
    assert re.fullmatch(r' 4\. Disk space \.+ ✓ PASS \([0-9.]+ [KMGT]iB \{mountpoint="/"\}\)', lines[4])
    assert lines[-1] == "=== 2 passed, 0 warned, 0 failed ==="
    assert "\033" not in done.stdout

    done = runs("checklist", checks=[full("1KiB"), web], expect=1)
    assert re.search(r' 4\. Disk space \.+ ! WARN\n     [0-9.]+ [KMGT]iB \{mountpoint="/"\}  \(warn: '
                     r'runbook_disk_size_bytes\{mountpoint="/"\} > 1KiB\)\n     → Make room\n', done.stdout)

    target.says({"status": "degraded"}, 503)
    done = runs("checklist", checks=[full("1KiB"), web], expect=2)
    assert re.search(r' 1\. System health \.+ ✗ FAIL\n     http://\S+: answered 503, expected 2xx\n     → Investigate '
                     r'immediately\n     → https://runbook.example/health\n', done.stdout)
    assert done.stdout.endswith("=== 0 passed, 1 warned, 1 failed ===\n")
    assert done.stderr == ""

    assert "other" in runs("checklist", "--all", checks=[full("1KiB"), other, web], expect=2).stdout
    assert "other" in runs("checklist", checks=[other], expect=0).stdout  # without any step it is all of them


def test_a_value_without_labels_stands_alone(runs):
    system = {"name": "system", "title": "Memory", "system": {}, "warn": "runbook_system_memory_total_bytes < 1KiB"}
    assert re.search(r"Memory \.+ ✓ PASS \([0-9.]+ [KMGT]iB\)\n", runs("checklist", checks=[system], expect=0).stdout)


def test_many_series_beyond_are_counted_and_some_shown(runs):
    script = "".join(f't_v{{i="{i}"}} {i}\n' for i in range(50))
    many = {"name": "many", "warn": "t_v >= 0", "fail": "t_v > 40", "exec": {
        "command": ["/usr/bin/printf", script], "output": "prometheus", "metrics": [{"name": "t_v"}]}}
    lines = runs("checklist", checks=[many], expect=2).stdout.splitlines()
    assert sum(line.endswith("(fail: t_v > 40)") for line in lines) == 9
    assert sum(line.endswith("(warn: t_v >= 0)") for line in lines) == 20 and "     … and 30 more" in lines


def test_what_servers_say_moves_no_cursor(runs, target):
    """Reasons and labels come from others: no control character of theirs reaches the terminal, and JSON is UTF-8."""
    target.says({"status": "\x1b[31mred\x9b1m\nnext"})
    spells = {"name": "spells", "title": "One\nline", "advice": "First\nthen\n", "warn": "t_v > 0", "exec": {
        "command": ["/usr/bin/printf", 't_v{i="\x1b[2J"} 1\n'], "output": "prometheus", "metrics": [{"name": "t_v"}]}}
    bytes_ = {"name": "bytes", "exec": {"command": ["/bin/sh", "-c", "printf '\\377\\007' >&2; exit 1"]}}
    web = {"name": "web", "http": {"url": target.url, **HEALTHY}}
    done = runs("checklist", checks=[web, spells, bytes_], expect=2)
    assert not [c for c in done.stdout if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], done.stdout
    assert 'status is " [31mred 1m next", expected "healthy"' in done.stdout
    assert '     1 {i=" [2J"}  (warn: t_v > 0)\n     → First\n       then\n' in done.stdout
    assert " One line ...." in done.stdout and "ended with 1: \ufffd" in done.stdout
    assert json.loads(runs("checklist", "--json", checks=[bytes_], expect=2).stdout)["steps"][0]["reason"]


def test_what_cannot_be_written_is_said(runs):
    with open("/dev/full", "w", encoding="utf-8") as full_device:
        for words, status in ((["checklist"], 3), (["capacity"], 3), (["--once=-"], 3), (["alerts"], 1),
                              (["dashboard"], 1), (["describe"], 1), (["--config.check"], 1), (["--help"], 1)):
            done = runs(*words, checks=None if words == ["describe"] else [DISK], stdout=full_device, expect=status)
            assert done.stderr == "standard output: No space left on device\n", words


@pytest.mark.parametrize("words, complaint", [
    (["chekclist"], 'there is no command "chekclist"; did you mean "checklist"?'),
    (["checklist", "disk"], '"checklist" takes no further words, and there is "disk"; see --help'),
    (["checklist", "--once=x"], '--once is a command of its own, beside "checklist"'),
    (["--once="], "--once: which file? - is stdout"),
    (["checklist", "capacity"], 'one command at a time: there are "checklist" and "capacity"'),
    (["alerts", "--json"], '"alerts" does not take --json: it goes with capacity and checklist'),
    (["describe"], '"describe" does not take --config.file'),
    (["--json"], "--json goes with capacity and checklist"),
    (["capacity", "--all"], '"capacity" does not take --all: it goes with checklist'),
    (["--once=-", "--all"], "--once does not take --all: it goes with checklist"),
    (["--once=-", "--config.check"], "--config.check is a command of its own, beside --once"),
    (["checklist", "--config.check"], '--config.check is a command of its own, beside "checklist"'),
    (["capacity", "--state.directory=/tmp"], '"capacity" does not take --state.directory'),
    (["checklist", "--workers=2"], '"checklist" does not take --workers'),
    (["checklist", "--jso"], "unknown flag --jso; did you mean --json?")])
def test_words_that_do_not_fit_together_are_refused(runs, words, complaint):
    done = runs(*words, checks=[DISK], expect=2)
    # A 2 with nothing on standard output: no verdict, of which one would read there.
    assert (done.stdout, done.stderr) == ("", f"runbook_exporter: {complaint}\n")


def test_the_checklist_as_json(runs, target):
    target.says({"status": "healthy"})
    document = json.loads(runs("checklist", "--json", title="T", expect=1, checks=[full("1KiB"), {
        "name": "web", "step": 1, "http": {"url": target.url, **HEALTHY}}]).stdout)
    assert (document["title"], document["standing"]) == ("T", "warn")
    web, disk = document["steps"]
    assert (web["name"], web["step"], web["standing"], web["values"]) == ("web", 1, "pass", [])
    assert disk["standing"] == "warn" and disk["advice"] == "Make room"
    size = os.statvfs("/")
    assert disk["values"] == [{"level": "warn", "condition": 'runbook_disk_size_bytes{mountpoint="/"} > 1KiB',
                               "limit": 1024, "value": size.f_blocks * size.f_frsize,
                               "series": '{mountpoint="/"}', "beyond": True}]


def test_the_checklist_is_coloured_on_a_terminal_alone(runs):
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        runs("checklist", checks=[full("1KiB")], expect=1, stdout=theirs, **env)
        os.close(theirs)
        page = b""
        try:
            while piece := os.read(ours, 65536):
                page += piece
        except OSError:  # how the end of a terminal is told
            pass
        os.close(ours)
        assert (b"\033[33m! WARN\033[0m" in page) == coloured, page


def test_mistakes_in_the_file_are_neither_a_pass_nor_a_fail(runs):
    done = runs("checklist", checks=[{**DISK, "warn": "runbook_disk_used_rati > 80%"}], expect=3)
    assert done.stdout == "" and "checks.yml:1:" in done.stderr and '"runbook_disk_used_ratio"?' in done.stderr


def test_one_shot_file_output_zfs_exporter_65(runs, tmp_path, target, hole):
    """Written as a whole or not at all, with what was hung told as failed; the exit code is the worst standing."""
    target.says({"status": "healthy"})
    page = tmp_path / "out" / "runbook.prom"
    page.parent.mkdir()
    web = {"name": "web", "http": {"url": target.url, **HEALTHY}}
    runs(f"--once={page}", checks=[web, full("1024TiB")], expect=0)
    found = samples(page.read_text())
    assert value(found, "runbook_check_success", check="web") == 1
    assert not [name for name, _ in found.all if name.startswith("process_")]  # node_exporter has its own
    promtool(found.page)
    began = time.time()
    runs(f"--once={page}", checks=[web, {"name": "hung", "timeout": "500ms", "http": {"url": hole}}], expect=2)
    found = samples(page.read_text())
    assert value(found, "runbook_check_success", check="hung") == 0
    assert value(found, "runbook_check_last_success_timestamp_seconds", check="web") >= began - 1
    assert os.listdir(page.parent) == ["runbook.prom"]
    assert samples(runs("--once=-", checks=[full("1KiB")], expect=1).stdout).all

    page.unlink()
    page.mkdir()  # what cannot be replaced
    done = runs(f"--once={page}", checks=[web], expect=3)
    assert "runbook.prom: Is a directory" in done.stderr and os.listdir(page.parent) == ["runbook.prom"]


CONDITIONS = {
    "runbook_disk_used_ratio > 0.5": ('runbook_disk_used_ratio{check="c",mountpoint="/"}', [0.4, 0.6]),
    "runbook_disk_available_bytes / runbook_disk_size_bytes < 20%":
        ('runbook_disk_available_bytes{check="c",mountpoint="/"}', [50, 10]),
    "runbook_disk_size_bytes - runbook_disk_available_bytes >= 90B":
        ('runbook_disk_available_bytes{check="c",mountpoint="/"}', [50, 10]),
    'runbook_disk_available_bytes{mountpoint="/"} / sum(runbook_disk_size_bytes) < 0.2':
        ('runbook_disk_available_bytes{check="c",mountpoint="/"}', [50, 10]),
    "max(runbook_disk_inodes) == 7": ('runbook_disk_inodes{check="c",mountpoint="/"}', [6, 7]),
    "min(runbook_disk_inodes_free) / runbook_disk_inodes < 10%":
        ('runbook_disk_inodes_free{check="c",mountpoint="/"}', [3, 0]),
}


# What an alert says of the value that is beyond: by the unit of the limit.
SAID = dict(zip(CONDITIONS, (" (now 0.6)", " (now 10%)", " (now 90B)", " (now 0.1)", "", " (now 0%)")))
BEYOND = "A value is where `fail:` of the check begins: act now. `runbook_exporter checklist --all` says why."


def test_alerts_from_the_file_as_prometheus_evaluates_them(runs, tmp_path):
    """Rules of every form of condition: quiet within its limit, firing beyond it, by promtool's own evaluation."""
    checks = [{"name": f"c-{i}", "title": 'Disks "{{ $x }}"', "advice": "Make room", "runbook_url": "https://r/",
               "disk": {"mountpoints": ["/"]}, "fail": condition} for i, condition in enumerate(CONDITIONS)]
    rules = tmp_path / "alerts.yml"
    rules.write_text(runs("alerts", checks=checks, expect=0).stdout)
    document = yaml.safe_load(rules.read_text())["groups"][0]["rules"]
    assert [rule["alert"] for rule in document[:2]] == ["c_0_failing", "c_0_unknown"]
    assert [rule["annotations"].get("advice") for rule in document[:3]] == ["Make room", None, "Make room"]
    assert all(rule["annotations"]["description"] for rule in document)
    fixed = {"runbook_disk_size_bytes": 100, "runbook_disk_inodes": 6}
    cases = []
    for i, (condition, (series, values)) in enumerate(CONDITIONS.items()):
        for number, fires in zip(values, (False, True)):
            series = series.replace('"c"', f'"c-{i}"')
            others = [{"series": f'{name}{{check="c-{i}",mountpoint="/"}}', "values": f"{is_}x20"}
                      for name, is_ in fixed.items() if not series.startswith(name + "{")]
            firing = {"exp_labels": {"severity": "critical", "check": f"c-{i}", "condition": condition}, "exp_annotations": {
                "summary": f'Disks "{{{{ $x }}}}": {condition}{SAID[condition]}', "description": BEYOND, "advice": "Make room",
                "runbook_url": "https://r/"}}
            if not condition.startswith("max("):  # an aggregate has no labels of its own
                firing["exp_labels"]["mountpoint"] = "/"
            cases.append({"interval": "1m", "input_series": [{"series": series, "values": f"{number}x20"}, *others],
                          "alert_rule_test": [{"eval_time": "10m", "alertname": f"c_{i}_beyond_limit",
                                               "exp_alerts": [firing] if fires else []}]})
    tests = tmp_path / "alerts_test.yml"
    tests.write_text(json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": cases}))
    done = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_of_one_check_are_told_apart(runs, tmp_path):
    """Alertmanager knows an alert by its labels alone, and an aggregate has none of the check's."""
    rules = tmp_path / "alerts.yml"
    rules.write_text(runs("alerts", expect=0, checks=[{**DISK, "warn": [
        "sum(runbook_disk_inodes) < 5", "max(runbook_disk_inodes) < 5", "max(runbook_disk_inodes_free) < 5"]}]).stdout)
    labels = [(rule["alert"], *sorted(rule["labels"].items()))
              for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]]
    assert len(set(labels)) == len(labels) == 5
    done = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", rules], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_as_twins(runs):
    """Of one expression, and alike but for the stage."""
    plain = yaml.safe_load(runs("alerts", checks=[full("1KiB")], expect=0).stdout)["groups"][0]["rules"]
    twins = yaml.safe_load(runs("alerts", "--twins", checks=[full("1KiB")], expect=0).stdout)["groups"][0]["rules"]
    assert [rule["labels"].pop("stage") for rule in twins] == ["act", "page"] * len(plain)
    assert twins[0::2] == twins[1::2] == plain


def test_alerts_link_to_their_check_where_people_reach_the_exporter(runs):
    plain = runs("alerts", checks=[full("1KiB")], expect=0).stdout
    linked = runs("alerts", "--web.external-url=https://checks.example/", checks=[full("1KiB")], expect=0).stdout
    assert "check_url" not in plain
    assert linked.replace('          check_url: "https://checks.example/#check-disk"\n', "").replace(
        '          runbook_url: "https://checks.example/#check-disk"\n', "") == plain
    own = runs("alerts", "--web.external-url=https://checks.example/", checks=[{**full("1KiB"), "runbook_url": "https://r/"}], expect=0).stdout
    assert own.count('runbook_url: "https://r/"') == 2 and own.count('runbook_url: "https://checks.example/#check-disk"') == 1  # of what is not known
    assert linked.count("check_url") == linked.count("- alert:") == 3
    wrong = runs("alerts", "--web.external-url=checks.example", checks=[full("1KiB")], expect=1)
    assert "checks.example is not where a whole host is reached" in wrong.stderr


def test_alerts_judge_each_exporter_by_its_own(runs, tmp_path):
    """As the exporter itself does: what several of them, or several targets of /probe, measure is not added up."""
    rules = tmp_path / "alerts.yml"
    rules.write_text(runs("alerts", expect=0, checks=[{**DISK, "fail": [
        "sum(runbook_disk_inodes) > 10", "sum(runbook_disk_inodes_free) / runbook_disk_inodes > 1",
        "sum(runbook_disk_inodes_free) / max(runbook_disk_inodes) > 1"]}]).stdout)
    series = [{"series": f'runbook_disk_{name}{{check="disk",mountpoint="/",job="j",instance="{instance}"}}',
               "values": f"{number}x20"} for name, instance, number in (
                   ("inodes", "a", 6), ("inodes", "b", 11), ("inodes_free", "a", 6), ("inodes_free", "b", 12))]
    one = {"severity": "critical", "check": "disk", "job": "j", "instance": "b"}
    now = {"sum(runbook_disk_inodes) > 10": 11}
    conditions = {"sum(runbook_disk_inodes) > 10": {}, "sum(runbook_disk_inodes_free) / max(runbook_disk_inodes) > 1": {},
                  "sum(runbook_disk_inodes_free) / runbook_disk_inodes > 1": {"mountpoint": "/"}}
    tests = tmp_path / "alerts_test.yml"
    firing = [{"exp_labels": {**one, **more, "condition": condition},
               "exp_annotations": {"summary": f"Disk space: {condition} (now {now.get(condition, 1.091)})", "description": BEYOND}} for condition, more in conditions.items()]
    tests.write_text(json.dumps({"rule_files": ["alerts.yml"], "tests": [{
        "interval": "1m", "input_series": series,
        "alert_rule_test": [{"eval_time": "10m", "alertname": "disk_beyond_limit", "exp_alerts": firing}]}]}))
    done = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_other_limits_hold_after_a_reload(exporter, tmp_path):
    daemon = exporter([full("1024TiB")])
    assert value(scrape(daemon), "runbook_check_series_beyond_threshold", check="disk", level="warn") == 0
    daemon.config.write_text(json.dumps({"checks": [full("1KiB")]}))
    os.kill(daemon.process.pid, signal.SIGHUP)
    wait_for(lambda: logged(daemon, "The configuration was read again"), "the reload")
    assert value(scrape(daemon), "runbook_check_series_beyond_threshold", check="disk", level="warn") == 1


def test_ages_are_those_of_the_run(exporter, tmp_path):
    """time() is when the run began, as in the alert that is written from the condition it is when Prometheus looks."""
    directory = tmp_path / "backups"
    directory.mkdir()
    (directory / "dump").write_text("x")
    daemon = exporter([{"name": "backup", "files": {"directories": [str(directory)]},
                        "fail": "time() - runbook_files_newest_timestamp_seconds > 1h"}])
    beyond = [value(scrape(daemon), "runbook_check_series_beyond_threshold", check="backup", level="fail")]
    os.utime(directory / "dump", (time.time() - 4000, time.time() - 4000))
    beyond.append(value(scrape(daemon), "runbook_check_series_beyond_threshold", check="backup", level="fail"))
    assert beyond == [0, 1]
    assert re.search(r"<div>1h[0-9]+m \{.*\} <small>fail: time\(\) - runbook_files", daemon.page("/"))


def queries_of(document):
    """Of a dashboard in which every panel stands in a place of its own."""
    taken, queries = set(), []
    for panel in document["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24 and (x, y) not in taken, panel["title"]
                taken.add((x, y))
        queries += [target["expr"] for target in panel.get("targets", [])]
    assert queries or not document["panels"]
    return queries


def test_a_dashboard_from_the_same_file(runs, tmp_path):
    """Every panel stands in its own place, and Prometheus can read every query."""
    query = {"name": "db", "title": "Keys", "postgres": {
        "dsn": "host=x", "query": "SELECT 1 AS v", "metrics": [{"name": "t_things_total", "type": "counter",
                                                                "help": "Things.", "value": "v"}]}}
    disk = {**full("1KiB"), "advice": "Make room", "runbook_url": "https://example.com/disk", "fail": ['runbook_disk_size_bytes{mountpoint="/"} > 1B', "runbook_disk_used_ratio > 90%"]}
    document = json.loads(runs("dashboard", title="DevOps MCP", checks=[disk, query], expect=0).stdout)
    assert document["title"] == "DevOps MCP"
    # One machine of several is chosen at the top, and by every query.
    assert [(one["name"], one["type"]) for one in document["templating"]["list"]] == [
        ("source", "datasource"), ("job", "query"), ("instance", "query")]
    queries = queries_of(document)
    chosen = 'job=~"$job",instance=~"$instance"'
    assert f'runbook_disk_size_bytes{{check="disk",mountpoint="/",{chosen}}}' in queries
    assert f'rate(t_things_total{{check="db",{chosen}}}[5m])' in queries
    failing = document["panels"][0]
    assert failing["title"] == "What fails now" and failing["gridPos"]["y"] == 0
    advice = failing["fieldConfig"]["overrides"][0]["properties"][0]["value"][0]["options"]
    assert advice == {"disk": {"text": "Make room https://example.com/disk"}, "db": {"text": "–"}}
    graph = next(panel for panel in document["panels"] if "runbook_disk_used_ratio" in str(panel.get("targets")))
    assert graph["description"].endswith("Make room") and [link["url"] for link in graph["links"]] == ["https://example.com/disk"]
    assert graph["targets"][0]["legendFormat"] == "{{instance}} {{mountpoint}}"
    assert [panel["title"] for panel in document["panels"] if panel["type"] == "row"] == ["Disk space", "Keys"]
    sizes = [panel for panel in document["panels"] if "runbook_disk_size_bytes" in str(panel.get("targets"))]
    limits = [panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:] for panel in sizes]
    assert limits == [[{"color": "red", "value": 1}, {"color": "orange", "value": 1024}]]  # both in one graph
    assert sizes[0]["description"] == ('warn: `runbook_disk_size_bytes{mountpoint="/"} > 1KiB`. '
                                       'fail: `runbook_disk_size_bytes{mountpoint="/"} > 1B`. Make room')
    rules = tmp_path / "queries.yml"
    rules.write_text(json.dumps({"groups": [{"name": "g", "rules": [
        {"record": f"q{i}", "expr": query} for i, query in enumerate(queries)]}]}))
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_are_files_of_a_directory(runs, tmp_path):
    """Each of them whole; one that cannot be written is named, and so is a directory that is not there."""
    done = runs("dashboards", f"--dir={tmp_path}", title="DevOps MCP", checks=[DISK], expect=0)
    written = sorted(path.name for path in tmp_path.glob("runbook-*.json"))
    assert sorted(pathlib.Path(line).name for line in done.stdout.splitlines()) == written
    assert written == [f"runbook-{name}.json" for name in
                       ("alerting", "application", "business", "capacity", "checks", "daemons", "overview", "remediations")]
    documents = [json.loads((tmp_path / name).read_text()) for name in written]
    assert len({document["uid"] for document in documents}) == len({document["title"] for document in documents}) == 8
    overview = documents[written.index("runbook-overview.json")]
    assert "runbook_disk" in str(queries_of(overview))  # what no check of the file measures has no panel
    assert not re.search("runbook_docker|runbook_tls", str(overview))
    for document in documents:
        queries_of(document)
    for words, complaint in (([], "--dir: which directory?"), ([f"--dir={tmp_path}/none"], f"{tmp_path}/none/runbook-checks.json"),
                             ([f"--dir={tmp_path}", "--schema=3"], '--schema: "3" is neither classic nor v2')):
        done = runs("dashboards", *words, checks=[DISK], expect=1)
        assert done.stdout == "" and complaint in done.stderr, done.stderr


def test_a_dashboard_in_schema_v2_shows_what_the_classic_one_does(runs, tmp_path):
    """Each panel once, with its query, its limits and its place, below the same headings. `make lint` holds both against Grafana's types."""
    shown = {}
    for schema in ("classic", "v2"):
        (tmp_path / schema).mkdir()
        runs("dashboards", f"--schema={schema}", f"--dir={tmp_path / schema}", checks=[full("1KiB")], expect=0)
        shown[schema] = {path.name: json.loads(path.read_text()) for path in (tmp_path / schema).glob("*.json")}
    assert shown["classic"].keys() == shown["v2"].keys() and len(shown["v2"]) == 8
    for name, classic in shown["classic"].items():
        v2 = shown["v2"][name]
        spec = v2["spec"]
        assert (v2["kind"], v2["metadata"]["name"], spec["title"]) == ("Dashboard", classic["uid"], classic["title"])
        assert [one["spec"]["name"] for one in spec["variables"]] == [one["name"] for one in classic["templating"]["list"]]
        assert len(spec["annotations"]) == len(classic.get("annotations", {"list": []})["list"])
        placed = [(row["spec"].get("title"), item["spec"]) for row in spec["layout"]["spec"]["rows"]
                  for item in row["spec"]["layout"]["spec"]["items"]]
        heading, begins, expected = None, 0, []
        for panel in classic["panels"]:
            place = panel["gridPos"]
            if panel["type"] == "row":
                heading, begins = panel["title"], place["y"] + 1
            else:
                expected.append((heading, {"x": place["x"], "y": place["y"] - begins, "width": place["w"], "height": place["h"],
                                           "element": {"kind": "ElementReference", "name": f"panel-{panel['id']}"}}))
                there = spec["elements"][f"panel-{panel['id']}"]["spec"]
                assert there["title"] == panel["title"] and there["vizConfig"]["group"] == panel["type"]
                assert there["vizConfig"]["spec"]["fieldConfig"] == panel["fieldConfig"]
                assert [query["spec"]["query"]["spec"]["expr"] for query in there["data"]["spec"]["queries"]] == \
                    [target["expr"] for target in panel["targets"]]
        assert placed == expected and len(spec["elements"]) == len(expected)


def test_the_dashboard_of_another_runbook_takes_another_place(runs):
    identities = [json.loads(runs("dashboard", title=title, checks=[DISK]).stdout)["uid"] for title in ("A", "B", "A", None)]
    assert identities[0] == identities[2] and len(set(identities)) == 3


CAPACITY = [
    {"section": "System resources", "rows": [{"title": "CPU cores", "metric": "runbook_system_cpu_cores"}]},
    {"section": "Redis", "rows": [{"title": "Memory", "metric": "runbook_redis_memory_used_bytes"}]},
    {"section": "Database growth", "rows": [{"title": "Rows", "metric": "runbook_postgres_table_rows"}]},
    {"section": "Storage usage", "rows": [{"title": "Size", "metric": "runbook_disk_size_bytes"},
                                          {"title": "Used", "metric": "runbook_disk_used_ratio"}]},
    {"section": "Projection", "rows": [{"title": "Storage used", "metric": "runbook_capacity_projected_storage_used_bytes"}]},
]


def test_the_capacity_report_says_what_it_has_and_what_it_has_not(runs, target):
    """A projection is a query of the operator's; what no check measures is said, not left out."""
    target.says({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"mountpoint": "/"}, "value": [0, "1073741824"]}]}})
    checks = [{"name": "system", "system": {}}, {"name": "disk", "disk": {"mountpoints": ["/"]}},
              {"name": "growth", "prometheus": {"url": target.url, "query": "predict", "labels": ["mountpoint"], "metric": {
                  "name": "runbook_capacity_projected_storage_used_bytes"}}},
              {"name": "elsewhere", "http": {"url": target.url}},
              {"name": "down", "redis": {"address": "127.0.0.1:1"}}]
    done = runs("capacity", checks=checks, title="MCP", capacity=CAPACITY, expect=1)
    assert done.stdout.startswith("=== MCP: Capacity report ===\n")
    assert re.search(rf"\n  CPU cores +{os.cpu_count()}\n", done.stdout)
    assert re.search(r'\n  Storage used +1\.0 GiB  \{mountpoint="/"\}\n', done.stdout)
    assert re.search(r"\n  Rows +-  \(runbook_postgres_table_rows: no check in the file measures it\)\n", done.stdout)
    assert re.search(r"\n  Memory +-  \(runbook_redis_memory_used_bytes: .*Connection refused\)\n", done.stdout)
    assert len(target.hits) == 1  # what tells nothing of resources is not asked
    rows = {row["metric"]: row for row in json.loads(runs("capacity", "--json", checks=checks, capacity=CAPACITY, expect=1).stdout)["rows"]}
    size = os.statvfs("/")
    assert rows["runbook_disk_size_bytes"]["values"] == [{"check": "disk", "series": '{mountpoint="/"}',
                                                          "value": size.f_blocks * size.f_frsize}]
    assert "Connection refused" in rows["runbook_redis_memory_used_bytes"]["missing"]


def test_the_capacity_report_has_the_rows_of_the_file(runs):
    """In its order, with its words; a file without any is told so, and is no report that all is there."""
    capacity = [{"section": "B", "rows": [{"title": "Inodes", "metric": "runbook_disk_inodes"}]},
                {"section": "A", "rows": [{"title": "Cores", "metric": "runbook_system_cpu_cores"}]}]
    checks = [{"name": "system", "system": {}}, {"name": "disk", "disk": {"mountpoints": ["/"]}}]
    done = runs("capacity", checks=checks, capacity=capacity, expect=0)
    assert re.findall(r"^(?:## (.*)|  (Inodes|Cores) .*)$", done.stdout, re.MULTILINE) == [
        ("B", ""), ("", "Inodes"), ("A", ""), ("", "Cores")]
    assert "has no `capacity:`" in runs("capacity", checks=checks, expect=1).stdout
    assert "has no `capacity:`" in json.loads(runs("capacity", "--json", checks=checks, expect=1).stdout)["missing"]


def test_the_capacity_report_tells_several_checks_of_one_thing_apart(runs):
    """One of them failing is no reason to show the others as if they were all."""
    checks = [{"name": "here", "disk": {"mountpoints": ["/"]}}, {"name": "there", "disk": {"mountpoints": ["/nowhere"]}}]
    done = runs("capacity", checks=checks, capacity=CAPACITY, expect=1)
    assert re.search(r'\n  Used +[0-9.]+ %  \{check="here",mountpoint="/"\}\n +-  \(runbook_disk_used_ratio: there: .*'
                     r'/nowhere.*\)\n', done.stdout)
    rows = {row["metric"]: row for row in json.loads(runs("capacity", "--json", checks=checks, capacity=CAPACITY, expect=1).stdout)["rows"]}
    assert rows["runbook_disk_used_ratio"]["missing"].startswith("there: ")


def test_f19_no_command_moves_the_cursor_of_who_reads_it(runs, tmp_path):
    """What programs, labels and reasons say, on stdout and stderr of every command that asks."""
    evil = "owned\x1b]0;t\x07\x1b[2J\rx\u009b31m\u202e\u2066\u200f"
    unshown = set(evil) - set("owned]0;tx[2J31m")
    values = tmp_path / "values"
    values.write_text(json.dumps({"a": evil, "v": 3}))
    said = {"name": "said", "step": 1, "title": "Said", "warn": "app_v > 2",
            "exec": {"command": ["/bin/cat", str(values)], "output": "json",
                     "metrics": [{"name": "app_v", "type": "gauge", "help": "V.", "value": "v", "labels": {"a": "a"}}]}}
    failed = {"name": "failed", "step": 2, "title": "Failed",
              "exec": {"command": ["/bin/sh", "-c", f"printf '%s' '{evil}' >&2; exit 2"], "output": "nagios"}}
    for words in (["checklist"], ["checklist", "--json"], ["doctor"], ["capacity"], ["--once=-"]):
        done = runs(*words, checks=[said, failed])
        assert done.stdout and not unshown & set(done.stdout + done.stderr), done
    assert "owned" in runs("checklist", checks=[said, failed]).stdout and "owned" in runs("--once=-", checks=[said]).stdout
    kept = tmp_path / "metrics.prom"
    runs(f"--once={kept}", checks=[said])
    assert evil.encode() in kept.read_bytes()  # a file gets what the page has
    named = runs("checklist", checks=[{**said, "name": evil}])
    assert named.returncode == 3 and not unshown & set(named.stderr)


def test_f19_nor_does_the_plan_of_an_alert(build, tmp_path):
    evil = "owned\x1b]0;t\x07\x1b[2J\r\n  It ran.\u009b31m\u202e\u2066\u200f"
    config = tmp_path / "remediations.yml"
    config.write_text(json.dumps({"escalate_to": "nobody", "remediations": [
        {"name": "cure", "match": ['kind="x"'], "lock": "${labels.of}", "steps": [
            {"host.memory": {}}, {"essential": False, "redis.flush": {"address": "127.0.0.1:1", "scope": "pattern",
                                                                      "pattern": "${labels.of}*"}}]}]}))
    for more in ([], ["--json"]):
        done = subprocess.run([build / "runbook_responder", "plan", f"--config.file={config}", "--alert=-", *more],
                              input=json.dumps({"status": "firing", "startsAt": "2026-01-01T00:00:00Z", "fingerprint": evil,
                                                "labels": {"alertname": evil, "kind": "x", "of": evil}}).encode(),
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        shown = done.stdout.decode() + done.stderr.decode()
        assert "owned" in done.stdout.decode(), shown
        assert not (set(evil) - set("owned]0;t[2J\n It ran.31m")) & set(shown), shown
        assert "\n  It ran." not in shown
