# SPDX-License-Identifier: Apache-2.0
"""Who may speak to the responder, and who it says that it was: tokens, the operators' socket, and what nobody may."""

import http.client
import json
import os
import pathlib
import stat
import subprocess

import pytest

from lab.parts import wait_for
from lab.runbook import Responder
from lab.webhook import alert_of, webhook_of

REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
remediations:
  - name: one
    match: ['alertname="one"']
    approval: true
    steps: [{host.memory: {}}]
"""
NOBODY = 65534


class Doors(Responder):
    flags = ()

    def arguments(self):
        return [f"--journal={self.journal}", *self.flags]

    @property
    def socket(self):
        return self.journal.parent / "operator.sock"

    def log(self):
        return (self.directory / f"{self.program.name}.log").read_text()

    def bearer(self, role):
        return {"Authorization": f"Bearer {self.token(role).read_text().strip()}"}

    def metric(self, line):
        return next((float(found.rsplit(" ", 1)[1]) for found in self.page().splitlines() if found.startswith(line)), 0.0)


@pytest.fixture
def make(tmp_path, binaries):
    made = []

    def responder(*flags, **options):
        (tmp_path / "remediations.yml").write_text(REMEDIATIONS)
        daemon = Doors(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run")
        daemon.flags = flags
        made.append(daemon)
        return daemon.start(**options)

    yield responder
    for daemon in made:
        daemon.stop()


def as_nobody(*argv):
    return subprocess.run(list(map(str, argv)), check=False, text=True, capture_output=True, user=NOBODY, group=NOBODY,
                          extra_groups=[], cwd="/")


def test_f1_a_local_process_that_shows_nothing_only_reads(make):
    daemon = make()
    webhook = json.dumps(webhook_of(alert_of("one")))
    for path, body in (("/api/v1/alerts", webhook), ("/-/pause", '{"by": "ada"}'), ("/-/resume", '{"by": "ada"}'),
                       *((f"/api/v1/incidents/INC-2026-0001/{what}", '{"by": "ada"}')
                         for what in ("approve", "deny", "cancel", "undo")), ("/-/reload", "{}")):
        for shown in ([], ["-H", "Authorization: Bearer guessed-guessed-guessed"], ["-H", "Authorization: Basic YWRhOmFkYQ=="],
                      ["-H", "Authorization: Bearer "], ["-H", "X-Forwarded-For: 127.0.0.1"]):
            done = as_nobody("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *shown, "-d", body, daemon.url + path)
            assert done.stdout == "401", (path, shown, done)
    assert daemon.incidents() == [] and daemon.get("/api/v1/status")["paused"] is False
    assert daemon.metric('runbook_requests_refused_total{route="/api/v1/alerts",code="401"}') == 5
    assert daemon.metric('runbook_requests_refused_total{route="/api/v1/incidents/{id}/undo",code="401"}') == 5
    assert daemon.log().count("refused for who made them") == 1  # and not forty times
    for token in ("alerts", "operator"):
        assert as_nobody("cat", daemon.token(token)).returncode != 0


def test_each_token_is_for_its_role_alone(make, tmp_path):
    for role in ("reader", "admin"):
        (tmp_path / "run/tokens").mkdir(parents=True, mode=0o700, exist_ok=True)
        (tmp_path / "run/tokens" / role).write_text(f"{role}-{role}-{role}-{role}\n")
    daemon = make("--web.enable-lifecycle")
    asked = {"alerts": ("POST", "/api/v1/alerts", webhook_of(alert_of("two"))), "decide": ("POST", "/-/resume", {"by": "ada"}),
             "read": ("GET", "/api/v1/status", None), "scrape": ("GET", "/metrics", None), "reload": ("POST", "/-/reload", {}),
             "alive": ("GET", "/-/ready", None)}
    may = {"reader": {"read", "scrape", "alive"}, "alerts": {"alerts", "alive"},
           "operator": {"decide", "read", "scrape", "alive"}, "admin": {"decide", "read", "scrape", "reload", "alive"}}
    for role, allowed in may.items():
        for what, (method, path, document) in asked.items():
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            connection.request(method, path, json.dumps(document) if document is not None else None, daemon.bearer(role))
            status = connection.getresponse().status
            connection.close()
            assert status == (200 if what in allowed else 403), (role, what, status)


def test_the_timeline_says_who_it_was_and_how_it_is_known(make):
    daemon = make()
    daemon.send(alert_of("one"))
    number = daemon.wait_state("one", "awaiting_approval")["number"]
    assert daemon.post("/-/pause", {"by": "engine", "reason": "who am I?"})[0] == 200
    assert daemon.get("/api/v1/status")["paused_by"] == "engine (token operator)"
    status, answer = daemon.post(f"/api/v1/incidents/{number}/deny", {"by": "ada", "reason": "no"})
    assert status == 200, answer
    (denied,) = [row for row in daemon.incident(number)["timeline"] if row["event"] == "denied"]
    assert denied["actor"] == "ada (token operator)"


def test_over_the_socket_the_kernel_says_who_it_is(make):
    daemon = make()
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o660
    curl = ("curl", "-sS", "--max-time", "20", "--unix-socket", daemon.socket)
    done = subprocess.run([*map(str, curl), "-d", '{"by": "somebody else", "reason": "drill"}', "http://localhost/-/pause"],
                          check=True, text=True, capture_output=True)
    assert json.loads(done.stdout)["paused_by"] == "uid 0 (root)"
    # Who has no right to the socket's file does not come in.
    daemon.directory.chmod(0o755)
    for directory in daemon.directory.parents:
        if directory.stat().st_uid == os.getuid() and not directory.stat().st_mode & stat.S_IXOTH:
            directory.chmod(directory.stat().st_mode | stat.S_IXOTH)
    assert as_nobody(*curl, "-d", "{}", "http://localhost/-/resume").returncode == 7
    assert daemon.get("/api/v1/status")["paused"] is True
    # Another user with a right to it is named.
    os.chown(daemon.socket, 0, NOBODY)
    daemon.journal.parent.chmod(0o755)
    done = as_nobody(*curl, "-d", "{}", "http://localhost/-/resume")
    assert done.returncode == 0 and json.loads(done.stdout)["paused"] is False, done
    assert 'by="uid 65534 (nobody)"' in daemon.log()


def test_tokens_are_made_once_kept_and_changed_by_their_file(make):
    daemon = make()
    tokens = {role: daemon.token(role).read_text() for role in ("alerts", "operator")}
    assert len(set(tokens.values())) == 2 and all(len(token) == 65 for token in tokens.values())
    assert stat.S_IMODE(daemon.token("alerts").stat().st_mode) == 0o600
    assert stat.S_IMODE(daemon.token("alerts").parent.stat().st_mode) == 0o700
    daemon.stop()
    daemon.start()
    assert {role: daemon.token(role).read_text() for role in tokens} == tokens

    for scheme in ("bearer ", "BEARER  "):  # RFC 9110: of any case, and as many blanks
        shown = {"Authorization": scheme + daemon.token("operator").read_text().strip()}
        assert daemon.post("/-/resume", {"by": "ada"}, headers=shown)[0] == 200, scheme
    before = daemon.bearer("operator")
    new = daemon.token("operator").with_suffix(".new")
    new.write_text("another-and-a-longer-one\n")
    new.rename(daemon.token("operator"))
    assert daemon.post("/-/pause", {"by": "ada"}, headers=before)[0] == 401
    assert daemon.post("/-/pause", {"by": "ada"})[0] == 200
    daemon.token("operator").unlink()  # then nobody has it
    assert daemon.post("/-/resume", {"by": "ada"}, headers=before)[0] == 401
    assert daemon.post("/-/resume", {"by": "ada"}, headers={"Authorization": "Bearer another-and-a-longer-one"})[0] == 401


def test_systemd_hands_over_what_goes_before(make, tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/alerts").write_text("from-systemd-from-systemd\n")
    daemon = make(env={"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")})
    assert not daemon.token("alerts").exists() and daemon.token("operator").exists()
    shown = {"Authorization": "Bearer from-systemd-from-systemd"}
    assert daemon.post("/api/v1/alerts", webhook_of(alert_of("one")), headers=shown)[0] == 200


@pytest.mark.parametrize("content, says", [("short\n", "fewer than 16 bytes"), ("", "fewer than 16 bytes")])
def test_a_token_that_anybody_would_guess_is_refused_at_the_start(make, tmp_path, content, says):
    (tmp_path / "run/tokens").mkdir(parents=True)
    (tmp_path / "run/tokens/operator").write_text(content)
    daemon = make(ready=False)
    wait_for(lambda: says in daemon.log(), "a complaint")


def test_without_tokens_only_by_a_flag_that_says_what_it_gives_up(make, binaries, tmp_path):
    daemon = make("--web.anybody-local-may-act")
    assert "Every process on this machine may" in daemon.log()
    assert not daemon.token("alerts").exists()
    assert daemon.post("/api/v1/alerts", webhook_of(alert_of("one")))[0] == 200
    assert daemon.post("/-/pause", {"by": "ada"})[0] == 200
    assert daemon.get("/api/v1/status")["paused_by"] == "ada (not proved)"
    web = tmp_path / "web.yml"
    web.write_text('basic_auth_users: {ada: "$2y$04$WvhMUrTvRXQsuSFmV2yNv.Q5BTLNqkLX0tpN7ZmcIlQ1FyXGLq1Wu"}')
    done = subprocess.run([binaries.responder, f"--config.file={daemon.config}", f"--journal={tmp_path}/other.db",
                           "--web.anybody-local-may-act", f"--web.config.file={web}"], check=False, text=True,
                          capture_output=True)
    assert done.returncode == 1 and "--web." in done.stderr


def test_shipped_alertmanager_shows_the_token_that_make_run_makes():
    shipped = (pathlib.Path(__file__).parents[2] / "rules/alertmanager.yml").read_text()
    assert "credentials_file: ../var/tokens/alerts" in shipped
