"""The calibration gate: expected calibration error, reliability bins and conformal coverage of the candidate.

In order:
(1) sums of scores and outcomes by cell of a grid of micro-bins (`binning.py`): one GROUP BY for each slice column where
    rows are independent; in clusters one for the micro-bins, and one for each slice column by (cluster, bin);
(2) coverage (`coverage.py`), all there is of a number;
(3) of more than two classes: the score is the largest probability, the outcome whether its class is right; and each
    class against the rest (`classwise.py`);
(4) figures from these sums, the attachment that the reliability diagram is drawn from, and what a recalibration would
    reach.
Cost: each pass is one scan of the columns it needs. The cells, some 64 bytes each, are held: 2,000 for each slice, or as
many as rows where each row is a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from gates.measure.ahead import import_ahead
from gates.measure.calibration.binning import WIDTHS, Binned, binned, cells_of
from gates.measure.calibration.classwise import CLASSWISE_CHECKS, classwise, top_label
from gates.measure.calibration.coverage import coverage, unmeasured
from gates.measure.calibration.hint import hint
from gates.measure.calibration.reliability import BinGap, note
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Findings, Given, Scored
from gates.measure.stats.cells import Cells
from gates.measure.stats.ece import ece, slope
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import bin_gap
from gates.measure.stats.spiegelhalter import spiegelhalter
from gates.measure.sums import Part, Where
from gates.records import WHOLE, Item, Measurement, Reason
from gates.records.base import Scalar

DECISION = "decision"
"""Name of the bin of scores at or above the operating threshold; the others are numbered from 1."""

AGREES = 1e-9
"""Distance of mean score and rate at which a bin was fitted to these very rows."""

CHECKS = ("ece", "bin", "ece_equal_width", "slope", "fitted_share", "spiegelhalter")


class CalibrationGate:
    """Reads `y`, `p` or `p_0`, ... and, where present, `covered_0`, by slice and, where present, by cluster."""

    name: ClassVar[str] = "calibration"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; every check stands in them, measured or with its reason."""
        if given.plan.task == "numeric":
            return _numeric(given)
        scored = _readable(given)
        if isinstance(scored, Reason):
            return Findings(tuple(_unmeasured(given, scored)))
        import_ahead("scipy.special")
        # (3)
        many = scored.task == "multiclass"
        scores = top_label(scored) if many else scored
        # (1)
        found = binned(scores, given.plan, own=True)
        # (4)
        gaps = _gaps(found, given.plan.parameters.minimum_clusters)
        # (2)
        covered = coverage(given, scored, found.pieces)
        measurements = (
            *_errors(given, scores, found),
            *_reliability(given, scores, gaps, found),
            *_widths(given, scores, found),
            *_within(given, scores, found),
            _fitted(given, scores, found, gaps),
            _exactly(given, scores, found),
            *covered.measurements,
            *(classwise(given, scored, found.cells(found.pieces[0])) if many else ()),
        )
        notes = (note(given, found, gaps), *hint(found, classes=many), *covered.notes)
        return Findings(measurements, notes)


def _readable(given: Given) -> Scored | Reason:
    if isinstance(given.scored, Reason):
        return given.scored
    return given.scored if given.scored.rows > 0 else Reason.EMPTY_TABLE


def _numeric(given: Given) -> Findings:
    """A number has no probabilities of classes: its calibration is that of intervals and quantiles."""
    scored = _readable(given)
    if isinstance(scored, Reason):
        return Findings(tuple(unmeasured(given, scored)))
    return coverage(given, scored)


def _unmeasured(given: Given, reason: Reason) -> Iterator[Measurement]:
    of_task = CLASSWISE_CHECKS if given.plan.task == "multiclass" else ()
    for check in (*(f"calibration.{name}" for name in CHECKS), *of_task):
        claim = Claim(check, "candidate", family(check, 1), "none", params(given))
        yield claim.measured(reason, NOTHING)
    yield from unmeasured(given, reason)


def _claim(given: Given, scored: Scored, check: str, size: int, method: str, **values: Scalar) -> Claim:
    return Claim(check, "candidate", family(check, size), method, params(given, **values), scored.predictions)


def _each(claim: Claim, pieces: list[Part], figure: Callable[[Part], Figure | Reason]) -> Iterator[Measurement]:
    for piece in pieces:
        yield claim.measured(figure(piece), piece.where)


