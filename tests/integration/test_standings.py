# SPDX-License-Identifier: Apache-2.0
"""How checks stand: nothing measured is not "fine", through every door. Tests are named after the reports they answer."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
import yaml

from exporter_flags import ExporterWithFlags
from lab.parts import ROOT, wait_for
from scraping import logged, scrape, value

STANDINGS = ("pass", "warn", "unknown", "fail", "not_set_up")
SIGNS = {"pass": "✓ PASS", "warn": "! WARN", "unknown": "? UNKNOWN", "fail": "✗ FAIL", "not_set_up": "– NOT SET UP"}
PHRASES = {"pass": "passes", "warn": "warns", "unknown": "unknown", "fail": "fails", "not_set_up": "not set up"}
EXIT_CODES = {"pass": 0, "warn": 1, "fail": 2, "unknown": 3, "not_set_up": 0}
SHIPPED = {check["name"]: check for check in yaml.safe_load((ROOT / "rules/checks.yml").read_text())["checks"]}


@pytest.fixture
def mounted(tmp_path):
    """A directory at which a file system is mounted, and one at which none is, as after a reboot without the volume."""
    at, bare = tmp_path / "mounted", tmp_path / "unmounted"
    at.mkdir()
    bare.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "runbook-test", at], check=True)
    yield at, bare
    subprocess.run(["umount", at], check=True)


def vector(*series):
    """An answer of Prometheus: (labels, value) each."""
    return {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": labels, "value": [1700000000, str(number)]} for labels, number in series]}}


def query(url, **more):
    return {"name": "q", "prometheus": {"url": url, "query": "up", "metric": {"name": "t_q", "help": "Q."}, **more}}


def standing(found, name):
    """The one that the metrics say."""
    now = [word for word in STANDINGS if value(found, "runbook_check_standing", check=name, standing=word) == 1]
    assert len(now) == 1 and all(value(found, "runbook_check_standing", check=name, standing=word) is not None
                                 for word in STANDINGS)
    return now[0]


def row(page, name):
    """What a person reads of a check on the landing page."""
    found, = (line for line in page.split("<tr ") if f"check={name}\"" in line)
    return found


# --- through every door ---

def each_standing(target, tmp_path):
    target.says({"status": "healthy"})
    disk = {"disk": {"mountpoints": ["/"]}, "advice": "Do this now", "runbook_url": "https://runbook.example/"}
    return {
        "pass": {**disk, "name": "pass", "warn": "runbook_disk_used_ratio > 200%"},
        "warn": {**disk, "name": "warn", "warn": "runbook_disk_size_bytes > 1KiB"},
        "unknown": {**disk, "name": "unknown", "warn": 'runbook_disk_used_ratio{mountpoint="/none"} > 1%'},
        "fail": {**disk, "name": "fail", "fail": "runbook_disk_size_bytes > 1KiB"},
        "not_set_up": {**disk, "name": "not_set_up", "disk": {"mountpoints": [str(tmp_path / "none")]}},
    }


def test_every_standing_through_every_door(exporter, runs, target, tmp_path):
    """Page, metrics, list, JSON, exit codes, --once and /probe: one standing each, and the same."""
    checks = each_standing(target, tmp_path)
    daemon = exporter(list(checks.values()))
    found, page = scrape(daemon), daemon.page("/")
    assert "5 checks, 1 of them failing, 1 warning, 1 unknown, 1 not set up" in page
    listed = runs("checklist", checks=checks.values(), expect=2).stdout
    assert listed.endswith("\n=== 1 passed, 1 warned, 1 failed, 1 unknown, 1 not set up ===\n")
    document = json.loads(runs("checklist", "--json", checks=checks.values(), expect=2).stdout)
    said = {step["name"]: step for step in document["steps"]}
    assert document["standing"] == "fail"
    for word, check in checks.items():
        assert standing(found, word) == word
        assert f"</span> {PHRASES[word]}</td>" in row(page, word)
        assert re.search(rf"^    {word} \.+ {re.escape(SIGNS[word])}", listed, re.M)
        assert said[word]["standing"] == word
        advised = word in ("warn", "fail")
        assert ("Do this now" in row(page, word)) == advised == ("advice" in said[word]) == ("runbook_url" in said[word])
        one = runs("checklist", checks=[check], expect=EXIT_CODES[word]).stdout
        assert ("Do this now" in one) == advised == ("runbook.example" in one)
        assert json.loads(runs("checklist", "--json", checks=[check], expect=EXIT_CODES[word]).stdout)["standing"] == word
        once = runs("--once=-", checks=[check], expect=EXIT_CODES[word]).stdout
        assert f'runbook_check_standing{{check="{word}",standing="{word}"}} 1' in once
        assert f'runbook_check_standing{{check="{word}",standing="{word}"}} 1' in daemon.page(f"/probe?check={word}")
    assert value(found, "runbook_check_conditions_unknown", check="unknown") == 1
    assert value(found, "runbook_check_conditions_unknown", check="pass") == 0
    assert "nothing was measured" in row(page, "unknown") and "nothing was measured" in daemon.page("/probe?check=unknown&debug=1")
    assert said["unknown"]["unknown"] == [{"reason": "nothing was measured",
                                           "about": 'warn: runbook_disk_used_ratio{mountpoint="/none"} > 1%'}]


def test_the_worst_is_the_exit_code(runs, target, tmp_path):
    """A failure before what is unknown, that before a warning; what is not set up is as good as what passes."""
    checks = each_standing(target, tmp_path)
    for words, worst in ((("pass", "not_set_up"), "pass"), (("pass", "warn"), "warn"), (("warn", "unknown"), "unknown"),
                         (("unknown", "fail"), "fail"), (("not_set_up", "unknown"), "unknown")):
        done = runs("checklist", "--json", checks=[checks[word] for word in words], expect=EXIT_CODES[worst])
        assert json.loads(done.stdout)["standing"] == worst


def test_the_alerts_agree_with_the_verdict(exporter, runs, target, tmp_path):
    """The rules that are written, evaluated by promtool over the very page: exactly those that the page speaks of."""
    checks = each_standing(target, tmp_path)
    checks["refused"] = {"name": "refused", "http": {"url": target.url, "status": 204}}
    rules = tmp_path / "alerts.yml"
    rules.write_text(runs("alerts", checks=checks.values(), expect=0).stdout)
    found = scrape(exporter(list(checks.values())))
    series = [{"series": name + "{" + ",".join(f'{key}="{word}"' for key, word in (*labels, ("job", "j"), ("instance", "i"))) + "}",
               "values": f"{number}x30"} for (name, labels), number in found.all.items() if name.startswith("runbook_")]
    firing = {("warn", "warns"), ("unknown", "unknown"), ("fail", "beyond_limit"), ("refused", "failing")}
    alerts = [rule["alert"] for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]]
    tests = tmp_path / "alerts_test.yml"
    for alert in alerts:
        tests.write_text(json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": series, "alert_rule_test": [
                {"eval_time": "20m", "alertname": alert, "exp_alerts": []}]}]}))
        done = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)
        quiet = done.returncode == 0
        assert quiet == (alert not in {f"{check}_{what}" for check, what in firing}), (alert, done.stdout, done.stderr)


# --- A2: volumes ---

def test_a2_a_volume_that_is_not_mounted(exporter, runs, mounted):
    at, bare = map(str, mounted)
    checks = [{**SHIPPED["storage"], "name": name, "disk": {"mountpoints": [path]}} for name, path in
              (("there", at), ("away", bare), ("both", bare))]
    checks[2]["disk"] = {"mountpoints": [at, bare]}
    found = scrape(exporter(checks))
    assert [standing(found, name) for name in ("there", "away", "both")] == ["pass", "fail", "fail"]
    assert value(found, "runbook_disk_mounted", check="there", mountpoint=at) == 1
    assert value(found, "runbook_disk_size_bytes", check="there", mountpoint=at) == 1 << 20
    assert value(found, "runbook_disk_info", check="there", mountpoint=at, device="runbook-test", fstype="tmpfs") == 1
    # Not a number of the file system that lies beneath.
    assert value(found, "runbook_disk_mounted", check="away", mountpoint=bare) == 0
    assert not [name for name, labels in found.all if ("mountpoint", bare) in labels and
                name not in ("runbook_disk_mounted", "runbook_disk_hung")]
    assert f"{bare} is not mounted" in runs("checklist", checks=[checks[1]], expect=2).stdout


def test_a2_where_not_even_the_directory_is_there_nothing_is_mounted(exporter, tmp_path):
    gone = str(tmp_path / "gone")
    found = scrape(exporter([{"name": "one", "disk": {"mountpoints": ["/", gone]}}, {"name": "all", "disk": {"mountpoints": [gone]}}]))
    assert [standing(found, name) for name in ("one", "all")] == ["fail", "not_set_up"]
    assert [value(found, "runbook_disk_mounted", check=name, mountpoint=gone) for name in ("one", "all")] == [0, 0]


def test_a2_a_bind_mount_is_mounted_and_a_plain_directory_may_be_named(exporter, tmp_path):
    source, at = tmp_path / "source", tmp_path / "bound"
    source.mkdir()
    at.mkdir()
    subprocess.run(["mount", "--bind", source, at], check=True)  # of the same device as what is above it
    try:
        found = scrape(exporter([{"name": "d", "disk": {"mountpoints": ["/", str(at)], "paths": [str(source)]}}]))
    finally:
        subprocess.run(["umount", at], check=True)
    assert standing(found, "d") == "pass"
    for path in ("/", str(at)):
        assert value(found, "runbook_disk_mounted", check="d", mountpoint=path) == 1
    assert value(found, "runbook_disk_mounted", check="d", mountpoint=str(source)) is None
    assert value(found, "runbook_disk_size_bytes", check="d", mountpoint=str(source)) > 0


def test_a2_80_percent_itself_warns(runs):
    """The runbook's `-lt 80` warns at 80; of a condition with > it would pass."""
    for file, checks in (("checks.yml", ("disk", "storage")), ("checks-aem.yml", ("disk",))):
        shipped = {check["name"]: check for check in yaml.safe_load((ROOT / "rules" / file).read_text())["checks"]}
        for name in checks:
            conditions = shipped[name]["warn"]
            assert "runbook_disk_used_ratio >= 80%" in ([conditions] if isinstance(conditions, str) else conditions)
    at_limit = os.statvfs("/")
    used = at_limit.f_blocks - at_limit.f_bfree
    assert used > 0
    done = runs("checklist", checks=[{"name": "d", "disk": {"mountpoints": ["/proc"]}, "warn": "runbook_disk_used_ratio >= 0%"}],
                expect=1)
    assert "0 %" in done.stdout


