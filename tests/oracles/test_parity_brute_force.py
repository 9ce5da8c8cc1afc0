"""The parity gate against a loop over keys in plain Python, on random tables with planted gaps and differences."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.inputs.tables import Tables
from gates.measure.interface import Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
TOLERANCE = 1e-6


def table(seed: int, n: int) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    base = np.random.default_rng(1)  # both sides see the same world, then spoil it each in its own way
    keys = base.permutation(3 * n)[:n]
    world: dict[str, list[Any]] = {
        "number": (base.normal(0, 10.0 ** base.integers(-9, 9, n))).tolist(),
        "whole": base.integers(-(2**62), 2**62, n).tolist(),
        "text": [f"v{value}" for value in base.integers(0, 20, n)],
        "flag": (base.random(n) < 0.5).tolist(),
    }
    for index in np.flatnonzero(rng.random(n) < 0.1):
        world["number"][index] = [math.nan, math.inf, -math.inf, None, 0.0][rng.integers(5)]
    for index in np.flatnonzero(rng.random(n) < 0.1):
        if world["number"][index] is not None:
            world["number"][index] *= 1 + 10.0 ** rng.integers(-9, -3)
    for name, value in (("whole", 1), ("text", "other"), ("flag", None)):
        for index in np.flatnonzero(rng.random(n) < 0.05):
            world[name][index] = value
    order = rng.permutation(n)[: int(n * 0.95)]
    return {"k": keys[order].tolist(), **{name: [column[i] for i in order] for name, column in world.items()}}


def close(a: Any, b: Any, scale: float) -> bool:
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        if math.isinf(a) or math.isinf(b):
            return a == b
        return abs(a - b) <= TOLERANCE * (scale + max(abs(a), abs(b)))
    return bool(a == b)


def gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_every_figure_is_what_a_loop_counts(tmp_path: Path, seed: int) -> None:
    offline, online = table(seed + 10, 2_000), table(seed + 50, 2_000)
    features = ("number", "whole", "text", "flag")
    for role, columns in (("offline", offline), ("online", online)):
        arrays = {name: pa.array(values, from_pandas=False) for name, values in columns.items()}
        pq.write_table(pa.table(arrays), tmp_path / f"{role}.parquet", row_group_size=300)
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(parity_tolerance=TOLERANCE),
        tables=(),
        columns=Columns(key=("k",), features=features),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    roles = [Table(role="offline", uri="offline.parquet"), Table(role="online", uri="online.parquet")]
    with Tables(threads=2) as tables:
        opened = tables.open_all(roles, base=tmp_path)
        found = ParityGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
    figures = {
        figure.item.name: figure
        for figure in found.measurements
        if figure.item and figure.check in ("parity.mismatch", "parity.missing")
    }
    nulls = {figure.item.name: figure for figure in found.measurements if figure.check == "parity.null" and figure.item}
    places = {key: index for index, key in enumerate(online["k"])}
    pairs = [(index, places[key]) for index, key in enumerate(offline["k"]) if key in places]
    finite = [abs(value) for value in offline["number"] if value is not None and math.isfinite(value)]
    scale = min(1.0, sum(finite) / len(finite))
    assert 0 < len(pairs) < 2_000
    for name in features:
        wrong = sum(not close(offline[name][i], online[name][j], scale) for i, j in pairs)
        assert figures[name].estimate == wrong / len(pairs)
        assert figures[name].n == len(pairs)
        assert wrong > 0
        values = [(i, j) for i, j in pairs if not gap(offline[name][i])]
        assert nulls[name].n == len(values)
        assert nulls[name].estimate == sum(gap(online[name][j]) for _, j in values) / len(values)
    assert figures["offline"].estimate == (len(offline["k"]) - len(pairs)) / len(offline["k"])
    assert figures["online"].estimate == (len(online["k"]) - len(pairs)) / len(online["k"])
