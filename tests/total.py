"""Adds up the JUnit results of all suites: prints `N passed, N failed`, and exits with 1 unless all is well."""

import pathlib
import sys
import xml.etree.ElementTree as xml

EXPECTED = {"unit", "fuzz", "rules", "sim", "integration", "e2e"}


def main(directory):
    passed = failed = 0
    seen = set()
    for path in sorted(pathlib.Path(directory).glob("*.xml")):
        seen.add(path.name.split("-")[0].removesuffix(".xml"))
        for case in xml.parse(path).getroot().iter("testcase"):
            bad = [e for e in case if e.tag in ("failure", "error", "skipped")]
            failed += bool(bad)
            passed += not bad
            for element in bad:
                print(f"{element.tag}: {case.get('classname') or path.stem}.{case.get('name')}")
    for suite in sorted(EXPECTED - seen):
        print(f"error: no results of suite {suite}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
