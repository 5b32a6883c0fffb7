# SPDX-License-Identifier: Apache-2.0
"""The responder from a terminal: what is typed, what it says, and what it exits with; over HTTP and the unix socket."""

import itertools
import json
import os
import subprocess

import pytest

from lab.parts import wait_for
from lab.runbook import Responder, has_ended
from lab.webhook import alert_of

REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
remediations:
  - name: asks
    match: ['alertname="Asks"']
    approval: true
    steps: [{host.memory: {}}, {notify: {to: oncall, text: "${labels.n}"}}]
  - name: looks
    match: ['alertname="Looks"', 'service=~"a|b"']
    lock: "service/${labels.service}"
    cooldown: 1h
    steps: [{host.memory: {}}]
"""
DONE, NOT, USAGE, UNREACHED, FORBIDDEN = range(5)
NOBODY = 65534


class Terminal:
    """What a person types beside a responder."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.numbers = itertools.count()

    def types(self, *words, **options):
        return subprocess.run([str(self.daemon.program), *map(str, words)], check=False, text=True, capture_output=True,
                              timeout=120, cwd=options.pop("cwd", self.daemon.directory), **options)

    def says(self, *words, code=DONE, **options):
        """Over the socket beside the journal."""
        done = self.types(*words, f"--journal={self.daemon.journal}", **options)
        assert done.returncode == code, done
        assert (done.stdout == "") == (code != DONE) and (done.stderr == "") == (code == DONE), done
        return done.stdout or done.stderr


@pytest.fixture(scope="module")
def terminal(tmp_path_factory, binaries):
    directory = tmp_path_factory.mktemp("terminal")
    (directory / "remediations.yml").write_text(REMEDIATIONS)
    daemon = Responder(binaries.responder, directory / "remediations.yml", directory / "run").start()
    yield Terminal(daemon)
    assert daemon.stop() == 0


def ask(terminal, **labels):
    """An incident that awaits approval."""
    labels["n"] = str(next(terminal.numbers))  # what is the same for all is one incident
    terminal.daemon.send(alert_of("Asks", **labels))
    return terminal.daemon.wait_state("asks", "awaiting_approval", **labels)["number"]


def events(terminal, number):
    return [(event["event"], event["actor"]) for event in terminal.daemon.incident(number)["timeline"]]


def test_what_a_person_types_from_the_alert_to_the_end(terminal):
    number = ask(terminal, service="a", odd="\x1b[31mred\nnext")
    listed = terminal.says("incidents").splitlines()
    assert listed[0].split() == ["NUMBER", "OPENED", "STATE", "REMEDIATION", "ALERT"]
    line = next(line for line in listed if number in line)
    assert "awaiting approval" in line and 'service="a"' in line and 'odd=" [31mred next"' in line
    whole = terminal.says("incident", number)
    assert whole.startswith(f"{number} asks: awaiting approval\n") and "1. host.memory: waiting; planned: " in whole
    assert f"runbook_responder approve {number}" in whole and "\x1b" not in whole
    short = str(int(number.rsplit("-", 1)[1]))
    assert terminal.says("approve", short, "--reason=seen it").startswith(f"{number} asks: approved by uid {os.getuid()}")
    wait_for(lambda: has_ended(terminal.daemon.incident(number)), "its end", 60)
    assert number in terminal.says("history", "--remediation=asks", "--state=done", "--since=1d")
    assert number not in terminal.says("history", "--remediation=looks") and number not in terminal.says("incidents")
    assert "is done, and not awaiting approval" in terminal.says("approve", number, code=NOT)


