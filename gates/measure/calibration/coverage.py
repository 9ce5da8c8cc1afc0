"""Coverage of the candidate's prediction sets or intervals, by slice and level; the front of all that hangs on them.

In order:
(1) one GROUP BY (slice, cluster) for each slice column, with the sums for coverage, widths and the curve of quantiles;
(2) strata (`strata.py`): the same by width of the interval or size of the set, and by prediction;
(3) widths against champion and baseline (`widths.py`), the curve (`pit.py`), the rows of calibration (below);
(4) the attachment (`coverage_note.py`).

The plan's coverage level has the checks of under- and over-coverage. All levels, it among them, stand under
`calibration.level_coverage`, which policy may ask for besides.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.measure.calibration import coverage_note, pit, strata, widths
from gates.measure.calibration.shares import gap, known, method, name_of, place
from gates.measure.census import table_of
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Findings, Given, Scored
from gates.measure.stats.conformal import coverage_spread, rank
from gates.measure.stats.figure import Figure
from gates.measure.sums import Part, parts
from gates.records import Item, Measurement, Reason

_OWN = (
    "calibration.under_coverage",
    "calibration.over_coverage",
    "calibration.level_coverage",
    "calibration.stratum_under_coverage",
)


def coverage(given: Given, scored: Scored, counted: list[Part] | None = None) -> Findings:
    """Return every figure of coverage, width and the curve of quantiles, with what the pictures of them need.

    Parameters
    ----------
    counted: the parts of the same rows by other sums. Where there is nothing to sum here, they tell the rows of each.
    """
    values = {**known(scored), **widths.values(scored), **pit.values(scored)}
    pieces = counted
    if pieces is None or values:
        pieces = parts(scored, given.plan, values, {}, largest=widths.largest(given, scored))
    found = strata.measure(given, scored)
    measurements = (
        *_marginal(given, scored, pieces),
        *_by_level(given, scored, pieces),
        *strata.figures(given, scored, found),
        *widths.figures(given, scored, pieces),
        *pit.figures(given, scored, pieces),
        *_calibrated(given),
    )
    note = coverage_note.note(given, scored, pieces[0], found)
    return Findings(measurements, () if note is None else (note,))


def unmeasured(given: Given, reason: Reason) -> Iterator[Measurement]:
    """Return every check of this part as unmeasured, where there are no scored rows."""
    for check in _OWN:
        yield Claim(check, "candidate", family(check, 1), "none", params(given)).measured(reason, NOTHING)
    yield from widths.unmeasured(given, reason)
    yield from pit.unmeasured(given, reason)
    yield from _calibrated(given)


def _marginal(given: Given, scored: Scored, pieces: list[Part]) -> Iterator[Measurement]:
    """Under-coverage (nominal less coverage) and over-coverage (coverage less nominal) at the plan's level."""
    level = given.plan.parameters.coverage_level
    # The two checks are the two sides of one claim, so both count in its family.
    size = family("calibration.coverage", 2 * len(pieces))
    shared = (size, method(scored), params(given, level=level), scored.predictions)
    under = Claim("calibration.under_coverage", "candidate", *shared)
    over = Claim("calibration.over_coverage", "candidate", *shared)
    item, at = Item(kind="level", name=name_of(level)), place(given, scored)
    for piece in pieces:
        figure = at if isinstance(at, Reason) else gap(given, piece, f"covered_{at}", level)
        yield under.measured(figure.mirrored() if isinstance(figure, Figure) else figure, piece.where, item)
        yield over.measured(figure, piece.where, item)


def _by_level(given: Given, scored: Scored, pieces: list[Part]) -> Iterator[Measurement]:
    """Return coverage less nominal at each level; of one level the slices have it above, and the whole stands alone."""
    check = "calibration.level_coverage"
    shown = pieces if len(scored.levels) > 1 else pieces[:1]
    # Both sides of each level are claims.
    size = family(check, 2 * len(scored.levels) * len(shown))
    claim = Claim(check, "candidate", size, method(scored), params(given), scored.predictions)
    for piece in shown:
        if not scored.levels:
            yield claim.measured(Reason.NO_SETS, piece.where)
        for i, level in enumerate(scored.levels):
            item = Item(kind="level", name=name_of(level))
            yield claim.measured(gap(given, piece, f"covered_{i}", level), piece.where, item)


def _calibrated(given: Given) -> Iterator[Measurement]:
    """How many rows calibrated the model, at most, and what these alone let its coverage be.

    A method that spends a part of them on something else (a scale for LACP, say) has fewer, and spreads wider.
    """
    table = table_of(given, "calibration")
    rows = Reason.NOT_PROVIDED if isinstance(table, Reason) else table.identity.rows
    check = "calibration.calibration_rows"
    count = Claim(check, "candidate", family(check, 1), "count", unit="rows", scope="census")
    exact = rows if isinstance(rows, Reason) else Figure.exact(rows, rows)
    yield count.measured(exact, NOTHING)
    level, check = given.plan.parameters.coverage_level, "calibration.coverage_spread"
    named = {} if isinstance(rows, Reason) else {"calibration_rows": rows, "rank": rank(rows, level)}
    claim = Claim(check, "candidate", family(check, 1), "beta", params(given, level=level, **named))
    spread = rows if isinstance(rows, Reason) else coverage_spread(rows, level)
    yield claim.measured(spread, NOTHING, Item(kind="level", name=name_of(level)))
