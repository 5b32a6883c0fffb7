# SPDX-License-Identifier: Apache-2.0
"""A journal whose file is taken away, or whose disk is full: nothing is acknowledged that would be lost, and somebody hears of it."""

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request

import pytest

from lab.parts import wait_for
from lab.prometheus import answers
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

REMEDIATIONS = """
receivers: [{name: oncall, format: json, url_file: "%s"}]
escalate_to: oncall
remediations:
  - name: look
    match: ['alertname="slow"']
    lock: "n/${labels.n}"
    steps: [{host.memory: {}}]
"""


@pytest.fixture
def sink():
    started = Sink().start()
    yield started
    started.stop()


@pytest.fixture
def make(tmp_path, binaries, sink):
    running = []

    def start(directory=tmp_path / "responder"):
        config = tmp_path / "remediations.yml"
        secret = tmp_path / "oncall.url"
        secret.write_text(f"{sink.url}/oncall")
        config.write_text(REMEDIATIONS % secret)
        running.append(Responder(binaries.responder, config, directory).start())
        return running[-1]

    yield start
    for responder in running:
        assert responder.stop() in (None, 0)


@pytest.fixture
def small_disk(tmp_path):
    directory = tmp_path / "disk"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", directory], check=True)
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def tell(responder, n):
    return responder.post("/api/v1/alerts", webhook_of(alert_of("slow", n=n)))


