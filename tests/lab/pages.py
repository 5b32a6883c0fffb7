# SPDX-License-Identifier: Apache-2.0
"""Every page of metrics that a test fetches, read by others: python's parser of OpenMetrics at once, promtool and a real
Prometheus at the end of the session. Each refuses what another lets pass."""

import http.server
import json
import re
import subprocess
import threading

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from .parts import free_port, wait_for
from .prometheus import Prometheus

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def as_openmetrics(page):
    """A page of the text format as OpenMetrics has it: counters are named without their ending, and it says where it ends.

    In the text format x may stand beside x_total, which there would be one name: such a counter is of no type.
    """
    names = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))

    def metadata(line):
        if line[2] in names:
            return line[0].replace(" counter", " unknown") if line[1] == "# TYPE" else line[0]
        return f"{line[1]} {line[2]}{line[3]}"

    return re.sub(r"^(# HELP|# TYPE) (\S+)_total( .*)$", metadata, page, flags=re.MULTILINE) + "# EOF\n"


def shape_of(page):
    """What of a page promtool and Prometheus may stumble over: its metadata, names and labels, and how its numbers look."""
    return hash(re.sub(r"(?<=[} ])[0-9][0-9.e+-]*", "0", re.sub(r'"(?:[^"\\]|\\.)*"', '""', page)))


class Pages:
    def __init__(self):
        self.read_already = set()
        self.shapes = {}  # of the text format: {shape: page}

    def read(self, page, content_type, again=False):
        """The families of a page as it came; an error says what the reader has against it. [] of what is no page of metrics
        that it knows, or was read before, unless `again`."""
        if not content_type.startswith((TEXT, OPENMETRICS)) or (hash(page) in self.read_already and not again):
            return []
        self.read_already.add(hash(page))
        self.shapes.setdefault(shape_of(page), (page, content_type))
        text = content_type.startswith(TEXT)
        return list(text_string_to_metric_families(as_openmetrics(page) if text else page))

    def check_the_rest(self, directory):
        """By promtool and Prometheus: one of each shape."""
        pages = list(self.shapes.values())
        self.shapes = {}
        if not pages:
            return
        for page in together(page for page, content_type in pages if content_type.startswith(TEXT)):
            lint(page)
        scrape_all(directory, pages)


def together(pages):
    """Few pages that have every family of many, for promtool looks at one family after the other, and takes a while to start."""
    found, seen = [], set()
    for family in (family for page in pages for family in re.findall(r"(?:^#.*\n)+(?:^[^#\n].*\n)+", page, re.MULTILINE)):
        if shape_of(family) in seen:
            continue
        seen.add(shape_of(family))
        name = family.split(maxsplit=3)[2]
        room = next((one for one in found if name not in one), None)
        if room is None:
            found.append(room := {})
        room[name] = family
    return ["".join(one.values()) for one in found]


def lint(page):
    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def scrape_all(directory, pages):
    """A Prometheus scrapes each of them, and takes every sample."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            page, content_type = pages[int(self.path.strip("/"))]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format, *args):  # pylint: disable=redefined-builtin
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    web.daemon_threads = True
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    prometheus = Prometheus(directory)
    targets = [{"targets": [f"127.0.0.1:{web.server_address[1]}"],
                "labels": {"__metrics_path__": f"/{i}", "page": str(i)}} for i in range(len(pages))]
    config = {"global": {"scrape_interval": "2s"}, "scrape_configs": [
        {"job_name": "pages", "honor_timestamps": False, "static_configs": targets}]}
    (directory / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    try:
        prometheus.start(directory / "prometheus.yml")
        wait_for(lambda: len(prometheus.query("up")) == len(pages), "Prometheus to have scraped every page", 60)
        down = [pages[int(labels["page"])][0] for labels, up in prometheus.query("up") if up != 1]
        assert not down, f"Prometheus refuses {len(down)} of {len(pages)} pages:\n{prometheus.process.tail()}\n{down[0]}"
        taken = {int(labels["page"]): count for labels, count in prometheus.query("scrape_samples_post_metric_relabeling")}
        for i, (page, _) in enumerate(pages):
            assert taken[i] == len(re.findall(r"^[^#\n]", page, re.MULTILINE)), page
        log = prometheus.process.output()
        assert not re.findall(r"level=(?:warn|error).*(?:scrape|append|sample|exemplar|out of order).*", log), log
    finally:
        prometheus.stop()
        web.shutdown()
        web.server_close()


PAGES = Pages()
