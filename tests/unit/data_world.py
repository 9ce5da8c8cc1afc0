"""Tables and plans of a few rows, for tests of what the data gate measures where the plan asks for it."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from gates.inputs.opened import OpenTable
from gates.measure.interface import Given
from gates.records import Columns, Measurement, Parameters, Plan, Reason, TableIdentity

DIGEST = "sha256:" + "0" * 64
START = pd.Timestamp("2025-06-01", tz="UTC")


def table(role: Any, *, as_of: pd.Timestamp | None = None, **columns: Any) -> OpenTable:
    content = pd.DataFrame(columns)
    as_of_us = None if as_of is None else int(as_of.timestamp() * 1_000_000)
    identity = TableIdentity(role=role, uri=role, digest=DIGEST, rows=len(content), as_of_us=as_of_us)
    schema = None if len(content) else ibis.schema(dict.fromkeys(columns, "float64"))
    return OpenTable(identity, ibis.memtable(content, schema=schema))


def given(*tables: OpenTable, columns: dict[str, Any], task: Any = "binary", **parameters: Any) -> Given:
    plan = Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        columns=Columns(**columns),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    return Given(plan, {one.identity.role: one for one in tables}, Reason.NOT_PROVIDED, None)


def times(*hours: float | None) -> pd.Series:
    """Hours after START; None is no time."""
    return pd.Series([pd.NaT if h is None else START + pd.Timedelta(hours=h) for h in hours]).dt.as_unit("us")


def answer(found: Measurement) -> Any:
    """The estimate, or the reason why there is none."""
    return found.reason or found.estimate
