# SPDX-License-Identifier: Apache-2.0
"""`labels:` of a check and of the defaults: on every series of it, on its alerts, and never in another one's place."""

import json
import signal
import subprocess
import sys
import urllib.request

import yaml

from lab.parts import ROOT, wait_for
from scraping import logged, promtool, read_openmetrics, samples, scrape, value

DISK = {"name": "disk", "disk": {"mountpoints": ["/"]}, "warn": ["runbook_disk_used_ratio > 0%",
                                                               "max(runbook_disk_used_ratio) >= 0%"]}
DEFAULTS = {"labels": {"env": "prod", "team": "ops"}}


def labels_of(found, check):
    return [dict(pairs) for _, pairs in found.all if dict(pairs).get("check") == check]


def test_every_series_of_a_check_has_them(exporter):
    daemon = exporter([{**DISK, "labels": {"team": "storage", "tier": "1"}}, {**DISK, "name": "plain"},
                       {**DISK, "name": "bare", "labels": {"env": "", "team": ""}}], defaults=DEFAULTS)
    found = scrape(daemon)
    for check, expected in (("disk", {"env": "prod", "team": "storage", "tier": "1"}), ("plain", DEFAULTS["labels"]),
                            ("bare", {})):
        all_labels = labels_of(found, check)
        assert len(all_labels) > 20
        for labels in all_labels:
            assert {name: labels[name] for name in labels if name in ("env", "team", "tier")} == expected, labels
    assert value(found, "runbook_check_success", check="disk", env="prod", team="storage", tier="1") == 1
    assert value(found, "runbook_check_success", check="bare") == 1
    assert value(found, "runbook_disk_read_only", check="plain", mountpoint="/", env="prod", team="ops") is not None
    promtool(found.page)
    read_openmetrics(daemon)
    protobuf = urllib.request.Request(f"{daemon.url}/metrics", headers={
        "Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"})
    with urllib.request.urlopen(protobuf) as answer:
        assert b"storage" in answer.read()
    page = daemon.page("/")
    assert "{mountpoint=&quot;/&quot;}" in page and "storage" not in page  # people are told what differs
    with urllib.request.urlopen(f"{daemon.url}/probe?check=disk") as answer:
        found = samples(answer.read().decode())
    assert value(found, "runbook_check_success", check="disk", env="prod", team="storage", tier="1") == 1


def test_a_label_that_a_program_writes_itself_stays_and_is_told(exporter, tmp_path):
    script = tmp_path / "tool"
    script.write_text("print('a_jobs{team=\"own\"} 1\\na_jobs{queue=\"x\"} 2')\n")
    daemon = exporter([{"name": "tool", "exec": {"command": [sys.executable, "-S", "-E", str(script)],
                                                 "output": "prometheus", "metrics": [{"name": "a_jobs", "help": "Jobs."}]}}],
                      defaults={"labels": {"team": "ops"}})
    found = scrape(daemon)
    assert value(found, "a_jobs", check="tool", team="own") == 1
    assert value(found, "a_jobs", check="tool", team="ops", queue="x") == 2
    assert value(found, "runbook_check_items_skipped", check="tool", team="ops", reason="reserved") == 1
    assert "the label team of the check" in logged(daemon, "Items of the check were skipped")[0]
    promtool(found.page)


def test_they_are_on_the_alerts_also_of_aggregates(binaries, tmp_path):
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"defaults": DEFAULTS, "checks": [DISK]}))
    rules = tmp_path / "alerts.yml"
    rules.write_text(subprocess.run([binaries.exporter, "alerts", f"--config.file={config}"], text=True, check=True,
                                    stdout=subprocess.PIPE).stdout)
    for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]:
        assert rule["labels"]["team"] == "ops" and rule["labels"]["env"] == "prod"
    own = {"check": "disk", "team": "ops", "env": "prod", "job": "j", "instance": "i"}

    def series(name, number, **more):
        labels = ",".join(f'{key}="{word}"' for key, word in {**own, **more}.items())
        return {"series": f"{name}{{{labels}}}", "values": f"{number}x30"}

    def firing(name, summary, **labels):
        return {"eval_time": "15m", "alertname": name, "exp_alerts": [{"exp_labels": {**own, **labels},
                                                                       "exp_annotations": {
                    "summary": summary, "description": "What it looks at is down, or is not as it should be. "
                                                       "`runbook_exporter checklist --all` says why."}}]}

    shipped = tmp_path / "shipped_test.yml"
    tests = {"rule_files": [str(ROOT / "rules" / "alerts-checks.yml"), "alerts.yml"], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": [
            series("runbook_check_success", 0), series("runbook_check_standing", 1, standing="fail"),
            series("runbook_check_info", 1, title="Disk", kind="disk"),
            series("runbook_check_series_beyond_threshold", 1, level="warn"),
            series("runbook_disk_used_ratio", 0.5, mountpoint="/")],
        "alert_rule_test": [firing("disk_failing", "disk: the check fails", severity="critical")]}]}
    shipped.write_text(json.dumps(tests))
    done = subprocess.run(["promtool", "test", "rules", shipped], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # The shipped ones keep them, too, for Alertmanager to route by.
    for name in ("check_failing", "check_warns"):
        tests["tests"][0]["alert_rule_test"] = [{"eval_time": "15m", "alertname": name, "exp_alerts": []}]
        shipped.write_text(json.dumps(tests))
        told = subprocess.run(["promtool", "test", "rules", shipped], capture_output=True, text=True, check=False)
        assert told.returncode != 0 and 'team="ops"' in told.stdout + told.stderr, told.stdout + told.stderr


def test_the_checklist_shows_what_differs(binaries, tmp_path):
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"defaults": DEFAULTS, "checks": [DISK]}))
    told = subprocess.run([binaries.exporter, "checklist", f"--config.file={config}"], text=True, check=False,
                          stdout=subprocess.PIPE).stdout
    assert '{mountpoint="/"}' in told and "ops" not in told, told


def test_another_label_is_another_definition_for_a_reload(exporter):
    daemon = exporter([DISK, {**DISK, "name": "kept", "cache": "1h"}])
    scrape(daemon)
    daemon.config.write_text(json.dumps({"checks": [{**DISK, "labels": {"team": "x"}},
                                                    {**DISK, "name": "kept", "cache": "1h"}]}))
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: logged(daemon, "The configuration was read again"), "the configuration to be read again")
    assert "checks=2 changed=1" in logged(daemon, "The configuration was read again")[0]
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="disk", team="x") == 1
    assert value(found, "runbook_check_success", check="disk") is None
    assert value(found, "runbook_check_success", check="kept") == 1


def test_a_label_of_containers_is_refused_where_the_check_has_it(binaries, tmp_path):
    config = tmp_path / "checks.yml"
    config.write_text("checks:\n  - name: all\n    labels: {team: ops}\n    docker: {labels: [team]}\n")
    checked = subprocess.run([binaries.exporter, "--config.check", f"--config.file={config}"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert checked.returncode == 1
    assert f'{config}:4:22: the check has a label "team" of its own' in checked.stdout, checked.stdout
