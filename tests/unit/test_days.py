"""A time key makes clusters of its days in UTC: the figures are those of a column that holds the days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.measure.calibration import CalibrationGate
from gates.measure.holdout import look_at
from gates.measure.interface import Given
from gates.records import WHOLE, Columns, Measurement, Plan

DAYS, ROWS = 40, 50


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Tables(threads=1) as tables:
        yield World(tables, tmp_path)


def timed(by: str | None = "day", cluster: str = "at") -> Plan:
    found = plan(cluster=cluster, time="at")
    return found.model_copy(update={"parameters": found.parameters.model_copy(update={"cluster_by": by})})


def shocked() -> pd.DataFrame:
    """Whether something happens is decided by the day, for all of its rows."""
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(DAYS), ROWS)
    start = pd.Timestamp("2025-03-01", tz="America/New_York")
    at = start + pd.to_timedelta(rng.uniform(0, DAYS * 86_400, day.size), unit="s")
    utc = at.tz_convert("UTC").strftime("%Y-%m-%d").to_numpy()
    shock = rng.normal(0, 0.2, DAYS + 2)
    p = np.clip(0.5 + shock[pd.factorize(utc)[0]], 0.02, 0.98)
    return pd.DataFrame({"at": at, "day": utc, "y": (rng.random(day.size) < p).astype(int), "p": 0.5})


def upper(found: Sequence[Measurement], check: str) -> float:
    [one] = [m for m in found if m.check == check and m.slice == WHOLE and m.item is None and m.subject != "champion"]
    assert isinstance(one.bounds[0].upper, float)
    return one.bounds[0].upper


def numbers(found: Measurement) -> list[float]:
    ends = [end for bound in found.bounds for end in (bound.lower, bound.upper)]
    return [float(found.estimate or 0), float(found.clusters or 0), *(float(end) for end in ends if end != "unbounded")]


def test_figures_are_those_of_a_column_of_days(world: World) -> None:
    world.add("predictions", shocked())
    found = {}
    for name, asked in (("time", timed()), ("day", timed(None, "day")), ("none", plan())):
        given = Given(asked, {}, world.scored(asked), None)
        found[name] = [m for m in CalibrationGate().measure(given).measurements if m.status == "measured"]
    for one, other in zip(found["time"], found["day"], strict=True):
        assert (one.check, one.item, one.reason) == (other.check, other.item, other.reason)
        assert numbers(one) == pytest.approx(numbers(other), rel=1e-9, abs=1e-12)
    assert upper(found["time"], "calibration.ece") > 1.2 * upper(found["none"], "calibration.ece")
    named = {p.name: p.value for m in found["time"] for p in m.params if p.name in {"cluster", "rows"}}
    assert named == {"cluster": "at by day", "rows": "clustered"}


def test_a_day_is_one_of_utc_and_rows_without_a_time_are_one_cluster(world: World) -> None:
    zoned = pd.to_datetime(
        ["2025-03-01T23:30-05:00", "2025-03-02T01:00-05:00", "2025-03-01T18:59-05:00", None, None], utc=True
    ).tz_convert("America/New_York")
    world.add("predictions", {"at": zoned, "y": [0, 1, 0, 1, 1], "p": [0.5] * 5})
    codes = world.frame(timed()).sort_index()["cluster"]
    assert [len(set(codes[list(rows)])) for rows in ((0, 1), (0, 2), (3, 4), (0, 1, 2, 3))] == [1, 2, 1, 3]


def test_a_date_and_a_time_before_1970_have_days_too(world: World) -> None:
    dates = pd.to_datetime(["1969-12-31T23:00", "1969-12-31T01:00", "1970-01-01T00:00"])
    world.add("predictions", {"at": dates, "y": [0, 1, 0], "p": [0.5] * 3})
    codes = world.frame(timed()).sort_index()["cluster"]
    assert codes[0] == codes[1] != codes[2]


@pytest.mark.parametrize("frame", [{"at": ["today", "then"]}, {"at": [1, 2]}, {"when": ["a", "b"]}])
def test_what_has_no_days_says_what_to_do(world: World, frame: dict[str, list[object]]) -> None:
    world.add("predictions", {**frame, "y": [0, 1], "p": [0.5, 0.5]})
    with pytest.raises(UsageError) as refused:
        world.scored(timed())
    assert refused.value.code == "cluster.days"
    assert "rows: independent" in str(refused.value.remedy)


def test_the_holdouts_days_are_counted_before_anything_is_measured(world: World) -> None:
    world.add("holdout", shocked())
    asked = timed().model_copy(update={"columns": Columns(label="y", time="at")})
    seen = look_at(asked, world.opened, WHOLE)
    assert seen.clusters == shocked()["day"].nunique()
    assert seen.effect > 1.5
