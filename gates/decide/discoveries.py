"""Which slices or items of a check stand out although the check's limit is not proven to be exceeded there: advice.

That some part of many fails is corrected for all that were looked at (Bonferroni, `limits.Rungs`), so that next to nothing
fails by chance and a part that is bad may stay undecided. Benjamini and Hochberg (1995, Journal of the Royal Statistical
Society B 57) promise less and find more: of the parts that they name, a tenth on the average are named by chance. That is
a list of places to look at, and no proof of any of them.

A part's p value is read off the ladder, and never too small: 1 less the highest confidence at which its interval lies
beyond the limit, or 1 where none does. Parts share rows and models, so that their figures go up and down together, under
which the promise holds (Benjamini and Yekutieli 2001, Annals of Statistics 29).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gates.decide.limits import Limit
from gates.records.decision import RuleResult
from gates.records.measurement import Measurement

RATE = 0.1
"""Share of the named parts that are named by chance, on the average and at most."""

_ROUNDING = 1e-9
"""Of a product of decimal fractions in doubles."""


@dataclass(frozen=True)
class StandOut:
    """Parts of one check that look bad and are not proven to be.

    Attributes
    ----------
    figures: of the parts, as the decision has them. among: claims that were looked at together.
    """

    check: str
    figures: tuple[Measurement, ...]
    among: int

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        parts = [
            {"slice": figure.slice.document(), **({"item": figure.item.document()} if figure.item else {})}
            for figure in self.figures
        ]
        return {"check": self.check, "false_discovery_rate": RATE, "among": self.among, "parts": parts}


def stand_out(judged: Iterable[tuple[RuleResult, Limit, Measurement]]) -> tuple[StandOut, ...]:
    """Return, by check, the undecided slices and items that are found beside all that were judged."""
    parts: dict[tuple[str, str], list[tuple[RuleResult, Limit, Measurement]]] = {}
    for result, limit, figure in judged:
        if figure.slice.kind != "whole" or figure.item is not None:
            parts.setdefault((figure.check, figure.subject), []).append((result, limit, figure))
    found = []
    for (check, _), claims in parts.items():
        # A family counts both sides of a two-sided claim, and what was measured and not judged.
        among = max(len(claims), *(figure.family.size for _, _, figure in claims))
        named = rejected([p_value(limit, figure) for _, limit, figure in claims], among)
        figures = tuple(
            figure
            for (result, _, figure), hit in zip(claims, named, strict=True)
            if hit and result.verdict == "inconclusive"
        )
        if figures and len(claims) > 1:
            found.append(StandOut(check, figures, among))
    return tuple(found)


def p_value(limit: Limit, figure: Measurement) -> float:
    """Return what the chance is at most to see a figure so far beyond its limit, were it at the limit."""
    beyond = [bound.confidence for bound in figure.bounds or () if limit.excess(limit.best(bound)) > 0]
    return round(1 - max(beyond), 12) if beyond else 1.0


def rejected(p: Sequence[float], among: int) -> tuple[bool, ...]:
    """Return which of `p` Benjamini and Hochberg reject at RATE; the other claims of `among` have a p value of 1."""
    steps = enumerate(sorted(p), 1)
    largest = max((value for k, value in steps if value <= k * RATE / among * (1 + _ROUNDING)), default=-1.0)
    return tuple(value <= largest for value in p)
