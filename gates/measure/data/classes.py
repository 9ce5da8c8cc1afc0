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
    """What a contract says of a column: `level` is one of CLASSES, None where it says none; `personal` where tagged so."""

    level: str | None
    personal: bool


def classes(contract: Contract) -> dict[str, ColumnClass]:
    """Return the class of each column that a contract describes, by its name in the table."""
    found = {}
    for part in contract.object.properties or []:
        name = part.physicalName or part.name
        if name is not None:
            found[name] = column_class(part)
    return found


def column_class(part: SchemaProperty) -> ColumnClass:
    """Return the class of one property of a contract."""
    level = (part.classification or "").strip().casefold()
    personal = any(tag.strip().casefold() in PERSONAL for tag in part.tags or [])
    return ColumnClass(level if level in CLASSES else None, personal)


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
    for role, contract in contracts.items():
        for name, of in sorted(classes(contract).items()):
            if name in named and (of.personal or of.level == "restricted"):
                what = "about people" if of.personal else "restricted"
                raise UsageError(
                    f'column "{name}" is {what}, and values of slices, groups and partitions are shown',
                    code="slice.restricted",
                    where=f"{contract.name} ({role})",
                    remedy="slice by a coarser column, such as an age band, or class this one as sensitive",
                )