def test_deny_and_cancel_and_undo_say_what_came_of_them(terminal):
    for word, event in (("deny", "denied"), ("cancel", "cancelled")):
        number = ask(terminal, word=word)
        assert terminal.says("ack", number, "--reason=at it").startswith(f"{number} asks: acknowledged by ")
        assert terminal.says("take", number).startswith(f"{number} asks: taken by ")
        taken = terminal.daemon.incident(number)
        assert taken["taken"] and taken["hands"].startswith("uid "), taken
        assert terminal.says("give-back", number).startswith(f"{number} asks: given back by ")
        assert not terminal.daemon.incident(number)["taken"]
        assert "not in a person's hands" in terminal.says("give-back", number, code=NOT)
        assert terminal.says(word, number, "--reason", "no").startswith(f"{number} asks: {event} by ")
        assert terminal.daemon.incident(number)["state"] == event
        assert "1. host.memory: not run; planned: " in terminal.says("incident", number)
        assert "is " + event in terminal.says("undo", number, code=NOT)
    assert "there is no incident INC-1999-0001" in terminal.says("undo", "INC-1999-0001", code=NOT)
    assert "is called INC-2026-0007" in terminal.says("deny", "../status", code=USAGE)


def test_the_kill_switch_shows_before_all_else(terminal):
    assert "Paused by uid" in terminal.says("pause", "--reason=migration")
    try:
        assert terminal.says("incidents").splitlines()[0].endswith(
            ": migration. Nothing is begun before: runbook_responder resume")
    finally:
        assert terminal.says("resume").startswith("Not paused")
    assert "Paused" not in terminal.says("incidents")


def test_scripts_get_documents(terminal):
    number = ask(terminal, script="yes")
    listed = json.loads(terminal.says("incidents", "--json"))
    assert [one["state"] for one in listed if one["number"] == number] == ["awaiting_approval"]
    assert json.loads(terminal.says("incident", number, "--json"))["steps"][0]["action"] == "host.memory"
    assert json.loads(terminal.says("deny", number, "--json"))["state"] == "denied"
    assert number in [one["number"] for one in json.loads(terminal.says("history", "--json", "--limit=1000"))]
    assert len(json.loads(terminal.says("history", "--json", "--limit=1"))) == 1
    assert json.loads(terminal.says("resume", "--json"))["paused"] is False


def test_what_is_asked_wrongly_is_2_and_says_nothing_on_stdout(terminal):
    for words, said in ((["history", "--state=plannd"], 'no state "plannd"'), (["history", "--limit=0"], "--limit takes"),
                        (["history", "--since=7"], "--since"), (["approve"], "needs a NUMBER"),
                        (["approve", "1", "2"], "no further words"), (["aprove", "1"], 'did you mean "approve'),
                        (["incidents", "--alert=x"], "does not take --alert"),
                        (["pause", "--web.operator-socket=x", "--url=http://localhost"], "nothing else is shown"),
                        (["pause", "--url=unix:x", "--token-file=y"], "nothing else is shown"),
                        (["pause", "--user=ada"], "go together"), (["pause", "--token-file=none"], "--token-file: "),
                        (["pause", "--url=ftp://localhost"], "ftp")):
        assert said in terminal.says(*words, code=USAGE), words


def test_over_http_by_tokens_and_what_they_do_not_open(terminal, tmp_path):
    url = f"--url={terminal.daemon.url}"
    number = ask(terminal, over="http")
    token = f"--token-file={terminal.daemon.token('operator')}"
    assert number in terminal.types("incidents", url).stdout  # reading is free on loopback
    for socket in ("operator.sock", f"//{terminal.daemon.directory}/operator.sock"):  # as the log calls it, and as an URL
        assert number in terminal.types("incidents", f"--url=unix:{socket}", cwd=terminal.daemon.directory).stdout
        assert terminal.types("healthy", f"--url=unix:{socket}", cwd=terminal.daemon.directory).returncode == DONE
    assert terminal.types("healthy", f"--url=unix:{tmp_path}/none.sock").returncode == NOT
    refused = terminal.types("deny", number, url)
    assert refused.returncode == FORBIDDEN and "operators' unix socket" in refused.stderr, refused
    (tmp_path / "wrong").write_text("wrong" * 8)
    refused = terminal.types("deny", number, url, f"--token-file={tmp_path}/wrong")
    assert refused.returncode == FORBIDDEN and "this token is nobody's" in refused.stderr, refused
    refused = terminal.types("deny", number, url, f"--token-file={terminal.daemon.token('alerts')}")
    assert refused.returncode == FORBIDDEN, refused
    done = terminal.types("deny", number, url, token, "--by=ada", "--reason=not now")
    assert done.returncode == DONE and "denied by ada (token operator)" in done.stdout, done
    assert ("denied", "ada (token operator)") in events(terminal, number)


