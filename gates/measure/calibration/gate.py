"""The calibration gate: expected calibration error, reliability bins and conformal coverage of the candidate.

In order:
(1) one pass for the counts of micro-bins, from which the edges of the bins follow;
(2) one GROUP BY (slice, cluster, bin) for each slice column, rolled up for the whole;
(3) coverage (`coverage.py`);
(4) figures from these sums, and the attachment that the reliability diagram is drawn from.
Cost: each pass is one scan; the cells, some 64 bytes each, are held: as many as rows where each row is a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gates.measure.calibration.binning import Bins, bin_code, cells_of, find_bins, score_parts
from gates.measure.calibration.coverage import COVERAGE_CHECKS, coverage
from gates.measure.calibration.reliability import BinGap, note
from gates.measure.claims import NOTHING, Claim, family, params, readable
from gates.measure.interface import Findings, Given, Scored
from gates.measure.stats.ece import ece
from gates.measure.stats.proportions import bin_gap
from gates.measure.sums import Part, Where
from gates.records import WHOLE, Item, Measurement, Reason

DECISION = "decision"
"""Name of the bin of scores at or above the operating threshold; the others are numbered from 1."""


class CalibrationGate:
    """Reads `y`, `p` and, where present, `covered_0`, by slice and, where present, by cluster."""

    name: ClassVar[str] = "calibration"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; every check stands in them, measured or with its reason."""
        scored = readable(given)
        if isinstance(scored, Reason):
            return Findings(tuple(_unmeasured(given, scored)))
        parameters = given.plan.parameters
        # (1)
        bins = find_bins(scored, parameters)
        # (2)
        code = bin_code(scored.table.p, bins.edges)
        pieces = score_parts(scored, given.plan, code)
        # (3)
        covered = coverage(given, scored)
        # (4)
        gaps = _gaps(pieces[0], bins, parameters.minimum_clusters)
        measurements = (
            *_errors(given, scored, pieces, bins),
            *_reliability(given, scored, gaps, bins),
            *covered,
        )
        return Findings(measurements, (note(given, scored, bins, pieces[0], gaps),))


def _unmeasured(given: Given, reason: Reason) -> Iterator[Measurement]:
    for check in ("calibration.ece", "calibration.bin", *COVERAGE_CHECKS):
        claim = Claim(check, "candidate", family(check, 1), "none", params(given))
        yield claim.measured(reason, NOTHING)


def _errors(given: Given, scored: Scored, pieces: list[Part], bins: Bins) -> Iterator[Measurement]:
    claim = Claim(
        "calibration.ece",
        "candidate",
        family("calibration.ece", len(pieces)),
        "binned_l1",
        params(given, **bins.described(given.plan.parameters)),
        scored.predictions,
    )
    minimum = given.plan.parameters.minimum_clusters
    for piece in pieces:
        yield claim.measured(ece(cells_of(piece), minimum_clusters=minimum), piece.where)


def _gaps(whole: Part, bins: Bins, minimum_clusters: int) -> list[BinGap]:
    """Return the bins of the whole in ascending order, the decision region last."""
    cells = cells_of(whole)
    chosen = {str(code + 1): cells.select(cells.bin == code) for code in range(bins.achieved)}
    chosen[DECISION] = cells.select(whole.keys[DECISION] == 1)
    return [BinGap(name, some, bin_gap(some, minimum_clusters=minimum_clusters)) for name, some in chosen.items()]


def _reliability(given: Given, scored: Scored, gaps: list[BinGap], bins: Bins) -> Iterator[Measurement]:
    parameters = given.plan.parameters
    binning = bins.described(parameters)
    claim = Claim(
        "calibration.bin",
        "candidate",
        # Both sides of each bin are claims: it must be off neither up nor down.
        family("calibration.bin", 2 * len(gaps)),
        "korn_graubard" if scored.clustered else "clopper_pearson",
        params(given, **binning, operating_threshold=parameters.operating_threshold),
        scored.predictions,
    )
    for gap in gaps:
        where = Where(WHOLE, 1_000_000, gap.cells.rows, gap.cells.clusters)
        yield claim.measured(gap.figure, where, Item(kind="bin", name=gap.name))
