# SPDX-License-Identifier: Apache-2.0
"""Kind log with journald and Docker as sources: real journals, a real Engine, over restarts of the exporter."""

import json
import socket
import subprocess
import types

import pytest

from scraping import promtool, scrape, value
from integration.actions import Proxy
from lab.parts import wait_for
from test_kinds_log import Remembering

PATTERNS = [{"name": "error", "pattern": "error|exception|failed", "ignore_case": True},
            {"name": "auth", "pattern": "unauthorized"}]


class Room:
    """One check of kind log and its exporter, started and ended as often as a test wants; counts are summed up."""

    def __init__(self, program, directory, label, source):
        self.program, self.directory, self.label = program, directory, label
        self.config = directory / "checks.yml"
        self.config.write_text(json.dumps({"checks": [{"name": "app", "log": {**source, "patterns": PATTERNS}}]}))
        self.daemon = None
        self.before = {}

    def start(self):
        self.daemon = Remembering(self.program, self.config, self.directory / "exporter").start()

    def counts(self, found):
        return {(labels[self.label], labels.get("pattern", "lines")): amount
                for (name, pairs), amount in found.all.items()
                for labels in [dict(pairs)]
                if name in ("runbook_log_matched_lines_total", "runbook_log_lines_total")}

    def scrape(self, success=1):
        found = scrape(self.daemon)
        assert value(found, "runbook_check_success", check="app") == success, self.daemon.page("/")
        return found

    def total(self, member):
        """(lines, errors, unauthorized) of a member, of all exporters so far."""
        found = self.scrape()
        assert value(found, "runbook_log_caught_up", check="app") == 1
        now = self.counts(found)
        return tuple(int(now[member, name] + self.before.get((member, name), 0)) for name in ("lines", "error", "auth"))

    def stop(self, how="stop"):
        for key, amount in self.counts(scrape(self.daemon)).items():
            self.before[key] = self.before.get(key, 0) + amount
        if how == "kill":
            self.daemon.process.kill()
        else:
            assert self.daemon.stop() == 0
        self.daemon = None

    def restart(self, how="stop"):
        self.stop(how)
        self.start()


@pytest.fixture
def room(program, tmp_path):
    made = []

    def make(label, source):
        made.append(Room(program, tmp_path, label, source))
        return made[-1]

    yield make
    for one in made:
        if one.daemon:
            assert one.daemon.stop() == 0


class Journal:
    """A directory of real journal files, written by systemd's own program."""

    def __init__(self, directory):
        self.directory = directory
        self.directory.mkdir()
        self.second = 0
        self.files = 0

    def write(self, *entries, file="system"):
        """Entries are (unit, priority, message), or mappings of their fields."""
        stream = bytearray()
        for entry in entries:
            self.second += 1
            fields = entry if isinstance(entry, dict) else {
                "_SYSTEMD_UNIT": entry[0], "PRIORITY": entry[1], "MESSAGE": entry[2], "_PID": 4711}
            fields = {"__REALTIME_TIMESTAMP": 1700000000000000 + self.second, "__MONOTONIC_TIMESTAMP": self.second,
                      "_BOOT_ID": "00112233445566778899aabbccddeeff", **fields}
            for name, content in fields.items():
                content = str(content).encode()
                # What has a line break in it is written with its length before it.
                stream += (name.encode() + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
                           if b"\n" in content else name.encode() + b"=" + content + b"\n")
            stream += b"\n"
        subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", self.directory / f"{file}.journal",
                        "--split-mode=none", "-"], input=stream, check=True, stderr=subprocess.DEVNULL)

    def rotate(self):
        self.files += 1
        (self.directory / "system.journal").rename(self.directory / f"system@{self.files}.journal")

    def messages(self, unit):
        """How many entries journalctl knows of a unit."""
        done = subprocess.run(["journalctl", "-q", "-D", self.directory, "-o", "json", f"_SYSTEMD_UNIT={unit}", "+",
                               "_PID=1", f"UNIT={unit}"], check=True, stdout=subprocess.PIPE)
        return len(done.stdout.splitlines())


READ, WRITE = "aem-mcp-read-server.service", "aem-mcp-write-server.service"


