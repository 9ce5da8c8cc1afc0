"""The data gate against pandas, on random tables with every kind of gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gates.inputs.tables import Tables
from gates.measure.data import DataGate
from gates.measure.interface import Given
from gates.records import Columns, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
FEATURES = ("number", "whole", "small", "text", "flag", "when", "gone")


def frame(seed: int, n: int, spread: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    number = rng.normal(0, spread, n)
    number[rng.random(n) < 0.1 * spread] = np.nan
    number[rng.random(n) < 0.01] = np.inf
    text = pd.Series(rng.integers(0, int(60 * spread), n).astype(str))
    when = pd.Series(pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, int(1e6 * spread), n), "s"))
    return pd.DataFrame(
        {
            "k": rng.integers(0, n, n),
            "number": number,
            "whole": pd.array(rng.integers(-100 * spread, 100 * spread, n), dtype="Int64"),
            "small": rng.normal(0, spread, n).astype("float32"),
            "text": text.where(rng.random(n) > 0.05 * spread),
            "flag": pd.array(rng.random(n) < 0.5, dtype="boolean"),
            "when": when.where(rng.random(n) > 0.02).astype("datetime64[us]"),
            "y": pd.array(np.where(rng.random(n) < 0.03, None, rng.integers(0, 2, n)), dtype="Int64"),
        }
    )


def by_pandas(holdout: pd.DataFrame, training: pd.DataFrame, name: str) -> tuple[float, float]:
    new, old = holdout[name], training[name]
    gaps = new.isna().mean() - old.isna().mean()
    seen = old.dropna()
    if name in ("text", "flag"):
        strange = ~new.isin(set(seen)) & new.notna()
    else:
        finite = seen[np.isfinite(seen.astype(float))] if name in ("number", "small") else seen
        strange = ~new.between(finite.min(), finite.max()).fillna(True).astype(bool) & new.notna()
        if name == "number" and np.isinf(seen).any():
            strange &= ~np.isinf(new)
    if not old.isna().any():
        strange |= new.isna()
    return float(gaps), float(strange.mean())


@pytest.mark.parametrize("seed", range(6))
def test_every_figure_is_what_pandas_counts(tmp_path: Path, seed: int) -> None:
    training, holdout = frame(seed, 3_000, 1.0), frame(seed + 100, 1_500, 1.2)
    holdout.to_parquet(tmp_path / "holdout.parquet")
    training.assign(gone=1.0).to_parquet(tmp_path / "training.parquet")
    as_of_us = int(pd.Timestamp("2024-02-01").timestamp()) * 1_000_000
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        tables=(),
        columns=Columns(label="y", key=("k",), time="when", features=FEATURES),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    with Tables(threads=2) as tables:
        opened = tables.open_all(
            [
                Table(role="holdout", uri="holdout.parquet", as_of_us=as_of_us),
                Table(role="training", uri="training.parquet"),
            ],
            base=tmp_path,
        )
        found = DataGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
    figures = {(f.check, f.item.name if f.item else None): f for f in found.measurements}
    for name in FEATURES[:-1]:
        gaps, strange = by_pandas(holdout, training, name)
        assert figures["data.null_rate_difference", name].estimate == pytest.approx(gaps, abs=1e-15)
        assert figures["data.out_of_range", name].estimate == pytest.approx(strange, abs=1e-15)
    assert figures["data.out_of_range", "gone"].reason is Reason.COLUMN_MISSING
    assert figures["data.schema", "holdout"].estimate == 1
    assert figures["data.duplicate_keys", None].estimate == holdout["k"].duplicated().sum()
    seen = holdout["k"].isin(set(training["k"])).sum()
    assert figures["data.holdout_overlap", "training"].estimate == seen
    assert figures["data.label_nulls", None].estimate == holdout["y"].isna().sum()
    newest = pd.Timestamp("2024-02-01") - holdout["when"].max()
    assert figures["data.staleness", "holdout"].estimate == newest.total_seconds()
