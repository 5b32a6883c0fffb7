# SPDX-License-Identifier: Apache-2.0
"""runbook_responder from webhook to API, on real Redis and PostgreSQL; only who is notified is a small HTTP sink."""

import contextlib
import http.server
import json
import subprocess
import time
import threading
import urllib.request

import pytest

from harness.assertions import events
from lab.parts import free_port, wait_for
from lab.runbook import Exporter, Responder
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

REVOKE = """
      - postgres.execute:
          plan_sql: SELECT id, name FROM api_keys WHERE revoked_at IS NULL AND name LIKE $1
          sql: |
            UPDATE api_keys SET revoked_at = now(), revoked_reason = 'leaked'
            WHERE revoked_at IS NULL AND name LIKE $1 RETURNING id, name
          args: ["${labels.keys}"]
          undo_sql: |
            UPDATE api_keys SET revoked_at = NULL, revoked_reason = NULL
            FROM jsonb_array_elements($1::jsonb) AS was WHERE api_keys.id::text = was ->> 'id'
"""

REMEDIATIONS = """
  - name: flush
    match: ['alertname="stale"', 'service=~".+"']
    lock: service/${labels.service}
    steps:
      - host.memory: {}
      - redis.flush: {address: "REDIS", scope: pattern, pattern: "cache:${labels.service}:*"}
      - notify: {to: oncall, text: "${labels.service}: cache emptied"}
  - name: revoke
    match: ['alertname="leak"', 'keys!=""']
    steps:REVOKE        max: 1
"""


@contextlib.contextmanager
def alive(responder, **options):
    responder.start(**options)
    try:
        yield responder
    finally:
        responder.stop()


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


@pytest.fixture
def clean_redis(redis_server):
    redis_server.client.flushall()
    return redis_server


@pytest.fixture
def make(tmp_path, binaries, postgres, redis_server, sink):
    """make(remediations, head="", flags=()) gives a responder that is not started yet."""
    made = []

    def responder(remediations=REMEDIATIONS, head="", flags=()):
        (tmp_path / "oncall_url").write_text(f"{sink.url}/oncall\n")
        text = (f'databases: [{{name: mcp, dsn: "{postgres.dsn()}"}}]\n'
                f"receivers: [{{name: oncall, format: json, url_file: {tmp_path}/oncall_url}}]\n"
                f"escalate_to: oncall\nevidence_directory: {tmp_path}/evidence\n{head}\nremediations:\n"
                + remediations.replace("REVOKE", REVOKE).replace("REDIS", redis_server.address))
        config = tmp_path / "remediations.yml"
        config.write_text(text)
        daemon = Responder(binaries.responder, config, tmp_path / "run")
        daemon.arguments = lambda: [f"--journal={daemon.journal}", *flags]
        made.append(daemon)
        return daemon

    yield responder
    for daemon in made:
        daemon.stop()


@pytest.fixture
def api_keys(postgres):
    postgres.reset()
    postgres.add_keys("alice", "bob", "carol")
    return postgres


def test_from_webhook_to_page(make, clean_redis, sink):
    redis = clean_redis.client
    redis.mset({"cache:web:1": "x", "cache:web:2": "y", "cache:db:1": "z", "other": "o"})
    with alive(make()) as responder:
        # A mixed group: one alert matches, one lacks the label, one is nobody's.
        group = (alert_of("stale", service="web"), alert_of("stale"), alert_of("unknown", service="web"))
        responder.send(*group)
        incident = responder.wait_final("flush")
        assert incident["state"] == "done", incident
        assert sorted(redis.keys()) == ["cache:db:1", "other"]
        assert [step["status"] for step in incident["steps"]] == ["done", "done", "done"]
        assert incident["steps"][1]["plan"]["targets"] == 2
        assert incident["lock"] == "service/web"
        assert incident["alert"]["labels"]["service"] == "web"
        assert "web: cache emptied" in json.dumps(sink.to("oncall"))

        # Alertmanager sends the whole group again: the episode is the same, so nothing runs.
        redis.set("cache:web:3", "x")
        responder.send(*group, alert_of("stale", service="db"))
        responder.wait_state("flush", "done", service="db")
        assert redis.exists("cache:web:3")
        assert [one["number"] for one in responder.incidents()] == sorted(
            (one["number"] for one in responder.incidents()), reverse=True)
        assert len(responder.incidents()) == 2

        page = responder.page("/")
        assert incident["number"] in page and "done, not verified" in page and "://" not in page
        metrics = responder.page("/metrics")
        assert 'runbook_incidents_total{remediation="flush",outcome="done"} 2' in metrics
        assert 'runbook_webhooks_total{code="200"} 2' in metrics
        assert "runbook_paused 0" in metrics
        checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert checked.returncode == 0 and not checked.stdout, checked.stdout
        verified = responder.verify_journal()
        assert verified.returncode == 0 and "the chain holds" in verified.stdout, verified.stdout
    verified = responder.verify_journal()
    assert verified.returncode == 0, verified.stdout


