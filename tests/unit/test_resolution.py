"""What a holdout can prove, joined with policy's limits: facts from tables, answers by environment, words for readers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.decide.policy_lint import below_resolution
from gates.decide.resolution import Resolution, resolve, slices_to_prove
from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.measure.holdout import look_at
from gates.measure.stats.resolution import Holdout
from gates.records import WHOLE, Columns, Parameters, Plan, Requirement, Slice, Table
from gates.records.plan import Interval, Quantile
from gates.render.resolution import resolution_document, resolution_text

DIGEST = "sha256:" + "0" * 64
DATA: dict[str, Any] = {
    "thresholds": {
        "staging": {
            "limits": {
                "calibration.ece": {"high": {"limit": 0.05, "inclusive": False, "ceiling": 0.1}},
                "calibration.bin": {"high": {"limit": 0.05, "inclusive": True, "mirror": {"limit": -0.05}}},
                "calibration.under_coverage": {"high": {"limit": 0.02, "inclusive": True, "ceiling": 0.04}},
                "regression.auc_vs_champion": {"high": {"limit": -0.01, "inclusive": True}},
            }
        },
        "production": {"limits": {"calibration.ece": {"high": {"limit": 0.02, "inclusive": False, "ceiling": 0.05}}}},
    }
}
CHECKS = (
    "calibration.ece",
    "calibration.bin",
    "calibration.under_coverage",
    "regression.auc_vs_champion",
    "regression.brier_vs_champion",
)
UA = Slice(kind="value", column="carrier", value="UA")


def plan(**changes: Any) -> Plan:
    wanted = [Requirement(environment="staging", check=check, role="prove", slice=WHOLE) for check in CHECKS]
    fields: dict[str, Any] = {
        "model": "m",
        "task": "binary",
        "tier": "high",
        "environments": ("staging", "production"),
        "requirements": (*wanted, Requirement(environment="production", check="calibration.ece", role="prove")),
        "tables": (Table(role="holdout", uri="h.csv"),),
        "columns": Columns(label="y"),
        "policy_digest": DIGEST,
        "spec_digest": DIGEST,
    }
    return Plan(**(fields | changes))


def look(tmp_path: Path, asked: Plan, where: Slice = WHOLE, **tables: pd.DataFrame) -> Holdout:
    with Tables() as opener:
        opened = {}
        for role, frame in tables.items():
            path = tmp_path / f"{role}.parquet"
            frame.to_parquet(path)
            opened[role] = opener.open_file(role, path)  # type: ignore[arg-type]
        return look_at(asked, opened, where)


def frame(n: int = 4_000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(-1, 1.5, n)))
    carrier = np.where(rng.random(n) < 0.25, "UA", "ü\n|")
    return pd.DataFrame(
        {"y": (rng.random(n) < p).astype(int), "p": p, "day": rng.integers(0, 30, n), "carrier": carrier}
    )


def resolved(found: Holdout, asked: Plan | None = None) -> Resolution:
    return resolve(asked or plan(), DATA, {WHOLE: found})


def test_facts_of_the_holdout_are_counted(tmp_path: Path) -> None:
    rows = frame()
    found = look(tmp_path, plan(), holdout=rows)
    assert (found.counted, found.rows, found.clusters, found.scores) == (4_000, 4_000.0, None, None)
    assert found.rate == pytest.approx(rows.y.mean())


def test_clusters_weights_and_slices_make_fewer_rows(tmp_path: Path) -> None:
    rows = frame().assign(w=np.where(np.arange(4_000) < 400, 10.0, 1.0))
    asked = plan(parameters=Parameters(cluster="day"), columns=Columns(label="y", weight="w"))
    found = look(tmp_path, asked, holdout=rows)
    assert found.clusters == 30
    assert found.effect >= 1
    assert found.rows == pytest.approx(rows.w.sum() ** 2 / (rows.w**2).sum())
    part = look(tmp_path, asked, UA, holdout=rows)
    assert part.counted == (rows.carrier == "UA").sum()
    together = rows.assign(y=(rows.day % 2))
    assert look(tmp_path, asked, holdout=together).effect > 50


def test_scores_that_are_there_are_used_and_show_more(tmp_path: Path) -> None:
    rows = frame()
    asked = plan(columns=Columns(label="y", score="p"))
    known = look(tmp_path, asked, holdout=rows, predictions=rows[["p"]])
    assert known.scores is not None
    assert known.scores.share.sum() == pytest.approx(1)
    assert known.scores.share @ known.scores.mean == pytest.approx(rows.p.mean())
    assert known.scores.share @ known.scores.variance == pytest.approx((rows.p * (1 - rows.p)).mean())
    unknown = resolved(look(tmp_path, plan(), holdout=rows))
    for a, b in zip(resolved(known, asked).shown, unknown.shown, strict=True):
        assert a.smallest <= b.smallest
    rival = look(
        tmp_path, plan(columns=Columns(label="y", champion_score="p")), holdout=rows, champion_predictions=rows
    )
    assert rival.scores is not None


def test_each_environment_gets_its_own_answer() -> None:
    found = resolved(Holdout(3_000, 3_000.0, rate=0.5))
    ece = next(shown for shown in found.shown if shown.checks == ("calibration.ece",))
    staging, production = ece.limits
    assert (staging.environments, staging.proof) == (("staging",), True)
    assert (production.environments, production.proof, production.provisional) == (("production",), False, True)
    assert staging.rows is not None
    assert production.rows is not None
    assert staging.rows <= 3_000 < production.rows
    assert found.open == ("regression.brier_vs_champion",)


def test_lint_names_the_limits_that_a_holdout_cannot_show() -> None:
    few = list(below_resolution(resolve(plan(), DATA, {WHOLE: Holdout(3_000, 3_000.0, rate=0.5)})))
    [found] = [line for line in few if line.startswith("production: calibration.ece")]
    assert "the limit 0.02 is below what the holdout can show" in found
    assert "provisional at best" in found
    assert not any("staging: calibration.ece" in line for line in few)
    many = list(below_resolution(resolve(plan(), DATA, {WHOLE: Holdout(10**7, 1e7, rate=0.5)})))
    assert many == []


def test_an_override_counts_where_it_tightens() -> None:
    tighter = {"staging": {"limits": {"calibration.ece": {"high": {"limit": 0.01, "inclusive": True}}}}}
    looser = {"staging": {"limits": {"calibration.ece": {"high": {"limit": 0.5, "inclusive": True}}}}}
    for own, limit in ((tighter, 0.01), (looser, 0.05)):
        found = resolve(plan(), {**DATA, "overrides": own}, {WHOLE: Holdout(3_000, 3_000.0, rate=0.5)})
        ece = next(shown for shown in found.shown if shown.checks == ("calibration.ece",))
        assert ece.limits[0].limit.value == limit


def _tiers(**limits: float) -> dict[str, dict[str, object]]:
    return {"calibration.ece": {tier: {"limit": value, "inclusive": True} for tier, value in limits.items()}}


@pytest.mark.parametrize(
    ("own", "shipped", "limit"),
    [
        ({"any": 0.01}, {"high": 0.05}, 0.01),
        ({"any": 0.01, "high": 0.02}, {"high": 0.05}, 0.02),
        ({"any": 0.01, "high": 0.06}, {"high": 0.05}, 0.01),
        ({"any": 0.5}, {"high": 0.05}, 0.05),
        ({"low": 0.01}, {"high": 0.05}, 0.05),
        ({"any": 0.01}, {"any": 0.03}, 0.01),
        ({}, {"any": 0.03, "low": 0.01}, 0.03),
        ({}, {"any": 0.03, "high": 0.04}, 0.04),
        ({"high": 0.01}, {"low": 0.05}, None),
    ],
)
def test_limits_of_any_tier_count_as_in_the_policies(
    own: dict[str, float], shipped: dict[str, float], limit: float | None
) -> None:
    data = {
        root: {"staging": {"limits": _tiers(**said)}} for root, said in (("thresholds", shipped), ("overrides", own))
    }
    asked = plan(requirements=(Requirement(environment="staging", check="calibration.ece", role="prove"),))
    [ece] = resolve(asked, data, {WHOLE: Holdout(3_000, 3_000.0, rate=0.5)}).shown
    assert [at.limit.value for at in ece.limits] == ([] if limit is None else [limit])


def test_a_slice_that_must_be_proven_is_looked_at_by_itself(tmp_path: Path) -> None:
    asked = plan(requirements=(Requirement(environment="staging", check="calibration.ece", role="prove", slice=UA),))
    assert slices_to_prove(asked) == (WHOLE, UA)
    rows = frame()
    found = resolve(
        asked, DATA, {where: look(tmp_path, asked, where, holdout=rows) for where in slices_to_prove(asked)}
    )
    assert [shown.slice for shown in found.shown] == [UA]
    assert "calibration.ece carrier=UA" in resolution_text(asked, found)


def test_a_numeric_task_needs_no_label_and_every_level_counts(tmp_path: Path) -> None:
    levels = tuple(Interval(level=level, lower=f"l{level}", upper=f"u{level}") for level in (0.5, 0.9))
    wanted = tuple(
        Requirement(environment="staging", check=f"calibration.{name}", role="prove")
        for name in ("under_coverage", "over_coverage", "level_coverage", "pit")
    )
    asked = plan(task="numeric", requirements=wanted, columns=Columns(label="y", intervals=levels))
    limit = {"high": {"limit": 0.02, "inclusive": True, "mirror": {"limit": -0.02}}}
    data = {"thresholds": {"staging": {"limits": {item.check: limit for item in wanted}}}}
    found = resolve(asked, data, {WHOLE: look(tmp_path, asked, holdout=frame())})
    shown = {item.checks: item.smallest for item in found.shown}
    both = ("calibration.under_coverage", "calibration.over_coverage")
    assert shown[both] < shown["calibration.level_coverage",] == shown["calibration.pit",]
    assert found.open == ()


def test_a_curve_of_quantiles_counts_beside_that_of_intervals(tmp_path: Path) -> None:
    intervals = tuple(Interval(level=level, lower=f"l{level}", upper=f"u{level}") for level in (0.5, 0.8))
    quantiles = tuple(Quantile(level=level, column=f"q{level}") for level in (0.1, 0.25, 0.5, 0.75, 0.9))
    wanted = (Requirement(environment="staging", check="calibration.pit", role="prove"),)

    def smallest(**columns: Any) -> float:
        asked = plan(task="numeric", requirements=wanted, columns=Columns(label="y", **columns))
        found = resolve(asked, DATA, {WHOLE: look(tmp_path, asked, holdout=frame())})
        return found.shown[0].smallest

    assert smallest() == smallest(quantiles=quantiles)
    assert smallest(quantiles=quantiles, intervals=intervals) > max(
        smallest(quantiles=quantiles), smallest(intervals=intervals)
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.iloc[:0], "holdout.empty"),
        (lambda t: t.drop(columns="y"), "column.unknown"),
        (lambda t: t.assign(y=t.y * 2), "label.invalid"),
        (lambda t: t.assign(y=np.nan), "label.invalid"),
    ],
)
def test_a_holdout_that_tells_nothing_is_refused_with_a_code(tmp_path: Path, change: Any, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        look(tmp_path, plan(), holdout=change(frame(50)))
    assert refused.value.code == code


def test_without_a_holdout_there_is_nothing_to_look_at() -> None:
    with pytest.raises(UsageError) as refused:
        look_at(plan(tables=()), {}, WHOLE)
    assert refused.value.code == "holdout.none"


def test_one_row_or_one_class_is_no_error(tmp_path: Path) -> None:
    for rows in (frame().iloc[:1], frame().assign(y=0)):
        found = resolved(look(tmp_path, plan(), holdout=rows))
        text = resolution_text(plan(), found)
        assert "too few" in text
        assert "nan" not in text.lower()


def test_what_was_assumed_is_said() -> None:
    text = resolution_text(plan(), resolved(Holdout(3_000, 3_000.0, rate=0.5)))
    assert "weights: rows as many" not in text
    assert "weights: rows as many" in resolution_text(plan(), resolved(Holdout(3_000, 900.0, rate=0.5)))
    assert "assumes independent rows" in text
    assert "scores: unknown, and taken as the hardest" in text
    assert "two equal models of area 0.75" in text
    declared = plan(independent_rows=True)
    assert "assumes independent rows" not in resolution_text(declared, resolved(Holdout(9, 9.0, rate=0.5), declared))
    clustered = plan(parameters=Parameters(cluster="day"))
    few = resolved(Holdout(3_000, 3_000.0, rate=0.5, clusters=7, effect=3.0), clustered)
    shown = resolution_text(clustered, few)
    assert "under 8 clusters nothing is measured" in shown
    assert "7 clusters of day (under 20: intervals are rough)" in shown


def test_names_are_only_text() -> None:
    name = "ü\n| <b>[x](y)"
    bad = Slice(kind="value", column="carrier", value=name)
    asked = plan(
        model="m*<i>",
        requirements=(Requirement(environment="staging", check="calibration.ece", role="prove", slice=bad),),
    )
    found = resolve(asked, DATA, {WHOLE: Holdout(9, 9.0, rate=0.5), bad: Holdout(9, 9.0, rate=0.5)})
    marked = resolution_text(asked, found, markdown=True)
    assert not re.search(r"<[bi]>|\[x\]", marked)
    assert len([line for line in marked.splitlines() if line.startswith("|")]) == 3


def test_text_markdown_and_json_say_the_same() -> None:
    found = resolved(Holdout(3_000, 3_000.0, rate=0.5))
    text, marked = resolution_text(plan(), found), resolution_text(plan(), found, markdown=True)
    document = resolution_document(plan(), found)
    by_check = {item["checks"][0]: item for item in document["checks"]}
    assert by_check["calibration.ece"]["smallest_limit"] == pytest.approx(0.0427, abs=5e-4)
    assert "calibration.ece" in text
    assert "< 0.043" in text
    assert "≥ -0.0" in text
    assert "| calibration.ece | &#60; 0.043 |" in marked
    assert all(len(line) <= 120 for line in text.splitlines() if not line.startswith("  "))
