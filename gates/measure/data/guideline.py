"""By how many versions of the rules labels were given: candidate and champion are compared by one. Called by `gate`."""

from __future__ import annotations

from collections.abc import Iterator

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row
from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Given
from gates.records import Item, Measurement, Reason
from gates.records.plan import TableRole

CHECK = "data.guideline_versions"
UNIT = "versions"
METHOD = (
    "versions of the guideline in the candidate's labels and this table's together; a row without one counts as one"
)
OTHERS: tuple[TableRole, ...] = ("champion_holdout", "annotations")


def guideline_versions(given: Given) -> Iterator[Measurement]:
    """Return the versions in the holdout (or the annotations of it), and of it and each other table together."""
    own = _own(given)
    beside = [role for role in OTHERS if role in given.tables and _tells(given, own, role)]
    yield _figure(given, own, None, "holdout", 1 + len(beside))
    for role in beside:
        yield _figure(given, own, table_of(given, role), role, 1 + len(beside))


def _tells(given: Given, own: OpenTable | Reason, role: TableRole) -> bool:
    """Whether a table is to say the version: annotations need not, and what is the candidate's own is said already."""
    other = table_of(given, role)
    if role != "annotations" or isinstance(other, Reason):
        return True
    return other is not own and given.plan.columns.guideline in other.table.columns


def _own(given: Given) -> OpenTable | Reason:
    """The table that says by which version the candidate's labels were given."""
    named, holdout = given.plan.columns.guideline, table_of(given, "holdout")
    if named is None:
        return Reason.NOT_PROVIDED
    tables = [holdout, table_of(given, "annotations")]
    telling = [one for one in tables if isinstance(one, OpenTable) and named in one.table.columns]
    if telling:
        return telling[0]
    return holdout if isinstance(holdout, Reason) else Reason.COLUMN_MISSING


def _figure(
    given: Given, own: OpenTable | Reason, other: OpenTable | Reason | None, name: str, size: int
) -> Measurement:
    found = _versions(given, own, other)
    item = Item(kind="table", name=name)
    if isinstance(found, Reason):
        return unmeasured(CHECK, found, unit=UNIT, method=METHOD, item=item, family=size)
    versions, rows = found
    return census(CHECK, versions, n=rows, unit=UNIT, method=METHOD, item=item, family=size)


def _versions(given: Given, own: OpenTable | Reason, other: OpenTable | Reason | None) -> tuple[int, int] | Reason:
    named = given.plan.columns.guideline
    tables = [own] if other is None else [own, other]
    columns = []
    rows = 0
    for table in tables:
        if isinstance(table, Reason) or named is None:
            return table if isinstance(table, Reason) else Reason.NOT_PROVIDED
        if named not in table.table.columns:
            return Reason.COLUMN_MISSING
        if table.identity.rows == 0:
            return Reason.EMPTY_TABLE
        columns.append(table.table.select(version=table.table[named].cast("string")))
        rows += table.identity.rows
    both = columns[0].distinct() if len(columns) == 1 else columns[0].union(columns[1], distinct=True)
    found = row(both.aggregate(versions=both.count(), named=both.version.strip().nullif("").count()))
    return (found["versions"], rows) if found["named"] else Reason.NOT_PROVIDED
