"""Figures that other tools wrote: metrics of `mlflow.evaluate`, test results, audits of dependencies.

Counts of tests and of vulnerabilities are a census: they are about the tests that ran and the packages that were looked at,
exactly, and about no others. A metric of MLflow is a bare number: nothing says how far it may be off.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from gates.bundle.canonical import digest_bytes, each_key_once
from gates.errors import EvidenceError
from gates.measure.own.gate import own_measurement
from gates.measure.own.results import Bare
from gates.records import LADDER, Bound, Family, Measurement, Param, Reason

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAME = re.compile(r"[a-z][a-z0-9_]*")


def _mlflow(content: bytes, where: str, name: str | None) -> Iterator[Measurement]:
    """`metrics.json` of an EvaluationResult: name to number. With a name only that metric."""
    document = _document(content, where, parse_constant=float)
    if not isinstance(document, dict) or not document:
        raise _refused("no metrics: a JSON object of names and numbers is wanted", where)
    seen: dict[str, str] = {}
    for metric, value in document.items():
        short = _short(metric)
        if name not in (None, short, metric):
            continue
        if short in seen:
            raise _refused(f'"{metric}" and "{seen[short]}" would both be own.{short}', where)
        seen[short] = metric
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refused(f'"{metric}" is no number', where)
        result = Bare(value) if _finite(value, metric, where) else Reason.NOT_PROVIDED
        yield own_measurement(short, result, source="mlflow", metric=metric[:256], file=digest_bytes(content))
    if name is not None and not seen:
        raise _refused(f'no metric "{name}" among {", ".join(sorted(map(str, document))[:20])}', where)


def _finite(value: float, metric: str, where: str) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError as error:
        raise _refused(f'"{metric}" is too large a number', where) from error


def _junit(content: bytes, where: str, name: str | None) -> Iterator[Measurement]:
    """JUnit XML: how many tests failed (or ended in an error), passed and were skipped.

    Tests are counted one by one. What a suite says of its own numbers is believed where it says worse: a suite that could
    not start has no test that failed.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring
    from junitparser import JUnitXml, JUnitXmlError, TestCase

    try:
        root = fromstring(content, forbid_dtd=True)
        # Its annotation names its own element; what it takes is that of ElementTree.
        suites = JUnitXml.fromroot(cast("Any", root))
        cases: list[TestCase] = [case for suite in suites for case in suite]
        # The reader knows of suites and tests in suites; a test that stands elsewhere would not be counted.
        stray = len(list(root.iter("testcase"))) - len(cases)
    except (DefusedXmlException, ParseError, JUnitXmlError, ValueError, RecursionError) as error:
        raise _refused(f"not JUnit XML: {type(error).__name__} {error}".strip(), where) from error
    if stray:
        raise _refused(f"{stray} tests stand outside of any suite", where)
    for suite in (one for one in root.iter() if one.tag in ("testsuites", "testsuite")):
        _agrees(suite, where)
    skipped = sum(case.is_skipped for case in cases)
    failed = sum(case.is_failure or case.is_error for case in cases)
    passed = sum(case.is_passed for case in cases)
    for suffix, count in (("failed", failed), ("passed", passed), ("skipped", skipped)):
        yield _count(f"{name or 'tests'}_{suffix}", count, len(cases), "tests", "junit", content)


def _agrees(suite: Element, where: str) -> None:
    """Raise EvidenceError where a suite says of more tests, or of more that failed, than are in it.

    A test that passed and whose cleaning up then failed is said to be two by pytest, so that each that failed may be.
    """
    cases = list(suite.iter("testcase"))
    failed = sum(any(part.tag in ("failure", "error") for part in case) for case in cases)
    beside = any(part.tag in ("failure", "error") for part in suite)
    said = {word: _whole(suite.get(word, "0"), word, where) for word in ("tests", "failures", "errors")}
    name = f'suite "{suite.get("name", "")}"'[:100]
    if beside or said["failures"] + said["errors"] > failed:
        raise _refused(f"{name} says that more failed than the {failed} of its tests that did", where)
    if said["tests"] > len(cases) + failed:
        raise _refused(f"{name} says that it has {said['tests']} tests, and {len(cases)} are there", where)


def _whole(text: str, word: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _refused(f'{word}="{text[:20]}" is no number of tests', where)
    return int(text)


def _pip_audit(content: bytes, where: str, name: str | None) -> Iterator[Measurement]:
    """`pip-audit -f json`: known vulnerabilities, packages looked at, and packages that could not be looked at."""
    document = _document(content, where)
    packages = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise _refused('no list of "dependencies", as `pip-audit -f json` writes it', where)
    skipped = [package for package in packages if isinstance(package.get("skip_reason"), str)]
    audited = [package for package in packages if not isinstance(package.get("skip_reason"), str)]
    if not all(isinstance(package.get("vulns"), list) for package in audited):
        raise _refused('a package has neither "vulns" nor a "skip_reason"', where)
    if any(package.get("vulns") for package in skipped):
        raise _refused('a package has both "vulns" and a "skip_reason"', where)
    found = sum(len(package["vulns"]) for package in audited)
    prefix = f"{name}_" if name else ""
    counts = {"vulnerabilities": found, "packages_audited": len(audited), "packages_skipped": len(skipped)}
    for what, count in counts.items():
        yield _count(f"{prefix}{what}", count, len(packages), what.split("_", 1)[0], "pip-audit", content)


KINDS: dict[str, Callable[[bytes, str, str | None], Iterator[Measurement]]] = {
    "mlflow": _mlflow,
    "junit": _junit,
    "pip-audit": _pip_audit,
}


def import_measurements(kind: str, content: bytes, *, where: str, name: str | None = None) -> tuple[Measurement, ...]:
    """Read a file of another tool.

    Parameters
    ----------
    kind: one of KINDS. name: of the check (`mlflow`: only this one; else what the names begin with).

    Raises
    ------
    EvidenceError: `record.invalid`: not such a file, or nothing in it.
    """
    found = tuple(KINDS[kind](content, where, name))
    if not found:
        raise _refused("holds no measurement", where)
    return found


def _count(name: str, count: int, n: int, unit: str, source: str, content: bytes) -> Measurement:
    return Measurement(
        check=f"own.{name}",
        subject="candidate",
        estimate=float(count),
        bounds=tuple(Bound(confidence=rung, lower=float(count), upper=float(count)) for rung in LADDER),
        scope="census",
        family=Family(name=f"own.{name}", size=1),
        n=n,
        unit=unit,
        method="count",
        params=(Param(name="source", value=source), Param(name="file", value=digest_bytes(content))),
    )


def _short(metric: object) -> str:
    """A metric's name as a check's: `toxicity/v1/mean` is `toxicity_v1_mean`."""
    text = re.sub(r"[^a-z0-9]+", "_", str(metric).lower()).strip("_")
    return text if NAME.fullmatch(text) else f"m_{text}"


def _document(content: bytes, where: str, **options: Any) -> Any:
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=each_key_once, **options)
    except (ValueError, RecursionError) as error:
        raise _refused(f"not JSON: {error}", where) from error


def _refused(message: str, where: str) -> EvidenceError:
    return EvidenceError(message, code="record.invalid", where=where)
