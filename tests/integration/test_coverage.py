# SPDX-License-Identifier: Apache-2.0
"""From check to verification, over the three files: what is shipped has no gap, and every sort of gap is told."""

import html
import json
import pathlib
import subprocess

import pytest

from lab.runbook import Responder

RULES = pathlib.Path(__file__).resolve().parents[2] / "rules"

CHECKS = """
checks:
  - {name: redis, redis: {address: "localhost:6379"}}
  - {name: own, exec: {command: [/bin/true], output: prometheus, metrics: [{name: own_things}]}}
"""
ALERTS = """
groups:
  - name: healed
    interval: 15s
    rules:
      - {alert: slow, expr: "max by (x) (own_things) > 1", labels: {service: web, team: "{{ $labels.x }}"}}
      - {record: own:rate, expr: "max(own_things)"}
  - name: for-a-person
    rules:
      - {alert: failing, expr: "runbook_check_success == 0", for: 5m}
"""
REMEDIATIONS = """
prometheus_url: http://127.0.0.1:1
exporter_url: http://127.0.0.1:1
escalate_to: nobody
remediations:
  - {name: slow, match: ['alertname="slow"', 'service=~"web|api"', 'team="a"'], steps: [{host.memory: {}}],
     verify: {query: 'runbook_redis_ping_seconds{job="${labels.job}"} < 1'}}
"""


@pytest.fixture
def coverage(binaries, tmp_path):
    def cover(checks=CHECKS, alerts=ALERTS, remediations=REMEDIATIONS, given=("alerts.yml",)):
        for name, text in (("checks", checks), ("alerts", alerts), ("remediations", remediations)):
            (tmp_path / f"{name}.yml").write_text(text)
        families = subprocess.run([binaries.exporter, "families", f"--config.file={tmp_path}/checks.yml"], check=True, text=True,
                                  capture_output=True).stdout
        done = subprocess.run([binaries.responder, "coverage", "--families=-", *(f"--alerts={tmp_path / file}" for file in given),
                               f"--config.file={tmp_path}/remediations.yml"], check=False, text=True, capture_output=True,
                              input=families)
        rows = [line for line in done.stdout.splitlines() if not line.startswith("gap: ")]
        return done.returncode, [line[5:] for line in done.stdout.splitlines() if line.startswith("gap: ")], rows, done.stderr
    return cover


def test_what_is_whole_is_a_row_from_check_to_verification(coverage):
    code, gaps, rows, complaint = coverage()
    assert (code, gaps, complaint) == (0, [], ""), rows
    cells = [[cell.strip() for cell in row.split("  ") if cell.strip()] for row in rows]
    assert cells[1] == ["own", "slow", "slow", "query of redis"]
    assert cells[2] == ["every check", "failing", "a person"]
    assert cells[3] == ["redis", "those of every check: whether it succeeds"]
    assert rows[-1] == "0 gaps"


def test_every_sort_of_gap_is_told(coverage):
    for change, gap in (
            ({"alerts": ALERTS.replace("alert: slow", "alert: slower")}, "the alert slower sets nothing off"),
            ({"alerts": ALERTS.replace("service: web", "service: worker")}, "the alert slow sets nothing off"),
            ({"alerts": ALERTS.replace("alert: slow", "alert: slower")}, "no alert reaches the remediation slow"),
            ({"alerts": ALERTS.replace("runbook_check_success", "runbook_chekc_success")},
             "the alert failing reads runbook_chekc_success, which no check has"),
            ({"alerts": ALERTS.replace("runbook_check_success", "up")}, "no rule reads a metric of the check redis"),
            ({"remediations": REMEDIATIONS.replace("runbook_redis_ping_seconds", "runbook_postgres_up")},
             "the verification of slow reads runbook_postgres_up, which no check has"),
            ({"remediations": REMEDIATIONS.replace("query: 'runbook_redis_ping_seconds{job=\"${labels.job}\"} < 1'", "check: postgres")},
             "the verification of slow is by the check postgres, which there is not")):
        code, gaps, rows, _ = coverage(**change)
        assert code == 1 and [one for one in gaps if one.startswith(gap)], (gap, gaps, rows)
        assert rows[-1] == f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''}"


def test_what_is_shipped_has_no_gap(coverage):
    code, gaps, rows, complaint = coverage((RULES / "checks.yml").read_text(), "", (RULES / "remediations.yml").read_text(),
                                           given=[RULES / "prometheus.yml"])
    assert (code, gaps, complaint) == (0, [], ""), rows
    assert [row for row in rows if "slo_burns_fast" in row and "a person" in row], rows
    assert len([row for row in rows if "high_latency" in row and "a person, who waits" in row]) == 1, rows


