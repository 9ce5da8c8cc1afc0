"""The Gate port: tables in, measurements out. A gate never sees a limit and never gives a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from gates.records import Measurement, ModelVersion, Plan, Reason, TableIdentity

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class OpenTable:
    """A table in the engine, and the identity of the bytes behind it."""

    identity: TableIdentity
    table: ir.Table


@dataclass(frozen=True)
class Scored:
    """One row per holdout row, in the engine.

    Columns: `y` (float64; 0 or 1 when binary), `p` (float64, candidate's score), and, where present: `q` (champion's
    score), `covered` (bool: the candidate's prediction set or interval holds y), `width` (float64: set size or
    interval width), `cluster` (string), `slice_0`, `slice_1`, ... (strings, in the order of plan.parameters.slices).
    No nulls or NaN in y, p, q: a table that has them does not become a Scored but a Reason.
    """

    table: ir.Table
    rows: int
    champion: bool
    sets: bool
    clustered: bool
    predictions: str


@dataclass(frozen=True)
class Given:
    """What a gate may read.

    `scored` and `tables` values are a Reason where the thing could not be had.
    """

    plan: Plan
    tables: Mapping[str, OpenTable]
    scored: Scored | Reason
    champion: ModelVersion | None


@dataclass(frozen=True)
class Note:
    """An attachment: bytes that explain figures."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Findings:
    measurements: tuple[Measurement, ...]
    notes: tuple[Note, ...] = field(default=())


class Gate(Protocol):
    """A gate runner. One that cannot measure a check reports it as unmeasured with a Reason, never by silence."""

    name: ClassVar[str]

    def measure(self, given: Given) -> Findings: ...
