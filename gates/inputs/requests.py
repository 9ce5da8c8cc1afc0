"""Requests in a log, counted before and from a moment on: what shows that a release has no traffic any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.tables import Tables, column, row
from gates.inputs.values import is_moment, moment
from gates.records.action import TrafficSeen
from gates.records.base import Micros

if TYPE_CHECKING:
    import ibis.expr.types as ir


def count_requests(path: Path, time_column: str, *, from_us: Micros, until_us: Micros) -> TrafficSeen:
    """Count the rows of a log (CSV or Parquet).

    Whatever is not proven to be earlier counts as a request of now: a row without a time, or with one in the future.

    Parameters
    ----------
    time_column: when each request came; a time without a zone is UTC.

    Raises
    ------
    UsageError: no such file or column, or one that holds no times.
    """
    import ibis

    with Tables() as tables:
        opened = tables.open_file("online", path)
        time = _seconds(opened.table, time_column, opened.identity.uri)
        earlier = (time < from_us // 1_000_000).fill_null(False)
        counted = row(
            opened.table.aggregate(
                rows=opened.table.count(),
                earlier=ibis.ifelse(earlier, 1, 0).sum().fill_null(0),
            )
        )
        tables.unchanged()
    return TrafficSeen(
        source=opened.identity.uri,
        digest=opened.identity.digest,
        from_us=from_us,
        until_us=until_us,
        requests=int(counted["rows"]) - int(counted["earlier"]),
        earlier=int(counted["earlier"]),
    )


def _seconds(table: ir.Table, name: str, where: str) -> ir.IntegerValue:
    value = column(table, name, where=where)
    if not is_moment(value):
        raise UsageError(
            f'column "{name}" holds {value.type()}, not times',
            code="column.type",
            where=where,
            remedy="name the column of the requests' times with --time-column",
        )
    seconds: ir.IntegerValue = moment(value).epoch_seconds()
    return seconds
