# SPDX-License-Identifier: Apache-2.0
"""
One lane of the crash test: one remediation of rules/, run again and again on parts of its own, killed one journal write
further each time, and looked at afterwards.
"""

import pathlib
import shutil
import time

import psycopg2
import yaml

from harness.assertions import sealed_evidence
from lab.compose import Compose
from lab.parts import wait_for
from lab.prometheus import answers
from lab.redis import Redis
from lab.runbook import Responder, has_ended
from lab.scale import rules_text
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

SERVICE = "mcp-server"
KEY = "stolen-key"
KILLED = -9
# A step of an ended incident that is not settled in one of these is still to be looked after.
ENDED = ("undone", "skipped", "waiting")


class Lane:
    def __init__(self, remediation, when, directory, engine, postgres, prometheus, program, service_program):
        self.remediation = remediation
        self.when = when  # "before" or "after"
        self.name = f"{remediation}-{when}".replace("_", "-")
        self.directory = pathlib.Path(directory) / self.name
        self.directory.mkdir(parents=True)
        self.engine = engine
        self.postgres = postgres
        self.prometheus = prometheus
        self.program = program
        self.redis = Redis(self.directory / "redis")
        self.sink = Sink()
        self.compose = Compose(self.directory / "compose", engine, service_program, postgres, self.redis, (SERVICE,),
                               f"lane-{self.name}", max_connections=5, health_interval="300ms")
        self.key = f"{KEY}-{self.name}"
        self.victim = None
        self.status = None  # what Alertmanager says of the alert

    def walk(self, most=200):
        """Kills at write 1, 2, … until a run has fewer writes than that. The number of kills."""
        for part in (self.redis, self.sink, self.compose):
            part.start()
        try:
            for number in range(1, most):
                if not self.run(number):
                    return number - 1
                shutil.rmtree(self.directory / f"run-{number}")
            raise AssertionError(f"still crashing at write {most}")
        finally:
            self.close_victim()
            for part in (self.compose, self.sink, self.redis):
                part.stop()

    def write_config(self, directory, number):
        """The shipped remediation, with a verification that holds at once and values that are new in each run."""
        addresses = {
            "localhost:6379": self.redis.address,
            "localhost:9090": f"127.0.0.1:{self.prometheus.port}",
            "host=localhost port=5432": f"host=127.0.0.1 port={self.postgres.port}",
            "unix:///var/run/docker.sock": self.engine.host,
            "/run/secrets": directory / "secrets",
            "var/evidence": directory / "evidence",
            'exporter_url: "http://localhost:9877"\n': "",
            'alertmanager_url: "http://localhost:9093"\n': "",
        }
        config = yaml.safe_load(rules_text("remediations.yml", addresses))
        config["docker"]["project"] = self.compose.project
        if self.remediation != "pool_exhausted":
            config.pop("tell")  # one of them shows that the end is told; more would only be more to count
        config["remediations"] = [one for one in config["remediations"] if one["name"] == self.remediation]
        for remediation in config["remediations"]:
            remediation["verify"] = {"query": "vector(1)", "within": "30s", "every": "1s"}
            for step in remediation["steps"]:
                change = step.get("docker.set_env", {}).get("env", {})
                for name, value in change.items():
                    change[name] = f"{value}{number}"
                if "postgres.terminate_queries" in step:
                    step["postgres.terminate_queries"].update(older_than="1s", grace="1s")
        (directory / "secrets").mkdir(parents=True)
        for receiver in ("oncall", "security"):
            (directory / "secrets" / f"runbook_{receiver}_url").write_text(f"{self.sink.url}/{receiver}")
        for role in ("exporter", "responder"):
            (directory / "secrets" / f"runbook_{role}_password").write_text("not-asked-for")
        path = directory / "remediations.yml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path, config["remediations"][0]

    def close_victim(self):
        if self.victim:
            self.victim.close()
            self.victim = None

    def prepare(self):
        """The outside as the alert finds it."""
        self.status = "firing"
        self.redis.client.set("mcp:contexts", "[]")
        self.redis.client.config_resetstat()
        self.sink.received.clear()
        self.postgres.sql("DELETE FROM api_keys WHERE name = %s", self.key)
        self.postgres.sql("DELETE FROM api_key_audit WHERE name = %s", self.key)
        self.postgres.add_keys(self.key)
        if self.remediation == "pool_exhausted":
            self.close_victim()
            self.victim = psycopg2.connect(self.postgres.dsn(user="mcp_user"), async_=True)
            wait_for(lambda: self.victim.poll() == psycopg2.extensions.POLL_OK, "the victim's connection")
            self.victim.cursor().execute(f"SELECT pg_sleep(600), '{self.name}'")
            wait_for(lambda: self.victims() == 1, "a query that is old enough")

    def victims(self):
        return self.postgres.value(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename = 'mcp_user' AND pid = %s "
            "AND query_start < now() - interval '1.1 s'", self.victim.get_backend_pid())

    def post(self, responder):
        labels = {"service": SERVICE}
        if self.remediation == "api_key_compromise":
            labels["key_name"] = self.key
        try:
            return responder.post("/api/v1/alerts", webhook_of(alert_of(self.remediation, self.status, **labels)))[0]
        except OSError:
            return 0  # killed before it could answer: Alertmanager would send it again, and so does run()

    def over(self, responder):
        """The incident, once it is final and nothing is left to be done about it; None when it is killed meanwhile."""
        try:
            incident = responder.of(self.remediation)
            if not has_ended(incident):
                return None
            if incident["episode_open"]:
                # What was to last until the alert is resolved is undone then.
                self.status = "resolved"
                self.post(responder)
                return None
        except OSError:
            return None
        settled = all(step["settled"] or step["status"] in ENDED for step in incident["steps"])
        return incident if settled and not incident["owes"] else None

    def run(self, number):
        """One run, killed at its `number`-th write. False when it ended before."""
        directory = self.directory / f"run-{number}"
        config, remediation = self.write_config(directory, number)
        self.prepare()
        container = self.compose.container(SERVICE)
        environment = self.compose.environment(SERVICE)
        since = time.time()

        responder = Responder(self.program, config, directory)
        responder.start({"RUNBOOK_CRASH_AT": f"{number}:{self.when}"}, ready=False)
        try:
            # The first writes are those of a start.
            wait_for(lambda: not responder.process.running or answers(f"{responder.url}/-/ready"),
                     f"{self.name} to be ready, or to crash at write {number}", 30)
            self.post(responder)
            wait_for(lambda: not responder.process.running or self.over(responder),
                     f"{self.name} to crash at write {number}, or to end", 60)
            crashed = not responder.process.running
            if crashed:
                assert responder.process.child.returncode == KILLED, responder.process.tail()
                responder.start()
                # Alertmanager sends what it sent before again; the episode knows it.
                assert self.post(responder) == 200
            incident = wait_for(lambda: self.over(responder), f"{self.name}, killed at {number}, to end", 60)
            self.judge(number, responder, incident, remediation, container, environment, since)
            assert len(responder.incidents()) == 1, "one episode, one incident"
            assert responder.stop() == 0
            assert responder.verify_journal().returncode == 0
        except BaseException:
            print(f"== {self.name}, write {number}\n{responder.process.tail(60)}")
            raise
        finally:
            responder.stop()
        return crashed

    def judge(self, number, responder, incident, remediation, container, environment, since):
        """Nothing that must not repeat ran twice, nothing was lost, and the outside is what the incident says."""
        status = {step["action"]: step["status"] for step in incident["steps"]}
        story = (self.name, number, incident["state"], status,
                 [(entry["event"], entry.get("step")) for entry in incident["timeline"]])
        undone = {action for step in remediation["steps"] if step.get("undo") == "when_resolved" for action in step
                  if "." in action}
        assert incident["state"] == "healed", story
        assert status == {action: "undone" if action in undone else "done" for action in status}, story

        # Exactly one container of the service, running, under its own name.
        assert wait_for(lambda: len(self.compose.containers(SERVICE)) == 1, f"one container: {story}", 10)
        now = self.compose.inspect(SERVICE)
        assert now["State"]["Running"], story
        assert now["Name"].lstrip("/") == f"{self.compose.project}_{SERVICE}_1", story
        wait_for(lambda: self.compose.healthy(SERVICE), f"the service to be healthy: {story}", 20)

        if "docker.restart" in status:
            starts = len(self.engine.get("/events", since=str(since), until=str(time.time()),
                                         filters={"event": ["start"], "container": [container]}))
            assert starts == 1, (starts, story)
        if "docker.set_env" in status:
            wanted = next(step["docker.set_env"]["env"] for step in remediation["steps"] if "docker.set_env" in step)
            after = self.compose.environment(SERVICE)
            assert after == (environment if "docker.set_env" in undone else {**environment, **wanted}), story
        if "redis.flush" in status:
            # May repeat, once: whoever lets a cache be flushed lets it be flushed twice.
            assert 1 <= self.redis.calls("unlink") <= 2, story
            assert self.redis.client.dbsize() == 0, story
        if "postgres.execute" in status:
            rows = self.postgres.value("SELECT count(*) FROM api_key_audit WHERE name = %s", self.key)
            assert rows == 1, (rows, story)
            assert self.key in str(incident["steps"][0]["outcome"]), story
        if "postgres.terminate_queries" in status:
            assert self.victims() == 0, story
        if "docker.logs" in status:
            assert sealed_evidence(responder.directory / "evidence", incident), story
        if self.remediation == "pool_exhausted":
            # At least once, and in its place of the timeline; twice when it died before it could write that down.
            told = [one for one in self.sink.received if f"{self.remediation}: healed" in str(one)]
            assert 1 <= len(told) <= 2 and [event for event, _ in story[4]].count("told") == 1, (told, story)
        if "notify" in status:
            assert 1 <= len(self.sink.received) <= 2, story
