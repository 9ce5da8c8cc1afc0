"""Point-in-time correctness: are the values that a model learns from those that were known at the time of each row?

From the tables `events` and `training` (or `offline`) to `parity.asof_mismatch` and `parity.known_later`. Called by `gate`.
All rows are rebuilt; of a table of more than the plan's max_rows a sample, drawn by its key and seed, with exact bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.opened import OpenTable
from gates.inputs.values import has_moment
from gates.measure.census import asked_for, table_of
from gates.measure.claims import NOTHING, Claim, family
from gates.measure.interface import Findings, Given, Note
from gates.measure.parity.asof_join import Log, Rebuilt, rebuild
from gates.measure.parity.compare import Feature, shared_features
from gates.measure.parity.match import keys_compare
from gates.measure.sampling import one_in, sampled
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import proportion
from gates.records import Item, Measurement, Param, Reason
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.types as ir

MISMATCH, LATER = "parity.asof_mismatch", "parity.known_later"
METHODS = {
    MISMATCH: "share of rows whose value is not that of the entity's newest event known at the row's time",
    LATER: "share of rows whose value no event known at the row's time has, and a later or later ingested one has",
}
ATTACHMENT = "asof.json"
SOURCES: tuple[TableRole, TableRole] = ("training", "offline")


def point_in_time(given: Given) -> Findings:
    """Rebuild the rows of the first of SOURCES that is given; nothing where nobody gave events or asked.

    A training table without key or time is not rebuilt, and the offline table does not stand for it.
    """
    if asked_for(given).isdisjoint(METHODS) and "events" not in given.tables:
        return Findings(())
    found = _rebuilt(given)
    if isinstance(found, Reason):
        claims = (_claim(check, 1, ()) for check in METHODS)
        return Findings(tuple(claim.measured(found, NOTHING) for claim in claims))
    return Findings(tuple(_measurements(given, found)), (_note(found),))


@dataclass(frozen=True)
class _Found:
    """What was rebuilt. rows: of the whole table; `rebuilt` has how many were drawn. lacking: features that were not."""

    role: TableRole
    rows: int
    log: Log
    features: list[Feature]
    rebuilt: Rebuilt
    lacking: list[str]

    @property
    def sampled(self) -> bool:
        return self.rebuilt.rows < self.rows


def _rebuilt(given: Given) -> _Found | Reason:
    events = table_of(given, "events")
    if isinstance(events, Reason):
        return events
    log = _log(given, events)
    if isinstance(log, Reason):
        return log
    source = _source(given, log)
    if isinstance(source, Reason):
        return source
    role, table = source
    if 0 in (events.identity.rows, table.identity.rows):
        return Reason.EMPTY_TABLE
    if not keys_compare(table.table, log.table, log.entity):
        return Reason.ROWS_UNPAIRED
    rules = given.plan.parameters.parity_features
    features = shared_features(given.plan.columns.features, table.table, log.table, rules)
    if not features:
        return Reason.COLUMN_MISSING
    rows = _drawn(given, table)
    if isinstance(rows, Reason):
        return rows
    said = given.definitions.get("definitions", {})
    defaults = {name: one.default for name, one in said.items() if one.default is not None}
    rebuilt = rebuild(rows, log, features, given.plan.parameters.parity_tolerance, defaults)
    named = {feature.name for feature in features}
    lacking = [name for name in dict.fromkeys(given.plan.columns.features) if name not in named]
    return _Found(role, table.identity.rows, log, features, rebuilt, lacking) if rebuilt.rows else Reason.EMPTY_TABLE


def _log(given: Given, events: OpenTable) -> Log | Reason:
    columns = given.plan.columns
    table, time = events.table, columns.time
    if not columns.key or time is None:
        return Reason.NOT_PROVIDED
    entity = tuple(name for name in columns.key if name != time and name in table.columns)
    moments = [name for name in (time, columns.ingested) if name is not None]
    if not entity or not all(has_moment(table, name) for name in moments):
        return Reason.COLUMN_MISSING
    return Log(table, entity, time, columns.ingested)


def _source(given: Given, log: Log) -> tuple[TableRole, OpenTable] | Reason:
    role = next((role for role in SOURCES if role in given.tables), None)
    if role is None:
        return Reason.TABLE_MISSING
    table = table_of(given, role)
    if isinstance(table, Reason):
        return table
    if not set(log.entity) <= set(table.table.columns) or not has_moment(table.table, log.time):
        return Reason.COLUMN_MISSING
    return role, table


def _drawn(given: Given, table: OpenTable) -> ir.Table | Reason:
    plan = given.plan
    share = one_in(plan, table.identity.rows)
    if share == 1:
        return table.table
    names = dict.fromkeys((*plan.columns.key, str(plan.columns.time)))
    columns = [name for name in names if name in table.table.columns]
    return sampled(table.table, columns, plan.parameters.seed, share)


def _claim(check: str, size: int, params: tuple[Param, ...], *, is_sample: bool = False) -> Claim:
    if not is_sample:
        return Claim(check, "data", family(check, size), METHODS[check], params, scope="census")
    drawn = Param(name="rows", value="drawn by key and seed")
    return Claim(check, "data", family(check, size), f"{METHODS[check]}; Clopper-Pearson", (*params, drawn))


def _measurements(given: Given, found: _Found) -> Iterator[Measurement]:
    params = (
        Param(name="tolerance", value=given.plan.parameters.parity_tolerance),
        Param(name="table", value=found.role),
        Param(name="entity", value=", ".join(found.log.entity)),
        Param(name="ingested", value=found.log.ingested or "unknown"),
    )
    for check in METHODS:
        claim = _claim(check, len(found.features) + len(found.lacking), params, is_sample=found.sampled)
        for feature in found.features:
            seen = found.rebuilt.features[feature.name]
            hits = seen.mismatches if check == MISMATCH else seen.later
            figure = _share(hits, found.rebuilt.rows, is_sample=found.sampled)
            yield claim.measured(figure, NOTHING, Item(kind="feature", name=feature.name))
        for name in found.lacking:  # a leak that is not in the log may not pass for want of it
            yield claim.measured(Reason.COLUMN_MISSING, NOTHING, Item(kind="feature", name=name))


def _share(hits: int, rows: int, *, is_sample: bool) -> Figure:
    rate = hits / rows
    return Figure(rate, *proportion(rate, rows), rows) if is_sample else Figure.exact(rate, rows)


def _note(found: _Found) -> Note:
    """Counts by feature, and the features that a table does not have: of these nothing was rebuilt."""
    document = {
        "schema_version": "v1",
        "table": found.role,
        "table_rows": found.rows,
        "rows": found.rebuilt.rows,
        "nothing_known": found.rebuilt.nothing_known,
        "entity": list(found.log.entity),
        "ingested": found.log.ingested,
        "features": [
            {
                "name": name,
                "mismatches": seen.mismatches,
                "earlier": seen.earlier,
                "happened_later": seen.happened_later,
                "ingested_later": seen.ingested_later,
                "default": seen.default,
            }
            for name, seen in found.rebuilt.features.items()
        ],
        "not_rebuilt": found.lacking,
    }
    return Note.of(ATTACHMENT, document)
