"""Which rule supports which control: every rule says so, names controls that exist, and shows it by a field that exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gates.cli.main import cli
from gates.decide.controls import FILE, OWNERS, Support, by_control, collect, faults, load_supports, support_of
from gates.decide.explain import load_annotations
from gates.decide.frameworks import FRAMEWORKS
from gates.decide.policies import PolicySet
from gates.errors import EngineError
from gates.resources import module_folder, policies_folder, schema_folder

SUPPORTS = load_supports()
SUFFIXES = ("passed", "tolerated", "provisional", "point", "inconclusive")

# How many subcategories each category has (NIST AI 100-1, tables 1 to 4), paragraphs each article (Regulation (EU)
# 2024/1689), and which controls Table A.1 of ISO/IEC 42001:2023 has: what the list in the code is held to.
NIST = {
    "GOVERN": (7, 3, 2, 3, 2, 2),
    "MAP": (6, 3, 5, 2, 2),
    "MEASURE": (3, 13, 3, 3),
    "MANAGE": (4, 4, 2, 3),
}
ACT = {"9": 10, "10": 6, "11": 4, "12": 3, "13": 3, "14": 5, "15": 5, "16": 1, "17": 4, "18": 3, "19": 2, "20": 2}
POINTS = {"10(2)": "abcdefgh", "17(1)": "abcdefghijklm"}
ISO = {
    "A.2": (2, 4),
    "A.3": (2, 3),
    "A.4": (2, 6),
    "A.5": (2, 5),
    "A.6.1": (2, 3),
    "A.6.2": (2, 8),
    "A.7": (2, 6),
    "A.8": (2, 5),
    "A.9": (2, 4),
    "A.10": (2, 4),
}
# Its headings, and the numbered elements of part V.
SR = {
    "IV Model Development, Implementation, and Use",
    "V Model Validation",
    "V.1 Evaluation of Conceptual Soundness",
    "V.2 Ongoing Monitoring",
    "V.3 Outcomes Analysis",
    "VI Governance, Policies, and Controls",
    "VI Policies and Procedures",
    "VI Roles and Responsibilities",
    "VI Internal Audit",
    "VI Model Inventory",
    "VI Documentation",
}


def test_every_control_that_is_known_stands_in_its_framework() -> None:
    nist = {f"{f} {c}.{s}" for f, counts in NIST.items() for c, n in enumerate(counts, 1) for s in range(1, n + 1)}
    assert len(nist) == 72
    iso = {f"{group}.{number}" for group, (low, high) in ISO.items() for number in range(low, high + 1)}
    assert len(iso) == 38
    assert set(FRAMEWORKS["nist-ai-rmf"].controls) <= nist
    assert set(FRAMEWORKS["iso-42001"].controls) <= iso
    assert set(FRAMEWORKS["sr-11-7"].controls) <= SR
    for control in FRAMEWORKS["eu-ai-act"].controls:
        found = re.fullmatch(r"Article (\d+)\((\d+)\)(?:\(([a-z])\))?", control)
        assert found is not None
        article, paragraph, point = found.groups()
        assert 1 <= int(paragraph) <= ACT[article]
        assert point is None or point in POINTS[f"{article}({paragraph})"]


def _rules() -> set[str]:
    """Codes of rules: those of annotations that are no other code with the word of a verdict behind it."""
    known = load_annotations()
    return {c for c in known if not (c.rpartition(".")[2] in SUFFIXES and c.rpartition(".")[0] in known)}


def test_every_rule_supports_a_control_that_is_known() -> None:
    assert {code for one in SUPPORTS for code in one.codes} == _rules()
    for one in SUPPORTS:
        assert sum(map(len, one.supports.values())) >= 1
        said = {**vars(one), "supports": {name: list(controls) for name, controls in one.supports.items()}}
        assert list(faults(said)) == []


def test_every_check_of_every_gate_is_among_them() -> None:
    data = PolicySet.load().data
    checks = {check for limits in data["thresholds"].values() for check in limits["limits"]}
    assert len(checks) > 50
    for check in checks:
        assert support_of(check, SUPPORTS) is not None
        assert support_of(f"{check}.inconclusive", SUPPORTS) is support_of(check, SUPPORTS)


def _within(schema: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a part of a schema may be: behind references, unions and lists."""
    if "$ref" in part:
        yield from _within(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    elif "items" in part:
        yield from _within(schema, part["items"])
    elif "anyOf" in part:
        for one in part["anyOf"]:
            yield from _within(schema, one)
    else:
        yield part


def test_the_evidence_named_is_a_field_of_the_decision_input() -> None:
    schemas = [
        json.loads((schema_folder() / f"{name}-input.v1.json").read_bytes())
        for name in ("decision", "action", "change")
    ]
    fields = {field for one in SUPPORTS for field in one.evidence}
    assert len(fields) > 20
    for field in fields:
        assert any(_has(schema, field) for schema in schemas), field


def _has(schema: dict[str, Any], field: str) -> bool:
    parts = [schema]
    for word in field.split("."):
        parts = [
            one["properties"][word]
            for part in parts
            for one in _within(schema, part)
            if word in one.get("properties", {})
        ]
    return bool(parts)


def test_no_rule_says_that_anything_complies() -> None:
    texts = [path.read_text(encoding="utf-8") for path in policies_folder().rglob("*.rego")]
    printed = CliRunner().invoke(cli, ["policy", "controls"]).output
    for text in [*texts, printed, (module_folder() / FILE).read_text(encoding="utf-8")]:
        assert not re.search(r"\bcompl(y|ies|iant|iance)\b", text, re.IGNORECASE)


def test_controls_are_listed_by_framework_with_what_shows_them() -> None:
    text = CliRunner().invoke(cli, ["policy", "controls"]).output
    for framework in FRAMEWORKS.values():
        assert framework.name in text
    assert "Supported by no rule here: " in text
    assert "neither meets the control nor replaces a person's judgement" in text
    table = CliRunner().invoke(cli, ["policy", "controls", "--framework", "eu-ai-act", "-o", "markdown"]).output
    assert "## EU AI Act" in table
    assert "NIST" not in table
    [row] = [line for line in table.splitlines() if line.startswith("| Article 15(5)") and "isolation" in line]
    assert "evidence.isolation" in row
    answer = CliRunner().invoke(cli, ["policy", "controls", "-o", "json"]).output
    [entry] = json.loads(answer)["nist-ai-rmf"]["MEASURE 2.11"]
    assert "fairness.selection_rate_difference" in entry["codes"]
    assert entry["owner"] in OWNERS


def test_explain_says_what_a_rule_supports() -> None:
    text = CliRunner().invoke(cli, ["explain", "calibration.ece.inconclusive"]).output
    assert "Supports NIST AI Risk Management Framework: MEASURE 2.3, MEASURE 2.5" in text
    assert "Not covered: " in text
    [found] = json.loads(CliRunner().invoke(cli, ["explain", "ladder.skipped", "-o", "json"]).output)
    assert found["supports"]["nist-ai-rmf"] == ["MANAGE 1.1"]
    assert found["evidence"] == ["ledger.rung_below", "ledger.known_releases"]


PACKAGE = {
    "owner": "risk",
    "supports": {"nist-ai-rmf": ["MANAGE 1.1"]},
    "evidence": ["request.actor"],
    "not_covered": "All else.",
}


def _inspected(package: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    path = [{"value": word} for word in ("data", "gates", "release", "x")]
    return {
        "annotations": [
            {"annotations": {"scope": "package", "custom": package}, "path": path},
            {
                "annotations": {"scope": "rule", "custom": {"code": "x.y", **rule}},
                "path": [*path, {"value": "results"}],
            },
        ]
    }


def test_a_rule_goes_before_its_package() -> None:
    [one] = collect(_inspected(PACKAGE, {}))
    assert one == Support(("x.y",), "risk", {"nist-ai-rmf": ("MANAGE 1.1",)}, ("request.actor",), "All else.")
    [other] = collect(_inspected(PACKAGE, {"owner": "policy"}))
    assert other.owner == "policy"
    assert other.supports == one.supports


@pytest.mark.parametrize("word", sorted(PACKAGE))
def test_a_rule_whose_package_is_silent_is_refused(word: str) -> None:
    with pytest.raises(EngineError) as error:
        collect(_inspected({k: v for k, v in PACKAGE.items() if k != word}, {}))
    assert error.value.code == "policy.controls"
    assert word in error.value.message


def test_a_control_that_no_rule_supports_is_shown_as_such() -> None:
    found = by_control(SUPPORTS)
    assert {name: set(controls) for name, controls in found.items()} == {
        name: set(framework.controls) for name, framework in FRAMEWORKS.items()
    }
    assert any(not rules for controls in found.values() for rules in controls.values())
    assert Path(module_folder() / FILE).is_file()
