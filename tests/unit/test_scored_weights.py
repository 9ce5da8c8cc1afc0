"""Weights have mean 1 and payoffs are finite, whatever the task; a supplied champion is told apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.errors import UsageError
from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Given, Scored
from gates.measure.scored import scored_by_scorer
from gates.measure.scored_features import write_features
from gates.records import Reason


@pytest.mark.parametrize("factor", [1.0, 3.7, 1e-300, 1e300, 5e305])
def test_only_ratios_of_weights_count(world: World, factor: float) -> None:
    rng = np.random.default_rng(1)
    weights = rng.gamma(2.0, 1.0, 1_000)
    world.add("predictions", {"y": [0, 1] * 500, "p": 0.3, "w": weights * factor})
    scored = world.scored(plan(weight="w"))
    assert isinstance(scored, Scored)
    assert scored.weighted
    found = scored.table.to_pandas()["weight"]
    assert found.mean() == pytest.approx(1, abs=1e-9)
    assert np.allclose(found, weights / weights.mean(), rtol=1e-8)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, None, math.inf])
def test_a_weight_is_finite_and_above_0(world: World, weight: float | None) -> None:
    world.add("predictions", {"y": [0, 1], "p": 0.3, "w": pd.Series([1.0, weight], dtype=float)})
    with pytest.raises(UsageError, match="the weight is not a finite number above 0 in 1 of 2 rows") as caught:
        world.scored(plan(weight="w"))
    assert caught.value.code == "weight.invalid"


def test_a_row_that_outweighs_a_thousand_is_refused(world: World) -> None:
    world.add("predictions", {"y": [0, 1] * 2000, "p": 0.3, "w": [1.0] * 3999 + [2000.0]})
    with pytest.raises(UsageError, match="weighs more than 1000 times the mean"):
        world.scored(plan(weight="w"))


@pytest.mark.parametrize("name", ["weight", "payoff"])
def test_weights_and_payoffs_are_numbers(world: World, name: str) -> None:
    world.add("predictions", {"y": [0, 1], "p": 0.3, "w": ["a", "b"]})
    with pytest.raises(UsageError, match=f'{name} "w" is of type string') as caught:
        world.scored(plan(**{name: "w"}))
    assert caught.value.code == f"{name}.invalid"


@pytest.mark.parametrize("payoff", [math.nan, None, -math.inf])
def test_a_payoff_is_finite(world: World, payoff: float | None) -> None:
    world.add("predictions", {"y": [0, 1], "p": 0.3, "v": pd.Series([-7.5, 2.0], dtype=float)})
    scored = world.scored(plan(payoff="v"))
    assert isinstance(scored, Scored)
    assert scored.table.to_pandas()["payoff"].tolist() == [-7.5, 2.0]
    world.add("predictions", {"y": [0, 1], "p": 0.3, "v": pd.Series([-7.5, payoff], dtype=float)})
    with pytest.raises(UsageError, match="the payoff is not a finite number in 1 of 2 rows"):
        world.scored(plan(payoff="v"))


def test_weights_are_the_holdouts(world: World) -> None:
    world.add("holdout", {"k": [1, 2], "y": [0, 1], "w": [1, 3]}).add("predictions", {"k": [2, 1], "p": [0.2, 0.1]})
    found = world.frame(plan(key=("k",), weight="w")).sort_values("p")
    assert found["weight"].tolist() == [0.5, 1.5]


def supplied(world: World, champion: Any, **columns: Any) -> Scored | Reason:
    """A candidate that the scorer answered for, beside a champion's table."""
    named = plan(**{"key": ("id",), "features": ("x",), "score": None, "champion_score": "old", **columns})
    world.add("champion_predictions", champion)
    holdout = world.opened["holdout"]
    write_features(world.tables, holdout, named, world.folder / "f.parquet")
    seen = pd.read_parquet(world.folder / "f.parquet")
    seen.assign(p=seen["x"] / 100)[["row_id", "p"]].to_parquet(world.folder / "p.parquet")
    return scored_by_scorer(
        world.tables, named, holdout, world.folder / "p.parquet", world.opened["champion_predictions"]
    )


@pytest.mark.parametrize("key", ["id", "row_id", "position"])
def test_a_champion_that_cannot_score_brings_a_table(world: World, key: str) -> None:
    """Also where the key has the name that the scorer's rows have."""
    n = 60
    holdout = pd.DataFrame({key: range(1000, 1000 + n), "x": np.arange(n) + 0.5, "y": np.arange(n) % 2})
    world.add("holdout", holdout)
    champion = pd.DataFrame({key: range(1000, 1000 + n), "old": (np.arange(n) + 1) / 200})
    scored = supplied(world, champion.sample(frac=1, random_state=4), key=(key,))
    assert isinstance(scored, Scored)
    assert (scored.champion, scored.champion_supplied, scored.predictions) == (True, True, "scored")
    assert (scored.source(champion=False), scored.source(champion=True)) == ("scored", "supplied")
    found = scored.table.to_pandas().sort_values("p")
    assert found["y"].tolist() == holdout["y"].tolist()
    assert np.allclose(found["q"], (np.arange(n) + 1) / 200)


def test_a_champions_table_without_its_rows_or_a_key_is_told(world: World) -> None:
    world.add("holdout", {"id": [1, 2, 3], "x": [1.0, 2.0, 3.0], "y": [0, 1, 1]})
    old = {"id": [1, 2, 3], "old": [0.1, 0.2, 0.3]}
    assert supplied(world, pd.DataFrame(old).iloc[:2]) is Reason.ROWS_UNPAIRED
    assert supplied(world, pd.DataFrame(old).iloc[:0]) is Reason.EMPTY_TABLE
    assert supplied(world, {**old, "id": [1, 2, 2]}) is Reason.KEYS_NOT_UNIQUE
    assert supplied(world, {**old, "old": [0.1, 0.2, math.nan]}) is Reason.NAN_SCORES
    with pytest.raises(UsageError, match="no key says which rows belong together"):
        supplied(world, old, key=())
    with pytest.raises(UsageError, match=r'no column "old"'):
        supplied(world, {"id": [1, 2, 3], "older": [0.1, 0.2, 0.3]})


def test_a_figure_says_what_weighed_its_rows(world: World) -> None:
    world.add("predictions", {"y": [0, 1] * 20, "p": 0.3, "w": [1.0, 2.0] * 20})
    for asked, named in ((plan(weight="w"), {"w"}), (plan(), set())):
        scored = world.scored(asked)
        found = CalibrationGate().measure(Given(asked, world.opened, scored, None)).measurements
        params = {p.value for m in found for p in m.params if p.name == "weight"}
        assert params == named


def test_the_policy_owners_weight_goes_before_the_specs(world: World) -> None:
    world.add("predictions", {"y": [0, 1], "p": 0.3, "w": [1.0, 1.0], "theirs": [1.0, 3.0]})
    asked = plan(weight="w")
    owned = asked.model_copy(update={"parameters": asked.parameters.model_copy(update={"weight": "theirs"})})
    assert world.frame(owned)["weight"].tolist() == [0.5, 1.5]
    assert world.frame(asked)["weight"].tolist() == [1.0, 1.0]
