"""Both tables' rows of a feature by cell, in the engine. Called by `gate`.

Numbers (and moments, by the second): training's finite values at or under their deciles, of which equal ones are one; a value that is
two deciles or more is a cell of its own, so that another constant than training's shows. Infinities have cells of their own.
Texts and truth values: training's most frequent levels, its others together, and together those that it has not.
A null or NaN is a cell, the last one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gates.inputs.tables import arrow, row, scalar
from gates.inputs.values import absent, is_moment, moment
from gates.measure.data.scan import kind
from gates.measure.grouping import group_text
from gates.measure.stats.drift import Side
from gates.measure.stats.figure import Floats
from gates.measure.sums import codes, double, numbers
from gates.records import Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

DECILES = tuple(tenth / 10 for tenth in range(1, 10))
LEVELS = 50
"""Levels of training with a cell of their own."""

Cut: TypeAlias = tuple[float, bool]
"""The upper end of a cell, and whether it belongs to the cell."""


@dataclass(frozen=True)
class Feature:
    """A feature's rows by cell in training and holdout; `ordered` where its values are numbers or moments."""

    before: Side
    after: Side
    ordered: bool

    @property
    def cells(self) -> int:
        """How many hold rows of one of the tables."""
        return int(np.count_nonzero(self.before.counts.sum(axis=0) + self.after.counts.sum(axis=0)))


