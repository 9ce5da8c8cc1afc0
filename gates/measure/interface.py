"""The Gate port: tables in, measurements out. A gate never sees a limit and never gives a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from gates.inputs.opened import Contract, Definition, Latency, LookedAt, OpenTable
from gates.records import Measurement, ModelVersion, Plan, Reason
from gates.records.plan import TableRole, Task

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

Whose = Literal["candidate", "champion"]


DEFINITIONS_NOTE = "definitions.json"
"""The attachment that holds how features are computed."""


def contract_note(role: TableRole) -> str:
    """Return the name of the attachment that holds a table's contract."""
    return f"contract-{role}.odcs.yaml"


@dataclass(frozen=True)
class Scored:
    """One row per holdout row, in the engine. Its columns hold no null, NaN or infinity: a table that has one becomes
    a Reason.

    Every task: `slice_0`, `slice_1`, ... (strings, in the order of plan.parameters.slices); `group_0`, ... (strings, in
    the order of plan.columns.groups); `cluster` (string) where clustered; `weight` (float64, > 0, of mean 1) where
    weighted; `payoff` (float64) where the plan names its column; `draw_0`, ... (strings): the key, in a table of more than
    the plan's max_rows.
    Binary: `y` (float64, 0 or 1), `p` and, with a champion, `q`: probabilities of 1.
    With an anchor every task has its predictions as `anchor` or `anchor_0`, ...: what `p` is of the candidate.
    Multiclass: `y` (int64, place in `classes`), `p_0`, `p_1`, ... and `q_0`, ...: probabilities of the classes in order.
    Numeric: `y`, `p`, `q` and `width_i` in units of `scale`; `p` is the point prediction; for each of `quantiles`
    `quantile_0`, ... (in units of `scale`), with `champion_quantiles` also `champion_quantile_0`, ..., and `below_0`, ...
    (bool): y is at or under the candidate's.
    Where there are prediction sets or intervals, for each of `levels`: `covered_0`, ... (bool: it holds y) and
    `width_0`, ... (float64: classes in the set, or length of the interval); with `champion_levels` also `champion_width_0`, ...

    Attributes
    ----------
    rows: at least 1. champion: the champion's predictions are there. predictions: `scored` or `supplied`.
    levels: nominal coverages, the plan's coverage_level first. quantiles: levels of predicted quantiles, ascending.
    champion_quantiles: the champion predicts them all.
    scale: a power of two, at least the largest magnitude of any number of the row; 1 unless numeric.
    heaviest: the largest weight of any row; None where rows have none.
    champion_supplied: the champion's predictions are a table, whatever the candidate's are: see `source`.
    """

    table: ir.Table
    rows: int
    champion: bool
    clustered: bool
    predictions: str
    task: Task = "binary"
    heaviest: float | None = None
    classes: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    champion_levels: bool = False
    quantiles: tuple[float, ...] = ()
    champion_quantiles: bool = False
    scale: float = 1.0
    champion_supplied: bool = False

    @property
    def weighted(self) -> bool:
        return self.heaviest is not None

    def source(self, *, champion: bool) -> str:
        """Return `scored` or `supplied`: where the predictions come from that a figure rests on.

        Parameters
        ----------
        champion: the figure rests on the champion's predictions (too).
        """
        return "supplied" if champion and self.champion_supplied else self.predictions


@dataclass(frozen=True)
class Anchor:
    """The best version that served of late.

    Attributes
    ----------
    best_of: how many were scored to find it. served: how many there were, the candidate not among them.
    """

    version: ModelVersion
    best_of: int
    served: int


@dataclass(frozen=True)
class Rescored:
    """Supplied predictions beside those of the registered bytes.

    Attributes
    ----------
    rows: that were drawn and scored again. differ: of these, in which the two say something else.
    every: they are all rows that there are.
    """

    rows: int
    differ: int
    every: bool


@dataclass(frozen=True)
class Learned:
    """Rows that a model has learned from, in whatever step.

    Attributes
    ----------
    context: the step: `training`, `calibration`, `early_stopping`, ... by_run: the training run names it, not the spec.
    """

    context: str
    table: OpenTable | Reason
    by_run: bool


@dataclass(frozen=True)
class Given:
    """What a gate may read.

    `scored`, `gold` and `latency` and the values of `tables` are a Reason where the thing could not be had.

    Attributes
    ----------
    learned: what candidate and champion have learned from, as their training runs and the spec say.
    gold: the rows of the table `gold`, as `scored` has the holdout's.
    latency: measured only where the plan asks for it.
    anchor: whose predictions `scored` has besides; None without.
    rescored: of models whose predictions were supplied, what a sample shows that was scored again; where the plan asks.
    contracts, champion_contracts: what tables are promised to be, and were when the champion was made.
    personal_data: what other tools found of it, by the table's role.
    definitions: how features are computed, by word (records.plan.DEFINITIONS) and name.
    """

    plan: Plan
    tables: Mapping[str, OpenTable]
    scored: Scored | Reason
    champion: ModelVersion | None
    learned: Mapping[Whose, tuple[Learned, ...]] = field(default_factory=dict)
    gold: Scored | Reason = Reason.NOT_PROVIDED
    latency: Latency | Reason = Reason.NOT_PROVIDED
    anchor: Anchor | None = None
    rescored: Mapping[Whose, Rescored | Reason] = field(default_factory=dict)
    contracts: Mapping[TableRole, Contract] = field(default_factory=dict)
    champion_contracts: Mapping[TableRole, Contract] = field(default_factory=dict)
    definitions: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)
    personal_data: Mapping[TableRole, LookedAt] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """An attachment: bytes that explain figures."""

    name: str
    media_type: str
    content: bytes

    @classmethod
    def of(cls, name: str, document: Mapping[str, Any]) -> Note:
        """Return a JSON document as an attachment, with sorted keys.

        Raises
        ------
        ValueError: a number that is not finite.
        """
        content = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
        return cls(name=name, media_type="application/json", content=content)


@dataclass(frozen=True)
class Findings:
    measurements: tuple[Measurement, ...]
    notes: tuple[Note, ...] = field(default=())


class Gate(Protocol):
    """A gate runner. One that cannot measure a check reports it as unmeasured with a Reason, never by silence."""

    name: ClassVar[str]

    def measure(self, given: Given) -> Findings: ...
