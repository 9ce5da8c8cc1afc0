"""Rego of the owners' own: each built-in is sure to be given what it takes, or it is not built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from gates.decide.opa_binary import find_opa
from gates.decide.owners_types import misfits
from gates.decide.policies import PolicySet

pytestmark = pytest.mark.opa

PARAM = "some evidence in input.evidence\n\tsome figure in evidence.measurements\n\tsome param in figure.params\n\t"


@cache
def _shipped() -> PolicySet:
    return PolicySet.load()


def said(**sources: str) -> list[str]:
    """What is said of sources, each with its package's name; rows count from the first line behind the package."""
    opa = find_opa()
    assert opa is not None
    files = {
        f"custom/{name}/{name}.rego": f"package custom.{name}\n{text}\n".encode() for name, text in sources.items()
    }
    return misfits(opa, replace(_shipped(), files={**_shipped().files, **files}))


def rows(sources: Sequence[str]) -> list[str]:
    """Number and row of what is said of sources that stand beside each other, each in a package of its own.

    OPA starts three times for each question: one for all of a kind says the same in a twentieth of the time.
    """
    found = said(**{f"s{number}": source for number, source in enumerate(sources)})
    return [line.split(" ")[0].rpartition("/s")[2].replace(".rego", "") for line in found]


def body(*lines: str) -> str:
    return "\nx := true if {\n\t" + "\n\t".join(lines) + "\n}"


FITS = (
    body(PARAM + "is_string(param.value)", "count(param.value) < 100"),
    body(PARAM + 'is_string(param.value)\n\tnot trim_space(param["value"]) == ""'),
    body(PARAM + "is_number(param.value)", "[n | n := floor(param.value)] == []"),
    body(PARAM + "value := param.value", "is_string(value)", "count(value) > 1"),
    body("some evidence in input.evidence", "count(evidence.measurements) > 3"),
    body("count({one | some one in data.whatever}) > 3", 'concat(",", ["a", "b"]) == "a,b"'),
    body("every evidence in input.evidence {", "is_string(evidence.gate)", "count(evidence.gate) > 3", "}"),
    # Rules of a rule, and another package's: a type is known when those that it rests on are.
    "\nf contains e if {\n\tsome e in input.evidence\n\tcount(e.measurements) > 1\n}\n\ng contains count(f)\n\nx if max(f | g)",
    "\nf(xs) := count(xs) if {\n\tis_object(xs)\n}",
    "\nf(xs) := 1 if {\n\txs == 2\n} else := count(xs) if {\n\tis_object(xs)\n}",
    'import data.gates.lib.integers\n\nx if integers.add(input.request.percent, 1) > 3 # "é"',
    body('"é€" == input.request.actor; count(((input.evidence))) > 2'),
    body('count({"é"} | ({e | some e in input.evidence})) == 1'),
    body("[1, 2][0] == 1", '{"a": 1}.a == 1'),
)
DOUBTFUL = (
    # A text, a number or a boolean.
    (body(PARAM + "count(param.value) < 100"), 7),
    (body(PARAM + "trim_space(param.value) < 100"), 7),
    (body(PARAM + "[n | n := floor(param.value)] == []"), 7),
    (body(PARAM + 'concat("", [param.value]) == ""'), 7),
    # Asked for something else, the other way round, elsewhere, under another input, or too late.
    (body(PARAM + "is_number(param.value)", "count(param.value) < 100"), 8),
    (body(PARAM + "is_boolean(param.value)", "count(param.value) < 100"), 8),
    (body(PARAM + "not is_string(param.value)", "count(param.value) < 100"), 8),
    (body(PARAM + "is_string(param.name)", "count(param.value) < 100"), 8),
    (body(PARAM + "count(param.value) < 100", "is_string(param.value)"), 7),
    (body(PARAM + "[1 | is_string(param.value)] == []", "count(param.value) < 100"), 8),
    (body(PARAM + "is_string(param.value)", "[1 | some param in figure.params; count(param.value) > 1] == []"), 8),
    (body(PARAM + "is_string(param.value)", "every param in figure.params {", "count(param.value) > 1", "}"), 9),
    # OPA moves the question behind `=`, and what is bound below it may be moved before.
    (body(PARAM + "some value", "is_string(value)", "value = param.value", "count(value) > 1"), 10),
    (body("some i", "is_string(data.x[i])", "data.y[i]", "count(data.x[i]) > 1"), 7),
    # What `every` goes through, arguments and data are anything.
    (body("every evidence in input.evidence {", "count(evidence.gate) > 3", "}"), 5),
    ("\nf(xs) := count(xs)", 3),
    ("\nf(xs) := 1 if {\n\tis_object(xs)\n\txs == 2\n} else := count(xs)", 6),
    ("\nx if count(data.models) > 1", 3),
    ("\nx if {1} | data.models.a == {1}", 3),
)
# The look would be one at something else.
ELSEWHERE = (
    ("\nis_string(_) := true", 3),
    ("\nx if count(input.evidence) > 1 with input as {}", 3),
    ("import data.gates.lib.keys as ours\n\nx if ours.names([1]) == {1}", 4),
    ("\nx if data.gates.lib.keys.names([1]) == {1}", 3),
)


def test_what_is_sure_to_fit_is_built() -> None:
    assert rows(FITS) == []


@pytest.mark.parametrize("sources", [DOUBTFUL, ELSEWHERE])
def test_what_may_not_fit_is_not(sources: tuple[tuple[str, int], ...]) -> None:
    expected = [f"{number}:{row}:" for number, (_, row) in enumerate(sources)]
    assert sorted(rows([source for source, _ in sources])) == sorted(expected)


def test_what_is_said_names_the_question() -> None:
    assert said(a=body(PARAM + "floor(param.value) > 1")) == [
        "custom/a/a.rego:7: floor may be given param.value that it does not take; ask before it is_number(param.value)"
    ]


def test_a_rule_of_another_package_is_as_sure_as_that_package() -> None:
    other = "\ny := one.value if {\n\tsome e in input.evidence\n\tsome m in e.measurements\n\tsome one in m.params\n}"
    assert said(a="\nx if count(data.custom.b.y) > 1", b=other)[0].startswith("custom/a/a.rego:3: count may be given")
    assert said(a="\nx if count(data.custom.b.y) > 1", b="\ny contains e if some e in input.evidence") == []


def test_a_package_is_looked_up_by_its_name() -> None:
    lines = (
        'some gate in ["calibration"]; data.gates.checks[gate].checks[input.request.model]',
        "data.gates.checks[input.request.model].checks",
        "some place; data.gates[place]",
        "some name; data.custom[name].results",
        "some root; data[root].x",
        "some gate; all[gate].checks",
    )
    imported = ["import data.gates.checks as all\n" * ("all[" in line) for line in lines]
    wrong = said(**{f"s{n}": first + body(line) for n, (first, line) in enumerate(zip(imported, lines, strict=True))})
    assert [line.split("/")[1] for line in wrong] == [f"s{number}" for number in range(len(lines))]
    assert [line for line in wrong if "names no package" not in line] == []
    assert said(a=body("some name; data.gates.checks.calibration.checks[name]", "some m; data.models[m].tier")) == []