def _errors(given: Given, scored: Scored, found: Binned) -> Iterator[Measurement]:
    minimum = given.plan.parameters.minimum_clusters
    described = found.bins.described(given.plan.parameters)
    claim = _claim(given, scored, "calibration.ece", len(found.pieces), "binned_l1", **described)
    return _each(claim, found.pieces, lambda piece: ece(found.cells(piece), minimum_clusters=minimum))


def _widths(given: Given, scored: Scored, found: Binned) -> Iterator[Measurement]:
    """Return the error by bins of equal width, as most libraries compute it, beside the gated one."""
    minimum = given.plan.parameters.minimum_clusters
    achieved = np.unique(found.by_width(found.pieces[0]).bin).size
    described: dict[str, Scalar] = {"binning": "equal_width", "bins": WIDTHS, "achieved_bins": int(achieved)}
    claim = _claim(given, scored, "calibration.ece_equal_width", len(found.pieces), "binned_l1", **described)
    return _each(claim, found.pieces, lambda piece: ece(found.by_width(piece), minimum_clusters=minimum))


def _within(given: Given, scored: Scored, found: Binned) -> Iterator[Measurement]:
    """Return the effect of slopes within bins: errors that cancel in each bin, as a sawtooth's do."""
    minimum = given.plan.parameters.minimum_clusters
    described = found.bins.described(given.plan.parameters)
    claim = _claim(given, scored, "calibration.slope", 1, "within_bin_l1", **described)

    def figure(piece: Part) -> Figure | Reason:
        cells = cells_of(piece)
        return slope(cells, found.grid.bins(cells.bin, found.bins.edges), minimum_clusters=minimum)

    return _each(claim, found.pieces[:1], figure)


def _gaps(found: Binned, minimum_clusters: int) -> list[BinGap]:
    """Return the bins of the whole in ascending order, the decision region last."""
    whole = found.pieces[0]
    cells = found.cells(whole)
    chosen = {str(code + 1): cells.select(cells.bin == code) for code in range(found.bins.achieved)}
    chosen[DECISION] = cells.select(found.grid.decided(cells_of(whole).bin))
    return [BinGap(name, some, _gap(name, some, minimum_clusters)) for name, some in chosen.items()]


def _gap(name: str, cells: Cells, minimum_clusters: int) -> Figure | Reason:
    if name == DECISION and cells.rows == 0:
        # The table has rows: the model says yes to none of them, as one of rare events may.
        return Reason.NO_DECISIONS
    return bin_gap(cells, minimum_clusters=minimum_clusters)


def _reliability(given: Given, scored: Scored, gaps: list[BinGap], found: Binned) -> Iterator[Measurement]:
    parameters = given.plan.parameters
    threshold: dict[str, Scalar] = {"operating_threshold": parameters.operating_threshold}
    # Both sides of each bin are claims: it must be off neither up nor down.
    size, exact = 2 * len(gaps), not (scored.clustered or scored.weighted)
    method = "clopper_pearson" if exact else "korn_graubard"
    described = found.bins.described(parameters) | threshold
    claim = _claim(given, scored, "calibration.bin", size, method, **described)
    for gap in gaps:
        where = Where(WHOLE, 1_000_000, gap.cells.rows, gap.cells.clusters)
        yield claim.measured(gap.figure, where, Item(kind="bin", name=gap.name))


def _fitted(given: Given, scored: Scored, found: Binned, gaps: list[BinGap]) -> Measurement:
    """Return the share of rows in bins whose rate is their mean score to 1e-9: chance leaves that to a bin or two."""
    described = found.bins.described(given.plan.parameters)
    claim = replace(_claim(given, scored, "calibration.fitted_share", 1, "census", **described), scope="census")
    where = found.pieces[0].where
    agreeing = sum(gap.cells.rows for gap in gaps[:-1] if _agrees(gap.cells))
    share = agreeing / where.rows
    return claim.measured(Figure.exact(share, where.rows, where.clusters), where)


def _exactly(given: Given, scored: Scored, found: Binned) -> Measurement:
    """Return Spiegelhalter's Z of the whole. No policy has a limit of it, as none has of accuracy: it is told, and never decides."""
    claim = replace(_claim(given, scored, "calibration.spiegelhalter", 1, "spiegelhalter"), unit="standard_errors")
    whole, minimum = found.pieces[0], given.plan.parameters.minimum_clusters
    return claim.measured(spiegelhalter(cells_of(whole), found.own, minimum_clusters=minimum), whole.where)


def _agrees(cells: Cells) -> bool:
    return abs(float(cells.residual.sum())) <= AGREES * float(cells.n.sum())
