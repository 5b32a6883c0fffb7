# SPDX-License-Identifier: Apache-2.0
"""`make screenshots`: breaks the lab, heals it with the mouse, and takes the pictures that README and docs show.

They are PNGs of few colours in docs/pictures. What they show has happened: every part of the lab is real.
"""

import argparse
import os
import pathlib
import subprocess
import sys

if __package__ in (None, ""):
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
    __package__ = "lab"  # pylint: disable=redefined-builtin

from harness.browser import Browser  # noqa: E402

from .engine import Engine  # noqa: E402
from .lab import Lab  # noqa: E402
from .parts import ROOT, Workspace, wait_for  # noqa: E402
from .webhook import alert_of  # noqa: E402

WIDE, PHONE = 1180, 390


class Pictures:
    def __init__(self, browser, directory):
        self.browser, self.directory = browser, directory

    def take(self, name, url, width=WIDE, scheme="light", most=1500, colours=56):
        self.browser.look_like(width, 200, scheme)  # so that nothing empty is below
        self.browser.go(url)
        height = min(most, self.browser.run("document.documentElement.scrollHeight"))
        path = self.directory / f"{name}.png"
        self.browser.shot(path, {"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--nofs", "--strip", "--speed", "1", str(colours), path], check=True)
        print(f"  {path.relative_to(ROOT)}  {path.stat().st_size / 1000:.1f} kB", flush=True)


def sign_in(browser, lab):
    browser.go(lab.responder.url + "/login")
    browser.type("#by", "ada")
    browser.type("#token", lab.responder.token("operator").read_text(encoding="ascii").strip())
    browser.click("button.main")


def ask_first(lab):
    """high_latency waits for a person, so that there is something to approve."""
    file = lab.rules / "remediations.yml"
    text = file.read_text(encoding="utf-8")
    assert "\n  - name: high_latency\n" in text
    file.write_text(text.replace("\n  - name: high_latency\n", "\n  - name: high_latency\n    approval: true\n"), encoding="utf-8")


def tell(lab, pictures):
    browser, responder = pictures.browser, lab.responder
    lab.redis.client.set("mcp:stale", "1")
    lab.compose.fault("rest-api", "fail", ratio=1)
    responder.wait_final("high_error_rate")
    wait_for(lab.calm, "the lab to be calm", 90, every=0.2)
    responder.send(alert_of("high_latency", service="billing", severity="warning"))
    sign_in(browser, lab)
    lab.compose.fault("mcp-server", "slow", seconds=3)
    number = responder.wait_state("high_latency", "awaiting_approval", service="mcp-server")["number"]
    pictures.take("now", responder.url + "/")
    pictures.take("now-phone", responder.url + "/", width=PHONE, scheme="dark", most=1200)
    pictures.take("incident-waits", f"{responder.url}/incidents/{number}", most=1100)
    pictures.take("exporter", lab.exporter.url + "/", most=1100)
    browser.look_like(WIDE)
    browser.go(f"{responder.url}/incidents/{number}/approve")
    pictures.take("approve", f"{responder.url}/incidents/{number}/approve", most=1300)
    browser.type("#reason", "slow since the last deployment")
    browser.click("button.main")
    browser.wait("document.querySelector('.state')?.innerText === 'healed'", "it to be healed", 120)
    wait_for(lab.settled, "everything to be settled", 60)
    pictures.take("incident-healed", f"{responder.url}/incidents/{number}", most=1440, colours=32)
    pictures.take("remediations", responder.url + "/remediations", most=900)
    pictures.take("history", responder.url + "/incidents", most=900)
    pictures.take("coverage", responder.url + "/coverage", most=1100)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", default=os.environ.get("RUNBOOK_BUILD", "build"), help="where the programs are")
    build = ROOT / options.parse_args().build
    directory = ROOT / "docs/pictures"
    directory.mkdir(exist_ok=True)
    workspace = Workspace()
    engine = Engine(workspace.directory / "engine")
    lab = Lab(workspace.directory / "lab", engine, build / "runbook_exporter", build / "runbook_responder",
              build / "tests/lab/service/service", print)
    browser = None
    try:
        engine.start()
        lab.prepare = ask_first
        lab.start()
        browser = Browser(workspace.directory / "chromium")
        tell(lab, Pictures(browser, directory))
    finally:
        if browser:
            browser.close()
        lab.stop()
        engine.stop()
        workspace.remove()


if __name__ == "__main__":
    main()
