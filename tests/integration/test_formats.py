# SPDX-License-Identifier: Apache-2.0
"""The page in every format: chosen by Accept, packed by gzip, and stored alike by the real Prometheus."""

import gzip
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest

from lab.pages import PAGES
from lab.parts import wait_for
from lab.prometheus import Prometheus
from scraping import samples, scrape, value

OPENMETRICS = "application/openmetrics-text"
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
CONTENT_TYPES = {
    "text/plain": "text/plain; version=0.0.4; charset=utf-8",
    OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    f"{OPENMETRICS};version=0.0.1": "application/openmetrics-text; version=0.0.1; charset=utf-8",
    f"{OPENMETRICS};version=2.0.0": "application/openmetrics-text; version=2.0.0; charset=utf-8",
    PROTOBUF: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}
CACHED = [{"name": f"disk{n}", "cache": "1h", "disk": {"mountpoints": ["/"]}} for n in range(3)]
DURATIONS = "runbook_check_run_duration_seconds"


def get(daemon, accept=None, encoding=None, query=""):
    """(headers, bytes as they came) of one scrape."""
    headers = {name: text for name, text in {"Accept": accept, "Accept-Encoding": encoding}.items() if text}
    with urllib.request.urlopen(urllib.request.Request(f"{daemon.url}/metrics{query}", headers=headers),
                                timeout=15) as answer:
        body = answer.read()
        if not answer.headers["Content-Encoding"] and PROTOBUF.partition(";")[0] not in answer.headers["Content-Type"]:
            PAGES.read(body.decode(), answer.headers["Content-Type"])
        return answer.headers, body


def refused(daemon, query):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(daemon, query=query)
    return caught.value.code, caught.value.read().decode()


def test_the_format_is_chosen_by_accept(exporter):
    daemon = exporter(CACHED)
    for accept, expected in CONTENT_TYPES.items():
        for encoding in (None, "gzip"):
            headers, body = get(daemon, accept, encoding)
            assert headers["Content-Type"] == expected
            assert headers["Vary"] == "Accept, Accept-Encoding"
            assert headers["Content-Encoding"] == encoding
            page = gzip.decompress(body) if encoding else body
            assert b"runbook_check_success" in page
            assert page.endswith(b"# EOF\n") == expected.startswith(OPENMETRICS)
            assert int(headers["Content-Length"]) == len(body)


def test_an_unchanged_page_is_the_same_to_the_byte_in_every_format(exporter):
    daemon = exporter(CACHED)
    for accept in CONTENT_TYPES:
        for encoding in (None, "gzip"):
            assert len({get(daemon, accept, encoding)[1] for _ in range(5)}) == 1
    # All formats are of one moment: what process_* says of CPU time has not moved between them.
    openmetrics = samples(get(daemon, OPENMETRICS)[1].decode())
    text = samples(get(daemon)[1].decode())
    assert openmetrics.all == text.all


def test_run_durations_are_counted_over_the_life_of_a_check(exporter):
    daemon = exporter([{"name": "disk", "disk": {"mountpoints": ["/"]}}])
    for _ in range(4):
        found = scrape(daemon)
    assert value(found, f"{DURATIONS}_count", check="disk") == 4
    assert value(found, f"{DURATIONS}_bucket", check="disk", le="+Inf") == 4
    assert value(found, f"{DURATIONS}_bucket", check="disk", le="10.0") == 4
    assert 0 < value(found, f"{DURATIONS}_sum", check="disk") < 4
    native = get(daemon, f"{OPENMETRICS};version=2.0.0")[1].decode()
    line = next(line for line in native.splitlines() if line.startswith(DURATIONS + "{"))
    assert line.startswith(DURATIONS + '{check="disk"} {count:5,sum:') and ",schema:3," in line


def names_of(found):
    return {name for name, _ in found.all}


def test_names_are_filtered_before_checks_run(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url}},
                       {"name": "disk", "disk": {"mountpoints": ["/"]}}])
    found = scrape(daemon, "?name[]=runbook_disk_size_bytes&name[]=runbook_exporter_build_info")
    assert names_of(found) == {"runbook_disk_size_bytes", "runbook_exporter_build_info"}
    assert not target.hits  # its kind has neither
    assert names_of(scrape(daemon, "?name[]=process_open_fds")) == {"process_open_fds"}
    assert not target.hits
    found = scrape(daemon, "?name[]=runbook_check_success")
    assert names_of(found) == {"runbook_check_success"} and len(found.all) == 2
    assert len(target.hits) == 1
    found = scrape(daemon, f"?name[]={DURATIONS}_count&collect[]=disk")
    assert {name.removeprefix(DURATIONS) for name in names_of(found)} == {"_bucket", "_sum", "_count"}
    assert len(target.hits) == 1