def readiness(responder):
    try:
        with urllib.request.urlopen(f"{responder.url}/-/ready", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def reasons(responder):
    found = re.findall(r'^runbook_journal_unusable\{reason="(\w+)"\} 1$', responder.page(), re.MULTILINE)
    assert len(re.findall(r"^runbook_journal_unusable\{", responder.page(), re.MULTILINE)) == 7
    return found


def words(sink):
    return [message["text"] for message in sink.to("oncall")]


def test_taken_away_and_put_back(make, sink):
    responder = make()
    responder.send(alert_of("slow", n="before"))
    responder.wait_final("look", n="before")
    assert readiness(responder)[0] == 200 and reasons(responder) == []
    away = responder.journal.with_name("away.db")
    responder.journal.rename(away)
    status, answer = tell(responder, "lost")
    assert status == 503 and "send it again" in answer
    status, answer = readiness(responder)
    assert status == 503 and "is gone (deleted or moved)" in answer
    status, answer = responder.post("/-/pause", {"by": "ada"})
    assert status == 503 and "is gone (deleted or moved)" in answer
    assert reasons(responder) == ["gone"]
    assert "is gone (deleted or moved)" in responder.page("/")
    wait_for(lambda: words(sink), "somebody to be told")
    away.rename(responder.journal)
    wait_for(lambda: readiness(responder)[0] == 200, "it to be ready again")
    wait_for(lambda: len(words(sink)) == 2, "somebody to be told that it is over")
    assert re.match(r"runbook_responder cannot act: .*journal\.db is gone \(deleted or moved\)", words(sink)[0])
    assert words(sink)[1] == "runbook_responder can act again"
    responder.send(alert_of("slow", n="after"))
    assert responder.wait_final("look", n="after")["number"].endswith("-0002")
    assert "2 incidents" not in responder.verify_journal().stdout and responder.verify_journal().returncode == 0
    log = (responder.directory / "runbook_responder.log").read_text()
    assert log.count('msg="The responder cannot act"') == 1 and log.count('msg="The responder can act again"') == 1


def export(responder, *flags, journal=None, status=0):
    """What the command prints, a document a line."""
    done = subprocess.run([responder.program, "export", f"--journal={journal or responder.journal}", *flags], check=False,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == status and bool(done.stderr) == (status != 0), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_backup_and_restore(make, tmp_path):
    """While it is open; and the copy, put in the journal's place, is where one goes on from."""
    responder = make()
    responder.send(alert_of("slow", n="before"))
    healed = responder.wait_final("look", n="before")
    wait_for(lambda: all(step["settled"] for step in responder.incident(healed["number"])["steps"]), "nothing to be left to do")
    healed = responder.incident(healed["number"])
    copy = tmp_path / "backup" / "journal.db"
    copy.parent.mkdir()

    def backup():
        return subprocess.run([responder.program, "backup", copy, "--journal", responder.journal], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    done = backup()
    assert done.returncode == 0 and re.fullmatch(rf"{copy}: \d+ rows, the chain holds\n", done.stdout), done.stderr
    assert [path.name for path in copy.parent.iterdir()] == ["journal.db"] and copy.stat().st_mode & 0o777 == 0o600
    again = backup()
    assert again.returncode == 1 and "is there already, and is left as it is" in again.stderr
    # The same for other programs; what was changed in it is still to be seen, and said.
    lines = export(responder, "--since=1d")
    assert lines[0]["type"] == "journal" and lines[0]["holds"] and lines[0]["seals"] == "hold" and lines[0]["rows"] > 0
    assert lines[1:] == [{**responder.incident(healed["number"]), "type": "incident"}]
    assert len(export(responder, "--until=1d")) == 1
    changed = tmp_path / "changed.db"
    shutil.copy(copy, changed)
    with contextlib.closing(sqlite3.connect(changed)) as connection, connection:
        connection.execute("UPDATE incidents SET remediation = 'another'")
    lines = export(responder, f"--journal.key={responder.journal.parent / 'journal.key'}", journal=changed, status=1)
    assert not lines[0]["holds"] and lines[0]["seals"] == "broken" and lines[0]["reason"] and lines[1]["number"] == healed["number"]
    assert responder.stop() == 0
    for path in responder.directory.glob("journal.db*"):
        path.unlink()
    copy.rename(responder.journal)
    assert responder.verify_journal().stdout.startswith(done.stdout.replace(str(copy), str(responder.journal)))
    responder.start()
    assert responder.of("look", n="before") == healed


def test_full_disk(make, sink, small_disk):
    """What has begun goes on, the kill switch too, and when there is room again, so do alerts."""
    responder = make(small_disk)
    assert responder.post("/-/pause", {"by": "ada"})[0] == 200
    accepted = [n for n in range(3) if tell(responder, f"held{n}")[0] == 200]
    assert len(accepted) == 3
    ballast = small_disk / "ballast"
    with pytest.raises(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    n = 0
    while tell(responder, f"more{n}")[0] == 200:  # until the log has no room left
        accepted.append(n)
        n += 1
    status, answer = readiness(responder)
    assert status == 503 and "disk of the journal is full" in answer
    assert reasons(responder) == ["full"]
    assert not responder.journal.with_name("journal.db.reserve").exists()
    # The kill switch is obeyed as often as it is asked for, not until the log has eaten up the reserve.
    for _ in range(400):
        assert responder.post("/-/pause", {"by": "ada"})[0] == 200
        assert responder.post("/-/resume", {"by": "ada"})[0] == 200
    wait_for(lambda: responder.of("look", n="held2")["state"] == "done", "what was accepted to be carried out")
    assert tell(responder, "still")[0] == 503
    wait_for(lambda: any("disk of the journal is full" in text for text in words(sink)), "somebody to be told")
    ballast.unlink()
    wait_for(lambda: readiness(responder)[0] == 200, "it to be ready again")
    assert reasons(responder) == [] and responder.journal.with_name("journal.db.reserve").exists()
    wait_for(lambda: words(sink)[-1:] == ["runbook_responder can act again"], "somebody to be told that it is over")
    assert tell(responder, "later")[0] == 200
    wait_for(lambda: responder.get("/api/v1/status")["incidents"]["received"] == 0, "all to be looked at")
    assert responder.verify_journal().returncode == 0


@pytest.mark.parametrize("text", ["remediations: [{name: a, match: [], steps: []}]", "remediations: [", None])
def test_a_start_that_is_refused_leaves_nothing_behind(tmp_path, binaries, text):
    config, place = tmp_path / "remediations.yml", tmp_path / "state"
    if text is not None:
        config.write_text(text)
    done = subprocess.run([binaries.responder, f"--config.file={config}", f"--journal={place}/journal.db", "--web.listen-address=127.0.0.1:0"],
                          check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 1 and str(config) in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [config.name] * (text is not None)


class Twin(Responder):
    """One of several that were given the same journal."""

    @property
    def journal(self):
        return self.directory.parent / "state" / "journal.db"


def test_started_many_times_at_once(tmp_path, binaries):
    """Of a journal that nobody has made yet one of them has it, sealed by the key that is found there; the others say why not."""
    config = tmp_path / "remediations.yml"
    config.write_text("escalate_to: nobody\nremediations: [{name: look, match: ['alertname=\"slow\"'], steps: [{host.memory: {}}]}]\n")
    twins = [Twin(binaries.responder, config, tmp_path / str(number)) for number in range(8)]
    for twin in twins:
        twin.start(ready=False)
    try:
        one = wait_for(lambda: [twin for twin in twins if twin.process.running and answers(f"{twin.url}/-/ready")], "one to be ready")[0]
        for twin in twins:
            if twin is not one:
                wait_for(lambda: not twin.process.running, "the others to end")  # pylint: disable=cell-var-from-loop
                assert twin.process.child.returncode == 1
                assert "another runbook_responder has it open" in twin.process.output()
        one.send(alert_of("slow", n="first"))
        one.wait_final("look", n="first")
        assert one.stop() == 0
        assert not list(one.journal.parent.glob("journal.key.*"))
        assert one.verify_journal().returncode == 0
        one.start()
        assert one.of("look", n="first")
        assert one.stop() == 0
    finally:
        for twin in twins:
            twin.stop()
