"""What a cause is, and what is known of each after the rows were looked at: counts only. See `decide` for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ibis.expr.types as ir

Code = Literal[
    "scale_or_unit",
    "offset",
    "time_zone",
    "stale",
    "future_value",
    "late_backfill",
    "default_instead_of_null",
    "absent",
    "rounding_or_precision",
    "type_or_encoding",
    "category_mapping",
    "duplicated_key",
    "key_of_another_kind",
    "sort_order",
    "current_status_join",
    "ingestion_time",
    "unknown",
]
Side = Literal["offline", "online"]
Detail = Mapping[str, float | int | str]

# Levels: of two hypotheses that both explain the rows, the special one is named, and the general one is not its rival.
VALUE = 1  # a relation of the two values alone
LINE = 1.5  # a factor and an offset at once
GRID = 1.6  # the other side's value on a coarser grid: the same constant in all rows is no rounding
GAP = 1.7  # nothing, where the other side has a value
LATE = 2  # what was known when, by ingestion times
STEP = 3  # one step in the entity's history, or its last value
SHIFT = 4  # a fixed number of hours in it
SOMEWHERE = 5  # anywhere near in it
MAPPING = 6  # any function of the value
MULTISET = 7  # the same values at other rows


EXCHANGED: Detail = {"as": "day and month exchanged"}


@dataclass(frozen=True)
class Hypothesis:
    """A way in which online may have come from offline, or offline from online.

    Attributes
    ----------
    level: how special it is, see above. detail: constants and words for the attachment; never a value of a row.
    """

    code: Code
    level: float
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A hypothesis in the engine, about each of some features.

    Attributes
    ----------
    code: `unknown` for a relation that no code is of, and that looks like one that a code is of.
    details: by feature (its number in the stack), those that it is asked of.
    holds: it explains the row. by_chance: it would explain the row had its wrong side been dealt another row's value; null
        where there is nothing to say. lag: seconds from the event that it took to the row, negative where the event is later.
    """

    code: Code
    level: float
    details: Mapping[int, Detail]
    holds: ir.BooleanValue
    by_chance: ir.BooleanValue
    lag: ir.FloatingValue | None = None


@dataclass(frozen=True)
class Tally:
    """The counts of a hypothesis.

    Attributes
    ----------
    explained: rows of `rows` that it explains. hits: rows of `dealt` that it would explain by chance.
    share_by_chance: in place of hits / dealt, where the chance is known otherwise.
    """

    hypothesis: Hypothesis
    rows: int
    explained: int
    hits: int = 0
    dealt: int = 0
    share_by_chance: float | None = None


@dataclass(frozen=True)
class Cause:
    """What is said of a feature's mismatches.

    Attributes
    ----------
    rows: mismatching rows that were looked at. explained: of these. lower: exact lower limit of their share, one-sided at
        CONFIDENCE. chance: share explained by chance.
    candidates: where the code is `unknown`, those that explain the rows about equally well. why: then, why;
        `uncoded` where what explains them, in `detail`, has no code; `engine` where nothing explains them and this engine reads no histories; `types` where values of these types cannot
        be set beside each other.
    """

    code: Code
    rows: int
    explained: int = 0
    lower: float = 0.0
    chance: float = 0.0
    detail: Detail = field(default_factory=dict)
    candidates: tuple[Code, ...] = ()
    why: Literal["few", "ambiguous", "nothing", "uncoded", "engine", "types"] | None = None

    def document(self) -> dict[str, object]:
        """Return the JSON document: see docs/parity-causes.md."""
        return {
            "code": self.code,
            "rows": self.rows,
            "explained": self.explained,
            "lower": self.lower,
            "chance": self.chance,
            **({"detail": dict(self.detail)} if self.detail else {}),
            **({"candidates": list(self.candidates)} if self.candidates else {}),
            **({"why": self.why} if self.why else {}),
        }
