"""How a contract classes columns: who may see them, and whether they are about people. Called by `gate` and the flow.

A class is ODCS's `classification` of a property, one of CLASSES; that a column is about people is a tag, PII or PHI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.opened import Contract, OpenTable
from gates.measure.census import census, unmeasured
from gates.measure.interface import Given
from gates.records import Item, Measurement, Plan, Reason
from gates.records.plan import TableRole

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

CHECK = "data.untagged_columns"
UNIT = "columns"
METHOD = "columns of the table that its contract does not class as public, internal, sensitive or restricted"

CLASSES = ("public", "internal", "sensitive", "restricted")
PERSONAL = frozenset({"pii", "phi"})


@dataclass(frozen=True)
class ColumnClass:
    """What a contract says of a column.

    Attributes
    ----------
    level: one of CLASSES, None where it has none. personal: tagged as about people.
    restricted: its values are for the fewest; where `level` is, or that of a part of it.
    """

    level: str | None
    personal: bool
    restricted: bool


def classes(contract: Contract) -> dict[str, ColumnClass]:
    """Return the class of each column that a contract describes, by its name in the table."""
    found = {}
    for part in contract.object.properties or []:
        name = part.physicalName or part.name
        if name is not None:
            found[name] = _with_parts(part)
    return found


def column_class(part: SchemaProperty) -> ColumnClass:
    """Return the class of one property of a contract, whatever is inside it."""
    word = (part.classification or "").strip().casefold()
    personal = any(tag.strip().casefold() in PERSONAL for tag in part.tags or [])
    return ColumnClass(word if word in CLASSES else None, personal, word == "restricted")


def _with_parts(part: SchemaProperty) -> ColumnClass:
    """An object or a list is classed as strictly as what is inside it; without a class of its own, if each part has one."""
    own = column_class(part)
    inside = [_with_parts(each) for each in (*(part.properties or ()), *((part.items,) if part.items else ()))]
    named = own.level is not None or (bool(inside) and all(each.level is not None for each in inside))
    levels = [each.level for each in (own, *inside) if each.level is not None]
    return ColumnClass(
        max(levels, key=CLASSES.index) if named else None,
        own.personal or any(each.personal for each in inside),
        own.restricted or any(each.restricted for each in inside),
    )


def untagged_columns(given: Given) -> Iterator[Measurement]:
    """Return for each table with a contract how many of its columns have no class."""
    if not given.contracts:
        yield unmeasured(CHECK, Reason.NOT_PROVIDED, unit=UNIT, method=METHOD)
    for role, contract in given.contracts.items():
        item, size = Item(kind="table", name=role), len(given.contracts)
        opened = given.tables.get(role)
        if not isinstance(opened, OpenTable):
            yield unmeasured(CHECK, Reason.TABLE_MISSING, unit=UNIT, method=METHOD, item=item, family=size)
            continue
        known = classes(contract)
        names = opened.table.columns
        untagged = sum(name not in known or known[name].level is None for name in names)
        yield census(CHECK, untagged, n=len(names), unit=UNIT, method=METHOD, item=item, family=size)


def refuse_shown(plan: Plan, contracts: Mapping[TableRole, Contract]) -> None:
    """Refuse to name slices, groups and partitions by the values of a column that is restricted or about people.

    Raises
    ------
    UsageError: there is such a column: its values would stand in evidence and reports.
    """
    named = {*plan.parameters.slices, *plan.columns.groups}
    named |= {r.each for r in plan.requirements if r.each} | {
        r.slice.column for r in plan.requirements if r.slice and r.slice.column
    }
    named |= {plan.backfill.partition} if plan.backfill else set()
    # Engines fold case: a contract that writes a column otherwise than the table still means it.
    folded = {name.casefold() for name in named}
    for role, contract in contracts.items():
        for name, of in sorted(classes(contract).items()):
            if name.casefold() in folded and (of.personal or of.restricted):
                what = "about people" if of.personal else "restricted"
                raise UsageError(
                    f'column "{name}" is {what}, and values of slices, groups and partitions are shown',
                    code="slice.restricted",
                    where=f"{contract.name} ({role})",
                    remedy="slice by a coarser column, such as an age band, or class this one as sensitive",
                )
