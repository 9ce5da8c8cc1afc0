"""Measurement: one figure with its uncertainty, or the reason why there is none. Never a verdict."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from gates.records.base import Name, Record, Scalar

LADDER: tuple[float, ...] = (0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999)
"""One-sided confidences at which every bound is stated. Measuring does not know the limit, the number of
claims or the looks; policy picks the rung."""

Number = Annotated[float, Strict()]
"""Neither a text nor a truth value that reads like one."""

CheckName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
"""`gate.metric`."""

Subject = Literal["candidate", "champion", "baseline", "pair", "data"]
ItemKind = Literal[
    "feature",
    "bin",
    "level",
    "stratum",
    "class",
    "group",
    "metric",
    "table",
    "rule",
    "column",
    "parameter",
    "partition",
    "endpoint",
]


class Reason(StrEnum):
    """Why a check is unmeasured."""

    EMPTY_TABLE = "empty_table"
    NAN_SCORES = "nan_scores"
    NULL_LABELS = "null_labels"
    ONE_CLASS = "one_class"
    ONE_GROUP = "one_group"
    ONE_ANNOTATION = "one_annotation"
    FEW_CLUSTERS = "few_clusters"
    FEW_EVENTS = "few_events"
    FEW_LEVELS = "few_levels"
    COLUMN_MISSING = "column_missing"
    TABLE_MISSING = "table_missing"
    TABLE_CHANGED = "table_changed"
    KEYS_NOT_UNIQUE = "keys_not_unique"
    ROWS_UNPAIRED = "rows_unpaired"
    NO_REST = "no_rest"
    NO_DECISIONS = "no_decisions"
    NO_CHAMPION = "no_champion"
    NO_SETS = "no_sets"
    NO_SPREAD = "no_spread"
    NO_ORDER = "no_order"
    NOT_PROVIDED = "not_provided"
    SCORER_FAILED = "scorer_failed"
    EXTRA_MISSING = "extra_missing"
    GATE_FAILED = "gate_failed"


class Slice(Record):
    """The whole, the rows where a column has a value, or the pooled rest of all slices without a name."""

    kind: Literal["whole", "value", "rest"] = "whole"
    column: Name | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "value") != (self.column is not None and self.value is not None):
            raise ValueError("a slice of kind value has a column and a value; the others have neither")
        return self

    def __str__(self) -> str:
        return f"{self.column}={self.value}" if self.kind == "value" else self.kind


WHOLE = Slice.model_construct()


class Item(Record):
    """The part of the subject that a figure is about: a feature, a bin, a level, ..."""

    kind: ItemKind
    name: Name


class Bound(Record):
    """One-sided limits at one confidence; `unbounded` where the data set no limit."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    lower: Number | Literal["unbounded"]
    upper: Number | Literal["unbounded"]


class Family(Record):
    """The claims that were looked at together: policy corrects a failure for their number."""

    name: Name
    size: Annotated[int, Field(ge=1)]


class Param(Record):
    """A parameter that the figure depends on, as the plan asked for it."""

    name: Name
    value: Scalar


class Measurement(Record):
    """A figure, or an `unmeasured` with its reason.

    Attributes
    ----------
    check: `gate.metric`.
    subject: what the figure is of; `pair` is candidate against champion or baseline.
    slice, item: which rows, which part.
    items: how many parts the gate has figures of, of this check and subject on this slice, with all as one where it has
    a figure of its own; absent where that is the only one.
    share_ppm: rows of this slice per million of the whole, rounded down (0 to 1,000,000).
    estimate: in `unit`.
    debiased: the estimate less its known bias, where the method has one (binned ECE); else absent.
    bounds: one for each rung of LADDER, ascending; for a census lower = upper = estimate.
    scope: `census` is a claim about the rows read; `sample` reaches beyond them.
    n: rows that entered the figure. clusters: independent groups of rows, where a cluster key was given.
    effective_clusters: as many groups of one size would say as much; absent where that is all of them.
    predictions: `scored` from the registered bytes by the scorer process, or `supplied` as a table.
    """

    check: CheckName
    subject: Subject
    slice: Slice = WHOLE
    item: Item | None = None
    items: Annotated[int, Field(ge=1)] | None = None
    share_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000_000
    status: Literal["measured", "unmeasured"] = "measured"
    reason: Reason | None = None
    estimate: Number | None = None
    debiased: Number | None = None
    bounds: tuple[Bound, ...] | None = None
    scope: Literal["sample", "census"] = "sample"
    family: Family
    n: Annotated[int, Field(ge=0)] = 0
    clusters: Annotated[int, Field(ge=0)] | None = None
    effective_clusters: Annotated[int, Field(ge=1)] | None = None
    predictions: Literal["scored", "supplied"] | None = None
    unit: str = "ratio"
    method: str
    params: tuple[Param, ...] = ()

    @model_validator(mode="after")
    def _whole_or_reason(self) -> Self:
        if self.status == "unmeasured":
            if self.reason is None or self.estimate is not None or self.bounds is not None:
                raise ValueError("an unmeasured has a reason and no figures")
            return self
        if self.reason is not None or self.estimate is None or self.bounds is None:
            raise ValueError("a measured has an estimate and bounds, and no reason")
        if tuple(bound.confidence for bound in self.bounds) != LADDER:
            raise ValueError("bounds stand at each rung of the ladder, ascending")
        if self.scope == "census" and any(not (b.lower == b.upper == self.estimate) for b in self.bounds):
            raise ValueError("a census has no width")
        return self

    @property
    def clusters_in_effect(self) -> int | None:
        """As many clusters of one size would say as much; None where rows were taken as independent."""
        return self.clusters if self.effective_clusters is None else self.effective_clusters

    @property
    def identity(self) -> tuple[object, ...]:
        """Two figures under one identity are a conflict."""
        return (self.check, self.subject, self.slice, self.item, self.params)
