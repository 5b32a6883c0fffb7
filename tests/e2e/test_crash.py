# SPDX-License-Identifier: Apache-2.0
"""
`kill -9` of the responder before and after every write to its journal, in each of the four remediations.

The responder of build/crash kills itself at the N-th write; a lane goes on to N + 1 until a run has no N-th write, so
that no number of writes is written down here. After each kill it is started again and has to bring the incident to an
end: no step that must not repeat has run twice, none is lost, and the outside is as the incident says.
"""

import concurrent.futures
import sqlite3

import pytest

from crash_lane import Lane
from harness.before_rooms import JOURNAL, World
from lab.engine import Engine
from lab.parts import wait_for
from lab.postgres import Postgres
from lab.prometheus import Prometheus, answers

REMEDIATIONS = ("high_latency", "high_error_rate", "pool_exhausted", "api_key_compromise")
WHEN = ("before", "after")
# Lanes mostly wait: for health checks, restarts, the disk.
AT_ONCE = 4


@pytest.fixture(scope="module")
def lanes(request, workspace, binaries, service_program):
    """{(remediation, when): future of the number of kills}, of all tests that were asked for, under way."""
    assert binaries.crash.exists(), f"{binaries.crash} is missing: make BUILD=build/crash CRASH_POINTS=1 build"
    directory = workspace.path("crash")
    # docker.prune looks at all of an Engine: its lanes have Engines to themselves.
    engines = [Engine(workspace.directory / f"engine-{name}").start() for name in ("crash", "before", "after")]
    # postgres.terminate_queries ends what it finds in its database: the lanes of one remediation have one each.
    servers = [Postgres(workspace.directory / f"pg-{when}").start() for when in WHEN]
    prometheus = Prometheus(workspace.path("crash-prometheus"))
    config = directory / "prometheus.yml"
    config.write_text("global: {}\n", encoding="ascii")
    prometheus.start(config)

    def engine_of(remediation, when):
        return engines[1 + WHEN.index(when)] if remediation == "high_latency" else engines[0]

    def walk(remediation, when):
        lane = Lane(remediation, when, directory, engine_of(remediation, when), servers[WHEN.index(when)], prometheus,
                    binaries.crash, service_program)
        return lane.walk()

    with concurrent.futures.ThreadPoolExecutor(1 if engines[0].outside else AT_ONCE) as pool:
        yield {(remediation, when): pool.submit(walk, remediation, when)
               for remediation in REMEDIATIONS for when in WHEN
               if any(item.name.endswith(f"[{remediation}-{when}]") for item in request.session.items)}
        pool.shutdown(cancel_futures=True)
    for part in (prometheus, *servers, *engines):
        part.stop()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("remediation", REMEDIATIONS)
def test_killed_at_every_write(lanes, remediation, when):
    kills = lanes[remediation, when].result()
    print(f"{remediation}: killed {when} each of its {kills} writes")
    # Received, running, every step twice, verifying, healed: fewer would mean that the crash points do not work.
    assert kills >= 8


def take_over(world, crash_at):
    """A journal of before the rooms is opened, by a program that kills itself at a write; whether it did."""
    connection = sqlite3.connect(world.responder.journal)
    connection.executescript(JOURNAL.read_text(encoding="utf-8"))
    connection.close()
    world.let_the_deaf_hear()

    def over():
        if not world.responder.process.running:
            return "killed"
        try:
            return "alive" if world.responder.of("slow")["state"] == "done" else None
        except OSError:
            return None

    world.responder.start(env={"RUNBOOK_CRASH_AT": crash_at}, ready=False)
    killed = wait_for(over, f"the old journal to go on, or to be killed at {crash_at}", 60) == "killed"
    world.responder.stop()  # what comes after that may kill it yet
    world.start()
    return killed


@pytest.mark.parametrize("when", WHEN)
def test_a_journal_of_before_killed_at_every_write(binaries, tmp_path, postgres, when):
    """What had begun without a definition is given one, once, and goes on with it."""
    for number in range(1, 100):
        postgres.reset()
        postgres.add_keys("alice", "bob", "carol")
        postgres.sql("UPDATE api_keys SET revoked_at = now() WHERE name = 'alice'")
        (tmp_path / str(number)).mkdir()
        world = World(binaries.crash, tmp_path / str(number), postgres)
        try:
            killed = take_over(world, f"{number}:{when}")
            slow = world.wait("slow", "done")
            assert [row["event"] for row in slow["timeline"]].count("taken up by the file") == 1
            assert [step["status"] for step in slow["steps"]] == ["done", "done", "done"]
            assert postgres.live_keys() == ["bob"]
            assert world.responder.verify_journal().returncode == 0
        finally:
            world.stop()
        if not killed:
            break
    assert number > 5


class Nobody:
    """In place of a database: in a rehearsal none is asked."""

    @staticmethod
    def dsn():
        return "host=127.0.0.1 port=1 dbname=nobody"


# What an upgrade neither makes nor loses.
KEPT = ("SELECT id, incident, at, actor, event, state, step, detail, hash FROM timeline WHERE id <= ?",
        "SELECT id, number, episode, remediation, approved, opened_at, running_at, alert FROM incidents WHERE ? > 0",
        "SELECT incident, position, action, plan, progress, outcome FROM steps WHERE ? > 0",
        "SELECT id, fingerprint, opened_at, starts_at, alert FROM episodes WHERE ? > 0")


def kept_of(path, rows):
    with sqlite3.connect(path) as journal:
        return [sorted(journal.execute(query, (rows,)).fetchall(), key=str) for query in KEPT]


def test_a_journal_of_before_killed_at_every_step_of_its_upgrade(binaries, tmp_path):
    """Each version that it is brought further by, what is sealed then, and the key: at the next start all of it is there, and sealed. After
    one step is before the next: so it is before each of them alone."""
    for number in range(1, 100):
        (tmp_path / str(number)).mkdir()
        world = World(binaries.crash, tmp_path / str(number), Nobody)
        responder = world.responder
        try:
            connection = sqlite3.connect(responder.journal)
            connection.executescript(JOURNAL.read_text(encoding="utf-8"))
            rows, version = (connection.execute(query).fetchone()[0] for query in
                             ("SELECT max(id) FROM timeline", "PRAGMA user_version"))
            connection.close()
            before = kept_of(responder.journal, rows)
            responder.arguments = lambda: [f"--journal={responder.journal}", "--dry-run"]  # pylint: disable=cell-var-from-loop
            responder.start({"RUNBOOK_CRASH_AT_OPENING": f"{number}:before"}, ready=False)
            wait_for(lambda: not responder.process.running or answers(f"{responder.url}/-/ready"),  # pylint: disable=cell-var-from-loop
                     f"a start, or its end at {number}")
            killed = not responder.process.running
            assert not killed or responder.process.child.returncode == -9, responder.process.tail()
            responder.stop()
            responder.start()
            assert responder.stop() == 0
            assert kept_of(responder.journal, rows) == before
            with sqlite3.connect(responder.journal) as journal:
                assert journal.execute("PRAGMA user_version").fetchone()[0] > version
                assert journal.execute("SELECT count(*) FROM timeline WHERE event = 'sealed as it is'").fetchone()[0] == 1
            verified = responder.verify_journal()
            assert verified.returncode == 0 and "every row of what decides has its seal by" in verified.stdout, verified.stdout
            assert not list(responder.journal.parent.glob("journal.key.*"))
        finally:
            world.stop()
        if not killed:
            break
    print(f"killed before each of the {number - 1} steps of an upgrade")
    # Three versions, what is sealed, and the key.
    assert number > 5
