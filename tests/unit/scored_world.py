"""Frames as tables of a plan, for the tests of labels beside scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gates.inputs.tables import Tables
from gates.measure.interface import Scored
from gates.measure.scored import scored_by_tables
from gates.records import Columns, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64


def plan(*, cluster: str | None = None, slices: tuple[str, ...] = (), task: Any = "binary", **columns: Any) -> Plan:
    return Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(cluster=cluster, slices=slices),
        tables=(),
        columns=Columns(**{"label": "y", "score": "p", **columns}),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


class World:
    """Frames as files, opened by role."""

    def __init__(self, tables: Tables, folder: Path) -> None:
        self.tables, self.folder, self.opened = tables, folder, {}

    def add(self, role: Any, frame: pd.DataFrame | dict[str, Any]) -> World:
        pd.DataFrame(frame).to_parquet(self.folder / f"{role}.parquet")
        self.opened[role] = self.tables.open(Table(role=role, uri=f"{role}.parquet"), base=self.folder)
        return self

    def scored(self, the_plan: Plan) -> Scored | Reason:
        return scored_by_tables(self.tables, the_plan, self.opened)

    def frame(self, the_plan: Plan) -> pd.DataFrame:
        scored = self.scored(the_plan)
        assert isinstance(scored, Scored), scored
        return scored.table.to_pandas()
