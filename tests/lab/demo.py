# SPDX-License-Identifier: Apache-2.0
"""`make demo`: breaks a service in the lab and tells, with times, how it is healed. Nobody lends a hand.

--once ends when the story does (1: not healed); else everything runs on until Ctrl-C.
"""

import argparse
import datetime
import os
import pathlib
import signal
import sys
import time

if __package__ in (None, ""):
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
    __package__ = "lab"  # pylint: disable=redefined-builtin

from .engine import Engine  # noqa: E402
from .lab import Lab  # noqa: E402
from .parts import ROOT, Died, Workspace, wait_for  # noqa: E402
from .runbook import has_ended  # noqa: E402

SLOW_SECONDS = 3
BORING = ("progress", "step settled")
CHAPTERS = {"received": "received", "verifying": "verify", "healed": "healed"}
LATENCY = ('histogram_quantile(0.95, sum by (le) '
           '(rate(http_request_duration_seconds_bucket{service="mcp-server"}[5s])))')
COLOURS = {"fault": 31, "metric": 36, "alert": 33, "received": 35, "incident": 35, "step": 34, "verify": 36,
           "healed": 32, "notify": 35}


class Story:
    """Prints one line an event, with the seconds since the fault."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.began = None
        self.colour = stream.isatty() and "NO_COLOR" not in os.environ

    def heading(self, text):
        print(f"\n{text}", file=self.stream, flush=True)

    def note(self, text):
        print(f"            {text}", file=self.stream, flush=True)

    def tell(self, chapter, text, at=None):
        seconds = (at or time.time()) - self.began
        word = f"{chapter:<9}"
        if self.colour:
            word = f"\033[1;{COLOURS.get(chapter, 0)}m{word}\033[0m"
        print(f"  {seconds:6.1f} s  {word} {text}", file=self.stream, flush=True)


def latency_text(value):
    return "no requests yet" if value is None or value != value else f"{value:.2f} s"


class Watch:
    """Looks at the lab again and again, and tells what is new."""

    def __init__(self, lab, story):
        self.lab = lab
        self.story = story
        self.alert = None
        self.slow = False
        self.told = 0
        self.notified = 0
        self.incident = None

    def look(self):
        self.lab.assert_alive()
        self._metric()
        self._alert()
        self._incident()
        self._notifications()
        return has_ended(self.incident)

    def _metric(self):
        value = self.lab.prometheus.value(LATENCY)
        slow = value is not None and value > 2
        if slow != self.slow:
            self.slow = slow
            self.story.tell("metric", f"95 % of the requests to mcp-server take up to {latency_text(value)}")

    def _alert(self):
        state = self.lab.prometheus.alerts().get(("high_latency", "mcp-server"))
        if state != self.alert:
            self.alert = state
            self.story.tell("alert", f"high_latency is {state or 'resolved'}")

    def _incident(self):
        self.incident = self.lab.responder.of("high_latency")
        if not self.incident:
            return
        timeline = self.incident["timeline"]
        for entry in timeline[self.told:]:
            self._entry(entry)
        self.told = len(timeline)

    def _entry(self, entry):
        if entry["event"] in BORING:
            return
        detail = entry.get("detail") or {}
        text = detail.get("summary") or detail.get("reason") or "" if isinstance(detail, dict) else ""
        at = entry_time(entry)
        if entry.get("step"):
            action = self.incident["steps"][entry["step"] - 1]["action"]
            event = entry["event"].removeprefix("step ")
            self.story.tell("step", f"{entry['step']} {action} {event}{': ' + text if text else ''}", at)
        else:
            chapter = CHAPTERS.get(entry["event"], "incident")
            self.story.tell(chapter, f"{self.incident['number']} {entry['event']}{': ' + text if text else ''}", at)

    def _notifications(self):
        messages = self.lab.sink.to("oncall")
        for message in messages[self.notified:]:
            self.story.tell("notify", str(message.get("text", message)).splitlines()[0])
        self.notified = len(messages)


def entry_time(entry):
    """Wall seconds of an entry of the timeline."""
    return datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()


def run(lab, story):
    """The story itself; true when it ends well."""
    story.heading("The story (seconds since the fault)")
    watch = Watch(lab, story)
    for number in range(25):
        lab.redis.client.set(f"mcp:session:{number}", "cached")
    lab.engine.docker("create", "--name", "forgotten", "--label", "runbook.lab=1", "devops-mcp-worker:1.0.0")
    before = lab.compose.started_at("mcp-server")
    story.began = time.time()
    story.tell("fault", f"mcp-server begins to take {SLOW_SECONDS} s for each request")
    lab.compose.fault("mcp-server", "slow", seconds=SLOW_SECONDS)
    wait_for(watch.look, "the incident to end", 180, every=0.2)
    healed = watch.incident["state"] == "healed" and lab.compose.started_at("mcp-server") != before
    wait_for(lambda: watch.look() and watch.alert is None, "the alert to be resolved", 60, every=0.2)
    for daemon in (lab.exporter, lab.responder):
        story.note(f"{daemon.program.name} has {daemon.resident_bytes() / 2**20:.1f} MiB of memory")
    return healed


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--once", action="store_true", help="end when the story has been told")
    options.add_argument("--build", default=os.environ.get("RUNBOOK_BUILD", "build"), help="where the programs are")
    arguments = options.parse_args()

    build = ROOT / arguments.build
    story = Story()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell that starts us in the background has Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    workspace = Workspace()
    engine = Engine(workspace.directory / "engine")
    lab = Lab(workspace.directory / "lab", engine, build / "runbook_exporter", build / "runbook_responder",
              build / "tests/lab/service/service", story.note)
    try:
        story.heading("Starting the lab: every part is real, on private ports of 127.0.0.1")
        story.note("dockerd")
        engine.start()
        lab.start()
        healed = run(lab, story)
        if not arguments.once:
            linger(lab, story)
        return 0 if healed else 1
    except KeyboardInterrupt:
        return 0
    except (Died, AssertionError, RuntimeError, OSError) as error:
        story.heading(f"The story breaks off: {error}\n\n{lab.logs()}")
        return 1
    finally:
        story.heading("Taking the lab down")
        lab.stop()
        engine.stop()
        workspace.remove()


def linger(lab, story):
    story.heading("The lab runs on until Ctrl-C. Look at:")
    story.note(f"the checks          {lab.exporter.url}/")
    story.note(f"the incident        {lab.responder.url}/api/v1/incidents")
    story.note(f"alerts and metrics  {lab.prometheus.url}/alerts")
    story.note(f"Alertmanager        {lab.alertmanager.url}/")
    story.note(f"logs, evidence      {lab.directory}")
    story.note("or break it again:")
    for kind, service in (("slow", "mcp-server"), ("fail", "rest-api"), ("leak", "mcp-server")):
        story.note(f"  curl -X POST '{lab.compose.url(service, '/fault?kind=' + kind)}'   # {service}")
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())
