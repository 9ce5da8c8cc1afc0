"""What needs a feature's rows as a whole: a mapping of its values, and the same values at other rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.tables import arrow, keep, scalar
from gates.inputs.values import absent
from gates.measure.parity.causes.decide import CONFIDENCE, fits
from gates.measure.parity.causes.hypotheses import MAPPING, MULTISET, Claim, Hypothesis, Tally
from gates.measure.parity.causes.rows import MOST_ROWS, Rows, by_number

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_LEVELS = 200
SAMPLED = MOST_ROWS // 2  # rows: with more they may be a sample, whose values need not be one another's
FEW_VALUES = 4
SUPPORT = 5  # rows: a value that is seen less often could be mapped to anything


def mapping_claims(rows: Rows) -> tuple[Rows, list[Claim]]:
    """Return that the online value is a function of the offline one: what most rows with that value have.

    Values that differ are never dealt their own: of two values the other one would always be the function's. So chance
    is asked only where it deals another value, and of two values it explains as much (Goodman 1968, quasi-independence).
    """
    table = rows.table
    seen = by_number(table.group_by("f").aggregate(levels=table.a.nunique()))
    few = [f for f, one in seen.items() if 2 <= one["levels"] <= min(MOST_LEVELS, rows.sizes[f] / SUPPORT)]
    if not few:
        return rows, []
    rows = rows.of(few)
    for name, side in (("holds", "b"), ("by_chance", "other_b")):
        rows = rows.on(_usual(rows, name, side))
    table = rows.table
    claim = Claim("category_mapping", MAPPING, {key: {} for key in few}, table.holds, table.by_chance)
    return rows, [claim]


def _usual(rows: Rows, name: str, side: str) -> ir.Table:
    """Add a flag: most rows with this offline value have this value, of those in which the two differ; else null."""
    import ibis

    table = rows.table.mutate(other=~rows.same(rows.table.a, rows.table[side]))
    counted = table.mutate(times=table.count(where=table.other).over(group_by=[table.f, table.a, table[side]]))
    most = counted.mutate(most=counted.times.max().over(group_by=[counted.f, counted.a]))
    usual = (most.times == most.most) & (most.times >= SUPPORT) & most.a.notnull()
    flag = most.other.ifelse(usual, ibis.null("boolean"))
    return most.mutate(**{name: flag}).drop("other", "times", "most")


def whole_mapping_tallies(rows: Rows, pairs: ir.Table) -> dict[int, Tally]:
    """Count, by feature, a mapping that all pairs follow and not the mismatching ones alone, such as a flag turned round.

    A value is moved where more than half of all its pairs, equal ones included, have the value that most of its mismatches
    have. Of the pairs of such values nearly all must have it, beyond what dealing their online values would give.

    Parameters
    ----------
    pairs: all pairs, as of `compare.pair`.
    """
    rows, claims = mapping_claims(rows)
    if not claims:
        return {}
    usual = rows.table.filter(rows.table.holds)
    maps = keep(usual.group_by(["f", "a"]).aggregate(to=usual.b.arbitrary()))
    return {f: tally for f in rows.features if (tally := _whole_mapping(rows, pairs, maps.filter(maps.f == f), f))}


def _whole_mapping(rows: Rows, pairs: ir.Table, maps: ir.Table, f: int) -> Tally | None:
    feature = rows.features[f]
    both = pairs.filter(~absent(pairs[feature.left]) & ~absent(pairs[feature.right]))
    joined = both.inner_join(maps, both[feature.left] == maps.a)
    joined = joined.select("a", "to", value=joined[feature.right])
    cells = keep(joined.group_by(["a", "to", "value"]).aggregate(times=joined.count()))
    hit = (cells.value == cells.to).fill_null(False)
    values = cells.group_by(["a", "to"]).aggregate(pairs=cells.times.sum(), hits=hit.ifelse(cells.times, 0).sum())
    moved = keep(values.filter(2 * values.hits > values.pairs))
    online = cells.semi_join(moved, "a").group_by("value").aggregate(times=cells.times.sum())
    found = arrow(moved.left_join(online, moved.to == online.value).select("pairs", "hits", "times")).to_pylist()
    many, hits = (sum(line[name] for line in found) for name in ("pairs", "hits"))
    if not many:
        return None
    chance = sum(line["pairs"] * line["times"] for line in found) / many**2
    hypothesis = Hypothesis("category_mapping", MAPPING)
    if not fits(Tally(hypothesis, many, hits, share_by_chance=chance)):
        return None
    table = rows.table.filter(rows.table.f == f)
    explained = int(scalar(table.semi_join(moved, "a").filter(table.holds).count()) or 0)
    return Tally(hypothesis, rows.sizes[f], explained, share_by_chance=chance)


def multiset_tallies(rows: Rows) -> dict[int, Tally]:
    """Count the mismatching rows whose online value is the offline value of another of them, each used once.

    By chance two columns of one distribution share values too. Of m rows of one value, of which a fair coin says on which
    side each is, the sides' counts differ by k C(m, k) / 2^(m - 1) in the mean, with k the half of m, rounded up: the mean
    absolute deviation of a binomial count (De Moivre 1730; Diaconis and Zabell 1991, eq. 1.1). Both sides have n rows, so
    that the count is hypergeometric: its deviation is smaller by the root of (1 - m / 2n) 2n / (2n - 1).

    Of fewer than FEW_VALUES the deviations are too few to be near their mean; see `_by_luck`.
    """
    import ibis

    # Types of objects and the like that differ have no values in common, or nobody knows which.
    if rows.form.offline != rows.form.online or (
        rows.form.offline == "other" and rows.table.a.type() != rows.table.b.type()
    ):
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
        counts = [[line[name] for line in own] for name in ("a", "b", "values")]
        if sum(counts[-1]) >= FEW_VALUES or _by_luck(*counts) <= 1 - CONFIDENCE:
            tallies[f] = _overlap(*counts)
    return tallies


def _by_luck(a: Sequence[int], b: Sequence[int], values: Sequence[int]) -> float:
    """Return how often few values have the very same counts on both sides by chance, as by fair coins; 1 if they have not."""
    from scipy.stats import binom

    if list(a) != list(b):
        return 1.0
    # The last count follows from the others: that of the most frequent value.
    counts = np.sort(np.repeat(a, values))[:-1]
    return float(np.prod(binom.pmf(counts, 2 * counts, 0.5)))


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