# --- A3: what max_series cuts ---

def test_a3_1200_keys_of_which_the_last_ends_tomorrow(exporter, runs, postgres):
    check = {**SHIPPED["api_keys"], "postgres": {
        **{key: word for key, word in SHIPPED["api_keys"]["postgres"].items() if key != "password_file"}, "dsn": postgres.dsn(),
        "query": "SELECT 'key-' || lpad(i::text, 4, '0') AS name, 1.0 AS age, EXTRACT(EPOCH FROM now() + "
                 "CASE WHEN i = 1200 THEN interval '1 day' ELSE interval '90 days' END)::float8 AS expires "
                 "FROM generate_series(1, 1200) AS i"}}
    done = runs("checklist", checks=[check], expect=1)
    assert '{name="key-1200"}  (warn: runbook_api_key_expiry_timestamp_seconds - time() < 7d)' in done.stdout
    assert "1402 series over max_series were judged, and are on no page" in done.stdout
    assert json.loads(runs("checklist", "--json", checks=[check], expect=1).stdout)["steps"][0]["dropped_series"] == 1402
    daemon = exporter([check])
    found = scrape(daemon)
    assert standing(found, "api_keys") == "warn"
    assert value(found, "runbook_check_dropped_series", check="api_keys") == 1402
    assert value(found, "runbook_check_series_beyond_threshold", check="api_keys", level="warn") == 1
    # The page has the series that the verdict, and the alert of the condition, is about.
    assert value(found, "runbook_api_key_expiry_timestamp_seconds", check="api_keys", name="key-1200") is not None
    assert 990 < sum(name.startswith("runbook_api_key_") for name, _ in found.all) <= 1000
    assert "1402 series over max_series" in daemon.page("/")
    assert len(logged(daemon, "Series of the check are judged, but on no page")) == 1
    scrape(daemon)
    assert len(logged(daemon, "Series of the check are judged, but on no page")) == 1


