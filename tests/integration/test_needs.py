# SPDX-License-Identifier: Apache-2.0
"""Root first: what a check needs is checked, told as metrics, and keeps Alertmanager from telling effects."""

import json
import subprocess

import pytest
import yaml

from exporter_flags import ExporterWithFlags
from lab.alertmanager import Alertmanager
from lab.parts import wait_for
from lab.prometheus import Prometheus
from lab.sink import Sink
from scraping import scrape, value


class Switches:
    """Checks that pass or fail at will: each looks for a file."""

    def __init__(self, directory):
        self.directory = directory

    def check(self, name, **more):
        self.turn(name, True)
        return {"name": name, "exec": {"command": ["/usr/bin/test", "-e", str(self.directory / name)]}, **more}

    def turn(self, name, good):
        if good:
            (self.directory / name).touch()
        else:
            (self.directory / name).unlink()


@pytest.fixture
def switches(tmp_path):
    directory = tmp_path / "switches"
    directory.mkdir()
    return Switches(directory)


def run(program, *words):
    done = subprocess.run([program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def test_what_a_check_needs_is_a_metric(exporter, switches):
    daemon = exporter([switches.check("redis"), switches.check("postgres"),
                       switches.check("api", needs=["redis", "postgres"])])
    page = scrape(daemon)
    assert value(page, "runbook_check_needs", check="api", needs="redis") == 1
    assert value(page, "runbook_check_needs", check="api", needs="postgres") == 1
    assert value(page, "runbook_check_needs", check="redis", needs="api") is None


def test_names_and_circles_are_refused_with_their_place(program, tmp_path, switches):
    config = tmp_path / "checks.yml"
    config.write_text("checks:\n"
                      "  - {name: redis, needs: [api], disk: {mountpoints: [/]}}\n"
                      "  - {name: api, needs: [redis], disk: {mountpoints: [/]}}\n"
                      "  - {name: web, needs: [ap], disk: {mountpoints: [/]}}\n")
    status, _, complaints = run(program, "--config.check", f"--config.file={config}")
    assert status == 1
    assert f'{config}:3:25: a circle: redis needs api needs redis' in complaints
    assert f'{config}:4:25: there is no check "ap"; did you mean "api"?' in complaints


def test_the_checklist_shows_effects_behind_their_root(program, tmp_path, switches):
    """web needs api, which passes, which needs redis; mail needs what only warns."""
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [
        switches.check("web", step=1, needs="api"), switches.check("api", step=2, needs="redis"),
        switches.check("mail", step=3, needs="disk"), switches.check("redis", step=4),
        {"name": "disk", "step": 5, "disk": {"mountpoints": "/"}, "warn": "runbook_disk_size_bytes > 0B"}]}))

    def checklist(*flags):
        return run(program, "checklist", f"--config.file={config}", *flags)[:2]

    for name in ("web", "mail", "redis"):
        switches.turn(name, False)
    status, text = checklist()
    assert status == 2
    lines = [line.strip().split(" ...")[0] for line in text.splitlines() if line.strip() and "ended with" not in line]
    assert lines[2:8] == ["2. api", "3. mail", "4. redis", "1. web", "because redis fails", "5. disk"]
    steps = json.loads(checklist("--json")[1])["steps"]
    assert [(step["name"], step.get("because")) for step in steps] == [
        ("api", None), ("mail", None), ("redis", None), ("web", "redis"), ("disk", None)]
    switches.turn("redis", True)  # the effect stands for itself at once, and fails still
    status, text = checklist()
    assert status == 2 and "because" not in text
    assert [step["name"] for step in json.loads(checklist("--json")[1])["steps"]] == ["web", "api", "mail", "redis", "disk"]


def test_the_landing_page_shows_effects_behind_their_root(exporter, switches):
    daemon = exporter([switches.check("web", needs="redis"), switches.check("redis")])
    switches.turn("web", False)
    switches.turn("redis", False)
    daemon.page()
    page = daemon.page("/")
    assert page.index(">redis</a>") < page.index(">web</a>") < page.index("because <strong>redis</strong> fails")
    assert "2 of them failing" in page
    switches.turn("redis", True)
    daemon.page()
    page = daemon.page("/")
    assert page.index(">web</a>") < page.index(">redis</a>") and "because" not in page