def test_a_page_that_waits_sets_nothing_off(coverage):
    page = ALERTS.replace("service: web,", "service: web, stage: page,")
    code, gaps, rows, _ = coverage(alerts=page)
    assert code == 1 and gaps == ["no alert reaches the remediation slow"] and [row for row in rows if "a person, who waits" in row], rows
    # But where a matcher asks about the label itself.
    code, gaps, rows, _ = coverage(alerts=page, remediations=REMEDIATIONS.replace("'team=\"a\"'", "'team=\"a\"', 'stage=\"page\"'"))
    assert (code, gaps) == (0, []) and not [row for row in rows if "who waits" in row], rows


def rules_of(*rules):
    return json.dumps({"groups": [{"name": group, "rules": [{"alert": name, "expr": expr}]} for name, group, expr in rules]})


def test_alerts_of_several_files(coverage, tmp_path):
    """Each that is named, and each that the file of Prometheus names, as seen from it."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/one.yml").write_text(rules_of(("first", "for-a-person", "up == 0")))
    (tmp_path / "rules/two.yml").write_text(rules_of(("second", "for-a-person", "up == 0"), ("third", "gap", "up == 0")))
    prometheus = tmp_path / "prometheus.yml"
    scrapes = "scrape_configs: [{job_name: x, relabel_configs: [{target_label: y, replacement: '${1}:1'}]}]\n"

    def alerts(*given):
        code, gaps, rows, complaint = coverage(given=given)
        return code, gaps, {word for row in rows for word in ("slow", "first", "second", "third") if f" {word} " in row}, complaint

    gap = ["the alert third sets nothing off, and is not of the group for-a-person"]
    assert alerts("alerts.yml", "rules/one.yml") == (0, [], {"slow", "first"}, "")
    assert alerts("alerts.yml", "rules/one.yml", "rules/two.yml") == (1, gap, {"slow", "first", "second", "third"}, "")
    for patterns in ("[alerts.yml, rules/*.yml]", f"[alerts.yml, {tmp_path}/rules/one.yml, 'rules/t?o.yml']"):
        prometheus.write_text(f"rule_files: {patterns}\n{scrapes}")
        assert alerts("prometheus.yml") == (1, gap, {"slow", "first", "second", "third"}, "")
    prometheus.write_text("rule_files: [rules/one.yml]\n")
    assert alerts("prometheus.yml", "alerts.yml") == (0, [], {"slow", "first"}, "")
    # What was not read is no gap, and no verdict either.
    for files, complaint in (("[alerts.yml, rules/three*.yml]", "rules/three*.yml matches no file"),
                             ("[alerts.yml, prometheus.yml]", "prometheus.yml has no list of groups"),
                             ("[]", None)):
        prometheus.write_text(f"rule_files: {files}\n")
        code, gaps, rows, told = coverage(given=["prometheus.yml"])
        assert code == 1 and (complaint or "") in told and (rows == [] or not complaint), (rows, told)


def test_what_is_no_file_of_rules_is_no_verdict(coverage, binaries):
    code, gaps, rows, complaint = coverage(alerts="nothing: here\n")
    assert code == 1 and rows == gaps == [] and "no list of groups" in complaint
    code, _, _, complaint = coverage(alerts=ALERTS.replace("== 0", "=="))
    assert code == 1 and "the alert failing: " in complaint
    done = subprocess.run([binaries.responder, "coverage"], check=False, text=True, capture_output=True)
    assert done.returncode == 2 and "--families" in done.stderr


def test_the_page_says_what_the_command_says(coverage, binaries, tmp_path):
    code, gaps, _, _ = coverage(alerts=ALERTS.replace("alert: slow", "alert: <slower>"))
    assert code == 1 and len(gaps) == 2
    families = tmp_path / "families.json"
    families.write_text(subprocess.run([binaries.exporter, "families", f"--config.file={tmp_path}/checks.yml"], check=True, text=True,
                                       capture_output=True).stdout)
    daemon = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run")
    (tmp_path / "more.yml").write_text(rules_of(("more", "for-a-person", "up == 0")))
    daemon.more = [f"--families={families}", f"--alerts={tmp_path}/alerts.yml", f"--alerts={tmp_path}/more.yml"]
    daemon.start()
    try:
        page = daemon.page("/coverage")
        for gap in gaps:
            assert f"<li>{html.escape(gap)}</li>" in page
        assert 'class="word">more</td>' in page
        assert page.count('class="s bad">') == 2 and "sets nothing off</span>" in page and "no alert</span>" in page
        (tmp_path / "alerts.yml").write_text("nothing: here\n")  # read anew each time
        assert "It cannot be told: " in daemon.page("/coverage")
        families.unlink()
        assert "cannot open" in daemon.page("/coverage")
    finally:
        assert daemon.stop() == 0