def test_a3_1001_targets_of_which_the_last_is_down(exporter, target):
    target.says(vector(*(({"instance": f"i{number}"}, number < 1000) for number in range(1001))))
    target.body = target.body.replace(b"True", b"1").replace(b"False", b"0")
    check = {**query(target.url, labels=["instance"]), "warn": "t_q == 0"}
    found = scrape(exporter([check]))
    assert standing(found, "q") == "warn"
    assert value(found, "t_q", check="q", instance="i1000") == 0 and value(found, "t_q", check="q", instance="i999") is None
    assert value(found, "runbook_check_dropped_series", check="q") == 1


def test_a3_more_than_can_be_judged_is_never_fine(runs, tmp_path):
    (tmp_path / "out").write_text("".join(f't_v{{i="{i}"}} 1\n' for i in range(20001)))
    check = {"name": "many", "timeout": "60s", "warn": "t_v > 1", "exec": {"command": ["/bin/cat", str(tmp_path / "out")],
                                                        "output": "prometheus", "metrics": [{"name": "t_v"}],
                                                        "output_limit": "1MiB"}}
    done = runs("checklist", checks=[check], expect=3)
    assert re.search(r"more than 20000 series: [0-9]+ were not judged", done.stdout)


# --- A4: no result ---

def empty_checks(target, postgres):
    target.says(vector())
    return {
        "PromQL": query(target.url, labels=["job"]),
        "SQL": {"name": "sql", "postgres": {"dsn": postgres.dsn(), "query": "SELECT 1 AS v WHERE false",
                                            "metrics": [{"name": "t_q", "value": "v", "help": "Q."}]}},
        "exec": {"name": "ex", "exec": {"command": ["/bin/true"], "output": "prometheus", "metrics": [{"name": "t_q"}]}},
    }