def test_nobody_there_and_somebody_else_there_are_3(terminal, target, tmp_path):
    for url in ("http://127.0.0.1:1", "http://no.such.host.invalid"):
        done = terminal.types("incidents", f"--url={url}")
        assert done.returncode == UNREACHED and "cannot be reached" in done.stderr and done.stdout == "", done
    target.says({"not": "a responder"})
    done = terminal.types("incident", "1", f"--url={target.url}")
    assert done.returncode == UNREACHED and "is it a responder?" in done.stderr, done
    done = terminal.types("pause", f"--web.operator-socket={tmp_path}/none.sock")
    assert done.returncode == UNREACHED and "none.sock" in done.stderr, done


def test_another_user_is_told_which_door_is_shut(terminal):
    daemon = terminal.daemon
    for directory in daemon.directory, *daemon.directory.parents:
        if directory.stat().st_uid == os.getuid() and not directory.stat().st_mode & 1:
            directory.chmod(directory.stat().st_mode | 1)
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
    done = terminal.types("pause", f"--web.operator-socket={daemon.directory}/operator.sock", **nobody)
    assert done.returncode == UNREACHED and "operator.sock" in done.stderr, done
    # With a right to the socket, the kernel says who it is.
    os.chown(daemon.directory / "operator.sock", 0, NOBODY)
    try:
        done = terminal.types("pause", f"--journal={daemon.journal}", "--by=root", **nobody)
        assert done.returncode == DONE and f"Paused by uid {NOBODY} (nobody)" in done.stdout, done
    finally:
        os.chown(daemon.directory / "operator.sock", 0, 0)
        terminal.says("resume")


def test_a_plan_needs_no_file_and_says_why_nothing_would_happen(terminal):
    def plan(*words, code=DONE):
        done = terminal.types("plan", *words, f"--config.file={terminal.daemon.config}", f"--journal={terminal.daemon.journal}")
        assert done.returncode == code, done
        return done.stdout
    refused = plan("--label", "alertname=Looks", "--label=service=c", code=NOT)
    assert refused.splitlines() == ["Not set off, the nearest first:", '  looks: service is "c", which does not match "a|b"',
                                    '  asks: alertname is "Looks", not "Asks"']
    assert 'there is no label service (it must match "a|b")' in plan("--label=alertname=Looks", code=NOT)
    looks = ("--label=alertname=Looks", "--label=service=a")
    told = plan(*looks)
    assert "Looks sets off looks:\n  1. host.memory" in told and "  Guards, as they stand: all let it through\n" in told
    terminal.says("pause")
    try:
        assert "  Guards, as they stand: paused holds it; the others let it through\n" in plan(*looks)
    finally:
        terminal.says("resume")
    terminal.daemon.send(alert_of("Looks", service="a"))
    terminal.daemon.wait_final("looks")
    assert "Guards, as they stand: cooldown holds it until 20" in plan(*looks)
    said = {one["remediation"]: one for one in json.loads(plan(*looks, "--json"))}
    assert list(said) == ["looks"] and said["looks"]["guards"]["lock"] == "service/a"
    assert [guard["guard"] for guard in said["looks"]["guards"]["guards"] if guard["holds"]] == ["cooldown"]
    refused = json.loads(plan("--label=alertname=x", "--json", code=NOT))
    assert [one["refused_by"] for one in refused] == [
        'alertname is "x", not "Asks"', 'alertname is "x", not "Looks"; there is no label service (it must match "a|b")']
    assert "all let it through" in plan("--label=alertname=Looks", "--label=service=b")  # under another lock
    for wrong in ([], ["--label=x"], ["--label==x"], ["--label=a=1", "--label=a=2"], ["--label=a=1", "--alert=x"]):
        assert plan(*wrong, code=USAGE) == ""


