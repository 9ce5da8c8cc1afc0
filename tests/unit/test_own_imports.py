"""Files of other tools: what is taken from them, as what, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gates.errors import EvidenceError
from gates.measure.own.imports import import_measurements
from gates.records import Measurement, Reason

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="a" tests="4" failures="0">
<testcase name="one"/><testcase name="two"><failure message="no"/></testcase>
<testcase name="three"><error/></testcase><testcase name="four"><skipped/></testcase>
<testsuite name="inner"><testcase name="five"><system-out>said</system-out></testcase></testsuite>
</testsuite></testsuites>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="&b;"/></testsuite>"""
FILE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="&a;"/>"""
AUDIT: dict[str, Any] = {
    "dependencies": [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]},
        {"name": "b", "version": "2", "vulns": []},
        {"name": "c", "skip_reason": "not on PyPI"},
    ],
    "fixes": [],
}


def read(kind: str, content: Any, name: str | None = None) -> dict[str, Measurement]:
    raw = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    return {m.check: m for m in import_measurements(kind, raw, where="f", name=name)}


def exact(found: dict[str, Measurement]) -> dict[str, float | None]:
    for measurement in found.values():
        assert measurement.scope == "census"
        assert measurement.bounds is not None
        assert {(b.lower, b.upper) for b in measurement.bounds} == {(measurement.estimate, measurement.estimate)}
    return {check: measurement.estimate for check, measurement in found.items()}


def test_tests_are_a_census_of_those_that_ran() -> None:
    found = read("junit", JUNIT)
    # What the suite says of its own number of failures is not asked.
    assert exact(found) == {"own.tests_failed": 2, "own.tests_passed": 2, "own.tests_skipped": 1}
    assert {m.n for m in found.values()} == {5}
    assert set(read("junit", JUNIT, "smoke")) == {"own.smoke_failed", "own.smoke_passed", "own.smoke_skipped"}
    # No test at all: nothing failed, and nothing passed either.
    assert exact(read("junit", "<testsuites/>")) == {
        "own.tests_failed": 0,
        "own.tests_passed": 0,
        "own.tests_skipped": 0,
    }


def suite(attributes: str, cases: str = "", inner: str = "") -> str:
    return f'<testsuites><testsuite name="b" {attributes}>{cases}{inner}</testsuite></testsuites>'


PASSED, FAILED, ERROR = (
    '<testcase name="a"/>',
    '<testcase name="b"><failure/></testcase>',
    "<testcase><error/></testcase>",
)


@pytest.mark.parametrize(
    "content",
    [
        # A suite that failed to start has no tests that did.
        f'<testsuites tests="3" errors="1"><testsuite tests="1">{PASSED}</testsuite><testsuite tests="2"/></testsuites>',
        f'<testsuites errors="1"><testsuite name="a">{PASSED}</testsuite></testsuites>',
        suite('errors="1"', PASSED),
        suite('failures="2"', FAILED),
        suite('tests="2"', PASSED),
        suite("", PASSED, "<error/>"),
        suite("", PASSED, '<testsuite name="c" tests="1"/>'),
        suite('tests="many"', PASSED),
        suite('failures="-1"', PASSED),
        suite('tests="1.0"', PASSED),
    ],
)
def test_a_suite_that_says_worse_than_its_tests_is_refused(content: str) -> None:
    with pytest.raises(EvidenceError, match=r"says that|is no number of tests") as refused:
        read("junit", content)
    assert (refused.value.code, refused.value.exit_code) == ("record.invalid", 3)


@pytest.mark.parametrize(
    ("content", "failed"),
    [
        (suite('tests="2" failures="1" errors="0" skipped="0"', PASSED + FAILED), 1),
        # pytest: a test that passed, and whose cleaning up then failed.
        (suite('tests="2" failures="0" errors="1"', ERROR), 1),
        # An outer suite that leaves the inner ones out of its numbers.
        (suite('tests="1"', PASSED, f'<testsuite tests="1" failures="1">{FAILED}</testsuite>'), 1),
        (suite('tests="2" failures="1"', PASSED, f'<testsuite tests="1" failures="1">{FAILED}</testsuite>'), 1),
    ],
)
def test_what_known_tools_say_of_their_suites_is_no_contradiction(content: str, failed: int) -> None:
    assert read("junit", content)["own.tests_failed"].estimate == failed


def test_what_pytest_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_all.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef bad():\n    yield\n    raise OSError\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_late(bad): pass\n"
        "def test_twice(bad): assert False\n"
        "@pytest.mark.skip\ndef test_not(): pass\n"
    )
    (tmp_path / "test_red.py").write_text("import nothing_of_this_name\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=j.xml"]
    subprocess.run([*command, "--continue-on-collection-errors"], cwd=tmp_path, check=False, capture_output=True)
    counts = exact(read("junit", (tmp_path / "j.xml").read_text()))
    assert (counts["own.tests_passed"], counts["own.tests_skipped"]) == (1, 1)
    # Of test_twice both the test and its cleaning up.
    assert counts["own.tests_failed"] == 5


def test_only_a_reason_skips_a_package() -> None:
    package = {"name": "x", "version": "1", "vulns": [{"id": "CVE"}]}
    counted = exact(read("pip-audit", {"dependencies": [package | {"skip_reason": None}]}))
    assert counted == {"own.vulnerabilities": 1, "own.packages_audited": 1, "own.packages_skipped": 0}


def test_vulnerabilities_are_counted_and_so_is_what_nobody_looked_at() -> None:
    counted = {"own.vulnerabilities": 2, "own.packages_audited": 2, "own.packages_skipped": 1}
    assert exact(read("pip-audit", AUDIT)) == counted
    assert "own.image_vulnerabilities" in read("pip-audit", AUDIT, "image")


def test_metrics_are_bare_and_one_that_is_nan_is_unmeasured() -> None:
    found = read("mlflow", '{"f1_score": 0.5, "toxicity/v1/mean": 1e308, "2nd": -1, "broken": NaN}')
    assert set(found) == {"own.f1_score", "own.toxicity_v1_mean", "own.m_2nd", "own.broken"}
    assert found["own.broken"].reason == Reason.NOT_PROVIDED
    assert found["own.f1_score"].bounds is not None
    assert {(b.lower, b.upper) for b in found["own.f1_score"].bounds} == {("unbounded", "unbounded")}
    assert found["own.f1_score"].method == "bare"
    assert set(read("mlflow", {"a": 1, "b/c": 2}, "b_c")) == {"own.b_c"}


def test_what_mlflow_itself_saves_is_read(tmp_path: Any) -> None:
    from mlflow.models.evaluation.base import EvaluationResult

    EvaluationResult(metrics={"roc_auc": 0.91}, artifacts={}).save(str(tmp_path))
    found = import_measurements("mlflow", (tmp_path / "metrics.json").read_bytes(), where="metrics.json")
    assert [(m.check, m.estimate) for m in found] == [("own.roc_auc", 0.91)]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("junit", BOMB, "not JUnit XML"),
        ("junit", FILE, "not JUnit XML"),
        ("junit", "<html/>", "not JUnit XML"),
        ("junit", "<testsuite>", "not JUnit XML"),
        ("junit", "", "not JUnit XML"),
        ("junit", "<testsuites><testcase name='x'/></testsuites>", "1 tests stand outside of any suite"),
        ("junit", "<testsuites>" + "<testsuite>" * 5_000 + "</testsuite>" * 5_000 + "</testsuites>", "not JUnit XML"),
        ("pip-audit", "[]", "no list of"),
        ("pip-audit", {"dependencies": [1]}, "no list of"),
        ("pip-audit", {"dependencies": [{"name": "a"}]}, "neither"),
        ("pip-audit", "{", "not JSON"),
        ("pip-audit", {"dependencies": [{"vulns": [{"id": "CVE"}], "skip_reason": "no"}]}, "has both"),
        ("pip-audit", {"dependencies": [{"skip_reason": None}]}, "neither"),
        ("mlflow", '{"a": 1' + 400 * "0" + "}", '"a" is too large a number'),
        ("mlflow", "[1]", "no metrics"),
        ("mlflow", '{"f1": 0.2, "f1": 0.9}', "the key 'f1' occurs twice"),
        ("pip-audit", '{"dependencies": [{"vulns": [{"id": "CVE"}], "vulns": []}]}', "the key 'vulns' occurs twice"),
        ("mlflow", "{}", "no metrics"),
        ("mlflow", {"a": "1"}, '"a" is no number'),
        ("mlflow", {"a": True}, '"a" is no number'),
        ("mlflow", {"a/b": 1, "a_b": 2}, "would both be own.a_b"),
        ("mlflow", "[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_such_file_is_refused(kind: str, content: Any, said: str) -> None:
    with pytest.raises(EvidenceError, match=said) as refused:
        read(kind, content)
    assert (refused.value.code, refused.value.exit_code) == ("record.invalid", 3)


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(EvidenceError, match='no metric "f2" among a, b'):
        read("mlflow", {"b": 1, "a": 2}, "f2")
