"""The smallest cell of the declared quasi-identifiers: how few rows somebody could be told apart to. Called by `gate`.

k-anonymity (Sweeney 2002, International Journal on Uncertainty, Fuzziness and Knowledge-based Systems 10, definition 3)
holds with k where every combination of values that occurs does so in at least k rows. Null is a value, and so is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row
from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Given
from gates.records import Item, Measurement, Reason
from gates.records.plan import TableRole

CHECK = "data.smallest_cell"
UNIT = "rows"
METHOD = "rows of the rarest combination of the quasi-identifiers that occurs"
ROLES: tuple[TableRole, ...] = ("holdout", "training")


def smallest_cell(given: Given) -> Iterator[Measurement]:
    """Return k of the holdout, and of the training table where there is one; no value leaves the engine."""
    roles = [role for role in ROLES if role in given.tables] or ["holdout"]
    for role in roles:
        item = Item(kind="table", name=role)
        found = _rarest(given.plan.columns.quasi_identifiers, table_of(given, role))
        if isinstance(found, Reason):
            yield unmeasured(CHECK, found, unit=UNIT, method=METHOD, item=item, family=len(roles))
            continue
        rarest, rows = found
        yield census(CHECK, rarest, n=rows, unit=UNIT, method=METHOD, item=item, family=len(roles))


def _rarest(named: tuple[str, ...], opened: OpenTable | Reason) -> tuple[int, int] | Reason:
    """Rows of the smallest cell, and rows of the table."""
    if isinstance(opened, Reason):
        return opened
    if not named:
        return Reason.NOT_PROVIDED
    if not set(named) <= set(opened.table.columns):
        return Reason.COLUMN_MISSING
    if opened.identity.rows == 0:
        return Reason.EMPTY_TABLE
    table = opened.table.select(**{f"q{place}": opened.table[name] for place, name in enumerate(named)})
    cells = table.group_by(list(table.columns)).aggregate(times=table.count())
    return int(row(cells.aggregate(least=cells.times.min()))["least"]), opened.identity.rows
