"""Labels and scores that are numbers: in one unit, with intervals and quantiles, and whatever floats can be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.errors import UsageError
from gates.measure.interface import Scored
from gates.records import Reason
from gates.records.plan import Interval, Quantile


def numeric(**columns: Any) -> Any:
    return plan(task="numeric", **columns)


def interval(level: float, name: str = "") -> Interval:
    return Interval(level=level, lower=f"{name}lo{level}", upper=f"{name}hi{level}")


NUMBERS = ("y", "p", "old", "lo0.9", "hi0.9", "oldlo0.9", "oldhi0.9", "q50", "oldq50")
NAMED = {
    "champion_score": "old",
    "intervals": (interval(0.9),),
    "champion_intervals": (interval(0.9, "old"),),
    "quantiles": (Quantile(level=0.5, column="q50"),),
    "champion_quantiles": (Quantile(level=0.5, column="oldq50"),),
}


def whole(n: int = 4) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    y, p, old = rng.normal(0, 30, (3, n))
    ends = {"lo0.9": p - 20, "hi0.9": p + 25, "oldlo0.9": old - 30, "oldhi0.9": old + 30}
    return {"y": y, "p": p, "old": old, **ends, "q50": p + 1, "oldq50": old - 40}


def test_everything_that_a_numeric_model_says(world: World) -> None:
    given = whole(200)
    world.add("predictions", given)
    scored = world.scored(numeric(**NAMED))
    assert isinstance(scored, Scored)
    assert (scored.task, scored.champion, scored.levels, scored.champion_levels) == ("numeric", True, (0.9,), True)
    assert (scored.quantiles, scored.champion_quantiles) == ((0.5,), True)
    largest = max(np.abs(given[name]).max() for name in NUMBERS)
    assert scored.scale == 2 ** math.ceil(math.log2(largest))
    found = scored.table.to_pandas()
    for ours, theirs in (("y", "y"), ("p", "p"), ("q", "old")):
        assert np.array_equal(found[ours] * scored.scale, given[theirs])
    assert np.array_equal(found["width_0"] * scored.scale, given["hi0.9"] - given["lo0.9"])
    assert np.array_equal(found["champion_width_0"] * scored.scale, given["oldhi0.9"] - given["oldlo0.9"])
    inside = (given["lo0.9"] <= given["y"]) & (given["y"] <= given["hi0.9"])
    assert found["covered_0"].tolist() == inside.tolist()
    assert 0 < inside.sum() < 200
    assert found["below_0"].tolist() == (given["y"] <= given["q50"]).tolist()
    for ours, theirs in (("quantile_0", "q50"), ("champion_quantile_0", "oldq50")):
        assert np.array_equal(found[ours] * scored.scale, given[theirs])
    names = ["below_0", "champion_quantile_0", "champion_width_0", "covered_0", "p", "q", "quantile_0", "width_0", "y"]
    assert sorted(found.columns) == names


def test_a_champion_without_some_quantile_has_none(world: World) -> None:
    both = (*NAMED["quantiles"], Quantile(level=0.9, column="hi0.9"))
    world.add("predictions", whole())
    scored = world.scored(numeric(**{**NAMED, "quantiles": both}))
    assert isinstance(scored, Scored)
    assert (scored.quantiles, scored.champion_quantiles) == ((0.5, 0.9), False)
    assert not [name for name in scored.table.columns if name.startswith("champion_q")]


def test_quantiles_are_no_champion(world: World) -> None:
    world.add("predictions", {"y": [1.0, 2.0], "p": 2.0, "q50": 2.0})
    scored = world.scored(numeric(quantiles=NAMED["quantiles"]))
    assert isinstance(scored, Scored)
    assert not scored.champion
    assert not scored.champion_quantiles


@pytest.mark.parametrize("named", [True, False])
def test_a_champions_own_table_has_its_quantiles_under_either_name(world: World, named: bool) -> None:
    given = {"id": [1, 2, 3, 4], **whole()}
    world.add("predictions", {name: value for name, value in given.items() if not name.startswith("old")})
    own = {"id": given["id"], "old": given["old"], "p": given["old"]}
    world.add("champion_predictions", {**own, ("oldq50" if named else "q50"): given["oldq50"]})
    theirs = {"champion_quantiles": NAMED["champion_quantiles"]} if named else {}
    asked = {"quantiles": NAMED["quantiles"], "intervals": NAMED["intervals"], **theirs}
    scored = world.scored(numeric(key=("id",), **asked))
    assert isinstance(scored, Scored)
    assert (scored.champion, scored.champion_quantiles, scored.champion_levels) == (True, True, False)
    found = scored.table.to_pandas().champion_quantile_0 * scored.scale
    assert sorted(found) == sorted(given["oldq50"])


def test_the_ends_of_an_interval_and_a_quantile_belong_to_it(world: World) -> None:
    world.add("predictions", {"y": [1.0, 2.0, 3.0], "p": 2.0, "lo0.9": 1.0, "hi0.9": 2.0, "q50": 2.0})
    found = world.frame(numeric(intervals=(interval(0.9),), quantiles=NAMED["quantiles"]))
    assert found["covered_0"].tolist() == [True, True, False]
    assert found["below_0"].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((0.5, 0.95, 0.9), (0.9, 0.5, 0.95)),
        ((0.99, 0.8), (0.8, 0.99)),
        ((0.9,), (0.9,)),
        ((1e-05, 0.9), (0.9, 1e-05)),
    ],
)
def test_the_plans_level_comes_first_and_the_others_ascend(world: World, levels: Any, expected: Any) -> None:
    ends = {f"{end}{level}": sign * level for level in levels for end, sign in (("lo", -1), ("hi", 1))}
    world.add("predictions", {"y": [0.0, 2.0], "p": [1.0, 1.0], **ends})
    scored = world.scored(numeric(intervals=tuple(map(interval, levels))))
    assert isinstance(scored, Scored)
    assert scored.levels == expected
    found = scored.table.to_pandas()
    for index, level in enumerate(expected):
        assert (found[f"width_{index}"] * scored.scale).tolist() == [2 * level] * 2


def test_a_champion_without_some_level_has_no_widths(world: World) -> None:
    world.add("predictions", {**whole(), "lo0.5": -1.0, "hi0.5": 1.0})
    scored = world.scored(numeric(**{**NAMED, "intervals": (interval(0.9), interval(0.5))}))
    assert isinstance(scored, Scored)
    assert (scored.levels, scored.champion_levels) == ((0.9, 0.5), False)
    assert not [name for name in scored.table.columns if name.startswith("champion_width")]


@pytest.mark.parametrize("bad", [math.nan, None, math.inf, -math.inf, 1e308, -1e308, 2.0**1000 * 1.5])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_usable_number_is_a_reason(world: World, name: str, bad: float | None) -> None:
    given = whole()
    given[name] = pd.Series([*given[name][:3], bad], dtype=float)
    expected = Reason.NULL_LABELS if name == "y" else Reason.NAN_SCORES
    assert world.add("predictions", given).scored(numeric(**NAMED)) is expected


@pytest.mark.parametrize(
    ("largest", "scale"),
    [
        (0.0, 1.0),
        (1.0, 1.0),
        (1.0000001, 2.0),
        (-3.0, 4.0),
        (0.25, 0.25),
        (0.3, 0.5),
        (1e300, 2.0**997),
        (2.0**1000, 2.0**1000),
        (1e-300, 2.0**-996),
        (5e-324, 2.0**-1000),
    ],
)
def test_the_scale_is_a_power_of_two_that_nothing_exceeds(world: World, largest: float, scale: float) -> None:
    world.add("predictions", {"y": [0.0, largest], "p": [largest / 2, 0.0]})
    scored = world.scored(numeric())
    assert isinstance(scored, Scored)
    assert scored.scale == scale
    assert (scored.table.to_pandas()["y"] * scale).tolist() == [0.0, largest]


def test_a_width_is_at_most_one_scale(world: World) -> None:
    world.add("predictions", {"y": [0.0], "p": [0.0], "lo0.9": [-1e301], "hi0.9": [1e301]})
    scored = world.scored(numeric(intervals=(interval(0.9),)))
    assert isinstance(scored, Scored)
    assert scored.table.to_pandas()["width_0"][0] * scored.scale == 2e301
    assert scored.table.to_pandas()["width_0"][0] <= 1


@pytest.mark.parametrize("whose", ["", "old"])
def test_intervals_that_cross_are_refused(world: World, whose: str) -> None:
    given = whole()
    given[f"{whose}hi0.9"] = given[f"{whose}lo0.9"] - np.array([0, 0, 0, 1e-12 * 30])
    with pytest.raises(UsageError, match=r"intervals end below their beginning in \d of 4 rows") as caught:
        world.add("predictions", given).scored(numeric(**NAMED))
    assert caught.value.code == "interval.crossed"
    assert ("champion's" in str(caught.value)) == bool(whose)


@pytest.mark.parametrize(
    ("column", "code"), [("y", "label.invalid"), ("p", "score.invalid"), ("lo0.9", "score.invalid")]
)
@pytest.mark.parametrize("values", [["1", "x", "2", "3"], [True, False, True, False]])
def test_texts_and_truth_values_are_no_numbers(world: World, column: str, code: str, values: Any) -> None:
    with pytest.raises(UsageError) as caught:
        world.add("predictions", {**whole(), column: values}).scored(numeric(**NAMED))
    assert caught.value.code == code


def test_whole_numbers_and_decimals_are_numbers(world: World) -> None:
    world.add("predictions", {"y": np.array([1, 250], dtype="uint8"), "p": np.array([-(2**62), 3])})
    scored = world.scored(numeric())
    assert isinstance(scored, Scored)
    assert (scored.table.to_pandas()["p"] * scored.scale).tolist() == [-(2.0**62), 3.0]


def test_an_unknown_column_of_an_interval_names_the_nearest(world: World) -> None:
    world.add("predictions", whole())
    with pytest.raises(UsageError, match=r'no column "hi0.95"; did you mean "hi0.9"'):
        world.scored(numeric(intervals=(Interval(level=0.9, lower="lo0.9", upper="hi0.95"),)))


def test_a_champions_own_table_has_its_own_names_or_the_candidates(world: World) -> None:
    given = pd.DataFrame(whole(50)).assign(k=range(50))
    world.add("holdout", given[["k", "y"]])
    world.add("predictions", given[["k", "p", "lo0.9", "hi0.9"]].sample(frac=1, random_state=1))
    other = given[["k"]].assign(p=given["old"], **{"lo0.9": given["oldlo0.9"], "hi0.9": given["oldhi0.9"]})
    world.add("champion_predictions", other.sample(frac=1, random_state=3))
    named = {"key": ("k",), "intervals": NAMED["intervals"]}
    scored = world.scored(numeric(**named))
    assert isinstance(scored, Scored)
    assert scored.champion_levels
    own = scored.table.to_pandas().sort_values("q").reset_index(drop=True) * scored.scale
    assert own["q"].tolist() == sorted(given["old"])
    assert np.allclose(own["champion_width_0"], 60)
    world.add("champion_predictions", given[["k", "old"]])
    scored = world.scored(numeric(**named, champion_score="old"))
    assert isinstance(scored, Scored)
    assert (scored.champion, scored.champion_levels) == (True, False)