def test_entries_of_the_journal_are_counted_once_by_unit(room, tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.write((READ, 3, "error before anybody looked"), ("other.service", 3, "error"))
    here = room("unit", {"journal": {"units": [READ, WRITE], "directory": str(journal.directory)}})
    here.start()
    assert here.total(READ) == (0, 0, 0)

    journal.write((READ, 3, "an Error"), (READ, 6, "fine"), ("other.service", 3, "error"), (WRITE, 4, "unauthorized"),
                  {"_PID": 1, "_SYSTEMD_UNIT": "init.scope", "UNIT": WRITE,
                   "MESSAGE": f"{WRITE}: Failed with result 'exit-code'."},
                  {"_PID": 99, "_SYSTEMD_UNIT": "liar.service", "UNIT": READ, "MESSAGE": "error, says somebody else"},
                  (READ, 3, "Traceback\n  failed\nunauthorized"), {"_SYSTEMD_UNIT": READ, "PRIORITY": 3})
    assert here.total(READ) == (4, 2, 1)
    assert here.total(WRITE) == (2, 1, 1)
    assert here.total(READ) == (4, 2, 1)
    assert here.total(READ)[0] + 1 == journal.messages(READ)
    promtool(here.scrape().page)

    here.restart("kill")
    assert here.total(READ) == (4, 2, 1)
    here.stop()
    # While nobody looks it grows, and is rotated; a service of a person's user has a file of its own.
    journal.write((READ, 3, "error 3"))
    journal.rotate()
    journal.write((READ, 3, "error 4"), (WRITE, 3, "error 2"))
    journal.write((WRITE, 3, "error 3"), file="user-1000")
    here.start()
    assert here.total(READ) == (6, 4, 1)
    assert here.total(WRITE) == (4, 3, 1)
    assert (journal.messages(READ), journal.messages(WRITE)) == (7, 4)
    for path in journal.directory.glob("system@*"):
        path.unlink()
    journal.write((READ, 3, "error 5"))
    assert here.total(READ) == (7, 5, 1)
    assert value(here.scrape(), "runbook_log_gaps_total", check="app") == 0


def test_a_journal_that_lost_our_place_is_read_on_and_the_gap_is_counted(room, tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.write((READ, 3, "error 1"), (READ, 6, "error that is not urgent"), (READ, 2, "error 2"))
    here = room("unit", {"journal": {"units": READ, "directory": str(journal.directory), "priority": "err"},
                         "from": "start"})
    here.start()
    assert here.total(READ) == (2, 2, 0)
    for seen in (4, 6):
        journal.rotate()
        journal.write((READ, 3, "error that nobody saw"))
        for path in journal.directory.iterdir():
            path.unlink()
        journal.write((READ, 3, "error"), (READ, 3, "error"))
        assert here.total(READ) == here.total(READ) == (seen, seen, 0)
        assert value(here.scrape(), "runbook_log_gaps_total", check="app") == 1
        here.restart()
        assert here.total(READ) == (seen, seen, 0)
    here.stop()
    place = tmp_path / "exporter" / "state" / "log-app"
    assert place.read_text().startswith("runbook journal place 1\ns=")
    for content in ("runbook log places 1\n", "runbook journal place 1\ns=nowhere\n"):
        place.write_text(content)
        here.start()
        here.scrape(success=0)
        assert "remove it to begin anew" in here.daemon.page("/")
        here.stop()


def test_an_entry_that_is_damaged_is_passed_over(room, tmp_path):
    """As a machine that crashed has left it; journalctl passes over it as well."""
    journal = Journal(tmp_path / "journal")
    here = room("unit", {"journal": {"units": READ, "directory": str(journal.directory)}, "from": "start"})
    journal.write((READ, 3, "error 1"), (READ, 3, "error " + "so long that it is compressed " * 100), (READ, 3, "error 3"))
    file = journal.directory / "system.journal"
    content = bytearray(file.read_bytes())
    frame = content.index(b"\x28\xb5\x2f\xfd")  # of zstd
    content[frame + 4:frame + 24] = b"\xff" * 20
    file.write_bytes(content)
    here.start()
    assert here.total(READ) == here.total(READ) == (3, 2, 0)  # it is a line, of which nothing is known


def test_a_journal_without_files_is_a_failure(room, tmp_path):
    journal = Journal(tmp_path / "journal")
    here = room("unit", {"journal": {"units": READ, "directory": str(journal.directory)}})
    here.start()
    here.scrape(success=0)
    assert "no file of a journal that may be read" in here.daemon.page("/")
    journal.write((READ, 3, "error"))
    assert here.total(READ) == (0, 0, 0)
    journal.write((READ, 3, "error"))
    assert here.total(READ) == (1, 1, 0)


class Container:
    """A container that logs exactly what it is told, as one of a Compose project's."""

    def __init__(self, engine, image, service, number=1, *options, command="copy"):
        self.engine = engine
        self.name = f"runbook-logs_{service}_{number}"
        labels = {"project": "runbook-logs", "service": service, "oneoff": "False", "container-number": number}
        words = [word for key, text in labels.items() for word in ("--label", f"com.docker.compose.{key}={text}")]
        self.id = engine.output("create", "-i", "--name", self.name, *words, "--network", "none", "--no-healthcheck",
                                "--stop-timeout", "0", *options, image, *command.split())
        self.stdin = None
        self.said = ""

    def post(self, path):
        """Asks the Engine by its API, which is many times as fast as its client; the connection."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        connection.connect(str(self.engine.socket))
        connection.sendall(f"POST /containers/{self.id}/{path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n"
                           "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            assert byte, head
            head += byte
        assert head.split()[1] in (b"101", b"200", b"204", b"304"), head
        return connection

    def start(self):
        self.stdin = self.post("attach?stream=1&stdin=1")
        self.post("start").close()
        return self

    def log(self):
        return self.engine.docker("logs", self.id).stdout

    def says(self, text):
        """Writes, and waits until the Engine has it: it keeps whole lines, and pieces of 16 KiB of longer ones."""
        self.stdin.sendall(text.encode())
        self.said += text
        kept = len(self.said) - len(self.said[self.said.rfind("\n") + 1:]) % 16384
        wait_for(lambda: len(self.log()) == kept, f"{self.name} to have logged {kept} bytes")

    def ends(self):
        """Its input ends, and so does it."""
        self.stdin.shutdown(socket.SHUT_WR)
        wait_for(lambda: not self.engine.inspect(self.id)["State"]["Running"], f"{self.name} to end")
        self.stdin.close()

    def remove(self):
        self.engine.docker("rm", "-f", self.id, check=False)
        if self.stdin:
            self.stdin.close()


@pytest.fixture
def project(engine, service_image):
    """Makes containers; .asked is all that was said to the Engine through .host."""
    made, asked = [], []
    path = engine.directory / "logs-proxy.sock"
    proxy = Proxy(lambda data: asked.append(data), engine.socket, path)

    def make(service, number=1, *options, **how):
        made.append(Container(engine, service_image, service, number, *options, **how))
        return made[-1].start()

    yield types.SimpleNamespace(make=make, asked=asked, host=f"unix://{path}")
    proxy.close()
    path.unlink()
    for container in made:
        container.remove()


def docker_source(project, *services, **more):
    return {"docker": {"host": project.host, "project": "runbook-logs", "services": list(services)}, **more}


def test_lines_of_containers_are_counted_once_by_service(project, room):
    web, api = project.make("web"), project.make("api")
    project.make("unasked").says("error that nobody asked for\n")
    web.says("ERROR before anybody looked\nunauthorized\n")
    here = room("service", docker_source(project, "web", "api"))
    here.start()
    assert here.total("web") == here.total("api") == (0, 0, 0)

    web.says("ERROR request failed\nINFO fine\n" * 50 + "unauthorized\n")
    api.says("exception\n")
    assert here.total("web") == (101, 50, 1)
    assert here.total("api") == (1, 1, 0)
    assert here.total("web") == (101, 50, 1)
    promtool(here.scrape().page)

    for how in ("stop", "kill"):
        here.restart(how)
        assert here.total("web")[0] == (101 if how == "stop" else 102)
        here.stop()
        web.says("ERROR while nobody looks\n")
        here.start()
        assert here.total("web")[0] == (102 if how == "stop" else 103)

    # The Engine keeps it in two pieces, and what matches stands in the second one.
    web.says("x" * 20000 + " ERROR\n" + "y" * 20000)
    assert here.total("web") == (104, 53, 1)
    web.says(" unauthorized\n")
    assert here.total("web") == (105, 53, 2)

    # A second replica, and one that is created anew: both are read from their start.
    project.make("web", 2).says("ERROR\n")
    here.stop()
    api.remove()
    project.make("api").says("error 1\nerror 2\n")
    here.start()
    assert here.total("web") == (106, 54, 2)
    assert here.total("api") == (3, 3, 0)
    found = here.scrape()
    assert value(found, "runbook_log_containers", check="app", service="web") == 2
    assert value(found, "runbook_log_gaps_total", check="app", service="web") == 0
    said = b"".join(project.asked)
    assert b"GET /v1." in said and not any(word in said for word in (b"POST ", b"DELETE ", b"PUT ", b"HEAD "))


def test_what_a_container_wrote_last_counts_without_its_end(project, room):
    web = project.make("web")
    here = room("service", docker_source(project, "web", **{"from": "start"}))
    here.start()
    web.says("error 1\nerror and then it die")
    assert here.total("web") == (1, 1, 0)
    web.ends()
    assert here.total("web") == (2, 2, 0)
    here.restart()
    assert here.total("web") == (2, 2, 0)
    web.start()
    web.says("error 3\nanother error without an end")
    assert here.total("web") == (3, 3, 0)
    web.ends()
    web.start()
    web.says("unauthorized\n")
    assert here.total("web") == (5, 4, 1)


def test_rotation_by_the_engine_loses_nothing_or_is_counted(project, room):
    web = project.make("web", 1, "--log-driver", "json-file", "--log-opt", "max-size=20k", "--log-opt", "max-file=3")
    here = room("service", docker_source(project, "web"))
    here.start()
    assert here.total("web") == (0, 0, 0)
    lines = 0
    for _ in range(6):
        web.stdin.sendall(f"ERROR {'x' * 90}\n".encode() * 40)
        lines += 40
        web.stdin.sendall(b"mark\n")
        lines += 1
        wait_for(lambda: here.total("web")[0] == lines, f"{lines} lines")
    assert here.total("web") == (lines, lines - 6, 0)
    assert value(here.scrape(), "runbook_log_gaps_total", check="app", service="web") == 0
    here.stop()
    web.stdin.sendall(f"ERROR {'x' * 90}\n".encode() * 600 + b"unauthorized\n")
    wait_for(lambda: web.log().endswith("unauthorized\n"), "the last line")
    kept = web.log().count("\n")
    here.start()
    assert here.total("web") == (lines + kept, lines - 6 + kept - 1, 1)
    assert value(here.scrape(), "runbook_log_gaps_total", check="app", service="web") == 1


def test_a_container_with_a_terminal_is_read_by_lines(project, room):
    web = project.make("web", 1, "-t", command="")
    here = room("service", docker_source(project, "web", **{"from": "start"}))
    here.start()
    wait_for(lambda: here.total("web")[0] == 1, "the first line")
    for count in (2, 3):
        web.engine.docker("restart", "-t", "0", web.id)
        wait_for(lambda: here.total("web")[0] == count, f"{count} lines")
        here.restart()
    assert here.total("web") == (web.log().count("starting"), 0, 0) == (3, 0, 0)


def test_what_cannot_be_read_is_told_and_the_others_are_read(project, room):
    web = project.make("web")
    here = room("service", docker_source(project, "silent", "web", "absent", **{"from": "start"}))
    here.start()
    web.says("error\n")
    found = here.scrape(success=0)
    assert "service silent has no container" in here.daemon.page("/")
    assert value(found, "runbook_log_lines_total", check="app", service="web") == 1
    assert value(found, "runbook_log_containers", check="app", service="absent") == 0
    project.make("silent", 1, "--log-driver", "none")
    found = here.scrape(success=0)
    assert "container runbook-logs_silent_1: Docker: " in here.daemon.page("/")
    assert value(found, "runbook_log_lines_total", check="app", service="web") == 1


def test_an_engine_that_hangs_costs_its_own_check_only(exporter, tmp_path):
    path = tmp_path / "docker.sock"
    (tmp_path / "app.log").write_text("")
    patterns = [{"name": "error", "pattern": "error"}]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        daemon = exporter([
            {"name": "hung", "timeout": "1s", "log": {"patterns": patterns, "docker": {
                "host": f"unix://{path}", "project": "a", "services": ["web"]}}},
            {"name": "fine", "log": {"patterns": patterns, "files": str(tmp_path / "app.log")}}])
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="fine") == 1
        assert value(found, "runbook_check_success", check="hung") == 0
        assert value(found, "runbook_log_caught_up", check="hung") == 0
        assert value(found, "runbook_log_containers", check="hung", service="web") is None
        assert "docker.sock" in daemon.page("/") or "Docker" in daemon.page("/")
