"""What a holdout can prove, joined with policy's limits: facts from tables, answers by environment, words for readers."""

from __future__ import annotations

import re
from dataclasses import replace
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


DAYS = Holdout(65_448, 65_448.0, rate=0.238, clusters=365, number=359.0, freedom=350.0, effect=21.42)
"""The flights demonstration: labels share much within a day, and what a model leaves of it is not known before."""
BY_DAY = plan(parameters=Parameters(cluster="day"))


def test_clusters_give_a_range_that_a_limit_can_lie_in() -> None:
    found = resolved(DAYS, BY_DAY)
    shown = {item.checks[0]: item for item in found.shown}
    ece = shown["calibration.ece"]
    # What the demonstration's good model was proven to keep to.
    assert ece.smallest < 0.0092 < ece.smallest_at_worst
    staging, production = ece.limits
    assert (staging.possible, staging.proof) == (True, True)
    assert (production.possible, production.proof) == (True, False)
    assert production.rows is not None
    assert production.rows_at_worst is not None
    assert production.rows < DAYS.counted < production.rows_at_worst
    assert shown["regression.auc_vs_champion"].limits[0].possible
    assert not shown["regression.auc_vs_champion"].limits[0].proof


def test_without_clusters_both_ends_are_one() -> None:
    for item in resolved(Holdout(3_000, 3_000.0, rate=0.5)).shown:
        assert item.smallest == item.smallest_at_worst
        assert all((at.rows, at.proof) == (at.rows_at_worst, at.possible) for at in item.limits)


def test_an_open_limit_is_called_open_and_lint_is_silent_on_it() -> None:
    found = resolved(DAYS, BY_DAY)
    lines = resolution_text(BY_DAY, found).splitlines()
    [production] = [line for line in lines if line.startswith("calibration.ece") and "production" in line]
    assert re.search(r"< 0\.0078 to 0\.024 +< 0\.02 ", production)
    assert re.search(r" 11,000 to 94,000 +open: enough if the model knows its clusters$", production)
    [staging] = [line for line in lines if line.startswith("calibration.ece") and "staging" in line]
    assert staging.endswith("  enough")
    [auc] = [line for line in lines if line.startswith("regression.auc_vs_champion")]
    assert re.search(r"≥ -0\.0043 to -0\.02 ", auc)
    assert any("share nothing" in line and "21.42 times the variance" in line for line in lines)
    assert "11,000 to 94,000 | open: enough" in resolution_text(BY_DAY, found, markdown=True)
    by_check = {item["checks"][0]: item for item in resolution_document(BY_DAY, found)["checks"]}
    ece = by_check["calibration.ece"]
    assert ece["smallest_limit"] < 0.0092 < ece["smallest_limit_at_worst"]
    at = ece["limits"][1]
    assert (at["rows"], at["rows_at_worst"], at["possible"], at["proof"]) == (11_000, 94_000, True, False)
    assert list(below_resolution(found)) == []


def test_what_even_the_best_end_does_not_show_is_too_few() -> None:
    few = resolved(replace(DAYS, counted=3_000, rows=3_000.0), BY_DAY)
    [line] = [line for line in below_resolution(few) if line.startswith("production: calibration.ece")]
    assert "would do at best; until then it is provisional at best" in line
    text = resolution_text(BY_DAY, few)
    [production] = [line for line in text.splitlines() if line.startswith("calibration.ece") and "production" in line]
    assert production.endswith("provisional at best")
    assert any(line.startswith("regression.auc_vs_champion") and line.endswith("too few") for line in text.splitlines())


def test_where_labels_tell_nothing_a_cluster_says_at_worst_as_much_as_a_row(tmp_path: Path) -> None:
    wanted = (Requirement(environment="staging", check="calibration.under_coverage", role="prove"),)
    asked = plan(task="numeric", requirements=wanted, parameters=Parameters(cluster="day"))
    found = look(tmp_path, asked, holdout=frame())
    assert found.number is not None
    assert found.effect == pytest.approx(4_000 / found.number)
    [shown] = resolved(found, asked).shown
    alone = resolved(Holdout(30, 30.0, clusters=30, number=found.number, freedom=found.freedom), asked).shown[0]
    assert shown.smallest < 0.02 < shown.smallest_at_worst == pytest.approx(alone.smallest, abs=0.01)
    assert "clusters that each say as much as one row" in resolution_text(asked, resolved(found, asked))


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
