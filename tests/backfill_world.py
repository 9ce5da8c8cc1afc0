"""A generated log of rows by day, rewrites of it that are spoilt in known ways, and the gate's answer to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gates.inputs.tables import Tables
from gates.measure.backfill import BackfillGate
from gates.measure.interface import Given
from gates.records import Backfill, Columns, Measurement, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
HOUR_US = 3_600_000_000
FROM = pd.Timestamp("2024-03-04", tz="UTC")
TO = pd.Timestamp("2024-03-07", tz="UTC")


def micros(moment: pd.Timestamp) -> int:
    return int(moment.value // 1000)


def declared(**words: Any) -> Backfill:
    given = {"partition": "day", "from_us": micros(FROM), "to_us": micros(TO), **words}
    return Backfill(**given)


FULL = declared(lateness_s=7_200, known=("seen", "joined"), ttl_s=6 * 3_600, written=("run_at",))


def log(rows: int = 600, seed: int = 3) -> pd.DataFrame:
    """Ten days of rows in time; numbers with NaN, texts with separators, nulls and no values at all."""
    rng = np.random.default_rng(seed)
    at = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 10 * 86_400, rows)), unit="s")
    frame = pd.DataFrame({"id": np.arange(rows), "part": rng.choice(["a", "b"], rows), "at": at.as_unit("us")})
    frame["x"] = np.where(rng.random(rows) < 0.1, np.nan, np.round(rng.normal(0, 100, rows), 3))
    frame["n"] = rng.integers(-5, 5, rows)
    frame["s"] = pd.Series(
        rng.choice(np.array(["u", "|", "-", "1:u", "", "ü|2:x", None], dtype=object), rows), dtype="str"
    )
    frame["day"] = frame["at"].dt.strftime("%Y-%m-%d")
    frame["arrived"] = frame["at"] + pd.to_timedelta(rng.integers(0, 7_201, rows), unit="s")
    frame["seen"] = frame["at"] - pd.to_timedelta(rng.integers(0, 6 * 3_600 + 1, rows), unit="s")
    frame["joined"] = frame["seen"]
    frame["run_at"] = pd.Timestamp("2024-04-01", tz="UTC")
    return frame


def rewrite(frame: pd.DataFrame) -> pd.DataFrame:
    """The log as a sound rewrite leaves it: other values in the window, another time of the run, another order."""
    after = frame.copy()
    inside = (after["at"] >= FROM) & (after["at"] < TO)
    after["x"] = np.where(inside, np.round(after["x"] * 1.1, 3), after["x"])
    after["run_at"] = pd.Timestamp("2024-04-02", tz="UTC")
    return after.sample(frac=1, random_state=1, ignore_index=True)


@dataclass
class Bench:
    """Writes tables as files and asks the gate."""

    tables: Tables
    folder: Path
    key: tuple[str, ...] = ("id", "part")
    time: str | None = "at"
    found: dict[str, Measurement] = field(default_factory=dict)
    parts: dict[str, dict[str, float]] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)

    def measure(self, given: Mapping[str, Any], backfill: Backfill | None = FULL) -> dict[str, float | str | None]:
        """By check, the figure of the whole or the reason why there is none; `parts` and `note` have the rest.

        Parameters
        ----------
        given: by role, a DataFrame, a pyarrow.Table, or the path of a file.
        """
        opened = {}
        for role, frame in given.items():
            path = frame if isinstance(frame, Path) else self.write(role, frame)
            opened[role] = self.tables.open(Table(role=role, uri=str(path)), base=self.folder)  # type: ignore[arg-type]
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            tables=(),
            columns=Columns(key=self.key, time=self.time, ingested="arrived"),
            backfill=backfill,
            policy_digest=DIGEST,
            spec_digest=DIGEST,
        )
        seen = BackfillGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
        self.found, self.parts = {}, {}
        for figure in seen.measurements:
            assert (figure.subject, figure.scope) == ("data", "census")
            Measurement.parse(figure.document())
            name = figure.check.removeprefix("backfill.")
            if figure.item is None:
                self.found[name] = figure
            else:
                assert figure.item.kind == "partition"
                self.parts.setdefault(name, {})[figure.item.name] = figure.estimate or 0
        self.note = json.loads(seen.notes[0].content) if seen.notes else {}
        return {
            name: figure.estimate if figure.reason is None else str(figure.reason)
            for name, figure in self.found.items()
        }

    def write(self, role: str, frame: Any) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, self.folder / f"{role}.parquet", row_group_size=97)
        return self.folder / f"{role}.parquet"


def wrong(figures: Mapping[str, float | str | None]) -> dict[str, float | str | None]:
    """What is neither 0 nor without a table to be measured on."""
    return {name: value for name, value in figures.items() if value not in (0.0, "table_missing")}
