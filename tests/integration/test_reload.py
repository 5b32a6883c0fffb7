# SPDX-License-Identifier: Apache-2.0
"""remediations.yml read again while the responder runs: whole or not at all, and nothing that has begun is changed by it."""

import contextlib
import json
import os
import signal

import pytest

from lab.hung import Hung
from lab.parts import wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of

SLOW = """
  - name: slow
    match: ['alertname="slow"']
    steps:
      - postgres.execute:
          plan_sql: SELECT id FROM api_keys WHERE name = 'gate' AND $1::text IS NOT NULL
          sql: UPDATE api_keys SET revoked_reason = $1 WHERE name = 'gate' RETURNING id
          args: [WORD]
        timeout: 1m
      - notify: {to: oncall, text: "slow WORD"}
"""
ONE = """
  - name: one
    match: ['alertname="one"', 'n!=""']
    lock: "one/${labels.n}"
    steps: [{notify: {to: oncall, text: "one WORD"}}]
"""


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


class Edited(Responder):
    flags = ()

    def arguments(self):
        return [f"--journal={self.journal}", *self.flags]

    def write(self, remediations):
        self.config.write_text(self.head + remediations)

    def log(self):
        return (self.directory / f"{self.program.name}.log").read_text()

    def metric(self, name):
        return next(float(line.split()[1]) for line in self.page().splitlines() if line.startswith(name + " "))

    def hang_up(self, message="was read again"):
        before = self.log().count(message)
        os.kill(self.process.pid, signal.SIGHUP)
        wait_for(lambda: self.log().count(message) > before, f"{message!r} to be logged")


