"""The heaviest weight of the table comes to every figure of weighted rows, of whatever gate, task and slice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.measure.calibration import CalibrationGate
from gates.measure.fairness import FairnessGate
from gates.measure.interface import Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Measurement, Parameters, Plan
from gates.records.plan import Interval, Outcomes, Quantile, Requirement

ROWS = 3_000
APART = {"calibration.fitted_share", "calibration.spiegelhalter"}
"""A census, and a Z of these rows that proves nothing of others."""


def binary(rng: np.random.Generator) -> tuple[pd.DataFrame, Plan]:
    x = rng.normal(-1, 1.5, ROWS)
    p, q = (1 / (1 + np.exp(-x - noise * rng.normal(size=ROWS))) for noise in (0.2, 0.4))
    frame = {
        "y": (rng.random(ROWS) < 1 / (1 + np.exp(-x))).astype(int),
        "p": p,
        "old": q,
        "sex": ["a", "b"] * (ROWS // 2),
    }
    return pd.DataFrame(frame), plan(champion_score="old", groups=("sex",), weight="w")


def multiclass(rng: np.random.Generator) -> tuple[pd.DataFrame, Plan]:
    x = rng.normal(size=(ROWS, 3)) * 1.5
    frame = pd.DataFrame({"y": (x + rng.gumbel(size=x.shape)).argmax(axis=1).astype(str)})
    for name, noise in (("p", 0.2), ("q", 0.5)):
        z = np.exp(x + noise * rng.normal(size=x.shape))
        frame[[f"{name}{k}" for k in range(3)]] = z / z.sum(axis=1, keepdims=True)
    names: dict[str, Any] = {"classes": ("0", "1", "2"), "class_scores": ("p0", "p1", "p2")}
    return frame, plan(task="multiclass", champion_class_scores=("q0", "q1", "q2"), weight="w", **names)


def numeric(rng: np.random.Generator) -> tuple[pd.DataFrame, Plan]:
    x = rng.normal(0, 3, ROWS)
    frame = {"y": x + rng.normal(size=ROWS), "p": x, "old": x + 0.3 * rng.normal(size=ROWS)}
    frame |= {"low": x - 1.6, "high": x + 1.7 + 0.1 * rng.random(ROWS), "median": x + 0.01}
    intervals, quantiles = (Interval(level=0.9, lower="low", upper="high"),), (Quantile(level=0.5, column="median"),)
    asked = plan(task="numeric", champion_score="old", intervals=intervals, quantiles=quantiles, weight="w")
    return pd.DataFrame(frame), asked


def measured(asked: Plan, world: World, scored: Scored) -> list[Measurement]:
    given = Given(asked, world.opened, scored, None)
    return [
        m for gate in (CalibrationGate(), RegressionGate(), FairnessGate()) for m in gate.measure(given).measurements
    ]


def width(found: Measurement) -> float:
    [first, *_] = found.bounds
    ends = [float(end) for end in (first.lower, first.upper) if end != "unbounded"]
    return ends[1] - ends[0] if len(ends) == 2 else np.inf


@pytest.mark.parametrize("task", [binary, multiclass, numeric])
def test_every_weighted_figure_allows_for_a_row_as_heavy_as_the_heaviest(world: World, task: Any) -> None:
    rng = np.random.default_rng(4)
    frame, asked = task(rng)
    frame["w"] = rng.uniform(0.5, 1.5, ROWS)
    frame["part"] = rng.choice(["n", "s"], ROWS)
    world.add("predictions", frame)
    cost = Outcomes(true_positive=0, false_positive=1, false_negative=5, true_negative=0)
    scorer = {"binary": "f1_macro", "multiclass": "balanced_accuracy", "numeric": "neg_mean_absolute_percentage_error"}
    wanted = Requirement(check=f"regression.{scorer[asked.task]}_vs_champion", role="prove", environment="development")
    parameters = Parameters(slices=("part",), cost=cost if asked.task == "binary" else None)
    asked = asked.model_copy(update={"parameters": parameters, "requirements": (wanted,)})
    scored = world.scored(asked)
    assert isinstance(scored, Scored)
    assert scored.heaviest == pytest.approx(frame.w.max() / frame.w.mean(), rel=1e-9)
    heavier = replace(scored, heaviest=50 * float(scored.heaviest or 0))
    here, there = (measured(asked, world, each) for each in (scored, heavier))
    compared = 0
    for one, other in zip(here, there, strict=True):
        assert (one.check, one.slice, one.item, one.reason) == (other.check, other.slice, other.item, other.reason)
        if one.reason is not None or one.check in APART:
            continue
        compared += 1
        assert one.estimate == other.estimate, one.check
        assert width(other) > width(one) or width(one) == np.inf, (one.check, one.slice, one.item, one.subject)
    assert compared > 20


def test_without_weights_there_is_no_heaviest(world: World) -> None:
    world.add("predictions", {"y": [0, 1] * 20, "p": 0.3})
    scored = world.scored(plan())
    assert isinstance(scored, Scored)
    assert (scored.heaviest, scored.weighted) == (None, False)
