"""Figures about the rows read and no others: lower = upper = estimate at each rung. Used by the data and parity gates."""

from __future__ import annotations

from gates.inputs.opened import OpenTable
from gates.measure.interface import Given
from gates.records import LADDER, Bound, Family, Item, Measurement, Param, Reason
from gates.records.plan import TableRole


def census(
    check: str,
    estimate: float,
    *,
    n: int,
    unit: str,
    method: str,
    item: Item | None = None,
    family: int = 1,
    params: tuple[Param, ...] = (),
) -> Measurement:
    """Return a figure that holds for exactly these `n` rows; `family` counts the items of the check."""
    return Measurement(
        check=check,
        subject="data",
        item=item,
        estimate=float(estimate),
        bounds=tuple(Bound(confidence=rung, lower=float(estimate), upper=float(estimate)) for rung in LADDER),
        scope="census",
        family=Family(name=check, size=max(1, family)),
        n=n,
        unit=unit,
        method=method,
        params=params,
    )


def unmeasured(
    check: str,
    reason: Reason,
    *,
    unit: str,
    method: str,
    item: Item | None = None,
    family: int = 1,
    params: tuple[Param, ...] = (),
) -> Measurement:
    """Return what stands in place of a figure that could not be had."""
    return Measurement(
        check=check,
        subject="data",
        item=item,
        status="unmeasured",
        reason=reason,
        scope="census",
        family=Family(name=check, size=max(1, family)),
        unit=unit,
        method=method,
        params=params,
    )


def both_of(given: Given, one: TableRole, other: TableRole) -> tuple[OpenTable, OpenTable] | Reason:
    """Return two tables of the run that have rows, or why one of them is not to be had."""
    return with_rows(table_of(given, one), table_of(given, other))


def with_rows(first: OpenTable | Reason, second: OpenTable | Reason) -> tuple[OpenTable, OpenTable] | Reason:
    """Return both tables where both have rows, or why one of them is not to be had."""
    if isinstance(first, Reason):
        return first
    if isinstance(second, Reason):
        return second
    return (first, second) if first.identity.rows and second.identity.rows else Reason.EMPTY_TABLE


def asked_for(given: Given) -> set[str]:
    """Return the checks that the plan requires somewhere."""
    return {requirement.check for requirement in given.plan.requirements}


def table_of(given: Given, role: TableRole) -> OpenTable | Reason:
    """Return a table of the run, or why there is none."""
    found: object = given.tables.get(role, Reason.TABLE_MISSING)
    return found if isinstance(found, OpenTable | Reason) else Reason.TABLE_MISSING