@dataclass(frozen=True)
class Pair:
    """Training and holdout, each with the plan's cluster key if it has that column."""

    plan: Plan
    before: ir.Table
    after: ir.Table

    def grouped(self, table: ir.Table) -> bool:
        return self.plan.parameters.cluster in table.columns

    def _whose(self, table: ir.Table) -> ir.Value:
        import ibis

        return group_text(self.plan, table[self.plan.parameters.cluster]) if self.grouped(table) else ibis.literal("")

    def features(self, names: Sequence[str]) -> dict[str, Feature | Reason]:
        """Return each feature, or Reason.COLUMN_MISSING where a table lacks it or they have it in two kinds."""
        ordered = [name for name in names if self._both(name, "number") or self._moments(name)]
        found: dict[str, Feature | Reason] = dict(self._numbers(ordered))
        for name in names:
            if name not in found:
                levels = self._both(name, "text") or self._both(name, "bool")
                found[name] = self._levels(name) if levels else Reason.COLUMN_MISSING
        return found

    def gap(self, name: str, before_rows: float, after_rows: float) -> float:
        """Return the largest difference of the shares of rows up to a value; what has no value is above all values."""
        import ibis

        sides = [
            table.select(value=_number(table[name]), ours=ibis.literal(ours, "int64")).filter(
                lambda t: ~absent(t.value)
            )
            for table, ours in ((self.before, 1), (self.after, 0))
        ]
        by_value = (
            sides[0].union(sides[1]).group_by("value").aggregate(rows=lambda t: t.count(), ours=lambda t: t.ours.sum())
        )
        up_to = ibis.cumulative_window(order_by="value")
        shares = by_value.select(
            before=by_value.ours.sum().over(up_to).cast("float64") / double(before_rows),
            after=(by_value.rows - by_value.ours).sum().over(up_to).cast("float64") / double(after_rows),
        )
        return float(scalar((shares.before - shares.after).abs().max()) or 0.0)

    def _both(self, name: str, of: str) -> bool:
        return all(name in table.columns and kind(table, name) == of for table in (self.before, self.after))

    def _moments(self, name: str) -> bool:
        return all(name in table.columns and is_moment(table[name]) for table in (self.before, self.after))

    def _numbers(self, names: Sequence[str]) -> dict[str, Feature]:
        if not names:
            return {}
        cuts = self._cuts(names)
        before, after = (self._counted(table, names, cuts) for table in (self.before, self.after))
        return {name: Feature(before[name], after[name], True) for name in names}

    def _cuts(self, names: Sequence[str]) -> list[list[Cut]]:
        """Where cells end. Engines interpolate differently in the last bits, between equal values too: the value at or under each."""
        import ibis

        values = [_number(self.before[name]) for name in names]
        # By comparison: of Spark's infinities Ibis finds none.
        least, most = double(-math.inf), double(math.inf)
        none = ibis.null("float64")
        known = [((value > least) & (value < most)).ifelse(value, none) for value in values]
        wanted: dict[str, Any] = {f"q{index}": value.quantile(list(DECILES)) for index, value in enumerate(known)}
        found = row(self.before.aggregate(**wanted))
        deciles = [found[f"q{index}"] or () for index in range(len(values))]
        wanted = {
            f"e{index}_{place}": (value <= double(_just_above(decile))).ifelse(value, none).max()
            for index, value in enumerate(known)
            for place, decile in enumerate(deciles[index])
        }
        ends = row(self.before.aggregate(**wanted)) if wanted else {}
        return [
            _cuts([ends[f"e{index}_{place}"] for place in range(len(deciles[index]))]) for index in range(len(names))
        ]

    def _counted(self, table: ir.Table, names: Sequence[str], cuts: Sequence[Sequence[Cut]]) -> Mapping[str, Side]:
        """Count the rows up to each end of a cell, of all features in one scan; by sums, as DuckDB filters 20 times slower."""
        wanted: dict[str, Any] = {"rows": table.count()}
        for index, (name, ends) in enumerate(zip(names, cuts, strict=True)):
            value = _number(table[name])
            up_to = [value <= double(-math.inf)]
            up_to += [value <= double(end) if closed else value < double(end) for end, closed in ends]
            up_to += [value < double(math.inf), ~absent(value)]
            wanted |= {f"c{index}_{place}": where.sum().fill_null(0) for place, where in enumerate(up_to)}
        found = arrow(table.group_by(whose=self._whose(table)).aggregate(**wanted).order_by("whose"))
        sides = {}
        for index, (name, ends) in enumerate(zip(names, cuts, strict=True)):
            up_to_each = [numbers(found, f"c{index}_{place}") for place in range(len(ends) + 3)]
            counts = np.diff(np.stack([*up_to_each, numbers(found, "rows")], axis=1), axis=1, prepend=0.0)
            sides[name] = Side(counts, self.grouped(table))
        return sides

    def _levels(self, name: str) -> Feature:
        import ibis

        seen = self.before.select(level=self.before[name].cast("string")).filter(lambda t: t.level.notnull())
        often = seen.group_by("level").aggregate(rows=lambda t: t.count())
        place = ibis.row_number().over(order_by=[ibis.desc(often.rows), often.level])
        cells = often.select(known=often.level, cell=ibis.least(place, LEVELS).cast("int64"))
        before, after = (self._by_level(table, name, cells) for table in (self.before, self.after))
        return Feature(before, after, False)

    def _by_level(self, table: ir.Table, name: str, cells: ir.Table) -> Side:
        rows = table.select(level=table[name].cast("string"), whose=self._whose(table))
        beside = rows.left_join(cells, rows.level == cells.known)
        new = beside.level.isnull().ifelse(LEVELS + 2, LEVELS + 1)
        counted = beside.select(whose=beside.whose, cell=beside.cell.fill_null(new))
        found = arrow(counted.group_by(["whose", "cell"]).aggregate(rows=counted.count()))
        groups, whose = codes(found, "whose")
        counts: Floats = np.zeros((len(groups), LEVELS + 3))
        counts[whose, numbers(found, "cell").astype(np.int64)] = numbers(found, "rows")
        return Side(counts, self.grouped(table))


def _number(value: ir.Value) -> ir.FloatingValue:
    found: ir.FloatingValue = (moment(value).epoch_seconds() if is_moment(value) else value).cast("float64")
    return found


def _just_above(value: float) -> float:
    # Under 1e-300 an engine may lose the last of few bits.
    return value + max(abs(value) * 1e-12, 1e-300)


def _cuts(ends: Sequence[float]) -> list[Cut]:
    """Where cells end, ascending; a value that two deciles or more have is a cell of its own."""
    return [
        (value, closed) for value in sorted(set(ends)) for closed in (False, True) if closed or ends.count(value) > 1
    ]
