#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes before_rooms.sql: a journal with incidents in as many states as there are, as SQL.

Usage: make_before_rooms.py RUNBOOK_RESPONDER > before_rooms.sql, with the responder of commit e1275f0, the last before
the rooms. It is killed while it works. The times are those of the day it was made; all else is the same each time.
"""
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from harness.before_rooms import World  # noqa: E402
from lab.parts import Workspace  # noqa: E402
from lab.postgres import Postgres  # noqa: E402


def rehearse(world):
    responder = world.start("--dry-run")
    world.run("tell", "planned", service="rehearsal")
    responder.stop()


def run_to_the_end(world):
    world.send("nobody's")
    world.run("tell", "healed", service="web")
    world.send("tell", status="resolved", service="web")
    world.responder.post("/-/pause", {"by": "anna", "reason": "a move"})
    world.run("tell", "held", service="db")
    world.responder.post("/-/resume", {"by": "anna"})
    world.wait("tell", "healed", service="db")
    world.decide(world.run("revoke", "healed", alertname="leak", key="bob"), "undo")
    world.wait_step("revoke", 1, "undone", key="bob")
    world.run("roll_back", "escalated", key="bob")
    world.run("stop", "failed")
    world.run("forget", "expired")
    world.run("miss", "escalated")
    world.decide(world.run("ask", "awaiting_approval", n="1"), "approve")
    world.wait("ask", "healed", n="1")
    world.decide(world.run("ask", "awaiting_approval", n="2"), "deny", reason="not \"today\"")
    world.run("ask", "awaiting_approval", n="3")
    world.send("ask", status="resolved", n="3")
    world.wait("ask", "cancelled", n="3")
    world.decide(world.run("ask", "awaiting_approval", n="4"), "cancel")


def leave_unfinished(world):
    """What waits for an alert to be resolved, a person, a guard, an answer; and a step amid its work."""
    world.run("revoke", "healed", alertname="leak", key="alice")
    world.run("unheard", "failed")
    world.run("cool", "healed", n="1")
    world.run("cool", "held", n="2")
    world.run("few", "healed", n="1")
    world.run("few", "held", n="2")
    world.run("ask", "awaiting_approval", n="5")
    world.run("verify", "verifying", job="api")
    holder = world.postgres.connect()
    holder.autocommit = False
    holder.cursor().execute("SELECT name FROM api_keys WHERE name = 'carol' FOR UPDATE")
    world.run("slow", "running")
    world.wait_step("slow", 2, "started")
    world.run("behind", "held")
    world.responder.process.kill()
    holder.close()


def dump(journal):
    connection = sqlite3.connect(journal)
    version, = connection.execute("PRAGMA user_version").fetchone()
    text = "\n".join([f"PRAGMA user_version = {version};", *connection.iterdump()]) + "\n"
    connection.close()
    return text


def main():
    workspace = Workspace()
    postgres = Postgres(workspace.directory / "pg").start()
    postgres.add_keys("alice", "bob", "carol")
    world = World(pathlib.Path(sys.argv[1]).resolve(), workspace.directory, postgres)
    rehearse(world)
    world.start()
    run_to_the_end(world)
    leave_unfinished(world)
    text = dump(world.responder.journal)
    world.stop()
    postgres.stop()
    workspace.remove()
    assert str(workspace.directory) not in text
    sys.stdout.write(text)


main()