def test_n25_a_remediation_is_run_by_hand_through_guards_and_journal(terminal):
    daemon = terminal.daemon
    said = terminal.says("run", "looks", "--label=service=b", "--reason=a drill")
    number = said.split()[0]
    assert said.startswith(f"{number} looks: run by hand by uid {os.getuid()}")
    wait_for(lambda: has_ended(daemon.incident(number)), "its end", 60)
    incident = daemon.incident(number)
    assert incident["state"] == "done" and incident["alert"]["labels"]["alertname"] == "Looks", incident
    assert [event["detail"]["reason"] for event in incident["timeline"] if event["event"] == "run by hand"] == ["a drill"]
    log = (daemon.directory / f"{daemon.program.name}.log").read_text()
    assert f'msg="A step is over" incident={number} step=1 action=host.memory event="step done" said="' in log
    assert f'msg="Run by hand" by="uid {os.getuid()}' in log
    held = terminal.says("run", "looks", "--label=service=b").split()[0]  # once more: by the same guards
    wait_for(lambda: daemon.incident(held)["guard"] == "cooldown", "the cooldown to hold it", 60)
    assert terminal.says("cancel", held)
    asks = terminal.says("run", "asks", "--label=n=x").split()[0]
    wait_for(lambda: daemon.incident(asks)["state"] == "awaiting_approval", "it to ask", 60)
    assert "Run by hand by " in terminal.says("incident", asks)
    assert terminal.says("deny", asks)
    assert 'service is "c", which does not match "a|b"' in terminal.says("run", "looks", "--label=service=c", code=USAGE)
    assert "there is no remediation lost" in terminal.says("run", "lost", code=NOT)
    assert terminal.says("run", code=USAGE) and terminal.says("run", "looks", "--label=x", code=USAGE)
    refused = terminal.types("run", "looks", "--label=service=a", f"--url={daemon.url}")
    assert refused.returncode == FORBIDDEN, refused
    assert daemon.verify_journal().returncode == 0


def test_n15_targets_that_do_not_answer_are_told_before_anything_needs_them(binaries, tmp_path, target, hole):
    target.says({})
    (tmp_path / "remediations.yml").write_text(f"""
receivers: [{{name: oncall, format: log}}, {{name: chat, format: slack, url_file: {tmp_path}/none}}]
exporter_url: {target.url}
prometheus_url: http://127.0.0.1:1
alertmanager_url: {hole}
evidence_directory: {tmp_path}/evidence
""" + REMEDIATIONS.split("\n", 2)[2] + """
  - name: flushes
    match: ['alertname="Flushes"']
    steps: [{redis.flush: {address: "127.0.0.1:1", scope: server}}, {redis.flush: {address: "127.0.0.1:1", scope: database}}]
""")
    daemon = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    terminal = Terminal(daemon)
    try:
        def standings():
            done = terminal.types("targets", f"--journal={daemon.journal}", "--json")
            assert done.returncode in (DONE, NOT), done
            return {(one["target"], one["name"]): one for one in json.loads(done.stdout)}
        known = wait_for(lambda: (told := standings()) and None not in [one["up"] for one in told.values()] and told,
                         "all targets to be asked", 60)
        assert {name: one["up"] for name, one in known.items()} == {
            ("journal", None): True, ("receiver", "oncall"): True, ("receiver", "chat"): False, ("prometheus_url", None): False,
            ("exporter_url", None): True, ("alertmanager_url", None): False, ("evidence_directory", None): True,
            ("redis.flush", "127.0.0.1:1"): False}
        assert known["receiver", "chat"]["answered_at"] is None and f"{tmp_path}/none" in known["receiver", "chat"]["said"]
        assert known["exporter_url", None]["answered_at"]
        shown = terminal.types("targets", f"--journal={daemon.journal}")
        assert shown.returncode == NOT and shown.stdout.splitlines()[0].split() == ["TARGET", "NAME", "STATE", "ANSWERED", "SAYS"]
        assert "4 of its targets do not answer" in daemon.page("/-/ready")
        metrics = daemon.page()
        assert 'runbook_responder_target_up{target="exporter_url"} 1' in metrics
        assert 'runbook_responder_target_up{target="receiver",name="chat"} 0' in metrics
    finally:
        assert daemon.stop() == 0


