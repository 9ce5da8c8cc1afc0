"""Figures that need rows one by one look at a sample of a large table: which rows, and how the figures say so."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from gates.inputs.tables import Tables
from gates.measure.interface import Given, Scored
from gates.measure.regression import RegressionGate
from gates.measure.sampling import drawn
from gates.measure.scored import scored_by_tables
from gates.records import Columns, Measurement, ModelVersion, Parameters, Plan, Reason

DIGEST = "sha256:" + "0" * 64
ROWS, MOST = 5_500, 1_000
SHARE = 6


def plan(*, seed: int = 0, key: tuple[str, ...] = ("id", "day"), most: int = MOST) -> Plan:
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(max_rows=most, seed=seed, slices=("segment",), cluster="day"),
        columns=Columns(label="y", score="p", champion_score="q", key=key),
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def frame(order: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    p = rng.beta(1, 3, ROWS)
    made = pd.DataFrame({"id": np.arange(ROWS), "day": [f"d{d}" for d in rng.integers(0, 30, ROWS)], "p": p})
    made["y"] = (rng.random(ROWS) < p).astype(int)
    made["q"] = np.clip(p + rng.normal(0, 0.1, ROWS), 0, 1)
    made["segment"] = rng.choice(["a", "b"], ROWS)
    made.loc[[5, 6], "segment"] = "rare"
    return made.sample(frac=1, random_state=order)


def scored(tables: Tables, folder: Path, asked: Plan, order: int = 0) -> Scored:
    frame(order).to_parquet(folder / f"{order}.parquet")
    found = scored_by_tables(
        tables, asked, {"predictions": tables.open_file("predictions", folder / f"{order}.parquet")}
    )
    assert isinstance(found, Scored)
    return found


def by_hand(asked: Plan) -> pd.DataFrame:
    """The rows whose key hashes low enough, from the words of the module alone."""
    made = frame()
    texts = [f"{asked.parameters.seed}\x1f{i}\x1f{day}" for i, day in zip(made.id, made.day, strict=True)]
    low = [int(hashlib.md5(text.encode()).hexdigest()[:8], 16) < 2**32 // SHARE for text in texts]
    return made[low]


def drawn_p(tables: Tables, folder: Path, asked: Plan, order: int = 0) -> list[float]:
    sample = drawn(scored(tables, folder, asked, order), asked)
    values: list[float] = sorted(sample.table.p.to_pyarrow().to_pylist())
    assert sample.rows == len(values)
    return values


def test_one_in_k_rows_is_drawn_by_key_and_seed_whatever_their_order(tables: Tables, tmp_path: Path) -> None:
    for seed in (0, 1):
        asked = plan(seed=seed)
        assert drawn_p(tables, tmp_path, asked) == sorted(by_hand(asked).p)
        assert drawn_p(tables, tmp_path, asked, order=9) == sorted(by_hand(asked).p)
    assert set(by_hand(plan(seed=0)).id) != set(by_hand(plan(seed=1)).id)
    assert abs(len(by_hand(plan())) - ROWS / SHARE) < 3 * (ROWS / SHARE) ** 0.5


def test_without_a_key_the_position_stands_for_it(tables: Tables, tmp_path: Path) -> None:
    asked = plan(key=())
    once, again = (drawn_p(tables, tmp_path, asked) for _ in range(2))
    assert once == again
    assert abs(len(once) - ROWS / SHARE) < 3 * (ROWS / SHARE) ** 0.5


def test_a_table_that_is_not_too_large_is_taken_as_it_is(tables: Tables, tmp_path: Path) -> None:
    asked = plan(most=ROWS)
    whole = scored(tables, tmp_path, asked)
    assert drawn(whole, asked) is whole
    assert not [name for name in whole.table.columns if name.startswith("draw")]


def test_figures_of_a_sample_say_so_and_those_of_sums_are_of_all_rows(tables: Tables, tmp_path: Path) -> None:
    asked = plan()
    champion = ModelVersion(name="m", version="1", digest=DIGEST)
    found = RegressionGate().measure(Given(asked, {}, scored(tables, tmp_path, asked), champion)).measurements
    sample = by_hand(asked)

    def figure(check: str, value: str | None = None) -> Measurement:
        named = [m for m in found if m.check == f"regression.{check}" and m.subject != "champion"]
        [one] = [m for m in named if m.slice.value == value]
        return one

    def params(of: Measurement) -> dict[str, Any]:
        return {param.name: param.value for param in of.params}

    for value in (None, "a", "b"):
        rows = sample if value is None else sample[sample.segment == value]
        area = figure("auc", value)
        assert area.estimate == pytest.approx(roc_auc_score(rows.y, rows.p), abs=1e-12)
        assert (area.n, area.clusters) == (len(rows), rows.day.nunique())
        if value is None:
            precise = figure("average_precision")
            assert precise.estimate == pytest.approx(average_precision_score(rows.y, rows.p), abs=1e-12)
            assert (precise.n, params(precise)["sampled"]) == (len(rows), "1 in 6")
        assert (params(area)["sampled"], params(area)["seed"]) == ("1 in 6", 0)
    assert "sampled" in params(figure("auc_vs_champion"))
    assert figure("brier").n == ROWS
    assert "sampled" not in params(figure("brier"))
    assert not set(sample.id) & {5, 6}
    assert figure("auc", "rare").reason is Reason.EMPTY_TABLE
    assert figure("brier", "rare").n == 2
