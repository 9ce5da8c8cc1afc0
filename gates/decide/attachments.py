"""The bundle's attachments that explain figures, read with suspicion: whatever is not of the form is taken as absent.

They never enter a decision; `gates/measure/calibration/reliability.py` and the parity gate write them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=0)]


class Form(BaseModel):
    """A form that ignores fields which later versions add."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def read(cls, raw: bytes | None) -> Self | None:
        """Parse an attachment; None where it is absent or not of the form."""
        try:
            return cls.model_validate_json(raw) if raw is not None else None
        except ValidationError:
            return None


class Bin(Form):
    """A reliability bin. `mean_p`, `mean_y` are absent without rows, `lower`, `upper` (of mean_y) without an interval."""

    name: str = ""
    n: Rows
    mean_p: Share | None = None
    mean_y: Share | None = None
    lower: float | None = None
    upper: float | None = None


class Column(Form):
    """A column of the histogram, up to `to`."""

    to: Share
    n: Rows


class Reliability(Form):
    """The calibration gate's `reliability.json`.

    Attributes
    ----------
    bins: equal-mass, of the whole, ascending. decision: the region at or above the operating threshold.
    confidence: of each one-sided limit.
    """

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    bins: tuple[Bin, ...] = ()
    decision: Bin | None = None
    equal_width: tuple[Bin, ...] = ()
    histogram: tuple[Column, ...] = ()


class Stratum(Form):
    """Rows whose intervals or sets are about as wide, or whose predictions are alike.

    Attributes
    ----------
    lower, upper: one-sided limits of the coverage, absent without an interval. mean_width: in the unit of the label, or
    classes in a set.
    """

    name: str
    n: Rows
    coverage: Share | None = None
    lower: float | None = None
    upper: float | None = None
    mean_width: float | None = None


class Level(Form):
    """A promised coverage and what was observed."""

    level: Share
    n: Rows
    coverage: Share | None = None
    lower: float | None = None
    upper: float | None = None


class Quantile(Form):
    """A predicted quantile, and the share of rows at or under it."""

    level: Share
    n: Rows
    share: Share | None = None
    lower: float | None = None
    upper: float | None = None


class Coverage(Form):
    """The calibration gate's `coverage.json`.

    Attributes
    ----------
    level: the promised coverage that the strata are of. strata: narrow to wide, then low to high. confidence: of each
    one-sided limit. unit: of widths, `label` or `classes`. levels, quantiles: ascending.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    unit: str = "label"
    strata: tuple[Stratum, ...] = ()
    levels: tuple[Level, ...] = ()
    quantiles: tuple[Quantile, ...] = ()


class Recalibration(Form):
    """The calibration gate's `recalibration.json`: the present error, and those that maps of the score would reach."""

    error: Share
    reaches: dict[Literal["temperature", "intercept", "isotonic"], Share]


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9/ _-]{1,40}$")]
"""Shown to people: it can be no link, no markup and no sentence."""


class Detail(Form):
    """Constants and words of a cause; those that it has no use for are absent.

    Attributes
    ----------
    factor, offset: online = factor * offline + offset. hours, or_hours, seconds: from offline to online.
    lag_seconds: from the value that was found to the row, negative where it is of later. events: steps in the history.
    side: the one that is off. default: which one. read_as: how both read the same. column: of the offline or online table.
    keys, rows: that occur more than once. step: of the grid of both sides.
    """

    factor: float | None = None
    offset: float | None = None
    hours: float | None = None
    or_hours: float | None = None
    seconds: float | None = None
    lag_seconds: float | None = None
    side: Literal["offline", "online"] | None = None
    default: Word | None = None
    read_as: Annotated[Word | None, Field(alias="as")] = None
    unit: Word | None = None
    decimals: int | None = None
    digits: int | None = None
    bits: int | None = None
    step: float | None = None
    column: str | None = None
    offline_like: Word | None = None
    online_like: Word | None = None
    keys: Rows | None = None
    rows: Rows | None = None


class MismatchCause(Form):
    """What the parity gate says about a feature's mismatches, or about the pair of tables.

    Attributes
    ----------
    rows: mismatches that were looked at. explained: of these. candidates: where the code is `unknown`, those that explain
    them about equally well.
    """

    code: str
    rows: Rows
    explained: Rows = 0
    detail: Detail = Detail()
    candidates: tuple[str, ...] = ()
    why: str | None = None


class ParityFeature(Form):
    """A feature's mismatches."""

    name: str
    offline_kind: str = ""
    online_kind: str = ""
    mismatches: Rows
    absent_offline: Rows = 0
    absent_online: Rows = 0
    cause: MismatchCause | None = None


class Parity(Form):
    """The parity gate's `parity.json`; `causes` are those of the pair of tables."""

    features: tuple[ParityFeature, ...] = ()
    causes: tuple[MismatchCause, ...] = ()


class Rewrite(Form):
    """Partitions of the backfill gate's `backfill.json` with rows in the window: `rewritten`, or as they were."""

    rewritten: Rows = 0
    untouched: Rows = 0


class Backfilled(Form):
    """The backfill gate's `backfill.json`."""

    partitions: Rewrite
