"""What both table engines are asked alike: a table with all that engines treat differently, a plan, and the comparison."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gates.inputs.tables import Tables
from gates.measure.interface import Anchor, Gate, Given, Scored
from gates.measure.scored import scored_by_tables
from gates.records import (
    Columns,
    ModelVersion,
    Parameters,
    Plan,
    Reason,
    Requirement,
    Slice,
)

DIGEST = "sha256:" + "0" * 64
TOLERANCE = 1e-9
CHAMPION = ModelVersion(name="m", version="1", digest=DIGEST)


def world(rows: int = 3_000, seed: int = 7) -> pd.DataFrame:
    """Ties, scores of exactly 0 and 1 and at both ends of the doubles, nulls and NaN, names that sort differently."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.2, 5, rows)
    p[6:400] = np.round(p[6:400], 2)
    p[:6] = [0.0, 1.0, 0.5, 5e-324, 1 - 2**-53, 2**-41]
    y = (rng.random(rows) < p).astype("int64")
    q = np.clip(p + rng.normal(0, 0.05, rows), 0, 1)
    segment = rng.choice(np.array(["a", "B", "ü", "Z", "(x)", "😀", "\ufffd"], dtype=object), rows)
    segment[:25] = None
    age = rng.normal(40, 10, rows)
    age[rng.choice(rows, min(60, rows // 2), replace=False)] = np.nan
    frame = pd.DataFrame({"id": np.arange(rows), "day": [f"d{d:02}" for d in rng.integers(0, 40, rows)]})
    frame = frame.assign(segment=segment, age=age, y=y, p=p, q=q, weight=rng.gamma(2, 1, rows))
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s")
    return frame.assign(at=moments.astype("datetime64[us]")).sample(frac=1, random_state=seed)


def plan(*, columns: Columns, **parameters: Any) -> Plan:
    segment_a = Slice(kind="value", column="segment", value="a")
    named = [Requirement(environment="development", check="calibration.ece", role="prove", slice=segment_a)]
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=tuple(named),
        parameters=Parameters(**parameters),
        columns=columns,
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Return where two documents differ: numbers by more than TOLERANCE of their size, all else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for key in ours for line in differences(ours[key], theirs[key], f"{at}.{key}")]
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple) and len(ours) == len(theirs):
        return [
            line for i, pair in enumerate(zip(ours, theirs, strict=True)) for line in differences(*pair, f"{at}[{i}]")
        ]
    if isinstance(ours, float) and isinstance(theirs, float):
        same = math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return [] if same else [f"{at}: {ours!r} and {theirs!r}"]
    return [] if ours == theirs else [f"{at}: {ours!r} and {theirs!r}"]


def scores(asked: Plan, folder: Path, anchor: dict[str, Any], tables: Tables) -> Given:
    """What the gates of scores read of `p.parquet`; where the plan slices, the rows are their own gold table."""
    files = {"predictions": folder / "p.parquet", "training": folder / "training.parquet"}
    opened = {role: tables.open_file(role, path) for role, path in files.items() if path.exists()}
    scored = scored_by_tables(tables, asked, opened)
    assert isinstance(scored, Scored), scored
    table = tables.keep(scored.table.mutate(**{name: of(scored.table) for name, of in anchor.items()}))
    scored = replace(scored, table=table)
    gold = scored if asked.parameters.slices else Reason.NOT_PROVIDED
    return Given(asked, opened, scored, CHAMPION, gold=gold, anchor=Anchor(CHAMPION, 1, 1))


def figures(gate: Gate, given: Given) -> Any:
    found = gate.measure(given)
    return [measurement.document() for measurement in found.measurements], [
        json.loads(note.content) for note in found.notes
    ]


def agree(
    gates: tuple[Gate, ...], given: Callable[[Tables], Given], spark: Tables, duckdb: Tables
) -> list[dict[str, Any]]:
    """Return what both engines give alike."""
    found: list[dict[str, Any]] = []
    there = [given(tables) for tables in (duckdb, spark)]
    for gate in gates:
        theirs, ours = (figures(gate, each) for each in there)
        assert differences(ours, theirs) == []
        found += ours[0]
    return found


def measured(found: list[dict[str, Any]], *checks: str) -> list[dict[str, Any]]:
    """Measured figures of the checks that begin so; of each one at least."""
    some = [m for m in found if m["status"] == "measured" and m["check"].startswith(checks)]
    assert all(any(m["check"].startswith(check) for m in some) for check in checks)
    return some