@pytest.mark.parametrize("kind", ["PromQL", "SQL", "exec"])
def test_a4_an_empty_answer_is_unknown(runs, target, postgres, kind):
    check = empty_checks(target, postgres)[kind]
    done = runs("checklist", checks=[check], expect=3)
    assert "? UNKNOWN\n     nothing was measured  (t_q)\n" in done.stdout
    done = runs("checklist", checks=[{**check, "warn": "t_q > 1%", "advice": "Look"}], expect=3)
    assert "? UNKNOWN\n     nothing was measured  (warn: t_q > 1%)\n" in done.stdout and "Look" not in done.stdout
    for empty in ({"when_empty": "pass", "warn": "t_q > 1%"}, {"when_empty": "pass"},
                  {"warn": {"if": "t_q > 1%", "when_empty": "pass"}}):
        runs("checklist", checks=[{**check, **empty}], expect=0)


def test_a4_redis_that_refuses_info(exporter, redis_server):
    redis_server.client.execute_command("ACL", "SETUSER", "nobody", "on", "nopass", "~*", "+ping")
    check = {**SHIPPED["redis"], "redis": {"address": redis_server.address, "user": "nobody",
                                           "password": "${T4_PASSWORD}"}}
    try:
        daemon = exporter([check], env={**os.environ, "T4_PASSWORD": "any"})
        found = scrape(daemon)
        assert standing(found, "redis") == "unknown"
        assert value(found, "runbook_check_conditions_unknown", check="redis") >= 2
    finally:
        redis_server.client.execute_command("ACL", "DELUSER", "nobody")


def test_a4_nagios_unknown_is_neither_a_pass_nor_a_failure(runs):
    plugin = {"name": "p", "exec": {"command": ["/bin/sh", "-c", "echo 'UNKNOWN - no such host'; exit 3"], "output": "nagios"}}
    assert "? UNKNOWN\n     /bin/sh ended with 3: UNKNOWN - no such host\n" in runs("checklist", checks=[plugin], expect=3).stdout
    plugin["exec"]["command"][2] = "echo 'CRITICAL'; exit 2"
    runs("checklist", checks=[plugin], expect=2)


def test_a4_several_series_where_one_was_meant(runs, target):
    target.says(vector(({"job": "a"}, 1), ({"job": "b"}, 0)))
    done = runs("checklist", checks=[{**query(target.url), "warn": "t_q == 0"}], expect=3)
    assert "Prometheus answered 2 series, and nothing tells them apart" in done.stdout


