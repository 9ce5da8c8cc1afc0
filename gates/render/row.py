"""One rule's result with its figure, its limit and its words: a row of every output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from gates.decide.limits import Limit
from gates.decide.rows_needed import Need
from gates.records.decision import Disposition, RuleResult, Verdict
from gates.records.measurement import Bound, Item, Measurement, Slice

Status = Verdict | Literal["missing"]

UNENFORCED: tuple[Disposition, ...] = ("warned", "observed", "shortened")
"""What would deny, and is only told, or left for later by a hotfix."""

_ORDER: tuple[tuple[Status, Disposition], ...] = (
    ("fail", "denies"),
    ("error", "denies"),
    ("missing", "denies"),
    ("inconclusive", "denies"),
    ("pass", "denies"),
    *((status, disposition) for disposition in UNENFORCED for status in ("fail", "error", "missing", "inconclusive")),
    ("fail", "waived"),
    ("error", "waived"),
    ("inconclusive", "waived"),
    ("inconclusive", "accepted"),
    ("fail", "tolerated"),
    ("error", "tolerated"),
    ("inconclusive", "tolerated"),
)
RANKS = {kind: rank for rank, kind in enumerate(_ORDER)}
UNREMARKABLE = len(_ORDER)


@dataclass(frozen=True)
class Row:
    """One rule's result with all that a reader needs beside it.

    Attributes
    ----------
    title: of the check. note: why there is no verdict by figures, in words; absent where there is one.
    bound: the interval at the rung that the verdict was read from. needs: what would settle an undecided row.
    """

    result: RuleResult
    status: Status
    title: str
    note: str | None = None
    remedy: str | None = None
    measurement: Measurement | None = None
    bound: Bound | None = None
    limit: Limit | None = None
    needs: Need | None = None

    @property
    def check(self) -> str:
        return self.result.check

    @property
    def code(self) -> str:
        return self.result.code

    @property
    def slice(self) -> Slice:
        return self.result.slice or Slice()

    @property
    def item(self) -> Item | None:
        return self.result.item

    @property
    def denies(self) -> bool:
        return self.result.disposition == "denies"

    @property
    def gate(self) -> str:
        return self.check.split(".", 1)[0]

    @property
    def whole(self) -> bool:
        return self.slice.kind == "whole"

    @property
    def proof(self) -> bool:
        """Whether it is a pass of a claim that reaches beyond the rows read."""
        return self.status == "pass" and self.measurement is not None and self.measurement.scope == "sample"

    @property
    def narrowed(self) -> bool:
        """Whether less is asked for than at the last decision here."""
        return self.code.startswith("narrowed.")

    @property
    def rank(self) -> int:
        return RANKS.get((self.status, self.result.disposition), UNREMARKABLE)

    @cached_property
    def strain(self) -> float:
        """How far the interval reaches beyond the limit, in units of the limit: the larger, the worse."""
        if self.limit is None or self.bound is None:
            return float("-inf")
        reach = self.limit.best(self.bound) if self.status == "fail" else self.limit.worst(self.bound)
        span = self.limit.ceiling - self.limit.value if self.limit.ceiling is not None else self.limit.value
        return self.limit.excess(reach) / (abs(span) or 1.0)
