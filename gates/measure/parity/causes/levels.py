"""What needs a feature's rows as a whole: a mapping of its values, and the same values at other rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import arrow, row
from gates.measure.parity.causes.hypotheses import MAPPING, MULTISET, Claim, Hypothesis, Tally
from gates.measure.parity.causes.rows import Rows
from gates.measure.parity.compare import Feature, both_sides, equal

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_LEVELS = 200
SUPPORT = 5  # rows: a value that is seen less often could be mapped to anything


def mapped(rows: Rows) -> Rows | None:
    """Return the rows with `holds` and `by_chance`: b is what most rows with that a have; None where a is no category."""
    table = rows.table
    seen = row(table.aggregate(levels=table.a.nunique(), rows=table.count()))
    if not 2 <= seen["levels"] <= min(MOST_LEVELS, seen["rows"] / SUPPORT):
        return None
    for name, side in (("holds", "b"), ("by_chance", "other_b")):
        times = table.mutate(times=table.count().over(group_by=[table.a, table[side]]))
        most = times.mutate(most=times.times.max().over(group_by=times.a))
        usual = (most.times == most.most) & (most.times >= SUPPORT) & most.a.notnull()
        table = most.mutate(**{name: usual}).drop("times", "most")
    return Rows(table, rows.feature, rows.tolerance)


def mapping_claims(rows: Rows) -> Iterator[Claim]:
    """Yield that the online value is a function of the offline one."""
    if "holds" in rows.table.columns:
        yield Claim(Hypothesis("category_mapping", MAPPING), rows.table.holds, rows.table.by_chance)


def multiset_tally(pairs: ir.Table, feature: Feature, tolerance: float) -> Tally | None:
    """Count the mismatching rows whose online value is the offline value of another of them, each used once.

    By chance two columns of one distribution share values too. Of m rows of one value, of which a fair coin says on which
    side each is, the sides' counts differ by k C(m, k) / 2^(m - 1) in the mean, with k the half of m, rounded up: the mean
    absolute deviation of a binomial count (De Moivre 1730; Diaconis and Zabell 1991, eq. 1.1). Both sides have n rows, so
    that the count is hypergeometric: its deviation is smaller by the root of (1 - m / 2n) 2n / (2n - 1).
    """
    if feature.offline != feature.online:
        return None
    found = pairs.filter(both_sides(pairs) & ~equal(pairs, feature, tolerance))
    left = found.group_by(value=found[feature.left]).aggregate(a=found.count())
    right = found.group_by(value=found[feature.right]).aggregate(b=found.count())
    joined = left.outer_join(right, "value")
    sizes = joined.select(a=joined.a.fill_null(0), b=joined.b.fill_null(0)).group_by(["a", "b"])
    counts = arrow(sizes.aggregate(values=lambda t: t.count())).to_pydict()
    return _overlap(counts["a"], counts["b"], counts["values"])


def _overlap(a: Sequence[int], b: Sequence[int], values: Sequence[int]) -> Tally:
    from scipy.special import gammaln

    x, y, times = (np.array(column, dtype=np.float64) for column in (a, b, values))
    rows = float((x * times).sum())
    shared = float((np.minimum(x, y) * times).sum())
    both = x + y
    half = np.ceil(both / 2)
    ways = gammaln(both + 1) - gammaln(half + 1) - gammaln(both - half + 1)
    differ = half * np.exp(ways - (both - 1) * np.log(2.0))
    differ *= np.sqrt(np.maximum(0.0, 1 - both / (2 * rows)) * 2 * rows / (2 * rows - 1))
    chance = 1 - float((differ * times).sum()) / (2 * rows)
    return Tally(Hypothesis("sort_order", MULTISET), int(rows), int(shared), share_by_chance=max(0.0, chance))
