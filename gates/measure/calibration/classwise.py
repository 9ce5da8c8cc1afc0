"""Calibration of more than two classes: the top label as one binary score, and each class against the rest.

Spec: statistics.md, section 1. The mean over classes of the classwise error is at most 2 / K and cannot fail, so it is
not computed. Each class is measured on the rows where its probability is at least 1 / K: below it no decision is for
the class, and the many rows near 0 would hide the few that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gates.measure.calibration.binning import binned
from gates.measure.claims import Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece, ece_sum
from gates.measure.sums import Where, double, unsliced
from gates.records import WHOLE, Item, Measurement, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLASSWISE_CHECKS = ("calibration.classwise_worst", "calibration.classwise_sum")


def top_label(scored: Scored) -> Scored:
    """Return the rows as a binary task: `p` is the largest probability, `y` whether its class is the label.

    Of equal probabilities the first class counts.
    """
    import ibis

    table = scored.table
    scores = [table[f"p_{k}"] for k in range(len(scored.classes))]
    best = ibis.greatest(*scores)
    label = ibis.cases(*((score == best, k) for k, score in enumerate(scores)))
    return _binary(scored, best, table.y == label)


def _binary(scored: Scored, p: ir.FloatingValue, y: ir.BooleanValue) -> Scored:
    """Return rows of a score and an outcome, without the columns of all classes."""
    table = scored.table
    others = [name for name in table.columns if name in {"cluster", "weight"} or name.startswith("slice_")]
    return replace(scored, table=table.select(*others, p=p, y=y.cast("float64")), task="binary", classes=())


def classwise(given: Given, scored: Scored, whole: Cells) -> Iterator[Measurement]:
    """Return the error of each class with enough events, and the sum over all classes.

    Each class is a claim of its own: the worst is within a limit where all are, and each part is tested unadjusted
    (intersection-union); that some class is beyond it is corrected for their number by the family.

    Parameters
    ----------
    whole: cells of the whole, each row once.
    """
    parameters = given.plan.parameters
    least = parameters.minimum_clusters
    cells = [_class(given, scored, k) for k in range(len(scored.classes))]
    enough = [k for k, found in enumerate(cells) if _events(found) >= parameters.minimum_events]
    shared = params(
        given,
        bins=parameters.bins,
        micro_bins=parameters.micro_bins,
        minimum_events=parameters.minimum_events,
        classes=len(cells),
        classes_with_enough_events=len(enough),
    )
    worst, added = (
        Claim(check, "candidate", family(check, size), "binned_l1", shared, scored.predictions)
        for check, size in zip(CLASSWISE_CHECKS, (len(enough), 1), strict=True)
    )
    rows = Where(WHOLE, 1_000_000, whole.rows, whole.clusters)
    for k in enough:
        where = Where(WHOLE, 1_000_000, cells[k].rows, cells[k].clusters)
        yield worst.measured(ece(cells[k], minimum_clusters=least), where, Item(kind="class", name=scored.classes[k]))
    if not enough:
        yield worst.measured(Reason.FEW_EVENTS, rows)
    yield added.measured(ece_sum(cells, whole, minimum_clusters=least), rows)


def _class(given: Given, scored: Scored, k: int) -> Cells:
    """Return the cells, by bin of equal mass, of the rows whose probability of the class is at least 1 / K."""
    against = _binary(scored, scored.table[f"p_{k}"], scored.table.y == k)
    chosen = against.table.filter(against.table.p >= double(1 / len(scored.classes)))
    found = binned(replace(against, table=chosen), unsliced(given.plan))
    return found.cells(found.pieces[0])


def _events(cells: Cells) -> int:
    """Return how many rows have the class."""
    counts = cells.n if cells.count is None else cells.count
    return int(counts[cells.y > 0].sum())