def test_alertmanager_takes_the_rules(program, tmp_path, switches):
    for number, checks in enumerate(([switches.check("redis")],
                                     [switches.check("re-dis.1"), switches.check("api", needs="re-dis.1"),
                                      switches.check("web", needs=["api"])])):
        config = tmp_path / f"checks-{number}.yml"
        config.write_text(json.dumps({"checks": checks}))
        status, rules, _ = run(program, "inhibitions", f"--config.file={config}")
        assert status == 0
        file = tmp_path / "alertmanager.yml"
        file.write_text(f"route: {{receiver: nobody}}\nreceivers: [{{name: nobody}}]\n{rules}")
        status, told, complaints = run("amtool", "check-config", file)
        assert status == 0, told + complaints
        assert f" - {2 * number} inhibit rules" in told


class Chain:
    """An exporter, Prometheus with the alerts of its checks, and Alertmanager with their inhibition rules."""

    def __init__(self, program, checks, directory):
        self.sink = Sink().start()
        self.exporter = ExporterWithFlags(program, checks, directory).start()
        rules = run(program, "alerts", f"--config.file={self.exporter.config}")[1].replace("for: 5m", "for: 0s")
        (directory / "rules.yml").write_text(rules)
        inhibitions = yaml.safe_load(run(program, "inhibitions", f"--config.file={self.exporter.config}")[1])
        self.alertmanager = Alertmanager(directory / "alertmanager")
        config = directory / "alertmanager.yml"
        config.write_text(json.dumps({
            "route": {"receiver": "people", "group_by": ["check"], "group_wait": "1s", "group_interval": "1s",
                      "repeat_interval": "1h"},
            "receivers": [{"name": "people", "webhook_configs": [{"url": f"{self.sink.url}/people"}]}],
            **inhibitions}))
        self.alertmanager.start(config)
        self.prometheus = Prometheus(directory / "prometheus")
        config = directory / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(directory / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [
                {"targets": [self.alertmanager.url.removeprefix("http://")]}]}]},
            "scrape_configs": [{"job_name": "runbook", "static_configs": [
                {"targets": [self.exporter.url.removeprefix("http://")]}]}]}))
        self.prometheus.start(config)

    def stop(self):
        self.prometheus.stop()
        self.alertmanager.stop()
        assert self.exporter.stop() == 0
        self.sink.stop()

    def state(self, check):
        """Of its alert: active or suppressed; None: it has none."""
        states = [alert["status"]["state"] for alert in self.alertmanager.alerts() if alert["labels"]["check"] == check]
        return states[0] if states else None

    def told(self, check, status="firing"):
        return [alert for document in self.sink.to("people") for alert in document["alerts"]
                if alert["labels"]["check"] == check and alert["status"] == status]


def test_an_effect_is_not_told_while_its_root_fires(program, tmp_path, switches):
    """web needs api, which passes all the time, which needs redis: so api fires nothing that could inhibit."""
    chain = Chain(program, [switches.check("redis"), switches.check("api", needs="redis"),
                            switches.check("web", needs="api"), switches.check("mail")], tmp_path)
    try:
        switches.turn("redis", False)
        wait_for(lambda: chain.told("redis"), "redis to be told", 60)
        switches.turn("web", False)
        wait_for(lambda: chain.state("web") == "suppressed", "the alert of web to be suppressed", 60)
        switches.turn("mail", False)
        wait_for(lambda: chain.told("mail"), "mail, which needs nothing, to be told", 60)
        assert not chain.told("web")
        switches.turn("redis", True)
        wait_for(lambda: chain.told("redis", "resolved"), "the end of redis' alert to be told", 60)
        wait_for(lambda: chain.told("web"), "web to be told, which stands for itself now", 60)
        assert chain.state("web") == "active"
    finally:
        chain.stop()
