"""Sums by slice, cluster and key: weights and their squares, and the rest of the slices that a plan names."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from weighing import heaviest_of

from gates.measure.calibration import CalibrationGate
from gates.measure.interface import Given, Scored
from gates.measure.sums import parts
from gates.records import Parameters, Plan, Reason, Requirement, Slice

DIGEST = "sha256:" + "0" * 64


def plan(*named: str) -> Plan:
    slices = [Slice(kind="value", column="carrier", value=value) for value in named]
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=tuple(
            Requirement(environment="development", check="calibration.ece", role="prove", slice=one) for one in slices
        ),
        parameters=Parameters(slices=("carrier",)),
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = 900
    p = rng.random(rows)
    return pd.DataFrame(
        {
            "y": (rng.random(rows) < p).astype(float),
            "p": p,
            "slice_0": rng.choice(["UA", "OO", "价"], rows),
            "cluster": rng.integers(0, 12, rows).astype(str),
            "weight": rng.exponential(size=rows),
        }
    )


def scored(frame: pd.DataFrame) -> Scored:
    names = frame.columns
    table = ibis.memtable(frame)
    return Scored(table, len(frame), False, "cluster" in names, "scored", heaviest=heaviest_of(frame))


@pytest.mark.parametrize("clustered", [False, True])
def test_weights_and_their_squares(frame: pd.DataFrame, clustered: bool) -> None:
    rows = scored(frame if clustered else frame.drop(columns="cluster"))
    keys = {"high": (rows.table.p > 0.5).cast("int64")}
    found = parts(rows, plan(), {"p": rows.table.p, "y": rows.table.y}, keys)
    assert [str(part.where.slice) for part in found] == ["whole", "carrier=OO", "carrier=UA", "carrier=价"]
    for part in found:
        own = frame if part.where.slice.kind == "whole" else frame[frame.slice_0 == part.where.slice.value]
        assert part.where.rows == len(own) == part.rows.sum()
        assert part.where.share_ppm == len(own) * 1_000_000 // len(frame)
        assert part.where.clusters == (own.cluster.nunique() if clustered else None)
        by = (["cluster"] if clustered else []) + [(own.p > 0.5).astype(int)]
        assert part.rows.size == own.groupby(by).ngroups
        for power, sums in ((1, part.sums), (2, part.squares)):
            weight = own.weight**power
            high = part.keys["high"] == 1
            assert set(sums) == {"n", "p", "y"}
            assert sums["n"].sum() == pytest.approx(weight.sum(), abs=1e-8)
            assert sums["p"][high].sum() == pytest.approx((weight * own.p)[own.p > 0.5].sum(), abs=1e-8)
            assert sums["y"][~high].sum() == pytest.approx((weight * own.y)[own.p <= 0.5].sum(), abs=1e-8)


def test_without_weights_the_squares_are_the_sums(frame: pd.DataFrame) -> None:
    rows = scored(frame.drop(columns="weight"))
    for part in parts(rows, plan(), {"p": rows.table.p}, {}):
        assert part.squares is part.sums
        assert part.sums["n"].tolist() == part.rows.tolist()


def test_the_rest_is_what_no_named_slice_holds(frame: pd.DataFrame) -> None:
    rows = scored(frame)
    whole, rest, *values = parts(rows, plan("UA"), {"p": rows.table.p}, {})
    other = frame[frame.slice_0 != "UA"]
    assert (rest.where.slice.kind, rest.where.rows, rest.where.clusters) == (
        "rest",
        len(other),
        other.cluster.nunique(),
    )
    assert rest.sums["p"].sum() == pytest.approx((other.weight * other.p).sum(), abs=1e-8)
    assert whole.where.rows == len(frame)
    assert len(values) == 3
    assert all(part.where.slice.kind != "rest" for part in parts(rows, plan(), {"p": rows.table.p}, {}))


def measured(frame: pd.DataFrame, asked: Plan) -> Any:
    findings = CalibrationGate().measure(Given(asked, {}, scored(frame), None))
    return [m for m in findings.measurements if m.check == "calibration.ece"]


def test_the_rest_reaches_the_figures(frame: pd.DataFrame) -> None:
    plain = frame.drop(columns=["cluster", "weight"])
    whole, rest, *values = measured(plain, plan("UA", "OO"))
    alone = next(m for m in values if m.slice.value == "价")
    assert rest.slice.kind == "rest"
    assert rest.bounds == alone.bounds
    assert {m.family.size for m in (whole, rest, *values)} == {5}


def test_an_empty_rest_says_so(frame: pd.DataFrame) -> None:
    for table in (frame, frame.drop(columns=["cluster", "weight"])):
        _, rest, *_ = measured(table, plan("UA", "OO", "价"))
        assert (rest.reason, rest.n) == (Reason.NO_REST, 0)
