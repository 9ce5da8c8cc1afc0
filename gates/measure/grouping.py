"""By what rows hang together: the values of the plan's column, or the days of its times. Expressions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.values import is_moment, moment
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAY_S = 86_400


def group_of(plan: Plan, value: ir.Value) -> ir.Value:
    """Return what the rows of one cluster share: the column's value, or its day in UTC as a text.

    Raises
    ------
    UsageError: days of a column that holds no times.
    """
    if plan.parameters.cluster_by is None:
        return value
    if not is_moment(value):
        raise no_days(plan, f"is of type {value.type()}")
    return (moment(value).epoch_seconds() / DAY_S).floor().cast("int64").cast("string")


def group_text(plan: Plan, value: ir.Value) -> ir.Value:
    """Return `group_of` as a text, which is empty where there is no value. Raises as `group_of`."""
    return group_of(plan, value).cast("string").fill_null("")


def no_days(plan: Plan, why: str) -> UsageError:
    """Return what is raised where the days of the plan's times are not to be had."""
    return UsageError(
        f'time "{plan.parameters.cluster}" {why}: rows of one day hang together, and nobody can tell which they are',
        code="cluster.days",
        remedy="give dates or timestamps, name another `cluster`, or declare `rows: independent`",
    )
