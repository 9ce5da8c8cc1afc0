"""Conformal coverage of the candidate's prediction sets: under- and over-coverage, by slice.

One GROUP BY (slice, cluster) for each slice column.
"""

from __future__ import annotations

from gates.measure.claims import Claim, family, params
from gates.measure.interface import Given, Scored
from gates.measure.stats import proportions
from gates.measure.stats.figure import Figure
from gates.measure.sums import Part, parts
from gates.records import Item, Measurement, Reason

COVERAGE_CHECKS = ("calibration.under_coverage", "calibration.over_coverage")
"""Every check of this part: reported as unmeasured where there are no scored rows."""


def coverage(given: Given, scored: Scored) -> list[Measurement]:
    """Return under-coverage (nominal less coverage) and over-coverage (coverage less nominal) as claims apart.

    Without prediction sets both are unmeasured, in each slice.
    """
    level = given.plan.parameters.coverage_level
    values = {"covered": scored.table.covered_0.cast("int64")} if scored.levels else {}
    pieces = parts(scored, given.plan, values, {})
    # The two checks are the two sides of one claim, so both count in its family.
    size = family("calibration.coverage", 2 * len(pieces))
    method = "korn_graubard" if scored.clustered else "clopper_pearson"
    shared = (size, method, params(given, level=level), scored.predictions)
    under = Claim("calibration.under_coverage", "candidate", *shared)
    over = Claim("calibration.over_coverage", "candidate", *shared)
    item = Item(kind="level", name=f"{level:g}")
    found = []
    for piece in pieces:
        gap = _gap(piece, level, given.plan.parameters.minimum_clusters) if scored.levels else Reason.NO_SETS
        found.append(under.measured(gap.mirrored() if isinstance(gap, Figure) else gap, piece.where, item))
        found.append(over.measured(gap, piece.where, item))
    return found


def _gap(piece: Part, level: float, minimum_clusters: int) -> Figure | Reason:
    cluster = piece.keys.get("cluster")
    figure = proportions.coverage(piece.sums["covered"], piece.sums["n"], cluster, minimum_clusters=minimum_clusters)
    return figure.shifted(-level) if isinstance(figure, Figure) else figure
