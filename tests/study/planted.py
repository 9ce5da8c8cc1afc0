"""Offline and online tables of which one feature is wrong on purpose, so that its cause is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.plant_worlds import World


@dataclass(frozen=True)
class Planted:
    """Two tables keyed by `e` and `t`, of which the feature `x` differs for one cause, or for more than one.

    Attributes
    ----------
    events: the log of values, with `ingested`; or None. features: where there are more than `x`, a name begins with the
        code of its cause.
    """

    offline: pd.DataFrame
    online: pd.DataFrame
    events: pd.DataFrame | None = None
    note: str = ""
    key: tuple[str, ...] = ("e", "t")
    features: tuple[str, ...] = ("x",)


def base_of(rng: np.random.Generator, world: World, kinds: tuple[str, ...], rows: int) -> pd.DataFrame:
    """Whole entities with at least `rows` rows where the world has them, in order, with one feature as `x`."""
    frame = world.frame
    name = str(rng.choice([name for kind in kinds for name in getattr(world, kind)]))
    found = frame[["e", "t", name]].rename(columns={name: "x"}).dropna()
    found = found.sort_values(["e", "t"], ignore_index=True)
    if len(found) > rows and world.name != "weather":
        sizes = found.groupby("e").size().sample(frac=1, random_state=int(rng.integers(2**31))).cumsum()
        found = found[found["e"].isin(sizes.index[: int(sizes.searchsorted(rows)) + 1])].reset_index(drop=True)
    elif len(found) > rows:
        hours = np.sort(found["t"].unique())
        first = int(rng.integers(0, len(hours) - rows // 3))
        window = found["t"].between(hours[first], hours[first + rows // 3 - 1])
        found = found[window].reset_index(drop=True)
    return found


def spoil(
    rng: np.random.Generator, base: pd.DataFrame, wrong: pd.Series, affected: int, *, side: str = "online"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put `wrong` in place of x on one side, in `affected` of the rows where it differs (or in all)."""
    x = base["x"]
    differs = np.flatnonzero((x.astype(object) != wrong.astype(object)) & ~(x.isna() & wrong.isna()))
    chosen = rng.permutation(differs)[:affected]
    spoiled = base.copy()
    values = x.astype(object).copy()
    values.iloc[chosen] = wrong.astype(object).iloc[chosen]
    kind = wrong.dtype if len(chosen) == len(base) or wrong.dtype != x.dtype else x.dtype
    spoiled["x"] = values.astype(kind)
    return (base, spoiled) if side == "online" else (spoiled, base)


def beside(plants: dict[str, Planted]) -> Planted:
    """Put plants of one feature each side by side; where a row is not of a plant, both sides have nothing."""
    sides = []
    for side in ("offline", "online"):
        whole = None
        for name, plant in plants.items():
            part = getattr(plant, side).rename(columns={"x": name})[["e", "t", name]]
            whole = part if whole is None else whole.merge(part, on=["e", "t"], how="outer")
        sides.append(whole)
    notes = "; ".join(f"{name}: {plant.note}" for name, plant in plants.items())
    return Planted(*sides, note=notes, features=tuple(plants))