def test_what_each_remediation_may_do_by_itself_and_has_come_to(binaries, tmp_path):
    (tmp_path / "remediations.yml").write_text("""
receivers: [{name: oncall, format: log}]
escalate_to: oncall
prometheus_url: "http://127.0.0.1:1"
remediations:
  - {name: acts, match: ['alertname="acts"'], steps: [{host.memory: {}}, {host.memory: {}}]}
  - {name: asks, match: ['alertname="asks"'], trust: ask, steps: [{host.memory: {}}]}
  - {name: plans, match: ['alertname="plans"'], trust: observe, steps: [{host.memory: {}}]}
  - {name: earns, match: ['alertname="earns"'], trust: earned, steps: [{host.memory: {}}], verify: {query: 'up == 1', within: 1m}}
""")
    daemon = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    terminal = Terminal(daemon)
    try:
        daemon.send(alert_of("asks"))
        terminal.says("deny", daemon.wait_state("asks", "awaiting_approval")["number"], "--reason=no")
        daemon.wait_final("asks")
        found = {one["remediation"]: one for one in json.loads(terminal.says("remediations", "--json"))}
        assert {name: one["reach"] for name, one in found.items()} == {
            "acts": "acts", "asks": "asks", "plans": "plans", "earns": "asks until it has earned to act"}
        assert {name: one["record"]["refused"] for name, one in found.items()} == {"acts": 0, "asks": 1, "plans": 0, "earns": 0}
        assert found["acts"]["steps"] == ["host.memory"] * 2 and found["plans"]["trust"] == "observe"
        table = terminal.says("remediations").splitlines()
        assert table[0].split("  ")[0] == "REMEDIATION" and [line.split()[0] for line in table[1:]] == list(found)
        assert all(found[line.split()[0]]["record"]["sentence"] in line for line in table[1:])
        assert daemon.get("/api/v1/remediations")["remediations"] == list(found.values())
    finally:
        assert daemon.stop() == 0


def test_n22_a_plan_without_its_word_starts_no_daemon(terminal):
    for flag in ("--alert=x.json", "--label=alertname=x"):
        done = terminal.types(flag)
        assert done.returncode == USAGE and "goes with" in done.stderr, done


