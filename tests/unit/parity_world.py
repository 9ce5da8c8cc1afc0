"""Two tables from arrays, measured by the parity gate under a plan of a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables
from gates.measure.interface import Findings, Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Measurement, Parameters, Plan, Reason, Table
from gates.records.plan import Parity

DIGEST = "sha256:" + "0" * 64


def measure(
    tables: Tables,
    folder: Path,
    offline: Any,
    online: Any,
    *,
    columns: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
    scopes: dict[str, str] | None = None,
    as_of_us: int | None = None,
    parity: Parity | None = None,
    fingerprint: str | None = None,
    **plan: Any,
) -> Findings:
    """Return what the gate finds; the key is `k` and the feature `x` unless `columns` says otherwise."""
    named: list[Table] = []
    opened = {}
    if fingerprint is not None:
        opened["fingerprint"] = tables.open(Table(role="fingerprint", uri=fingerprint), base=folder)
    for role, frame in (("offline", offline), ("online", online)):
        if frame is None:
            continue
        pq.write_table(frame if isinstance(frame, pa.Table) else pa.table(frame), folder / f"{role}.parquet")
        table = Table(
            role=role,  # type: ignore[arg-type]
            uri=f"{role}.parquet",
            as_of_us=as_of_us,
            scope=(scopes or {}).get(role),  # type: ignore[arg-type]
        )
        named.append(table)
        opened[role] = tables.open(table, base=folder)
    said = Columns(**{"key": ("k",), "features": ("x",), **(columns or {})})
    return measure_opened(
        tuple(named), opened, said, parameters=Parameters(**(parameters or {})), parity=parity, **plan
    )


def measure_opened(named: tuple[Table, ...], opened: dict[str, OpenTable], columns: Columns, **plan: Any) -> Findings:
    """Return what the gate finds in tables that are open."""
    asked = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        tables=named,
        columns=columns,
        policy_digest=DIGEST,
        spec_digest=DIGEST,
        **plan,
    )
    found = ParityGate().measure(Given(plan=asked, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
    for figure in found.measurements:
        Measurement.parse(figure.document())
    return found


def by_place(found: Findings, check: str) -> dict[str, Measurement]:
    """Return the figures of a check by item, and by slice where it is not the whole."""
    return {
        (figure.item.name if figure.item else "") + ("" if figure.slice.kind == "whole" else f"@{figure.slice}"): figure
        for figure in found.measurements
        if figure.check == check
    }
