# SPDX-License-Identifier: Apache-2.0
"""The readers of every page that the suite produces, each on a page that only it refuses."""

import pytest

from lab.pages import OPENMETRICS, TEXT, Pages

GOOD = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"


def test_a_good_page_is_read_by_all(workspace):
    seen = Pages()
    assert [family.name for family in seen.read(GOOD, TEXT)] == ["a"]
    seen.read("# TYPE b gauge\n# HELP b B.\nb 1\n# EOF\n", OPENMETRICS)
    seen.read("# HELP a A.\n# TYPE a gauge\na 1\n" + GOOD, TEXT)  # two names there
    seen.read("<html>", "text/html; charset=utf-8")
    assert len(seen.shapes) == 3
    seen.check_the_rest(workspace.path("good-pages"))


@pytest.mark.parametrize("page, complaint", [
    (GOOD.replace(" 1\n", " NaN\n"), "Counter-like samples cannot be NaN"),
    (GOOD.replace(" 1\n", " -5\n"), "Counter-like samples cannot be negative"),
    (GOOD + "b 1\n" + GOOD.replace("a_total 1", 'a_total{b="c"} 1'), "Clashing name: a")])
def test_the_parser_of_openmetrics_refuses(page, complaint):
    with pytest.raises(ValueError, match=complaint):
        Pages().read(page, TEXT)


def test_promtool_refuses(workspace):
    seen = Pages()
    seen.read("# TYPE b gauge\nb 1\n", TEXT)
    with pytest.raises(AssertionError, match="no help text"):
        seen.check_the_rest(workspace.path("bad-pages"))


def test_prometheus_refuses(workspace):
    seen = Pages()
    seen.shapes[0] = ("# HELP b B.\n# TYPE b gauge\nb 1 2.5\n# EOF extra\n", OPENMETRICS)
    with pytest.raises(AssertionError, match="Prometheus refuses 1 of 1 pages"):
        seen.check_the_rest(workspace.path("refused-pages"))