@pytest.mark.parametrize("name", ["exporter", "responder"])
def test_help_manual_and_completion_are_of_one_table(binaries, tmp_path, name):
    program = str(getattr(binaries, name))

    def run(*argv, **options):
        done = subprocess.run(argv, check=False, text=True, capture_output=True, timeout=60, **options)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout
    told = run(program, "-h")
    assert told == run(program, "--help") == run(program, "help")
    commands = [line.split()[0] for line in told.split("Commands", 1)[1].split("Flags:")[0].splitlines()[1:] if line.strip()]
    assert {"doctor", "describe", "help"} < set(commands)
    page = run("man", "-l", "-", input=run(program, "man"), env={**os.environ, "MANWIDTH": "10000", "LC_ALL": "C.UTF-8"})
    page = page.replace("\u2010", "-").replace("[no-]", "")
    (tmp_path / "completion").write_text(run(program, "completion", "bash"))
    for command in commands:
        own = run(program, "help", command)
        assert own == run(program, command, "--help") and own.startswith(f"usage: runbook_{name} {command}")
        flags = [line.split()[0].split("=")[0].replace("[no-]", "") for line in own.splitlines() if line.startswith("  --")]
        assert f"       {command}" in page and all(flag in page for flag in flags)
        completed = run("bash", "-c", '. "$1"; COMP_WORDS=("$2" "$3" --); COMP_CWORD=2; compopt() { :; }; _$2; '
                        'printf "%s\\n" "${COMPREPLY[@]}"', "bash", tmp_path / "completion", f"runbook_{name}", command).split()
        assert {flag.split("=")[0] for flag in completed if not flag.startswith("--no-")} >= set(flags), command
    completed = run("bash", "-c", '. "$1"; COMP_WORDS=("$2" doct); COMP_CWORD=1; _$2; echo "${COMPREPLY[@]}"', "bash",
                    tmp_path / "completion", f"runbook_{name}")
    assert completed == "doctor\n"


def webhook_line(minute, firing, service="web", name="Slow"):
    at = f"2026-11-01T{minute // 60:02}:{minute % 60:02}:00Z"
    status = "firing" if firing else "resolved"
    alert = {"status": status, "labels": {"alertname": name, "service": service}, "annotations": {}, "startsAt": at,
             "endsAt": "0001-01-01T00:00:00Z" if firing else at, "generatorURL": "", "fingerprint": "f"}
    webhook = {"version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": status, "receiver": "r", "groupLabels": {},
               "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "alerts": [alert]}
    return json.dumps({"at": at, "webhook": webhook}) + "\n"


def test_a_file_is_rehearsed_on_what_was_and_against_another(binaries, tmp_path):
    rules = """
receivers: [{{name: oncall, format: log}}]
escalate_to: oncall
remediations:
  - {{name: slow, match: ['alertname="Slow"'], cooldown: {}, steps: [{{host.memory: {{}}}}]}}
"""
    (tmp_path / "old.yml").write_text(rules.format("5m"))
    (tmp_path / "new.yml").write_text(rules.format("30m"))
    (tmp_path / "was.jsonl").write_text("".join(webhook_line(minute, firing) for minute, firing in
                                                [(0, True), (3, False), (10, True), (20, False), (90, True), (95, False)]))

    def simulate(*words, code=DONE):
        done = subprocess.run([binaries.responder, "simulate", *words], check=False, text=True, capture_output=True,
                              timeout=120, cwd=tmp_path)
        assert done.returncode == code, done
        return done.stdout or done.stderr

    history = ["--webhooks=was.jsonl", "--config.file=new.yml"]
    shown = simulate(*history)
    assert "3 alerts, 3 of them with a remediation" in shown and "held by cooldown for 10m; does nothing; cancelled" in shown
    came = json.loads(simulate(*history, "--json"))["incidents"]
    assert [one["state"] for one in came] == ["done", "cancelled", "done"]
    assert [hold["guard"] for one in came for hold in one["held"]] == ["cooldown"]
    differs = simulate(*history, "--against=old.yml", code=NOT)
    assert "- acts at once; done\n  + held by cooldown" in differs and differs.endswith("1 of them differ, and not all as expected\n")
    assert "1 of them differ\n" in simulate(*history, "--against=old.yml", "--expect=slow")
    assert simulate(*history, "--against=new.yml") == "0 of them differ\n"
    assert "give one" in simulate(*history, "--from-journal", code=USAGE)
    assert "prometheus_url" in simulate("--config.file=new.yml", code=NOT)
    assert "was.jsonl:7: " in ((tmp_path / "was.jsonl").open("a").write("{}\n"), simulate(*history, code=NOT))[1]
