"""From the tables `live`, `shadow`, `rerun` and `training` to the measurements of the backfill gate. A stage of measure.

Every figure is about the rows read. One of the whole says how many; the worst partitions have one each beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gates.inputs.opened import OpenTable
from gates.inputs.tables import row
from gates.measure.backfill.note import Seen, note
from gates.measure.backfill.tally import Tally, tallies
from gates.measure.backfill.times import broken_times
from gates.measure.backfill.training import Mixture, mixture
from gates.measure.backfill.versions import Versions, differing, edits, keys, partitions, versions
from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Findings, Given
from gates.records import Backfill, Item, Measurement, Param, Reason
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.types as ir

NAMED = 3
"""Partitions with a figure of their own, of each check; the attachment lists more."""


@dataclass(frozen=True)
class Check:
    unit: str
    method: str


CHECKS = {
    "columns": Check("columns", "columns of the live table that the rewrite lacks or has in another kind"),
    "row_difference": Check("rows", "sum over partitions of |rows of the rewrite - rows of the live table|"),
    "keys_missing": Check("keys", "keys of the live table that the rewrite does not have"),
    "keys_added": Check("keys", "keys of the rewrite that the live table does not have"),
    "keys_repeated": Check("rows", "rows beyond as many as the live table has of their key, or beyond one"),
    "changed_outside_window": Check(
        "rows", "rows outside the window to change, add or take out, by key, to make the rewrite of the live table"
    ),
    "rerun_difference": Check("partitions", "partitions whose rows differ between two runs of the rewrite"),
    "late_rows": Check("rows", "rows that arrived later than their time and the allowed lateness, or at no known time"),
    "known_later": Check("rows", "rows with a value known after the row's time, or at no known time"),
    "expired_rows": Check("rows", "rows with a value older at the row's time than the time to live"),
    "mixed_training": Check("rows", "training rows of another version than most, of the keys that changed"),
}

_TIMED = {"late": "late_rows", "later": "known_later", "expired": "expired_rows"}

Found = dict[str, Tally | Reason]


class BackfillGate:
    """Measures `backfill.*`: the tables `live` and `shadow` by partition, with `rerun` and `training` where given."""

    name: ClassVar[str] = "backfill"

    def measure(self, given: Given) -> Findings:
        """Scan both tables once; partitions that differ are looked at twice more. Raises what the table engine raises."""
        seen = _look(given)
        if isinstance(seen, Reason):
            return Findings(tuple(_measurements(dict.fromkeys(CHECKS, seen), 0, ())))
        measurements = _measurements(seen.found, seen.rows, _params(seen.backfill))
        return Findings(tuple(measurements), (note(seen),))


def _look(given: Given) -> Seen | Reason:
    backfill = given.plan.backfill
    live, shadow = _filled(given, "live"), _filled(given, "shadow")
    if backfill is None:
        return Reason.NOT_PROVIDED
    if isinstance(live, Reason):
        return live
    if isinstance(shadow, Reason):
        return shadow
    columns = given.plan.columns
    both = versions(live.table, shadow.table, backfill, columns)
    if isinstance(both, Reason):
        return both
    parts = partitions(both)
    counts = _counts(parts)
    found: Found = {"columns": Tally(len(both.lost(live.table, backfill.written)))}
    found |= _contents(both, parts, differ=counts["differ"] > 0)
    found["rerun_difference"] = _rerun(given, shadow, backfill)
    found |= _times(shadow.table, both, backfill, given)
    training = _filled(given, "training")
    mixed = (
        training
        if isinstance(training, Reason)
        else mixture(
            (live.table, shadow.table, training.table), both, parts, backfill, columns, differ=counts["differ"] > 0
        )
    )
    found["mixed_training"] = mixed.mixed if isinstance(mixed, Mixture) else mixed
    return Seen(backfill, live, shadow, both, counts, found, None if isinstance(mixed, Reason) else mixed)


def _counts(parts: ir.Table) -> dict[str, int]:
    """How many partitions there are, how many differ, and of those with rows in the window."""
    in_window = parts.in_window > 0
    counts = parts.aggregate(
        partitions=parts.count(),
        differ=parts.differs.sum(),
        rewritten=(in_window & parts.differs).sum(),
        untouched=(in_window & ~parts.differs).sum(),
    )
    return {name: int(value or 0) for name, value in row(counts).items()}


def _filled(given: Given, role: TableRole) -> OpenTable | Reason:
    table = table_of(given, role)
    return Reason.EMPTY_TABLE if isinstance(table, OpenTable) and table.identity.rows == 0 else table


def _contents(both: Versions, parts: ir.Table, *, differ: bool) -> Found:
    rows = differing(both, parts)
    found: Found = {"row_difference": Tally()}
    if differ:
        found["row_difference"] = tallies(parts, ["apart"], both.partition)["apart"]
    of_keys = {name: f"keys_{name}" for name in ("missing", "added", "repeated")}
    found |= dict.fromkeys(of_keys.values(), both.key or Tally())
    if differ and both.key is None:
        counted = tallies(keys(rows), list(of_keys), both.partition)
        found |= {of_keys[name]: tally for name, tally in counted.items()}
    found["changed_outside_window"] = both.window or Tally()
    if differ and both.window is None:
        found["changed_outside_window"] = tallies(edits(rows), ["outside"], both.partition)["outside"]
    return found


def _rerun(given: Given, shadow: OpenTable, backfill: Backfill) -> Tally | Reason:
    import ibis

    rerun = _filled(given, "rerun")
    if isinstance(rerun, Reason):
        return rerun
    again = versions(shadow.table, rerun.table, backfill, given.plan.columns)
    if isinstance(again, Reason):
        return again
    parts = partitions(again)
    if {*shadow.table.columns} - {*backfill.written} != {*rerun.table.columns} - {*backfill.written}:
        parts = parts.mutate(differs=ibis.literal(value=True))
    return tallies(parts.select("part", n=parts.differs.cast("int64")), ["n"], again.partition)["n"]


def _times(table: ir.Table, both: Versions, backfill: Backfill, given: Given) -> Found:
    declared = {
        "late": backfill.lateness_s is not None,
        "later": bool(backfill.known),
        "expired": backfill.ttl_s is not None,
    }
    found: Found = {_TIMED[name]: Reason.NOT_PROVIDED for name in declared}
    wanted = [name for name, asked in declared.items() if asked]
    if wanted:
        broken = broken_times(table, both.partition, backfill, given.plan.columns)
        counted = broken if isinstance(broken, Reason) else tallies(broken, wanted, both.partition)
        found |= {_TIMED[name]: counted if isinstance(counted, Reason) else counted[name] for name in wanted}
    return found


def _params(backfill: Backfill) -> tuple[Param, ...]:
    return (
        Param(name="partition", value=backfill.partition),
        Param(name="from_us", value=backfill.from_us),
        Param(name="to_us", value=backfill.to_us),
    )


def _measurements(found: Mapping[str, Tally | Reason], rows: int, params: tuple[Param, ...]) -> Iterator[Measurement]:
    for name, check in CHECKS.items():
        tally, full = found[name], f"backfill.{name}"
        if isinstance(tally, Reason):
            yield unmeasured(full, tally, unit=check.unit, method=check.method, params=params)
            continue
        named = tally.worst[:NAMED]
        items = [(None, tally.total), *((Item(kind="partition", name=part), n) for part, n in named)]
        for item, n in items:
            yield census(
                full,
                n,
                n=rows,
                unit=check.unit,
                method=check.method,
                item=item,
                family=len(items),
                params=params,
            )