def test_a4_not_a_number_is_unknown(exporter, target):
    target.says(vector(({"service": "a"}, "NaN"), ({"service": "b"}, 0)))
    found = scrape(exporter([{**query(target.url, labels=["service"]), "warn": "t_q > 1%"}]))
    assert standing(found, "q") == "unknown"
    assert value(found, "runbook_check_conditions_unknown", check="q") == 1


def test_kind_3_one_native_histogram_among_samples_costs_itself(exporter, target):
    answer = vector(({"service": "a"}, 3), ({"service": "c"}, 4))
    answer["data"]["result"].insert(0, {"metric": {"service": "b"}, "histogram": [1700000000, {"count": "3", "sum": "1"}]})
    target.says(answer)
    daemon = exporter([{**query(target.url, labels=["service"]), "warn": "t_q > 5"}])
    found = scrape(daemon)
    assert standing(found, "q") == "pass"
    assert [value(found, "t_q", check="q", service=service) for service in "abc"] == [3, None, 4]
    assert value(found, "runbook_check_items_skipped", check="q", reason="malformed") == 1
    told, = logged(daemon, "Items of the check were skipped")
    assert r't_q{service=\"b\"}: a histogram' in told
    answer["data"]["result"] = answer["data"]["result"][:1]
    target.says(answer)
    assert standing(scrape(daemon), "q") == "unknown"


