"""Plants that look like another cause than theirs: nothing but their own, or `unknown`, may be said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from study.plant_worlds import World
from study.planted import Planted, base_of, spoil

Reading = Callable[[pd.Series], pd.Series]


def _signed(rng: np.random.Generator, world: World, rows: int, *, whole: bool) -> pd.DataFrame:
    """Values of both signs, seldom of one sign nearly alone."""
    base = base_of(rng, world, ("whole",) if whole else ("numbers",), rows)
    middle = base["x"].quantile(float(rng.choice([0.3, 0.5, 0.7])))
    return base.assign(x=base["x"] - (int(middle) if whole else float(middle)))


def absolute_value(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """One side has the value without its sign: a factor of -1 would explain every row that differs."""
    whole = rng.random() < 0.3
    base = _signed(rng, world, 4 * affected, whole=whole)
    side = str(rng.choice(["online", "offline"]))
    sign = float(rng.choice([1.0, 1.0, -1.0]))
    wrong = (sign * base["x"].abs()).astype(base["x"].dtype)
    return Planted(*spoil(rng, base, wrong, len(base), side=side), note=f"{sign:.0f}, {side}")


WAYS: dict[str, Reading] = {"down": np.floor, "nearest": np.round, "to zero": np.trunc, "up": np.ceil}


def _width(base: pd.DataFrame) -> float:
    """Of the middle half of the values: a deviation would be that of a few. It stands where half of them are the same."""
    return float(base["x"].quantile(0.75) - base["x"].quantile(0.25)) or float(base["x"].std())


def _rounded(rng: np.random.Generator, base: pd.DataFrame, one: str, two: str) -> Planted:
    """Both sides on one grid, by two ways of rounding."""
    step = float(10.0 ** np.floor(np.log10(_width(base) / 30)))
    exact = base["x"] / step + rng.uniform(-0.5, 0.5, len(base))
    decimals = max(0, -int(np.floor(np.log10(step))))
    sides = [base.assign(x=(WAYS[way](exact) * step).round(decimals)) for way in rng.permutation([one, two])]
    if step >= 1 and rng.random() < 0.5:
        sides = [side.assign(x=side["x"].astype(int)) for side in sides]
    return Planted(*sides, note=f"{one}, {two}, {step}")


def rounded_to_zero(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """To the nearest on one side and towards zero on the other: a step away from zero, whatever the sign."""
    base = _signed(rng, world, 6 * affected, whole=False)
    return _rounded(rng, base[base["x"].abs() > _width(base) / 30].reset_index(drop=True), "nearest", "to zero")


def rounded_otherwise(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """Where the two sides differ it is by the same step, as an offset in some rows does."""
    base = _signed(rng, world, 6 * affected, whole=False)
    one, two = [("down", "nearest"), ("up", "nearest"), ("down", "to zero"), ("to zero", "nearest")][rng.integers(4)]
    if (one, two) == ("to zero", "nearest"):
        base["x"] = base["x"].abs()
    return _rounded(rng, base, one, two)


def day_and_month(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """Dates whose day was read as the month, where there is such a month."""
    base = base_of(rng, world, ("numbers",), 5 * affected)
    back = pd.to_timedelta(rng.integers(0, 700, len(base)), "D")
    dates = (base["t"].dt.tz_localize(None) - back).dt.floor("s").dt.as_unit("us")
    kind = str(rng.choice(["time", "day", "slashes", "dashes", "text for time", "number"]))
    if kind != "time":
        dates = dates.dt.floor("D")
    swapped = dates.where(dates.dt.day > 12, other=_swapped(dates))
    written: dict[str, Reading] = {
        "time": lambda of: of,
        "day": lambda of: of.dt.date,
        "slashes": lambda of: of.dt.strftime("%d/%m/%Y"),
        "dashes": lambda of: of.dt.strftime("%Y-%m-%d"),
        "number": lambda of: of.dt.strftime("%Y%m%d").astype(int),
    }
    if kind == "text for time":
        return Planted(base.assign(x=dates), base.assign(x=written["slashes"](dates)), note=kind)
    base["x"] = written[kind](dates)
    return Planted(*spoil(rng, base, written[kind](swapped), affected), note=kind)


def _swapped(dates: pd.Series) -> pd.Series:
    within = dates.where(dates.dt.day <= 12, dates.dt.floor("D").dt.to_period("M").dt.start_time)
    turned = pd.to_datetime(within.dt.strftime("%Y-%d-%m %H:%M:%S"), format="%Y-%m-%d %H:%M:%S")
    return turned.dt.as_unit("us")
