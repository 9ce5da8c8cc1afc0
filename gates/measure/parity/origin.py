"""Whether the tables can be compared at all: offline and online are two, and what a log has was read. Called by `gate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gates.inputs.opened import OpenTable
from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Given
from gates.records import Digest, Item, Measurement, Reason

ONE_TABLE, UNREAD = "parity.one_table", "parity.unread"
METHODS = {
    ONE_TABLE: "1 where all bytes that online is read from are those that offline is read from, by digest, else 0",
    UNREAD: "share of the rows of answered requests that have no features here; a request without rows is one",
}


def origins(given: Given) -> Iterator[Measurement]:
    """Return whether offline and online are one table, and of each log how much of it could not be read."""
    yield _one_table(given)
    for table in given.plan.tables:
        if table.log is not None:
            yield _unread(table_of(given, table.role), Item(kind="table", name=table.role))


def _one_table(given: Given) -> Measurement:
    offline, online = table_of(given, "offline"), table_of(given, "online")
    said: dict[str, Any] = {"unit": "tables", "method": METHODS[ONE_TABLE]}
    if isinstance(offline, Reason):
        return unmeasured(ONE_TABLE, offline, **said)
    if isinstance(online, Reason):
        return unmeasured(ONE_TABLE, online, **said)
    same = _read_from(offline) == _read_from(online)
    return census(ONE_TABLE, int(same), n=online.identity.rows, **said)


def _read_from(opened: OpenTable) -> frozenset[Digest]:
    """Digests of the bytes that a table's rows are from; of a feature store, which has no bytes, of what it answered."""
    document = {} if opened.source is None else opened.source.document
    if document.get("source") == "query" and document["reads"]:
        return frozenset(read["digest"] for read in document["reads"].values())
    if document.get("source") == "log":
        return frozenset({document["log"]["digest"]})
    return frozenset({opened.identity.digest})


def _unread(opened: OpenTable | Reason, item: Item) -> Measurement:
    said: dict[str, Any] = {"unit": "ratio", "method": METHODS[UNREAD], "item": item}
    if isinstance(opened, Reason):
        return unmeasured(UNREAD, opened, **said)
    if opened.source is None:
        return unmeasured(UNREAD, Reason.NOT_PROVIDED, **said)
    seen = opened.source.document
    unread = seen["answered_requests_without_rows"] + seen["rows_without_names"]
    asked = unread + seen["rows"]
    return census(UNREAD, unread / asked, n=asked, **said) if asked else unmeasured(UNREAD, Reason.EMPTY_TABLE, **said)
