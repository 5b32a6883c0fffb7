# SPDX-License-Identifier: Apache-2.0
"""A journal that a version from before the rooms wrote opens, is shown as it was, and goes on from where it stood.

tests/data/journal/make_before_rooms.py says how it was made.
"""

import json
import re
import sqlite3

import pytest

from harness.before_rooms import JOURNAL, World
from harness.golden import assert_golden, readable
from lab.parts import wait_for


@pytest.fixture
def world(tmp_path, binaries, postgres):
    """As it was when the writer was killed: alice's key is revoked, carol's about to be."""
    postgres.reset()
    postgres.add_keys("alice", "bob", "carol")
    postgres.sql("UPDATE api_keys SET revoked_at = now() WHERE name = 'alice'")
    made = World(binaries.responder, tmp_path, postgres)
    connection = sqlite3.connect(made.responder.journal)
    connection.executescript(JOURNAL.read_text(encoding="utf-8"))
    connection.close()
    yield made
    assert made.stop() in (0, None)


def as_lines(document):
    """A document's keys and values in their order, one a line, and each item of a list on a line of its own."""
    def line(key, value):
        return f"{key}: {json.dumps(value, ensure_ascii=False)}\n"

    return "".join("".join(line(key, item) for item in value) if isinstance(value, list) else line(key, value)
                   for key, value in document.items())


def test_the_chain_is_whole(world):
    verified = world.responder.verify_journal()
    assert verified.returncode == 0 and "the chain holds" in verified.stdout, verified.stdout


def test_it_is_shown_as_it_was(world):
    """In a rehearsal nothing of it moves on."""
    responder = world.start("--dry-run")
    listed = responder.get("/api/v1/incidents?limit=100")
    wholes = [responder.get(f"/api/v1/incidents/{incident['number']}") for incident in listed["incidents"]]
    assert_golden("before_rooms.txt", as_lines(listed) + "".join("\n" + as_lines(whole) for whole in wholes))
    # By the clock of today: when it was started, when what waits expires, and for how long what runs does.
    seen = re.sub(r"(none since the start, |Alerts since the start, |approve it, until )[-:.TZ0-9]+|(, for )[0-9.]+ [a-z]+(?=:)", r"\1\2~",
                  readable(responder.page("/")))
    # Whether they have been asked by now, and answered, is of that minute.
    seen = "".join(line for line in re.sub(r"(?m)^(Works with).*", r"\1 ~", seen).splitlines(True)
                   if "does not answer" not in line)
    assert_golden("before_rooms_landing.txt", seen)
    for number in ("INC-2026-0005", "INC-2026-0013"):
        assert_golden(f"before_rooms_{number}.txt", readable(responder.page(f"/incidents/{number}")))
    metrics = "".join(line + "\n" for line in responder.page("/metrics").splitlines()
                      if re.search(r"runbook_(incidents|paused)\b", line))
    assert_golden("before_rooms_metrics.txt", metrics)


def test_it_goes_on(world):
    # Accepted, and not looked at any more before it was killed.
    connection = sqlite3.connect(world.responder.journal)
    connection.execute("INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, matched, alert) SELECT "
                       "'f', opened_at, last_seen_at, starts_at, 0, replace(replace(alert, fingerprint, 'f'), 'web', 'new')"
                       " FROM episodes WHERE alert LIKE '%\"service\":\"web\"%'")
    connection.commit()
    connection.close()
    world.let_the_deaf_hear()
    world.start()

    # The step that was amid its work had not committed anything: it runs again, by its plan, and once.
    slow = world.wait("slow", "done")
    assert [row["event"] for row in slow["timeline"]].count("step goes on") == 1
    assert [step["status"] for step in slow["steps"]] == ["done", "done", "done"]
    assert world.postgres.live_keys() == ["bob"]
    world.wait("behind", "done")  # it waited for the lock
    world.wait("tell", "done", service="new")
    world.wait("unheard", "escalated")
    assert len(world.sink.to("deaf")) == 1

    # What waits for a verdict, a person, an alert or its guard waits on.
    world.wait("verify", "verifying", job="api")
    world.prometheus_finds(1)
    world.wait("verify", "healed", job="api")
    world.decide(world.wait("ask", "awaiting_approval", n="5"), "deny", reason="not any more")
    world.wait("ask", "denied", n="5")
    assert world.wait("cool", "held", n="2")["guard"] == "cooldown"
    assert world.wait("few", "held", n="2")["guard"] == "limit"
    world.send("cool", status="resolved", n="2")
    world.wait("cool", "cancelled", n="2")
    world.send("leak", status="resolved", key="alice")
    world.wait_step("revoke", 1, "undone", key="alice")
    wait_for(lambda: world.postgres.live_keys() == ["alice", "bob"], "alice's key to be restored")

    # An alert of an open episode is no news; of a closed one it opens an incident, with the next number.
    world.send("tell", service="db")
    world.send("tell", service="web")
    newest = world.wait("tell", "done", service="web")
    assert len(world.responder.incidents()) == 22 + 3  # that of "new", the rehearsal's, for real now, and this one
    assert newest["number"] == world.responder.incidents()[0]["number"]
    verified = world.responder.verify_journal()
    assert verified.returncode == 0, verified.stdout