def test_kind_3_what_was_skipped_is_told_beside_a_pass(runs, tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho 'OK | a=1 b=2furlongs'\n")
    tool.chmod(0o755)
    checks = [{"name": "t", "exec": {"command": [str(tool)], "output": "nagios"}}]
    listed = runs("checklist", checks=checks, expect=0).stdout
    assert "✓ PASS\n     1 item was skipped: " in listed and "furlongs" in listed and "(unknown_unit)" in listed
    step, = json.loads(runs("checklist", "--json", checks=checks, expect=0).stdout)["steps"]
    (told,) = step["skipped"]
    assert told["about"] == "unknown_unit" and told["reason"].startswith("1 item was skipped: ")


def test_kind_1_several_rows_or_items_where_one_was_meant_have_no_value(exporter, target, postgres):
    """As with series of Prometheus: which of them the page would show is chance."""
    target.says({"queues": [{"n": 1}, {"n": 2}], "one": [{"n": 3}]})
    daemon = exporter([
        {"name": "sql", "postgres": {"dsn": postgres.dsn(), "query": "SELECT g AS v FROM generate_series(1, 3) g",
                                     "metrics": [{"name": "t_v", "value": "v"}]}},
        {"name": "one", "postgres": {"dsn": postgres.dsn(), "query": "SELECT nullif(g, 1) AS v FROM generate_series(1, 2) g",
                                     "metrics": [{"name": "t_v", "value": "v"}]}},
        {"name": "json", "http": {"url": target.url, "metrics": [{"name": "t_n", "each": "queues", "value": "n"},
                                                                 {"name": "t_one", "each": "one", "value": "n"}]}}])
    found = scrape(daemon)
    assert [standing(found, name) for name in ("sql", "one", "json")] == ["unknown", "pass", "unknown"]
    assert [value(found, "t_v", check="sql"), value(found, "t_v", check="one")] == [None, 2]
    assert [value(found, "t_n", check="json"), value(found, "t_one", check="json")] == [None, 3]
    assert value(found, "runbook_check_items_skipped", check="json", reason="duplicate") == 1
    assert "3 rows have a value in column &quot;v&quot;, and nothing tells them apart" in daemon.page("/")


@pytest.mark.parametrize("part", [{"warnings": ["No StoreAPIs matched for this query"]}, {"isPartial": True}])
def test_kind_1_a_part_of_an_answer_is_not_fine(exporter, target, part):
    target.says({**vector(({"service": "a"}, 0)), **part})
    daemon = exporter([{**query(target.url, labels=["service"]), "warn": "t_q > 5", "fail": "t_q > 9"}])
    found = scrape(daemon)
    assert (standing(found, "q"), value(found, "t_q", check="q", service="a")) == ("unknown", 0)
    assert "Prometheus has only a part of the answer" in daemon.page("/")
    target.says({**vector(({"service": "a"}, 10)), **part})
    assert standing(scrape(daemon), "q") == "fail"
    target.says({**vector(({"service": "a"}, 0)), "warnings": ["PromQL warning: no le"], "isPartial": False})
    assert standing(scrape(daemon), "q") == "pass"


def test_a4_the_source_of_a_query_cannot_be_reached(runs, tmp_path):
    """What is asked is not what the check is about; a target that is, fails."""
    url = "http://127.0.0.1:1/"
    asked = {"name": "sql", "postgres": {"dsn": f"host={tmp_path}", "query": "SELECT 1 AS v",
                                         "metrics": [{"name": "t_q", "value": "v", "help": "Q."}]}}
    for check, expected in ((query(url), 3), (asked, 3), ({"name": "w", "http": {"url": url}}, 2),
                            ({"name": "r", "redis": {"address": "127.0.0.1:1"}}, 2),
                            ({"name": "p", "postgres": {"dsn": f"host={tmp_path}"}}, 2)):
        done = runs("checklist", checks=[{**check, "advice": "Do this now"}], expect=expected)
        assert ("Do this now" in done.stdout) == (expected == 2)


# --- E5: one series twice ---

@pytest.mark.parametrize("days", [(90, 1), (1, 90), (90, 1, 90), (90, 80)])
def test_e5_keys_of_one_name_page_verdict_and_alert_agree(exporter, postgres, days):
    """Whichever comes first: the key that ends soon is hidden by no other of its name."""
    keys = ", ".join(f"('ci-key', {days_left})" for days_left in days)
    check = {**SHIPPED["api_keys"], "postgres": {
        **{key: word for key, word in SHIPPED["api_keys"]["postgres"].items() if key != "password_file"}, "dsn": postgres.dsn(),
        "query": "SELECT name, 1.0 AS age, EXTRACT(EPOCH FROM now() + days * interval '1 day')::float8 AS expires "
                 f"FROM (VALUES {keys}) AS k(name, days)"}}
    found = scrape(exporter([check]))
    soon = min(days) < 7
    shown = value(found, "runbook_api_key_expiry_timestamp_seconds", check="api_keys", name="ci-key")
    assert (shown - time.time() < 7 * 86400) == soon  # which is what the alert of the condition sees
    assert standing(found, "api_keys") == ("warn" if soon else "pass")
    assert value(found, "runbook_check_series_beyond_threshold", check="api_keys", level="warn") == soon
    assert value(found, "runbook_check_items_skipped", check="api_keys", reason="duplicate") == 2 * (len(days) - 1)


# --- not set up ---

def unset_checks(tmp_path, address):
    none = str(tmp_path / "none")
    return [
        {"name": "secret", "http": {"url": "http://127.0.0.1:1/", "bearer_token_file": none}},
        {"name": "redis", "redis": {"address": address, "password_file": none}},
        {"name": "postgres", "postgres": {"dsn": "host=127.0.0.1 port=1", "password_file": none}},
        {"name": "s3", "s3": {"endpoint": "http://127.0.0.1:1", "bucket": "b", "region": "r", "access_key_file": none,
                              "secret_key_file": none}},
        {"name": "directory", "files": {"directories": [none]}},
        {"name": "mount", "disk": {"mountpoints": [none]}},
        {"name": "log", "log": {"files": [f"{none}/*.log"], "patterns": [{"name": "e", "pattern": "e"}]}},
        {"name": "program", "exec": {"command": [none]}},
        {"name": "bus", "systemd": {"units": ["a.service"], "address": f"unix:path={none}"}},
        {"name": "engine", "docker": {"host": f"unix://{none}", "project": "p"}},
        {"name": "containers", "log": {"docker": {"host": f"unix://{none}", "project": "p", "services": ["s"]}, "patterns": [{"name": "e", "pattern": "e"}]}},
    ]


def test_n16_what_never_was_there_is_not_set_up(exporter, runs, tmp_path, redis_server):
    checks = [{**check, "advice": "Do this now"} for check in unset_checks(tmp_path, redis_server.address)]
    found = scrape(exporter(checks))
    assert {standing(found, check["name"]) for check in checks} == {"not_set_up"}
    done = runs("checklist", checks=checks, expect=0)
    assert done.stdout.count("– NOT SET UP") == len(checks) and "Do this now" not in done.stdout
    assert done.stdout.count("No such file or directory") + done.stdout.count("no file matches") == len(checks)
    assert done.stdout.endswith(f"=== 0 passed, 0 warned, 0 failed, {len(checks)} not set up ===\n")


def test_n16_what_may_not_be_read_was_not_looked_at(runs, tmp_path):
    """Of root nothing is kept: a directory in the secret's place is as little to be read."""
    (tmp_path / "secret").mkdir()
    done = runs("checklist", expect=3, checks=[{
        "name": "keys", "advice": "Renew these keys", "http": {"url": "http://127.0.0.1:1/", "bearer_token_file": str(tmp_path / "secret")}}])
    assert "? UNKNOWN" in done.stdout and "the secret file" in done.stdout and "Renew these keys" not in done.stdout


def test_what_was_there_once_is_gone_also_after_a_restart(program, tmp_path):
    """In the process, and over a restart by the state directory; a check that was changed begins anew."""
    place, state = tmp_path / "backups", tmp_path / "state"
    place.mkdir()
    state.mkdir()
    check = {"name": "files", "files": {"directories": [str(place)]}}
    with ExporterWithFlags(program, [check], tmp_path, f"--state.directory={state}") as daemon:
        assert standing(scrape(daemon), "files") == "pass"
        place.rmdir()
        assert standing(scrape(daemon), "files") == "unknown"
    with ExporterWithFlags(program, [check], tmp_path, f"--state.directory={state}") as daemon:
        assert standing(scrape(daemon), "files") == "unknown"
        daemon.write([{"name": "files", "files": {"directories": [str(tmp_path / "other")]}}])
        os.kill(daemon.process.pid, signal.SIGHUP)
        wait_for(lambda: logged(daemon, "The configuration was read again"), "the reload")
        assert standing(scrape(daemon), "files") == "not_set_up"
    with ExporterWithFlags(program, [check], tmp_path) as daemon:
        assert standing(scrape(daemon), "files") == "not_set_up"


def test_one_of_several_that_is_missing_is_no_check_that_is_not_set_up(runs, tmp_path):
    for check, expected in (({"files": {"directories": [str(tmp_path), str(tmp_path / "none")]}}, 3),
                            ({"disk": {"mountpoints": ["/", str(tmp_path / "none")]}}, 2)):
        runs("checklist", checks=[{"name": "c", **check}], expect=expected)


def test_of_several_failures_the_worse_decides(runs, tmp_path):
    (tmp_path / "empty").mkdir()
    check = {"name": "b", "files": {"directories": [str(tmp_path / "none"), str(tmp_path / "empty")], "min_count": 1}}
    assert "there is no file" in runs("checklist", checks=[check], expect=2).stdout


# --- what is shown ---

def test_f5_a_pass_shows_no_number_that_says_nothing(runs):
    check = {"name": "d", "disk": {"mountpoints": ["/"]}, "fail": "runbook_disk_read_only == 7"}
    assert re.search(r" ✓ PASS\n", runs("checklist", checks=[check], expect=0).stdout)
    check["warn"] = "runbook_disk_used_ratio > 200%"
    assert re.search(r" ✓ PASS \([0-9.]+ % \{mountpoint=\"/\"\}\)\n", runs("checklist", checks=[check], expect=0).stdout)


def test_what_hangs_fails_and_what_only_tells_of_it_is_unknown(exporter, hole):
    daemon = exporter([{"name": "web", "timeout": "200ms", "http": {"url": hole}}, {**query(hole), "timeout": "200ms"}])
    found = scrape(daemon)
    assert (standing(found, "web"), standing(found, "q")) == ("fail", "unknown")


def test_the_dashboard_knows_every_standing(runs):
    document = json.loads(runs("dashboard", checks=[{"name": "d", "disk": {"mountpoints": ["/"]}}], expect=0).stdout)
    panel = next(panel for panel in document["panels"] if panel["title"] == "How the checks stand")
    for word in STANDINGS:
        assert f',standing="{word}"}}' in panel["targets"][0]["expr"]
    mapped = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert {option["text"] for option in mapped.values()} == set(PHRASES.values())
