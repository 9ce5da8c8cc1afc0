"""Plants of which the history of an entity tells the cause: in the rows themselves, or in a log of events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.plant_worlds import World
from study.planted import Planted, base_of, beside, spoil

HOUR = pd.Timedelta(1, "h")


def _asked(base: pd.DataFrame) -> pd.DataFrame:
    return base.assign(t=base["t"] + pd.Timedelta("15min"))


def _arrivals(rng: np.random.Generator, base: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Events of which half are ingested after the next two; what was known of each row when it was asked; and as joined on
    the time of ingestion."""
    gap = base.groupby("e")["t"].diff(-1).abs().fillna(pd.Timedelta("1h"))
    late = rng.random(len(base)) < 0.6
    ingested = (
        base["t"] + pd.Timedelta("5min") + pd.to_timedelta(np.where(late, 2.5, 0.0) * gap.dt.total_seconds(), "s")
    )
    log = base.assign(ingested=ingested.dt.as_unit("us"))
    known, joined = base["x"].copy(), base["x"].copy()
    for rows in base.groupby("e").indices.values():
        seen = ingested.iloc[rows].to_numpy()
        values, asked = base["x"].iloc[rows].to_numpy(), (base["t"].iloc[rows] + pd.Timedelta("15min")).to_numpy()
        for place, row in enumerate(rows):
            open_ = np.flatnonzero(seen[: place + 1] <= asked[place])
            if len(open_):
                known.iloc[row] = values[open_[-1]]
                joined.iloc[row] = values[open_[seen[open_].argmax()]]
    return log, known, joined


def history(rng: np.random.Generator, world: World, affected: int, *, log: bool) -> Planted:
    """One feature for each cause that shows in the history of an entity; without a log those that show in the rows."""
    base = base_of(rng, world, ("numbers",), 3 * affected)
    by = base.groupby("e")["x"]
    events, known, joined = _arrivals(rng, base)
    steps = [by.shift(step).fillna(base["x"]).to_numpy() for step in (1, 2, 3, 4)]
    mixed = pd.Series(np.choose(rng.integers(0, 4, len(base)), steps), index=base.index)
    later = by.shift(-1).fillna(base["x"])
    wrong = {
        "stale previous": (by.shift(1).fillna(base["x"]), "online"),
        "stale mixed": (mixed, "online"),
        "future_value offline": (later, "offline"),
        "current_status_join": (by.transform("last"), "offline"),
    }
    if world.hourly:
        hours = int(rng.choice([-8, -5, -3, 3, 5, 9]))
        for name, away in (("time_zone", hours), ("stale day", -24)):
            moved = base.assign(t=base["t"] - away * HOUR).rename(columns={"x": "away"})
            wrong[name] = (base.merge(moved, on=["e", "t"], how="left")["away"].fillna(base["x"]), "online")
    if log:
        wrong |= {"late_backfill": (known, "online"), "ingestion_time": (joined, "offline")}
        wrong["future_value online"] = (later, "online")
    plants = {}
    for name, (value, side) in wrong.items():
        plants[name] = Planted(*spoil(rng, base, value, affected, side=side))
    found = beside(plants)
    if not log:
        return found
    told = events[["e", "t", "ingested"]].assign(**dict.fromkeys(plants, base["x"]))
    return Planted(_asked(found.offline), _asked(found.online), told, features=found.features)
