"""The regression gate: the candidate against the champion and against a constant, paired on the same rows.

In order:
(1) one scan for the base rate, the score of the constant;
(2) one GROUP BY (slice, cluster) for each slice column with the sums of losses and of their products;
(3) one fetch of the scores by row, since areas under the ROC curve need ranks;
(4) figures: absolute ones for candidate and champion, the difference of areas, the ratios of mean losses.

The constant is the whole table's base rate, in every slice: it is the trivial model that one could serve. A slice's own
rate would be known only afterwards, and of three rows without an event it would be a perfect and meaningless rival. For
the whole the rate comes from the rows judged, which favours the constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from gates.measure.claims import NOTHING, Claim, family, params, readable
from gates.measure.interface import Findings, Given, Scored
from gates.measure.regression import losses
from gates.measure.regression.losses import BASELINE, BRIER, LOG_LOSS, pair_sums
from gates.measure.regression.ranks import Rows, row_parts
from gates.measure.stats.auc import Placements, auc, auc_difference
from gates.measure.stats.figure import Figure
from gates.measure.stats.means import PairSums, loss_ratio, mean_loss
from gates.measure.sums import Part
from gates.records import Family, Measurement, Reason
from gates.records.base import Scalar
from gates.records.measurement import Subject


class RegressionGate:
    """Reads `y`, `p` and, where present, `q`, by slice and, where present, by cluster."""

    name: ClassVar[str] = "regression"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; every check stands in them, measured or with its reason."""
        scored = readable(given)
        if isinstance(scored, Reason):
            return Findings(tuple(claim.measured(scored, NOTHING) for _, claim in _claims(given, None, 0.0, 1)))
        # (1)
        constant = losses.base_rate(scored)
        # (2)
        parts = losses.loss_parts(scored, given.plan, constant)
        # (3)
        rows = row_parts(scored, given.plan)
        # (4)
        return Findings(tuple(_figures(given, scored, constant, parts, rows)))


@dataclass(frozen=True)
class _Piece:
    """A slice's rows, as sums and one by one."""

    part: Part
    rows: Rows
    minimum: int

    @cached_property
    def candidate(self) -> Placements | Reason:
        return Placements.of(self.rows.y, self.rows.p)

    @cached_property
    def champion(self) -> Placements | Reason:
        return Placements.of(self.rows.y, self.rows.champion)

    def sums(self, pair: str) -> PairSums:
        return pair_sums(self.part, pair, clustered=self.rows.cluster is not None)

    def ratio(self, pair: str) -> Figure | Reason:
        return loss_ratio(self.sums(pair), minimum_clusters=self.minimum)


@dataclass(frozen=True)
class _Check:
    """One check: what it claims of whom, and how its figure comes from a piece. The champion's own: of the whole."""

    name: str
    subject: Subject
    method: str
    unit: str
    params: dict[str, Scalar]
    figure: Callable[[_Piece], Figure | Reason]

    @property
    def needs_champion(self) -> bool:
        return self.subject == "champion" or self.name.endswith("_vs_champion")

    def claim(self, given: Given, predictions: str | None, together: Family) -> Claim:
        """Return the claim, as one of a family."""
        name = f"regression.{self.name}"
        named = params(given, **self.params)
        clustered = isinstance(given.scored, Scored) and given.scored.clustered
        method = "obuchowski" if clustered and self.method == "delong" else self.method
        return Claim(name, self.subject, together, method, named, predictions, self.unit)


def _claims(given: Given, predictions: str | None, constant: float, pieces: int) -> list[tuple[_Check, Claim]]:
    """Return each check with its claim; `pieces` slices, the whole among them, are looked at together.

    Whatever compares is one family: of several metrics and slices some would look worse by chance. What is only
    reported is a family by metric, and the champion's own is looked at once.
    """
    checks = _checks(constant)
    rival = isinstance(given.scored, Scored) and given.scored.champion
    comparing = [check for check in checks if check.subject == "pair" and (rival or not check.needs_champion)]
    compared = family("regression", len(comparing) * pieces)

    def together(check: _Check) -> Family:
        if check.subject == "pair":
            return compared
        return family(f"regression.{check.name}", pieces if check.subject == "candidate" else 1)

    def source(check: _Check) -> str | None:
        if predictions is None or isinstance(given.scored, Reason):
            return None
        return given.scored.source(champion=check.needs_champion)

    return [(check, check.claim(given, source(check), together(check))) for check in checks]


def _figures(
    given: Given, scored: Scored, constant: float, parts: list[Part], rows: Iterator[Rows]
) -> Iterator[Measurement]:
    claims = _claims(given, scored.predictions, constant, len(parts))
    # A champion that could not be scored is not the same as none.
    absent = Reason.NO_CHAMPION if given.champion is None else Reason.NOT_PROVIDED
    for part, own in zip(parts, rows, strict=True):
        piece = _Piece(part, own, given.plan.parameters.minimum_clusters)
        for check, claim in claims:
            if check.subject == "champion" and part.where.slice.kind != "whole":
                continue
            known = scored.champion or not check.needs_champion
            yield claim.measured(check.figure(piece) if known else absent, part.where)


def _checks(constant: float) -> tuple[_Check, ...]:
    """Return all checks of the gate. constant: the base rate, the score of the trivial model."""
    baseline: dict[str, Scalar] = {"baseline": "base rate of the whole"}
    return (
        *_absolute("candidate", lambda piece: piece.candidate, lambda sums: sums),
        *_absolute("champion", lambda piece: piece.champion, PairSums.swapped),
        _Check("auc_vs_champion", "pair", "delong", "area", {}, _auc_difference),
        _Check("log_loss_vs_champion", "pair", "fieller", "ratio", _CLIP, lambda piece: piece.ratio(LOG_LOSS)),
        _Check("brier_vs_champion", "pair", "fieller", "ratio", {}, lambda piece: piece.ratio(BRIER)),
        _Check("brier_vs_baseline", "pair", "fieller", "ratio", baseline, lambda piece: _skill(piece, constant)),
    )


_CLIP: dict[str, Scalar] = {"eps": losses.EPS}


def _absolute(
    subject: Subject, placements: Callable[[_Piece], Placements | Reason], side: Callable[[PairSums], PairSums]
) -> tuple[_Check, ...]:
    def area(piece: _Piece) -> Figure | Reason:
        return auc(placements(piece), piece.rows.cluster, minimum_clusters=piece.minimum)

    def mean(pair: str, ceiling: float) -> Callable[[_Piece], Figure | Reason]:
        return lambda piece: mean_loss(side(piece.sums(pair)), minimum_clusters=piece.minimum, ceiling=ceiling)

    return (
        _Check("auc", subject, "delong", "area", {}, area),
        _Check("log_loss", subject, "mean", "nats", _CLIP, mean(LOG_LOSS, losses.LOG_LOSS_CEILING)),
        _Check("brier", subject, "mean", "squared_error", {}, mean(BRIER, 1.0)),
    )


def _auc_difference(piece: _Piece) -> Figure | Reason:
    return auc_difference(piece.candidate, piece.champion, piece.rows.cluster, minimum_clusters=piece.minimum)


def _skill(piece: _Piece, constant: float) -> Figure | Reason:
    """Return Brier relative to the constant's; a table of one class has a perfect constant and shows no skill."""
    return piece.ratio(BASELINE) if 0 < constant < 1 else Reason.ONE_CLASS
