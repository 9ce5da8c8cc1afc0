"""The demonstration, run whole; each answer by its code, and what flips it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cli_runner import gates

from gates.bundle.store import Store
from gates.bundle.trust import load_trust
from gates.decide.engines.interface import DECISION
from gates.project import Engines

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
WORK = FLIGHTS / "work"

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def printed() -> str:
    done = subprocess.run(
        [sys.executable, FLIGHTS / "demo.py"], capture_output=True, text=True, check=False, env={**os.environ, "CI": ""}
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def engines(printed: str) -> Engines:
    return Engines(FLIGHTS / "policies", load_trust(WORK / "trust.yaml"))


@pytest.fixture(scope="module")
def document(printed: str) -> dict[str, Any]:
    """The input of the decision that let the good candidate into production."""
    answer = json.loads((WORK / "answers" / "production.json").read_text())
    found: dict[str, Any] = json.loads(Store(WORK / "store").get(answer["decision"]["input_digest"]))
    return found


def answer_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WORK / "answers" / f"{name}.json").read_text())
    return found


def codes(answer: dict[str, Any], disposition: str) -> set[str]:
    rows = answer["rows"] if "rows" in answer else answer["results"]
    return {row["code"] for row in rows if row["disposition"] == disposition}


def test_each_candidate_gets_its_answer_for_its_reason(printed):
    assert codes(answer_of("overconfident"), "denies") >= {"calibration.ece"}
    assert codes(answer_of("skewed"), "denies") == {"parity.mismatch"}
    uncalibrated = answer_of("uncalibrated")
    assert (uncalibrated["answer"], uncalibrated["basis"]) == ("allow", "provisional")
    assert "calibration.ece.provisional" in codes(uncalibrated, "accepted")
    good = answer_of("good")
    assert (good["answer"], good["basis"]) == ("allow", "proven")
    production = answer_of("production")
    assert (production["answer"], production["basis"], production["simulated"]) == ("allow", "proven", False)


def test_only_the_unit_of_one_feature_denies_the_skewed_candidate(printed):
    rows = [row for row in answer_of("skewed")["rows"] if row["disposition"] == "denies"]
    assert len(rows) == 1
    assert rows[0]["item"]["kind"] == "feature"


def test_small_carriers_are_inconclusive_and_not_dropped(printed):
    rows = {
        row["slice"]["value"]: row
        for row in answer_of("good")["rows"]
        if row.get("slice", {}).get("column") == "carrier" and row["check"] == "calibration.ece"
    }
    assert len(rows) == 16
    assert rows["OO"]["disposition"] == "tolerated"


def test_the_last_screen_names_every_candidate_and_its_page(printed):
    last = printed[printed.rindex("What was decided") :]
    for name in ("overconfident", "skewed", "uncalibrated", "good", "ALLOW", "DENY", "provisional"):
        assert name in last
    assert len(list((WORK / "pages").glob("*.html"))) == 5


def figure(document: dict[str, Any], check: str, item: str | None = None) -> dict[str, Any]:
    return next(
        m
        for evidence in document["evidence"]
        for m in evidence["measurements"]
        if m["check"] == check and m["slice"]["kind"] == "whole" and (item is None or m["item"]["name"] == item)
    )


def verdict(engines: Engines, document: dict[str, Any], check: str, item: str | None = None) -> dict[str, Any]:
    answer = engines.engine.evaluate(DECISION, document)
    row = next(
        r
        for r in answer["results"]
        if r["check"] == check and r["slice"]["kind"] == "whole" and (item is None or r["item"]["name"] == item)
    )
    return {"allow": answer["allow"], **row}


def move(document: dict[str, Any], check: str, item: str | None, side: str, value: float) -> dict[str, Any]:
    changed = deepcopy(document)
    for bound in figure(changed, check, item)["bounds"]:
        bound[side] = value
    return changed


def test_the_stored_input_is_allowed_as_it_stands(engines, document):
    assert engines.engine.evaluate(DECISION, document)["allow"] is True


BOUNDARIES: list[tuple[str, str | None, str, float, bool]] = [
    ("calibration.ece", None, "upper", 0.02, False),
    ("calibration.bin", "3", "upper", 0.05, True),
    ("calibration.bin", "3", "lower", -0.05, True),
    ("calibration.under_coverage", "0.9", "upper", 0.02, True),
    ("calibration.over_coverage", "0.9", "upper", 0.02, True),
    ("regression.auc_vs_champion", None, "lower", -0.01, True),
    ("regression.log_loss_vs_champion", None, "upper", 1.02, True),
    ("regression.brier_vs_champion", None, "upper", 1.02, True),
    ("regression.brier_vs_baseline", None, "upper", 1.0, False),
]


@pytest.mark.parametrize(("check", "item", "side", "limit", "inclusive"), BOUNDARIES)
def test_a_number_moved_over_its_limit_flips_the_decision_and_the_boundary_is_exact(
    engines, document, check, item, side, limit, inclusive
):
    worse: Callable[[float], float] = lambda x: math.nextafter(x, math.inf if side == "upper" else -math.inf)  # noqa: E731
    better: Callable[[float], float] = lambda x: math.nextafter(x, -math.inf if side == "upper" else math.inf)  # noqa: E731
    assert verdict(engines, move(document, check, item, side, better(limit)), check, item)["allow"] is True
    at = verdict(engines, move(document, check, item, side, limit), check, item)
    assert (at["allow"], at["verdict"]) == ((True, "pass") if inclusive else (False, "inconclusive"))
    over = verdict(engines, move(document, check, item, side, worse(limit)), check, item)
    assert (over["allow"], over["verdict"]) == (False, "inconclusive")
    assert over["code"] == f"{check}.inconclusive"


def test_a_census_over_its_limit_fails(engines, document):
    changed = deepcopy(document)
    feature = figure(changed, "parity.mismatch")
    for value, allowed in ((0.001, True), (math.nextafter(0.001, 1), False)):
        feature["estimate"] = value
        for bound in feature["bounds"]:
            bound["lower"] = bound["upper"] = value
        assert engines.engine.evaluate(DECISION, changed)["allow"] is allowed


@pytest.mark.long
def test_the_model_of_minutes_covers_where_it_is_unsure_as_where_it_is_sure(printed, tmp_path):
    made = subprocess.run([sys.executable, "minutes.py"], cwd=FLIGHTS, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    answer = tmp_path / "answer.json"
    for candidate, exit_code, denied in (
        ("adaptive", 0, set()),
        # One interval for all flights, told from their delays alone, is as narrow as the linear model's.
        ("one length", 1, {"calibration.stratum_under_coverage", "calibration.width_vs_baseline"}),
    ):
        version = {"one length": "1", "adaptive": "2"}[candidate]
        uri = f"models:/flights-minutes/{version}"
        done = gates("check", "--candidate", uri, "--json", answer, cwd=FLIGHTS / "delay-minutes")
        assert done.code == exit_code, done.out + done.err
        rows = json.loads(answer.read_text())["rows"]
        assert {row["check"] for row in rows if row["disposition"] == "denies"} == denied, candidate
        checks = {row["check"] for row in rows}
        assert {"calibration.pit", "calibration.under_coverage", "calibration.width_vs_baseline"} <= checks