@pytest.fixture
def edited(tmp_path, binaries, postgres, sink):
    (tmp_path / "oncall_url").write_text(f"{sink.url}/oncall\n")
    daemon = Edited(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run")
    daemon.head = (f'databases: [{{name: mcp, dsn: "{postgres.dsn()}"}}]\n'
                   f"receivers: [{{name: oncall, format: json, url_file: {tmp_path}/oncall_url}}]\n"
                   "escalate_to: oncall\nremediations:\n")
    yield daemon
    daemon.stop()


def texts(sink):
    return [message["text"] for message in sink.to("oncall")]


def test_p2_sighup_reads_the_file_again_whole_or_not_at_all(edited, sink):
    edited.flags = ("--web.enable-lifecycle",)
    edited.token("admin").parent.mkdir(parents=True, mode=0o700)
    edited.token("admin").write_text("an-administrators-token\n")
    edited.write(ONE.replace("WORD", "first"))
    edited.start()
    assert edited.metric("runbook_responder_config_last_reload_successful") == 1
    edited.send(alert_of("one", n="1"))
    edited.wait_state("one", "done", n="1")

    edited.write(ONE.replace("WORD", "second") + ONE.replace("WORD", "other").replace("one", "two"))
    edited.hang_up()
    edited.send(alert_of("one", n="2"), alert_of("two", n="3"))
    edited.wait_state("one", "done", n="2")
    edited.wait_state("two", "done", n="3")
    assert sorted(texts(sink)) == ["one first", "one second", "two other"]
    assert edited.get("/api/v1/status")["remediations"] == ["one", "two"]
    assert "two" in edited.page("/")

    # A file that is broken half-way changes nothing at all, and everybody is told why.
    edited.write(ONE.replace("WORD", "third") + "  - {name: four, match: [], steps: []}\n")
    edited.hang_up("was not read again")
    assert "remediations.yml:" in edited.log().split("was not read again")[1]
    assert edited.metric("runbook_responder_config_last_reload_successful") == 0
    status, answer = edited.post("/-/reload")
    assert status == 400 and "match" in json.loads(answer)["error"]
    edited.send(alert_of("one", n="4"))
    edited.wait_state("one", "done", n="4")
    assert texts(sink)[-1] == "one second"

    edited.write(ONE.replace("WORD", "fifth"))
    assert edited.post("/-/reload")[0] == 200
    assert edited.metric("runbook_responder_config_last_reload_successful") == 1
    edited.send(alert_of("one", n="5"))
    edited.wait_state("one", "done", n="5")
    assert texts(sink)[-1] == "one fifth"


def test_a_file_that_never_ends_keeps_no_later_one_out(edited, sink):
    """A pipe that nobody writes to, and a device, in the place of the file: refused at once, and what comes next is read."""
    edited.write(ONE.replace("WORD", "first"))
    edited.start()
    edited.config.unlink()
    os.mkfifo(edited.config)
    edited.hang_up("was not read again")
    edited.config.unlink()
    edited.config.symlink_to("/dev/zero")
    edited.hang_up("was not read again")
    assert "is not a regular file" in edited.log().rsplit("was not read again", 1)[1]
    edited.config.unlink()
    edited.write(ONE.replace("WORD", "second"))
    edited.hang_up()
    edited.send(alert_of("one", n="1"))
    edited.wait_state("one", "done", n="1")
    assert texts(sink) == ["one second"]


def test_without_the_flag_nobody_reloads_over_http(edited):
    edited.write(ONE)
    edited.token("admin").parent.mkdir(parents=True, mode=0o700)
    edited.token("admin").write_text("an-administrators-token\n")
    edited.start()
    status, answer = edited.post("/-/reload")
    assert status == 403 and "--web.enable-lifecycle" in answer


@contextlib.contextmanager
def held_row(postgres):
    """A lock on the row that the slow step wants to write."""
    with postgres.connect() as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM api_keys WHERE name = 'gate' FOR UPDATE")
            yield
        connection.rollback()


def test_p2_what_has_begun_goes_on_as_it_was_planned(edited, sink, postgres):
    postgres.reset()
    postgres.add_keys("gate")
    edited.write(SLOW.replace("WORD", "before"))
    edited.start()
    with held_row(postgres):
        edited.send(alert_of("slow"))
        wait_for(lambda: edited.of("slow") and edited.of("slow")["state"] == "running", "the step to run")
        for word in ("after", "later"):  # the worker is in the midst of it
            edited.write(SLOW.replace("WORD", word) + ONE)
            edited.hang_up()
        edited.send(alert_of("one", n="1"))
        edited.wait_state("one", "done")  # nobody waits for who is in the midst
    edited.wait_state("slow", "done")
    assert texts(sink) == ["one WORD", "slow before"]
    assert postgres.value("SELECT revoked_reason FROM api_keys WHERE name = 'gate'") == "before"


def test_a_database_that_hangs_keeps_nobody_waiting_for_a_reload(edited, sink):
    """An edition that is over lets go of its databases: the look of one that never answers may take seconds."""
    hung = Hung().start()
    try:
        edited.head = edited.head.replace(edited.head.split('dsn: "')[1].split('"')[0],
                                          f"host=127.0.0.1 port={hung.port} dbname=mcp")
        edited.write(ONE)
        edited.start()
        hung.wait_for_peers(1)
        first = hung.waiting()
        edited.hang_up()
        wait_for(lambda: hung.waiting() - first, "the new edition to look, too")
        edited.send(alert_of("one", n="1"))
        edited.wait_state("one", "done", n="1")
        assert edited.post("/-/pause", {"by": "ada"})[0] == 200
        assert first & hung.waiting(), "the edition of before was waited for"
    finally:
        hung.stop()


def test_reloads_without_end_lose_nothing(edited, sink):
    edited.write(ONE.replace("WORD", "first ${labels.n}"))  # the first alerts may still be its
    edited.start()
    for turn in range(40):
        edited.write(ONE.replace("WORD", f"w{turn} ${{labels.n}}"))
        os.kill(edited.process.pid, signal.SIGHUP)
        edited.send(alert_of("one", n=str(turn)))
    wait_for(lambda: [one["state"] for one in edited.incidents()] == ["done"] * 40, "all to be done", 30)
    # A notification that may not have been heard is sent again: at least once.
    assert sorted({int(text.split()[-1]) for text in texts(sink)}) == list(range(40)), texts(sink)
    grown = edited.resident_bytes()
    for _ in range(60):
        edited.hang_up()
    # A sanitizer keeps what was freed for a while.
    assert edited.resident_bytes() < grown + ((64 if "san/" in str(edited.program) else 1) << 20)
