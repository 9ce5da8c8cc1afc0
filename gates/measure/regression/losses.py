"""Sums of proper losses and of their products, by the engine: what the paired figures are made of.

log loss: -ln p of what happened, p kept within [EPS, 1 - EPS]; Brier: (p - y)^2. A flip is what a turned label would add
to the loss of the row: the logit of p, and 1 - 2 p (up to a sign that both models share).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from gates.measure.interface import Scored
from gates.measure.stats.means import PairSums
from gates.measure.sums import Part, double, exact_sum, parts
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir

EPS = 1e-15
"""Scores of exactly 0 and 1 count as this far from them in log loss; else one wrong row makes it infinite."""

LOG_LOSS_CEILING = 34.6
"""Just above -ln EPS."""

LOG_LOSS, BRIER, BASELINE = "log_loss", "brier", "baseline"

_Losses: TypeAlias = "Callable[[ir.FloatingValue, ir.FloatingValue], tuple[ir.FloatingValue, ir.FloatingValue]]"


def base_rate(scored: Scored) -> float:
    """Return the share of events in the whole table, one scan."""
    table = scored.table
    answer = table.aggregate(y=exact_sum(table.y), n=table.count()).to_pyarrow().to_pylist()
    return float(answer[0]["y"]) / int(answer[0]["n"])


def loss_parts(scored: Scored, plan: Plan, constant: float) -> list[Part]:
    """Read the sums by (slice, cluster) of the pairs candidate-champion in both losses, and of Brier with a constant.

    Without a champion the candidate stands in its place, so that the absolute figures come by the same way.
    """
    table = scored.table.mutate(constant=double(constant))
    other = table.q if scored.champion else table.p
    sums = {
        **_pair(LOG_LOSS, table.y, table.p, other, _log_loss),
        **_pair(BRIER, table.y, table.p, other, _brier),
        **_pair(BASELINE, table.y, table.p, table.constant, _brier),
    }
    return parts(replace(scored, table=table), plan, sums, {})


def pair_sums(part: Part, pair: str, *, clustered: bool) -> PairSums:
    """Return one pair's sums of a part."""
    fields = ("a", "b", "aa", "ab", "bb", "faa", "fab", "fbb")
    sums = {field: part.sums[f"{pair}_{field}"] for field in fields}
    return PairSums(n=part.sums["n"], clustered=clustered, **sums)


def _pair(
    pair: str, y: ir.FloatingValue, p: ir.FloatingValue, q: ir.FloatingValue, losses: _Losses
) -> dict[str, ir.NumericValue]:
    (a, flip_a), (b, flip_b) = losses(y, p), losses(y, q)
    terms = {
        "a": a,
        "b": b,
        "aa": a * a,
        "ab": a * b,
        "bb": b * b,
        "faa": flip_a * flip_a,
        "fab": flip_a * flip_b,
        "fbb": flip_b * flip_b,
    }
    return {f"{pair}_{name}": term for name, term in terms.items()}


def _log_loss(y: ir.FloatingValue, p: ir.FloatingValue) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    kept = p.clip(lower=double(EPS), upper=double(1 - EPS))
    event, other = -kept.ln(), -(1 - kept).ln()
    return (y > 0.5).ifelse(event, other), other - event


def _brier(y: ir.FloatingValue, p: ir.FloatingValue) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    return (p - y) * (p - y), 1 - 2 * p
