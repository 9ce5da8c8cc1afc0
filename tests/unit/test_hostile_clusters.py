"""Clusters made to look like many: whatever the key says, no figure is proven by rows that hang together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_world import World, plan

from gates.inputs.tables import Tables
from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Given, Scored
from gates.measure.regression import RegressionGate
from gates.records import Measurement, ModelVersion, Reason

ROWS = 3_000
CHAMPION = ModelVersion(name="m", version="1", digest="sha256:" + "0" * 64)


def sample(day: Any) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1.5, ROWS)
    p, q = (1 / (1 + np.exp(-(x + noise * rng.normal(size=ROWS)))) for noise in (0, 0.3))
    return pd.DataFrame({"y": (rng.random(ROWS) < p).astype(int), "p": p, "q": q, "day": day})


def measured(tables: Tables, folder: Path, frame: pd.DataFrame) -> list[Measurement]:
    """Every figure that claims something beyond the rows read, but those of things that are not here."""
    asked = plan(champion_score="q", cluster="day")
    world = World(tables, folder).add("predictions", frame)
    scored = world.scored(asked)
    assert isinstance(scored, Scored)
    given = Given(asked, world.opened, scored, CHAMPION)
    found = [m for gate in (CalibrationGate(), RegressionGate()) for m in gate.measure(given).measurements]
    absent = {Reason.NOT_PROVIDED, Reason.NO_SETS}
    return [m for m in found if m.scope == "sample" and m.reason not in absent]


@pytest.mark.parametrize(
    "day",
    [
        np.where(np.arange(ROWS) < 0.97 * ROWS, "whale", [f"d{i % 45}" for i in range(ROWS)]),
        [None if i % 2 else f"d{i % 60}" for i in range(ROWS)],
        np.where(np.arange(ROWS) % 2 == 0, np.nan, np.arange(ROWS) % 60),
    ],
    ids=["one holds 97 of 100", "half of them null", "half of them NaN"],
)
def test_rows_of_one_cluster_beside_many_small_ones_are_not_many(tables: Tables, tmp_path: Path, day: Any) -> None:
    found = measured(tables, tmp_path, sample(day))
    assert len(found) > 30
    assert {m.reason for m in found} == {Reason.FEW_CLUSTERS}


def test_a_few_large_clusters_are_counted_and_named_as_what_they_are_worth(tables: Tables, tmp_path: Path) -> None:
    large = np.arange(ROWS) < ROWS // 2
    day = np.where(large, np.arange(ROWS) % 5, 5 + np.arange(ROWS) % 55).astype(str)
    unequal = {m.check: m for m in measured(tables, tmp_path, sample(day)) if m.check == "calibration.ece"}
    equal = {m.check: m for m in measured(tables, tmp_path, sample((np.arange(ROWS) % 60).astype(str)))}
    one, other = unequal["calibration.ece"], equal["calibration.ece"]
    assert (one.clusters, one.effective_clusters, one.clusters_in_effect) == (60, 18, 18)
    assert (other.clusters, other.effective_clusters, other.clusters_in_effect) == (60, None, 60)
    assert "effective_clusters" not in other.document()
    assert one.bounds is not None
    assert other.bounds is not None
    assert one.bounds[0].upper > other.bounds[0].upper


def test_rows_repeated_under_a_key_of_their_own_are_as_many_as_they_were(tables: Tables, tmp_path: Path) -> None:
    few = sample("x").head(7)
    frame = few.loc[np.arange(ROWS) % 7].assign(day=(np.arange(ROWS) % 7).astype(str))
    assert {m.reason for m in measured(tables, tmp_path, frame)} == {Reason.FEW_CLUSTERS}


def test_thirty_rows_repeated_a_hundred_times_prove_no_more_than_thirty(tables: Tables, tmp_path: Path) -> None:
    few = sample("x").head(30).assign(y=0, p=0.002, q=0.003)
    repeated = few.loc[np.arange(ROWS) % 30].assign(day=(np.arange(ROWS) % 30).astype(str))
    upper = {
        m.check: m.bounds[0].upper for m in measured(tables, tmp_path, repeated) if m.bounds is not None and not m.item
    }
    # Of 30 rows without an event a rate of .095 is not unlikely.
    assert upper["calibration.ece"] > 0.08
    assert upper["regression.accuracy_vs_champion"] > 0.08
