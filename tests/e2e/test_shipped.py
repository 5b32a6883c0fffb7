# SPDX-License-Identifier: Apache-2.0
"""The shipped checks.yml as a whole, on real parts: every check succeeds, and Prometheus takes all of it."""

import json
import re
import subprocess

import yaml

from lab.parts import wait_for


def run(lab, *words):
    done = subprocess.run([lab.exporter.program, f"--config.file={lab.exporter.config}", *words], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, cwd=lab.exporter.directory,
                          env={**lab.exporter.env, "PATH": "/usr/bin:/bin"})
    assert done.stderr == "", done
    return done


def told(page, check):
    """The families of a check on the page."""
    return set(re.findall(rf'^(runbook_\w+)\{{check="{re.escape(check)}"', page, re.MULTILINE))


def lacking(page, checks):
    """What does not succeed, or says nothing but that. Of a lab of some seconds there is nothing to project."""
    good = set(re.findall(r'^runbook_check_success\{check="([^"]+)"\} 1$', page, re.MULTILINE))
    return [name for name in checks if name not in good or not name.startswith("projected_") and
            not [family for family in told(page, name) if not family.startswith("runbook_check_")]]


def test_every_check_succeeds_on_its_real_part(calm_lab):
    lab = calm_lab
    checks = {check["name"]: check for check in yaml.safe_load(lab.exporter.config.read_text())["checks"]}
    try:
        wait_for(lambda: not lacking(lab.exporter.page(), checks), "every check to measure something", 30, every=0.2)
    except AssertionError:
        print(lacking(lab.exporter.page(), checks), run(lab, "checklist", "--all").stdout)
        raise
    page = lab.exporter.page()
    for name, check in checks.items():  # the limits stand beside the values
        limits = [limit for level in ("warn", "fail") for limit in
                  ([check[level]] if isinstance(check.get(level), str) else check.get(level, []))]
        shown = re.findall(rf'^runbook_check_threshold\{{check="{re.escape(name)}"', page, re.MULTILINE)
        assert len(shown) == len(limits), name


def test_prometheus_takes_all_of_it_without_a_warning(calm_lab):
    lab = calm_lab
    wait_for(lambda: len(lab.prometheus.query("runbook_check_success")) ==
             len(yaml.safe_load(lab.exporter.config.read_text())["checks"]), "Prometheus to have every check")
    assert lab.prometheus.value('up{job="runbook_exporter"}') == 1
    assert lab.prometheus.value("runbook_exporter_duplicate_series_total") == 0
    stored = lab.prometheus.value('scrape_samples_post_metric_relabeling{job="runbook_exporter"}')
    assert stored == lab.prometheus.value('scrape_samples_scraped{job="runbook_exporter"}') > 500
    log = lab.prometheus.process.output()
    assert not re.findall(r"level=(?:warn|error).*(?:scrape|append|sample|exemplar|out of order).*", log), log


def test_the_reports_of_the_shipped_file(calm_lab):
    lab = calm_lab
    done = run(lab, "checklist")
    assert done.returncode in (0, 1), done.stdout  # the machine's own disk and memory may warn
    assert [int(step) for step in re.findall(r"^ *(\d+)\. .*(?:PASS|WARN)", done.stdout, re.MULTILINE)] == [1, 2, 3, 4, 5, 6]
    before = lab.postgres.value("SELECT count(*) FROM vector_embeddings")
    rows = {row["metric"]: row for row in json.loads(run(lab, "capacity", "--json").stdout)["rows"]}
    after = lab.postgres.value("SELECT count(*) FROM vector_embeddings")
    tables = {value["series"]: value["value"] for value in rows["runbook_postgres_table_rows"]["values"]}
    assert set(tables) == {'{schema="public",table="contexts"}', '{schema="public",table="vector_embeddings"}'}
    assert before <= tables['{schema="public",table="vector_embeddings"}'] <= after
    services = {value["series"] for value in rows["runbook_docker_container_memory_usage_bytes"]["values"]}
    assert len(services) == 3
    for metric in ("runbook_system_cpu_cores", "runbook_disk_size_bytes", "runbook_redis_memory_used_bytes"):
        assert rows[metric]["values"], rows[metric]