def test_list_pages_and_mistakes(make, clean_redis):
    clean_redis.client.mset({f"cache:s{i}:1": "x" for i in range(5)})
    with alive(make(head="storm: off")) as responder:
        responder.send(*(alert_of("stale", service=f"s{i}") for i in range(5)))
        wait_for(lambda: [one["state"] for one in responder.incidents()] == ["done"] * 5, "all to be done", 20)
        first = responder.get("/api/v1/incidents?limit=2")
        rest = responder.get(f"/api/v1/incidents?limit=10&before={first['next_before']}")
        assert [one["number"] for one in first["incidents"] + rest["incidents"]] == \
               [one["number"] for one in responder.incidents()]
        assert rest["next_before"] is None
        assert responder.get("/api/v1/incidents?state=failed")["incidents"] == []
        assert len(responder.get("/api/v1/incidents?state=done")["incidents"]) == 5

        number = first["incidents"][0]["number"]
        for path, document, code in (
                ("/api/v1/incidents/INC-1999-0001/approve", {"by": "tester"}, 404),
                (f"/api/v1/incidents/{number}/approve", {"by": "tester"}, 409),
                (f"/api/v1/incidents/{number}/cancel", {"by": "tester"}, 409),
                (f"/api/v1/incidents/{number}/cancel", {}, 400),
                (f"/api/v1/incidents/{number}/deny", {"by": ""}, 400),
                ("/-/pause", {"reason": "nobody's"}, 400),
                ("/-/resume", {}, 400),
                (f"/api/v1/incidents/{number}/deny", ["not", "an", "object"], 400),
                (f"/api/v1/incidents/{number}/deny", {"by": 7}, 400),
                (f"/api/v1/incidents/{number}/deny", {"by": "x" * 101}, 400),
                ("/api/v1/alerts", {"version": "4"}, 400)):
            status, answer = responder.post(path, document)
            assert status == code, (path, document, answer)
        status, answer = responder.post(f"/api/v1/incidents/{number}/approve", {"by": "tester"})
        assert "done" in json.loads(answer)["error"]
        status, answer = responder.post("/-/pause")
        assert '{"by": "your name"' in json.loads(answer)["error"]
        assert responder.get("/api/v1/status")["paused"] is False
        for path, code in (("/api/v1/incidents/INC-1999-0001", 404), ("/api/v1/incidents?limit=0", 400),
                           ("/api/v1/incidents?state=odd", 400), ("/nothing", 404)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                responder.page(path)
            assert refused.value.code == code, path


def test_max_asks_and_undo_restores(make, api_keys, sink):
    with alive(make()) as responder:
        responder.send(alert_of("leak", keys="%o%"))
        incident = responder.wait_state("revoke", "awaiting_approval")
        assert api_keys.live_keys() == ["alice", "bob", "carol"]
        asked = next(row for row in incident["timeline"] if row["event"] == "awaiting approval")
        assert "max of 1" in asked["detail"]["reason"]
        assert {row["name"] for row in asked["detail"]["plans"][0]["plan"]["rows"]} == {"bob", "carol"}
        wait_for(lambda: "awaits approval" in json.dumps(sink.to("oncall")), "a person to be told")

        status, answer = responder.post(f"/api/v1/incidents/{incident['number']}/approve",
                                        {"by": "anna", "reason": "they leaked"})
        assert status == 200, answer
        incident = responder.wait_state("revoke", "done")
        assert api_keys.live_keys() == ["alice"]

        status, _ = responder.post(f"/api/v1/incidents/{incident['number']}/undo",
                                   {"by": "anna", "reason": "they did not"})
        assert status == 200
        wait_for(lambda: responder.incident(incident["number"])["steps"][0]["status"] == "undone", "the undo")
        decided = {row["event"]: row["detail"]["reason"] for row in responder.incident(incident["number"])["timeline"]
                   if row["actor"] == "anna (token operator)"}
        assert decided == {"approved": "they leaked", "undo asked for": "they did not"}
        assert api_keys.live_keys() == ["alice", "bob", "carol"]
        assert responder.post(f"/api/v1/incidents/{incident['number']}/undo", {"by": "anna"})[0] == 409


def reason_of(incident, event):
    """Of the last one; who was to hear that it waits may be told behind it."""
    return [row for row in incident["timeline"] if row["event"] == event][-1]["detail"]["reason"]


def test_deny_and_cancel(make, api_keys):
    with alive(make()) as responder:
        responder.send(alert_of("leak", keys="%"))
        number = responder.wait_state("revoke", "awaiting_approval")["number"]
        assert responder.post(f"/api/v1/incidents/{number}/deny", {"by": "anna", "reason": "a drill"})[0] == 200
        incident = responder.incident(number)
        assert incident["state"] == "denied"
        assert reason_of(incident, "denied") == "a drill"

        # Another alert of the cause is decided, too, until that one is over.
        responder.send(alert_of("leak", status="resolved", keys="%"))
        responder.send(alert_of("leak", fingerprint="second", keys="%", n="2"))
        number = responder.wait_state("revoke", "awaiting_approval", n="2")["number"]
        assert responder.post(f"/api/v1/incidents/{number}/cancel", {"by": "anna", "reason": "a mistake"})[0] == 200
        incident = responder.incident(number)
        assert incident["state"] == "cancelled" and reason_of(incident, "cancelled") == "a mistake"

        # Resolved while it waits: nobody has to say no.
        responder.send(alert_of("leak", fingerprint="second", status="resolved", keys="%", n="2"))
        responder.send(alert_of("leak", fingerprint="third", keys="%", n="3"))
        responder.wait_state("revoke", "awaiting_approval", n="3")
        responder.send(alert_of("leak", fingerprint="third", status="resolved", keys="%", n="3"))
        responder.wait_state("revoke", "cancelled", n="3")
        assert api_keys.live_keys() == ["alice", "bob", "carol"]


def test_cooldown_and_pause_outlive_a_restart(make, sink):
    responder = make("  - {name: cool, match: ['alertname=\"a\"'], cooldown: 1h, steps: [{host.memory: {}}]}\n"
                     "  - {name: free, match: ['alertname=\"b\"'], steps: [{host.memory: {}}]}\n")
    with alive(responder):
        responder.send(alert_of("a", n="1"))
        responder.wait_state("cool", "done")
        responder.send(alert_of("a", n="2", spell="<b>&"))
        held = responder.wait_state("cool", "held", n="2")
        assert held["guard"] == "cooldown" and held["guard_until"]
        page = responder.page("/")
        assert "it rests after the last run under its lock" in page
        whole = responder.page(f"/incidents/{held['number']}")
        assert "&lt;b&gt;&amp;" in whole and "<b>&" not in whole
        assert responder.post("/-/pause", {"by": "anna", "reason": "a move"})[0] == 200
    with alive(responder):
        assert responder.get("/api/v1/status")["paused"] is True
        assert "runbook_paused 1" in responder.page("/metrics")
        # N-20: who pulled it, and why; also after a restart, and though somebody else has pulled it since.
        assert responder.post("/-/pause", {"by": "bert", "reason": "me too"})[0] == 200
        status = responder.get("/api/v1/status")
        assert (status["paused_by"], status["paused_reason"]) == ("anna (token operator)", "a move")
        page = responder.page("/")
        assert "Paused: nothing is run" in page and "anna (token operator)" in page and "a move" in page
        assert 'decision=paused by="bert (token operator)" reason="me too"' in (responder.directory / f"{responder.program.name}.log").read_text()
        responder.send(alert_of("b"))
        assert responder.wait_state("free", "held")["guard"] == "paused"
        assert responder.wait_state("cool", "held", n="2")["guard"] == "paused"
        # Whoever can resume it hears of each, at once.
        wait_for(lambda: len(sink.to("oncall")) == 2, "that both are held to be told")
        assert responder.post("/-/resume", {"by": "anna"})[0] == 200
        assert responder.get("/api/v1/status")["paused_by"] is None
        responder.wait_state("free", "done")
        wait_for(lambda: responder.of("cool", n="2")["guard"] == "cooldown", "the cooldown to be what holds it")
    assert all("is held: the responder is paused by anna (token operator): a move, so nothing is run" in one["text"]
               for one in sink.to("oncall")) and len(sink.to("oncall")) == 2


def test_dry_run_changes_nothing(make, clean_redis, api_keys, sink):
    clean_redis.client.set("cache:web:1", "x")
    with alive(make(flags=("--dry-run",))) as responder:
        responder.send(alert_of("stale", service="web"), alert_of("leak", keys="%"))
        planned = responder.wait_state("flush", "planned")
        assert planned["timeline"][-1]["detail"]["plans"][1]["plan"]["targets"] == 1
        responder.wait_state("revoke", "planned")
        assert "Dry run" in responder.page("/")
        assert [step["status"] for step in planned["steps"]] == ["waiting"] * 3
    assert clean_redis.client.exists("cache:web:1")
    assert api_keys.live_keys() == ["alice", "bob", "carol"]
    assert sink.received == []


def run(responder, *words, document=None):
    return subprocess.run([responder.program, *words], check=False, text=True, cwd=responder.directory,
                          input=json.dumps(document) if document is not None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_plan_command(make, clean_redis, api_keys, sink):
    clean_redis.client.mset({"cache:web:1": "x", "cache:web:2": "x"})
    responder = make()
    config = f"--config.file={responder.config}"
    shown = run(responder, "plan", config, "--alert=-", document=alert_of("stale", service="web"))
    assert shown.returncode == 0, shown.stderr
    for words in ("stale sets off flush", "1. host.memory (read only)", "2. redis.flush (irreversible)", "3. notify"):
        assert words in shown.stdout, shown.stdout
    both = run(responder, "plan", config, "--json", "--alert=-",
               document=webhook_of(alert_of("stale", service="web"), alert_of("leak", keys="%o%")))
    assert both.returncode == 0, both.stderr
    answer = json.loads(both.stdout)
    assert [one["remediation"] for one in answer] == ["flush", "revoke"]
    assert answer[0]["plans"][1]["plan"]["targets"] == 2
    assert "max of 1" in answer[1]["asks"]

    config_text = responder.config.read_text()
    responder.config.write_text(config_text.replace("${labels.service}: cache", "${labels.colour}: cache"))
    missing = run(responder, "plan", config, "--alert=-", document=alert_of("stale", service="web"))
    assert missing.returncode == 1
    assert "colour" in missing.stdout and "would not run" in missing.stdout
    assert run(responder, "plan", config, "--alert=-", document=alert_of("nobodys")).returncode == 1
    assert run(responder, "plan", config).returncode == 2

    assert sorted(clean_redis.client.keys()) == ["cache:web:1", "cache:web:2"]
    assert api_keys.live_keys() == ["alice", "bob", "carol"]
    assert sink.received == []
    assert not responder.journal.exists()


def test_command_line(make, binaries):
    responder = make()
    config = f"--config.file={responder.config}"
    refused = run(responder, config, "--web.listen-address=0.0.0.0:0", f"--journal={responder.journal}")
    assert refused.returncode == 1 and "authentication" in refused.stderr, refused.stderr
    assert not responder.journal.exists()
    assert run(responder, config, "--config.check").returncode == 0
    responder.config.write_text(responder.config.read_text().replace("host.memory", "host.memry"))
    mistaken = run(responder, config, "--config.check")
    assert mistaken.returncode == 1
    assert f"{responder.config}:" in mistaken.stderr and 'did you mean "host.memory"' in mistaken.stderr
    assert run(responder, "--no-such-flag").returncode == 2
    for words, complaint in (
            (["plann"], 'there is no command "plann"; did you mean "plan"?'),
            (["plan", "describe"], 'one command at a time: there are "plan" and "describe"'),
            (["backup"], '"backup" needs a FILE behind it; see --help'),
            (["backup", "a", "b"], '"backup" takes no further words, and there is "b"; see --help'),
            (["backup", "a", "--dry-run"], '"backup" does not take --dry-run'),
            (["plan", "now"], '"plan" takes no further words, and there is "now"; see --help'),
            (["describe", "--json", "--alert=x"], '"describe" does not take --alert: it goes with plan'),
            (["verify", "--dry-run"], '"verify" does not take --dry-run'),
            (["--config.check", "plann"], 'there is no command "plann"; did you mean "plan"?'),
            (["plan"], "plan needs --label=NAME=VALUE, as often as there are labels, or --alert=FILE")):
        done = run(responder, *words)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"runbook_responder: {complaint}\n"), words
    for words, complaint in ((["nonsense"], 'there is no command "nonsense"; see --help\n'), (["--json"], "--json goes with ")):
        done = run(responder, *words)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith(f"runbook_responder: {complaint}"), done
    absent = run(responder, "verify", f"--journal={responder.journal}")
    assert absent.returncode == 1 and not responder.journal.exists(), absent.stderr
    assert run(responder, "--version").stdout.startswith("runbook_responder ")
    assert "dry-run" in run(responder, "--help").stdout
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([responder.program, "describe"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "standard output: No space left on device\n")
    described = run(responder, "describe").stdout
    for action in ("docker.restart", "postgres.execute", "redis.flush", "notify"):
        assert f"### `{action}`" in described
    assert binaries.responder == responder.program


def test_escalation_is_delivered_over_a_restart(make, clean_redis, tmp_path, sink):
    """Nobody hears it at first; the daemon is restarted meanwhile; it is escalated once somebody has heard."""
    assert clean_redis.client.dbsize() == 0
    responder = make()
    (tmp_path / "oncall_url").write_text(f"http://127.0.0.1:{free_port()}/oncall\n")
    with alive(responder):
        responder.send(alert_of("stale", service="web"))  # there is no key to flush: it cannot be planned
        failed = responder.wait_state("flush", "failed")
        failure = next(row for row in failed["timeline"] if row["event"] == "planning failed")
        assert "redis.flush" in failure["detail"]["reason"]
        assert [step["status"] for step in failed["steps"]] == ["waiting"] * 3
    (tmp_path / "oncall_url").write_text(f"{sink.url}/oncall\n")
    # A receiver that says when to come again is left alone until then.
    sink.refusals.append((429, {"Retry-After": "3"}))
    began = time.monotonic()
    with alive(responder):
        incident = responder.wait_state("flush", "escalated")
        assert len(sink.to("oncall")) == 1 and not sink.refusals
        assert time.monotonic() - began >= 3
        message = json.dumps(sink.to("oncall")[0])
        assert incident["number"] in message and "redis.flush" in message
        assert events(incident)[-1] == "escalated"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


def test_verified_by_a_check(make, binaries, tmp_path, sink):
    """Healed when the exporter's check succeeds, and not before; the verification outlives a restart."""
    port = free_port()
    checks = tmp_path / "checks.yml"
    checks.write_text(f'checks: [{{name: page, timeout: 1s, http: {{url: "http://127.0.0.1:{port}/", status: 200}}}}]\n')
    with alive(Exporter(binaries.exporter, checks, tmp_path / "exporter")) as exporter:
        responder = make("  - {name: checked, match: ['alertname=\"down\"'], steps: [{host.memory: {}}],\n"
                         "     verify: {check: page, within: 1h, every: 100ms}}\n",
                         head=f"exporter_url: {exporter.url}")
        with alive(responder):
            responder.send(alert_of("down"))
            responder.wait_state("checked", "verifying")
        with alive(responder):
            incident = responder.wait_state("checked", "verifying")
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                incident = responder.wait_state("checked", "healed")
            finally:
                server.shutdown()
                server.server_close()
            assert events(incident).count("verifying") == 1
            assert events(incident).count("step done") == 1
    assert sink.received == []


def test_stop_waits_for_the_step(make, api_keys):
    """SIGTERM while a step runs: the step is finished and journaled, the rest goes on after the next start."""
    responder = make("""
  - name: slow
    match: ['alertname="slow"']
    steps:
      - postgres.execute:
          plan_sql: SELECT name FROM api_keys WHERE name = 'alice'
          sql: |
            UPDATE api_keys SET revoked_reason = 'slow' FROM pg_sleep(1.5) AS slept
            WHERE name = 'alice' RETURNING name
      - host.memory: {}
""")
    with alive(responder):
        responder.send(alert_of("slow"))
        wait_for(lambda: api_keys.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == 1,
                 "the step to be under way")
        assert responder.stop() == 0
    assert api_keys.value("SELECT revoked_reason FROM api_keys WHERE name = 'alice'") == "slow"
    with alive(responder):
        incident = responder.wait_state("slow", "done")
        assert events(incident).count("step started") == 2
        assert [step["status"] for step in incident["steps"]] == ["done", "done"]
