"""A table, a contract beside it, and what the data gate says of the two."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from gates.inputs.contracts import read_contracts
from gates.inputs.tables import Tables
from gates.measure.data.contract import contracts
from gates.measure.interface import Findings, Given
from gates.records import Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
AS_OF = int(datetime(2024, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000


def column(name: str, logical: str | None = None, **words: Any) -> dict[str, Any]:
    """A property; `options` are its logicalTypeOptions."""
    options = words.pop("options", None)
    said = {"name": name, **({"logicalType": logical} if logical else {}), **words}
    return said | ({"logicalTypeOptions": options} if options else {})


def contract(*columns: Mapping[str, Any], **words: Any) -> dict[str, Any]:
    """A contract of one object `flights`; words of the object, and under `top` of the contract."""
    top = words.pop("top", {})
    table = {"name": "flights", "properties": [dict(each) for each in columns], **words}
    head = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "flights", "version": "1.0.0"}
    return {**head, "schema": [table], **top}


def found(
    folder: Path,
    frame: Any,
    said: Mapping[str, Any] | str,
    *,
    before: Mapping[str, Any] | None = None,
    as_of_us: int | None = AS_OF,
    slices: tuple[str, ...] = (),
    tables: Tables | None = None,
    **others: Any,
) -> Findings:
    """Measure a contract of the holdout; `others` are tables by role, `before` the champion's contract."""
    for role, content in {"holdout": frame, **others}.items():
        if isinstance(content, str):
            (folder / f"{role}.csv").write_text(content, encoding="utf-8")
            continue
        whole = content if isinstance(content, pa.Table) else pa.Table.from_pandas(pd.DataFrame(content))
        pq.write_table(whole, folder / f"{role}.parquet")
    for name, document in (("new", said), ("old", before)):
        if document is not None:
            text = document if isinstance(document, str) else yaml.safe_dump(dict(document), sort_keys=False)
            (folder / f"{name}.odcs.yaml").write_text(text, encoding="utf-8")
    named = tuple(
        Table(
            role=role,  # type: ignore[arg-type]
            uri=f"{role}.csv" if (folder / f"{role}.csv").exists() else f"{role}.parquet",
            as_of_us=as_of_us,
            contract="new.odcs.yaml" if role == "holdout" else None,
            champion_contract="old.odcs.yaml" if role == "holdout" and before is not None else None,
        )
        for role in ("holdout", *others)
    )
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(slices=slices),
        tables=named,
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    mine = read_contracts(named, folder)
    old = read_contracts(named, folder, champion=True)
    with Tables() if tables is None else nullcontext(tables) as engine:
        opened = engine.open_all(named, base=folder)
        given = Given(plan, opened, Reason.NOT_PROVIDED, None, contracts=mine, champion_contracts=old)
        return contracts(given)


def figures(findings: Findings, check: str = "data.contract") -> dict[str, float | str]:
    """Figures of a check by item, without the role; a reason where there is none."""
    return {
        (each.item.name.removeprefix("holdout: ") if each.item else ""): (
            each.estimate if each.estimate is not None else str(each.reason)
        )
        for each in findings.measurements
        if each.check == check
    }


def broken(findings: Findings, check: str = "data.contract") -> dict[str, float | str]:
    """Those of them that are not 0."""
    return {name: value for name, value in figures(findings, check).items() if value != 0}