def test_an_operators_own_metric_can_be_named(exporter, target):
    target.says({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {}, "value": [1700000000, "0.25"]}]}})
    daemon = exporter([{"name": "web", "http": {"url": target.url}},
                       {"name": "errors", "prometheus": {
                           "url": target.url, "query": "x",
                           "metric": {"name": "my_error_ratio", "help": "Errors.", "type": "gauge"}}}])
    found = scrape(daemon, "?name[]=my_error_ratio")
    assert value(found, "my_error_ratio", check="errors") == 0.25
    assert len(found.all) == 1 and len(target.hits) == 1


def test_a_name_that_nobody_has_is_refused_with_advice(exporter):
    daemon = exporter(CACHED)
    assert refused(daemon, "?name[]=runbook_disk_size_byte") == (
        400, 'There is no metric "runbook_disk_size_byte"; did you mean "runbook_disk_size_bytes"?\n')
    assert refused(daemon, "?collect[]=disk8&name[]=runbook_disk_size_bytes") == (
        400, 'There is no check "disk8"; did you mean "disk0"?\n')


class Interpreter:
    """Asks the exporter on behalf of Prometheus, which cannot be told what to accept, and hands on the answer."""

    def __init__(self, daemon, accept):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                headers, body = get(daemon, accept, "gzip")
                self.send_response(200)
                for name in ("Content-Type", "Content-Encoding", "Content-Length"):
                    self.send_header(name, headers[name])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def stored(prometheus, job):
    """{labels, with the name: value} of what was scraped, but for native histograms."""
    query = '{job="%s",__name__=~"runbook_.*|process_.*",__name__!="%s"}' % (job, DURATIONS)
    return {tuple(sorted((name, text) for name, text in labels.items() if name not in ("job", "instance"))): number
            for labels, number in prometheus.query(query)}


@pytest.fixture
def prometheus(tmp_path):
    servers = []

    def start(name, ports, *features):
        """Scrapes {job: port} once a second."""
        server = Prometheus(tmp_path / name)
        config = tmp_path / f"{name}.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            for job, port in ports.items()]}))
        servers.append(server)
        server.launch(f"--config.file={config}", f"--storage.tsdb.path={server.directory}/data", *features)
        wait_for(lambda: server.value("sum(up)") == len(ports), "the first scrapes")
        wait_for(lambda: server.value("count(count by (job) (runbook_check_success))") == len(ports), "their series")
        return server

    yield start
    for server in servers:
        server.stop()


def test_prometheus_stores_the_same_series_from_each_format(exporter, prometheus):
    daemon = exporter(CACHED)
    page = {tuple(sorted([("__name__", name), *labels])): number
            for (name, labels), number in samples(get(daemon, "text/plain")[1].decode()).all.items()}
    assert any(("le", "10.0") in series for series in page)
    interpreters = [Interpreter(daemon, "text/plain"), Interpreter(daemon, f"{OPENMETRICS};version=0.0.1")]
    texts = prometheus("texts", {"openmetrics": daemon.port, "text": interpreters[0].port,
                                 "draft": interpreters[1].port})
    for job in ("openmetrics", "text", "draft"):
        assert stored(texts, job) == page
    assert texts.targets_up()
    for interpreter in interpreters:
        interpreter.stop()

    server = prometheus("protobuf", {"protobuf": daemon.port}, "--enable-feature=native-histograms")
    # This Prometheus (2.42) takes a native histogram instead of its classic buckets.
    assert stored(server, "protobuf") == {series: number for series, number in page.items()
                                          if not dict(series)["__name__"].startswith(DURATIONS)}
    assert server.value(f"count({DURATIONS})") == len(CACHED)
    for n in range(len(CACHED)):
        native = '%s{check="disk%d"}' % (DURATIONS, n)
        total = page[tuple(sorted([("__name__", f"{DURATIONS}_sum"), ("check", f"disk{n}")]))]
        assert server.value(f"histogram_count({native})") == 1
        assert server.value(f"histogram_sum({native})") == total
        # One observation, in a bucket 9 % wide.
        assert total / 1.1 <= server.value(f"histogram_quantile(0.5, {native})") <= total * 1.1
    assert server.targets_up()
    assert "level=warn" not in server.process.output()
