# SPDX-License-Identifier: Apache-2.0
"""Disks, memory, descriptors and threads that fail, one call after the other: nothing crashes, nothing that was acknowledged is lost,
a shortage is never the sender's fault, and what could not be done is done once it can be. RUNBOOK_DEEP=1 for many more of them."""

import errno
import json
import os
import random
import sqlite3
import subprocess
import urllib.error
import urllib.request

import pytest

from lab.faults import Faults
from lab.parts import wait_for
from lab.prometheus import answers
from lab.runbook import Exporter, Responder
from lab.webhook import alert_of

MOST = 2000 if "RUNBOOK_DEEP" in os.environ else 60  # of one call
REMEDIATIONS = {"receivers": [{"name": "log", "format": "log"}], "escalate_to": "log", "storm": "off", "breaker": "off",
                "remediations": [{"name": "one", "match": ["alertname=one"], "lock": "${labels.n}",
                                  "steps": [{"notify": {"to": "log", "text": "it is ${labels.n}"}}]}]}
# Of each call: the errors that it has, and how many of it there are for one webhook or scrape, about.
FAULTS = [("fsync", (errno.EIO, errno.ENOSPC), 4), ("write", (errno.ENOSPC, errno.EIO), 24), ("malloc", (errno.ENOMEM,), 900),
          ("accept", (errno.EMFILE, errno.ENOMEM, errno.ECONNABORTED), 2), ("pthread_create", (errno.EAGAIN,), 2)]
FOR_GOOD = 1 << 30
CLOSED = 0  # the status of a request that was not answered


def each_fault(most):
    """(call, after, times, error): of every call the first ones, and some of the others, by a seed that is told."""
    seed = int(os.environ.get("RUNBOOK_SEED", random.randrange(1 << 32)))
    print(f"RUNBOOK_SEED={seed}")
    chance = random.Random(seed)
    for call, errors, count in FAULTS:
        places = range(count) if count <= most else [*range(most // 4), *sorted(chance.sample(range(count), most - most // 4))]
        for after in places:
            yield call, after, chance.choice((1, 1, 2, 5)), chance.choice(errors)


def asked(method, *words):
    """The status; CLOSED when the connection ended before there was one, which a shortage may do."""
    try:
        return method(*words)[0]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return CLOSED


@pytest.fixture
def failing(build, tmp_path):
    return Faults(build, tmp_path / "faults")


def test_what_was_acknowledged_is_there_and_nothing_crashes(binaries, failing, tmp_path):
    config = tmp_path / "remediations.yml"
    config.write_text(json.dumps(REMEDIATIONS))
    responder = Responder(binaries.responder, config, tmp_path / "run", env=failing.env).start()
    acknowledged, statuses = set(), {}
    try:
        for number, fault in enumerate(each_fault(MOST)):
            failing.order(*fault)
            status = asked(responder.post, "/api/v1/alerts", {"version": "4", "alerts": [alert_of("one", n=f"a{number}")]})
            failing.none()
            assert responder.process.running, (fault, responder.process.tail())
            assert status in (200, 503, CLOSED), (fault, status, responder.process.tail())
            if status == 200:
                acknowledged.add(f"a{number}")
            statuses.setdefault(fault[0], []).append(status)
        assert failing.failed > 20
        print({call: {status: of.count(status) for status in set(of)} for call, of in statuses.items()})
        for call, error, sentence in (("fsync", errno.EIO, "disk I/O error"), ("write", errno.ENOSPC, "no space is left for the journal")):
            failing.order(call, 0, FOR_GOOD, error)  # nothing can be kept, so nothing is acknowledged
            assert asked(responder.post, "/api/v1/alerts", {"version": "4", "alerts": [alert_of("one", n=f"never {call}")]}) == 503
            wait_for(lambda: sentence in responder.process.output(), f"a word about {call}")  # pylint: disable=cell-var-from-loop
            failing.none()
        # It is well by itself, and so is what it had begun.
        wait_for(lambda: asked(responder.post, "/api/v1/alerts", {"version": "4", "alerts": [alert_of("one", n="last")]}) == 200,
                 "it to take alerts again")
        acknowledged.add("last")
        wait_for(lambda: asked(status_of, f"{responder.url}/-/ready") == 200, "it to be ready again")
        wait_for(lambda: (responder.of("one", n="last") or {}).get("ended_at"), "the last incident to end", timeout=120)
    finally:
        responder.process.kill()
    check = subprocess.run([binaries.responder, "verify", f"--journal={responder.journal}"], check=False, text=True, capture_output=True,
                           timeout=60)
    assert check.returncode == 0, check.stdout + check.stderr
    with sqlite3.connect(responder.journal) as journal:
        kept = {json.loads(row[0])["labels"]["n"] for row in journal.execute("SELECT alert FROM incidents")}
    assert not acknowledged - kept, sorted(acknowledged - kept)


# Of a start: the first mallocs, where libraries begin, and all of them.
STARTS = [("pthread_create", errno.EAGAIN, 30), ("write", errno.ENOSPC, 30), ("fsync", errno.EIO, 8), ("malloc", errno.ENOMEM, 100),
          ("malloc", errno.ENOMEM, 16000)]


@pytest.mark.parametrize("daemon", [Responder, Exporter])
def test_a_start_succeeds_or_says_why_not(binaries, failing, tmp_path, daemon):
    program, content, starts = ((binaries.responder, REMEDIATIONS, STARTS) if daemon is Responder else
                                (binaries.exporter, {"checks": [{"name": "disk", "disk": {"paths": ["/"]}}]}, STARTS[-2:]))
    config = tmp_path / "config.yml"
    config.write_text(json.dumps(content))
    one = daemon(program, config, tmp_path / "run", env=failing.env)
    chance, outcomes = random.Random(), []
    for call, error, places in starts:
        for after in sorted(chance.sample(range(places), min(places, MOST // (12 if call == "malloc" else 6)))):
            failing.order(call, after, 1, error)
            one.start(ready=False)
            try:
                wait_for(lambda: not one.process.running or answers(f"{one.url}/-/ready"), f"a start ({call}, {after})")
                failing.none()
                status = one.stop()
                assert status in (0, 1), (call, after, status, one.process.tail())
                assert status == 0 or one.process.output(), (call, after)
                outcomes.append(status)
            finally:
                one.process.kill()
    one.start()
    one.stop()
    print(f"{len(outcomes)} starts, {outcomes.count(1)} refused")


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_scrape_fails_alone(binaries, failing, tmp_path):
    (tmp_path / "file").write_text("here\n")
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [
        {"name": "disk", "disk": {"paths": ["/"]}}, {"name": "files", "files": {"directories": [str(tmp_path)], "pattern": "file"}},
        {"name": "exec", "exec": {"command": ["/bin/true"]}}]}))
    exporter = Exporter(binaries.exporter, config, tmp_path / "run", env=failing.env).start()
    try:
        for fault in each_fault(MOST):
            failing.order(*fault)
            status = asked(status_of, f"{exporter.url}/metrics")
            failing.none()
            assert exporter.process.running, (fault, exporter.process.tail())
            assert status in (200, 500, 503, CLOSED), (fault, status)
        assert failing.failed > 20
        page = wait_for(lambda: 'runbook_check_success{check="exec"} 1' in exporter.page() and exporter.page(), "all checks to be well")
        assert 'runbook_check_success{check="disk"} 1' in page and 'runbook_check_success{check="files"} 1' in page, page
    finally:
        exporter.process.kill()
