# SPDX-License-Identifier: Apache-2.0
"""Every alert of every shipped file: what it says, where it leads, whose it is, and that it is tested both ways."""

import re
import subprocess
import urllib.parse

import pytest
import yaml

from documents import anchors, sentences, words
from lab.parts import ROOT
from lab.runbook import Responder
from two_instances import ACROSS, doubled

RULES = ROOT / "rules"
EXPORTER, RESPONDER = "localhost:9877", "localhost:9878"
PAGES_OF = {EXPORTER: ("/", "check-", ("checks.yml", "checks")), RESPONDER: ("/remediations", "remediation-", ("remediations.yml", "remediations"))}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


FILES = {path: load(path) for path in sorted(RULES.glob("*.yml"))}
OF_RULES = {path: document for path, document in FILES.items() if "groups" in document}
SHIPPED = [pytest.param(path, rule, id="-".join((path.stem, rule["alert"], *rule["labels"].get("stage", "").split()))) for path, document in OF_RULES.items()
           for group in document["groups"] for rule in group["rules"] if "alert" in rule]


def unit_tests_of(path):
    return load(path.with_name(f"{path.stem}_test.yml"))


def fired(path, name):
    """Each alert of the name that a test of the file expects."""
    return [alert for test in unit_tests_of(path)["tests"] for asked in test.get("alert_rule_test", ()) if asked["alertname"] == name
            for alert in asked.get("exp_alerts") or ()]


def of_stage(rule, expected):
    """Those of this twin."""
    return [alert for alert in expected if alert["exp_labels"].get("stage") == rule["labels"].get("stage")]


def names_in(file, key):
    return {one["name"] for one in load(RULES / file)[key]}


def leads_somewhere(link):
    """Into the documents, or to what a page has an anchor for."""
    url = urllib.parse.urlsplit(link)
    if not url.scheme:
        document = ROOT / url.path
        return url.path.startswith("docs/") and document.exists() and url.fragment in anchors(document.read_text(encoding="utf-8"))
    if url.scheme != "http" or url.netloc not in PAGES_OF:
        return False
    path, before, named = PAGES_OF[url.netloc]
    return url.path == path and url.fragment.startswith(before) and url.fragment.removeprefix(before) in names_in(*named)


def test_prometheus_reads_each_of_them_and_each_has_its_tests():
    assert sorted(FILES[RULES / "prometheus.yml"]["rule_files"]) == sorted(path.name for path in OF_RULES)
    assert len(OF_RULES) >= 5 and len(SHIPPED) >= 15
    for path in OF_RULES:
        assert unit_tests_of(path)["rule_files"] == [path.name]
    assert len({param.id for param in SHIPPED}) == len(SHIPPED)


@pytest.mark.parametrize("path, rule", SHIPPED)
def test_it_says_what_it_is_what_it_means_and_where_to_read_on(path, rule):
    told = rule["annotations"]
    assert {"summary", "description", "runbook_url"} <= set(told), told
    assert rule["labels"]["severity"] in ("critical", "warning")
    # What is only ever equal to one number has no value that would say more.
    assert "$value" in told["summary"] or not re.search(r"[<>]", rule["expr"]), told["summary"]
    for alert in of_stage(rule, fired(path, rule["alert"])):
        said = alert["exp_annotations"]
        assert set(said) == set(told)
        assert 1 <= len(list(sentences(said["description"]))) <= 2 and words(said["description"]) <= 45, said
        assert leads_somewhere(said["runbook_url"]), said


def test_what_has_a_remediation_comes_as_twins():
    """Alike but for the stage, and written out: Prometheus takes `expr: *x` for the metric x, and promtool does not mind."""
    twins = [rule for document in OF_RULES.values() for group in document["groups"] if group["name"] == "remediated" for rule in group["rules"]]
    assert [rule["labels"]["stage"] for rule in twins] == ["act", "page"] * (len(twins) // 2) and len(twins) >= 8
    unstaged = [{**rule, "labels": {name: word for name, word in rule["labels"].items() if name != "stage"}} for rule in twins]
    assert unstaged[0::2] == unstaged[1::2]
    assert not [path for path in OF_RULES if re.search(r"^ +(- )?(expr|alert|record): *\*", path.read_text(encoding="utf-8"), re.MULTILINE)]


def test_alertmanager_has_the_routes_that_are_written_for_the_remediations(binaries):
    printed = yaml.safe_load(subprocess.run([binaries.responder, "alertmanager-config", f"--config.file={RULES}/remediations.yml"],
                                            check=True, text=True, stdout=subprocess.PIPE).stdout)
    shipped = FILES[RULES / "alertmanager.yml"]
    assert shipped["route"] == printed["route"]
    assert {one["name"] for one in shipped["receivers"]} == {one["name"] for one in printed["receivers"]}
    assert shipped["inhibit_rules"][-1:] == printed["inhibit_rules"]


@pytest.mark.parametrize("path, rule", SHIPPED)
def test_it_fires_and_it_stays_quiet(path, rule):
    name = rule["alert"]
    asked = [[of_stage(rule, one.get("exp_alerts") or []) for one in test.get("alert_rule_test", ()) if one["alertname"] == name]
             for test in unit_tests_of(path)["tests"]]
    assert any(any(expected) for expected in asked), "no test in which it fires"
    assert any(expected and not any(expected) for expected in asked), "no test in which it stays quiet"


@pytest.mark.parametrize("path, rule", SHIPPED)
def test_it_says_whose_it_is(path, rule):
    """On two machines, as promtool holds it to in tests/run_rules."""
    name = rule["alert"]
    expected = [alert for test in doubled(path.with_name(f"{path.stem}_test.yml"))["tests"]
                for asked in test.get("alert_rule_test", ()) if asked["alertname"] == name for alert in asked["exp_alerts"]]
    needed = set() if name in ACROSS else {"job", "instance"}
    if "runbook_check_" in rule["expr"]:
        needed.add("check")
    expected = of_stage(rule, expected)
    assert expected and all(needed <= set(alert["exp_labels"]) for alert in expected), expected


def test_the_pages_have_these_anchors(exporter, binaries, tmp_path):
    daemon = exporter([{"name": "disk", "disk": {"mountpoints": ["/"]}}])
    assert 'id="check-disk"' in daemon.page("/")
    config = tmp_path / "remediations.yml"
    config.write_text("receivers: [{name: oncall, format: log}]\nescalate_to: oncall\nremediations:\n"
                      "  - {name: high_latency, match: ['alertname=\"high_latency\"'], steps: [{host.memory: {}}]}\n")
    responder = Responder(binaries.responder, config, tmp_path / "responder").start()
    try:
        assert 'id="remediation-high_latency"' in responder.page("/remediations")
    finally:
        assert responder.stop() == 0


@pytest.mark.parametrize("link", ["docs/safety.md#how-to-stop", "docs/unsafety.md", "/etc/passwd", "http://localhost:9877/#check-unheard-of",
                                  "http://localhost:9877/#disk", "http://localhost:9878/remediations#remediation-none",
                                  "https://wiki.example/disk"])
def test_a_link_that_leads_nowhere_is_seen(link):
    assert not leads_somewhere(link)
