# SPDX-License-Identifier: Apache-2.0
"""A real browser, Debian's Chromium, driven over a pipe by its DevTools protocol: no driver, no package beside it."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time

# What a page must not have said on its console, and no request may have failed.
COMPLAINTS = ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")


class Browser:
    """One browser with one window. `complaints` are those of all pages so far."""

    def __init__(self, directory):
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        argv = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
                f"--user-data-dir={directory}", "about:blank"]
        self.log = open(directory.parent / "chromium.log", "wb")
        # It reads from descriptor 3 and writes to descriptor 4.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(["/bin/bash", "-c", script, "bash", *argv], pass_fds=(to_browser, from_browser),
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.writer, self.reader = os.fdopen(ours, "wb", buffering=0), os.fdopen(theirs, "rb", buffering=0)
        self.numbers, self.rest, self.events, self.complaints = itertools.count(1), b"", [], []
        self.session = self.open()

    def open(self):
        """A window, which `session` is to be for whatever is done in it."""
        before, self.session = getattr(self, "session", None), None
        target = self.call("Target.createTarget", url="about:blank", newWindow=True)["targetId"]
        self.session = opened = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.session = before
        return opened

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(60)
        for file in (self.writer, self.reader, self.log):
            file.close()

    def _read(self):
        """The next message."""
        while b"\0" not in self.rest:
            read = self.reader.read(1 << 16)
            assert read, "the browser has ended"
            self.rest += read
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        # A page that is left takes what it still asks for along with it.
        if message.get("method") in COMPLAINTS and not message["params"].get("canceled"):
            self.complaints.append((message["method"], message["params"]))
        return message

    def call(self, method, **parameters):
        number = next(self.numbers)
        asked = {"id": number, "method": method, "params": parameters}
        if self.session:
            asked["sessionId"] = self.session
        self.writer.write(json.dumps(asked).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message.get("result", {})
            self.events.append(message)

    def run(self, script):
        """The value of an expression in the page; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, script, what, seconds=60):
        """Until an expression is true; while a page is left for another one there is none to ask."""
        until, value = time.monotonic() + seconds, None
        while time.monotonic() < until:
            try:
                value = self.run(script)
            except AssertionError:
                value = None
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"waited for {what} at {self.run('location.href')}: {self.run('document.body.innerText')[:2000]}")

    def go(self, url):
        self.run("window.left = true")
        self.call("Page.navigate", url=url)
        self.wait("!window.left && document.readyState === 'complete'", f"{url} to be there")

    def click(self, selector):
        """With the mouse, in the middle of what is seen; then the page that follows is waited for."""
        box = self.run(f"(() => {{ const one = document.querySelector({json.dumps(selector)}); window.left = true;"
                       " one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();"
                       " return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self.wait("!window.left && document.readyState === 'complete'", f"the page behind {selector}")

    def type(self, selector, words):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=words)

    def press(self, key, number):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=number)

    def press_enter(self):
        for kind, words in (("keyDown", {"text": "\r"}), ("keyUp", {})):
            self.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, **words)

    def look_like(self, width, height=900, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, wanted):
        self.call("Emulation.setScriptExecutionDisabled", value=not wanted)

    def shot(self, path, clip=None):
        """A picture of the whole page, or of a part of it."""
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                            **({"clip": clip} if clip else {}))["data"]
        path.write_bytes(base64.b64decode(picture))

    def text(self):
        return " ".join(self.run("document.body.innerText").split())
