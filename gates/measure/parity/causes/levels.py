"""What needs a feature's rows as a whole: a mapping of its values, and the same values at other rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gates.inputs.tables import arrow
from gates.measure.parity.causes.hypotheses import MAPPING, MULTISET, Claim, Hypothesis, Tally
from gates.measure.parity.causes.rows import MOST_ROWS, Rows, by_number

MOST_LEVELS = 200
SAMPLED = MOST_ROWS // 2  # rows: with more they may be a sample, whose values need not be one another's
SUPPORT = 5  # rows: a value that is seen less often could be mapped to anything


def mapping_claims(rows: Rows) -> tuple[Rows, list[Claim]]:
    """Return that the online value is a function of the offline one: what most rows with that value have."""
    table = rows.table
    seen = by_number(table.group_by("f").aggregate(levels=table.a.nunique()))
    few = [f for f, one in seen.items() if 2 <= one["levels"] <= min(MOST_LEVELS, rows.sizes[f] / SUPPORT)]
    if not few:
        return rows, []
    rows = rows.of(few)
    table = rows.table
    for name, side in (("holds", "b"), ("by_chance", "other_b")):
        times = table.mutate(times=table.count().over(group_by=[table.f, table.a, table[side]]))
        most = times.mutate(most=times.times.max().over(group_by=[times.f, times.a]))
        usual = (most.times == most.most) & (most.times >= SUPPORT) & most.a.notnull()
        table = most.mutate(**{name: usual}).drop("times", "most")
    claim = Claim("category_mapping", MAPPING, {key: {} for key in few}, table.holds, table.by_chance)
    return rows.on(table), [claim]


def multiset_tallies(rows: Rows) -> dict[int, Tally]:
    """Count the mismatching rows whose online value is the offline value of another of them, each used once.

    By chance two columns of one distribution share values too. Of m rows of one value, of which a fair coin says on which
    side each is, the sides' counts differ by k C(m, k) / 2^(m - 1) in the mean, with k the half of m, rounded up: the mean
    absolute deviation of a binomial count (De Moivre 1730; Diaconis and Zabell 1991, eq. 1.1). Both sides have n rows, so
    that the count is hypergeometric: its deviation is smaller by the root of (1 - m / 2n) 2n / (2n - 1).
    """
    import ibis

    if rows.form.offline != rows.form.online:
        return {}
    whole = [f for f, size in rows.sizes.items() if size < SAMPLED]
    tables = {side: [rows.of(whole).table.select("f", value=side)] if whole else [] for side in ("a", "b")}
    if many := set(rows.features) - set(whole):
        every = rows.every.of(many).table
        for side, parts in tables.items():
            parts.append(every.select("f", value=side))
    counted = {}
    for side, parts in tables.items():
        values = ibis.union(*parts) if len(parts) > 1 else parts[0]
        counted[side] = values.group_by(["f", "value"]).aggregate(**{side: values.count()})
    joined = counted["a"].outer_join(counted["b"], ["f", "value"])
    both = joined.select(f=ibis.coalesce(joined.f, joined.f_right), a=joined.a.fill_null(0), b=joined.b.fill_null(0))
    lines = arrow(both.group_by(["f", "a", "b"]).aggregate(values=both.count())).to_pylist()
    tallies = {}
    for f in rows.features:
        own = [line for line in lines if line["f"] == f]
        tallies[f] = _overlap(*([line[name] for line in own] for name in ("a", "b", "values")))
    return tallies


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
