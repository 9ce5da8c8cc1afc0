"""Plants of which the values alone tell the cause, and plants of which they tell none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from study.lookalike_plants import absolute_value, day_and_month, rounded_otherwise, rounded_to_zero
from study.plant_worlds import World
from study.planted import Planted, base_of, beside, spoil

HOUR = pd.Timedelta(1, "h")


def scale_or_unit(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers",), 3 * affected)
    base = base[base["x"].abs() > 1e-3].reset_index(drop=True)
    if rng.random() < 0.25:
        wrong, note = base["x"] * 1.8 + 32, "Fahrenheit"
    else:
        factor = float(rng.choice([1.609344, 0.44704, 1000.0, 0.01, -1.0, 2.0, 3600.0]))
        wrong, note = base["x"] * factor, f"x {factor}"
        if factor == -1:  # in some rows it could not be told from values without their sign
            base, wrong = base.head(affected), wrong.head(affected)
    return Planted(*spoil(rng, base, wrong, affected), note=note)


def offset(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers", "whole"), 3 * affected)
    amount = int(rng.choice([1, -7, 100])) if base["x"].dtype.kind == "i" else float(rng.choice([273.15, -0.5, 40.0]))
    if (base["x"] % amount == 0).mean() > 0.5:  # in some rows it could not be told from another way of rounding
        base = base.head(affected)
    return Planted(*spoil(rng, base, base["x"] + amount, affected), note=f"+ {amount}")


def time_zone(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers",), 3 * affected)
    kind = rng.choice(["moment", "hour", "joined"] if world.hourly else ["moment", "hour"])
    if kind == "moment":
        zone = str(rng.choice(["America/New_York", "Asia/Kolkata", "Europe/Berlin", "Asia/Tokyo"]))
        base["x"] = base["t"].dt.tz_localize(None) - pd.to_timedelta(rng.integers(0, 10_000, len(base)), "min")
        local = base["x"].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        return Planted(*spoil(rng, base, local, affected), note=zone)
    hours = int(rng.choice([-8, -5, -3, 3, 5, 9]))
    if kind == "hour":
        hour = base["t"].dt.hour.astype(int)
        base["x"] = hour if hour.nunique() == 24 and rng.random() < 0.5 else rng.integers(0, 24, len(base))
        return Planted(*spoil(rng, base, (base["x"] + hours) % 24, affected), note=f"hour + {hours}")
    away = base[["e", "t", "x"]].assign(t=base["t"] - hours * HOUR).rename(columns={"x": "away"})
    base = base.merge(away, on=["e", "t"], how="left")
    wrong = base["away"].fillna(base["x"])
    return Planted(*spoil(rng, base[["e", "t", "x"]], wrong, affected), note=f"joined {hours} h away")


def default_instead_of_null(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers", "words"), 2 * affected)
    gap = rng.permutation(len(base))[: affected + 50]
    text = base["x"].dtype.kind not in "if"
    filled = str(rng.choice(["", "unknown"])) if text else float(rng.choice([0.0, -1.0, float(base["x"].mean())]))
    offline, online = base.copy(), base.copy()
    offline.loc[gap, "x"] = None if text else np.nan
    online.loc[gap, "x"] = filled
    return Planted(offline, online, note=str(filled)[:8])


def rounding_or_precision(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers",), 3 * affected)
    rough = float(base["x"].std()) / 30
    decimals = -int(np.ceil(np.log10(rough)))
    kind = str(rng.choice(["round", "cut", "float16", "digits"]))
    # the data's own grid must be finer than the one that they are put on
    base["x"] = base["x"] + rng.uniform(-0.4, 0.4, len(base)) * 10.0**-decimals
    if kind == "round":
        wrong = base["x"].round(decimals)
    elif kind == "cut":
        wrong = pd.Series(np.trunc(base["x"] * 10.0**decimals) / 10.0**decimals)
    elif kind == "float16":
        wrong = (base["x"].astype(np.float32).to_numpy().view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        wrong = pd.Series(wrong.astype(float))
    else:
        wrong = base["x"].map(lambda value: float(f"{value:.3g}"))
    return Planted(*spoil(rng, base, wrong, affected), note=f"{kind} {decimals}")


def type_or_encoding(rng: np.random.Generator, world: World, affected: int) -> Planted:
    kind = str(
        rng.choice(["upper", "padded", "number as text", "epoch", "mojibake" if world.name == "made up" else "upper"])
    )
    if kind == "number as text":
        base = base_of(rng, world, ("numbers",), 3 * affected)
        return Planted(base, base.assign(x=base["x"].map(repr)), note=kind)
    if kind == "epoch":
        base = base_of(rng, world, ("numbers",), 3 * affected)
        base["x"] = base["t"] - pd.to_timedelta(rng.integers(0, 100_000, len(base)), "s")
        return Planted(base, base.assign(x=base["x"].dt.as_unit("ms").astype("int64")), note=kind)
    base = base_of(rng, world, ("words",), 4 * affected)
    change: dict[str, Callable[[str], str]] = {
        "upper": str.swapcase,
        "padded": lambda text: f" {text} ",
        "mojibake": lambda text: text.encode().decode("latin-1"),
    }
    return Planted(*spoil(rng, base, base["x"].map(change[kind]), affected), note=kind)


def category_mapping(rng: np.random.Generator, world: World, affected: int) -> Planted:
    if rng.random() < 0.3:  # of two values: in all rows, or it could not be told from values that are wrong at random
        base = base_of(rng, world, ("flags",), 2 * affected)
        one, two = base["x"].unique()
        names = rng.permutation(["c0", "c1"]) if rng.random() < 0.5 else (two, one)
        wrong = base["x"].map(dict(zip((one, two), names, strict=True)))
        return Planted(*spoil(rng, base, wrong, len(base)), note=f"flag as {names[0]}, {names[1]}")
    base = base_of(rng, world, ("words",), 4 * affected)
    common = base["x"].value_counts().index[:12].to_numpy()
    base = base[base["x"].isin(common)].reset_index(drop=True)
    turned = np.roll(common, int(rng.integers(1, len(common))))
    names = [f"c{number}" for number in rng.permutation(len(common))]
    kind = str(rng.choice(["permuted", "renamed"]))
    mapping = dict(zip(common, turned if kind == "permuted" else names, strict=True))
    return Planted(*spoil(rng, base, base["x"].map(mapping), affected), note=kind)


def sort_order(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = base_of(rng, world, ("numbers",), 2 * affected)
    chosen = np.sort(rng.permutation(len(base))[: affected + 100])
    values = base["x"].iloc[chosen].to_numpy()
    # What was asked for in one order is written down in another.
    order = np.argsort(values, kind="stable") if rng.random() < 0.5 else rng.permutation(len(values))
    online = base.copy()
    online.iloc[chosen, online.columns.get_loc("x")] = values[order]
    return Planted(base, online)


VALUES = (
    scale_or_unit,
    offset,
    time_zone,
    default_instead_of_null,
    rounding_or_precision,
    type_or_encoding,
    category_mapping,
    sort_order,
)


def two_at_once(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """Half of the rows are off for one cause, half for another."""
    plants = np.array([scale_or_unit, offset, rounding_or_precision, default_instead_of_null])
    one, two = rng.choice(plants, 2, replace=False)
    first, second = one(rng, world, affected), two(rng, world, affected)
    while first.offline["x"].dtype != float or second.offline["x"].dtype != float:
        first, second = one(rng, world, affected), two(rng, world, affected)
    sides = []
    for a, b in ((first.offline, second.offline), (first.online, second.online)):
        sides.append(pd.concat([a.assign(e="1 " + a["e"]), b.assign(e="2 " + b["e"])], ignore_index=True))
    return Planted(*sides, note=f"{one.__name__} and {two.__name__}")


def flag_at_random(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """Wrong values of two: the other one in some rows, or all rows drawn again, or dealt to other rows."""
    base = base_of(rng, world, ("flags",), 5 * affected)
    one, two = base["x"].unique()
    kind = str(rng.choice(["other", "drawn", "dealt"]))
    if kind == "other":
        return Planted(*spoil(rng, base, base["x"].map({one: two, two: one}), affected), note=kind)
    others = rng.integers(0, len(base), len(base)) if kind == "drawn" else rng.permutation(len(base))
    return Planted(base, base.assign(x=base["x"].to_numpy()[others]), note=kind)


def few(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """Too few rows to say anything; `affected` is not heard."""
    plant = VALUES[int(rng.integers(len(VALUES)))]
    found = plant(rng, world, 40)
    if plant in (default_instead_of_null, sort_order, type_or_encoding):  # they spoil more rows, or all
        found = scale_or_unit(rng, world, 40)
    return found


def values(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """One feature for each cause that shows in the values alone; with two causes; with few rows; a flag wrong at random."""
    plants = {plant.__name__: plant(rng, world, affected) for plant in VALUES}
    plants["type_or_encoding dates"] = day_and_month(rng, world, affected)
    plants["unknown sign"] = absolute_value(rng, world, affected)
    plants["rounding_or_precision to zero"] = rounded_to_zero(rng, world, affected)
    plants["unknown rounding"] = rounded_otherwise(rng, world, affected)
    plants["unknown two"] = two_at_once(rng, world, affected)
    plants["unknown few"] = few(rng, world, affected)
    plants["unknown flag"] = flag_at_random(rng, world, affected)
    return beside(plants)
