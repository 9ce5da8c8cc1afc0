"""From the pairs to a cause for each feature that differs. Joins and rows stay in the engine; counts come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gates.inputs.profile import kind_of
from gates.inputs.tables import arrow, keep, row
from gates.measure.census import table_of
from gates.measure.interface import Given
from gates.measure.parity.causes.decide import FEWEST, decide
from gates.measure.parity.causes.history import History, is_dated, near, read_history
from gates.measure.parity.causes.hypotheses import Cause, Claim, Tally
from gates.measure.parity.causes.levels import mapped, mapping_claims, multiset_tally
from gates.measure.parity.causes.moments import moment_claims
from gates.measure.parity.causes.numbers import number_claims
from gates.measure.parity.causes.past import Near, flagged, past_claims, sides_of
from gates.measure.parity.causes.rows import Rows, rows_of, seconds
from gates.measure.parity.causes.texts import default_tallies, gap_claims, text_claims
from gates.measure.parity.compare import Feature, absent
from gates.records import Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_FEATURES = 50
"""Those with the most mismatches first: an attachment is read by people."""

HISTORY_ROWS = 2_000
"""Rows of a feature that are looked up in a history."""


@dataclass(frozen=True)
class Sources:
    """The tables that hold histories, and the names of their columns.

    Attributes
    ----------
    events: or None. key: of offline and online. time: the row's; one of the key, or another column of `offline`.
    """

    offline: ir.Table
    online: ir.Table
    events: ir.Table | None
    key: tuple[str, ...]
    time: str | None
    ingested: str | None


@dataclass(frozen=True)
class Explanation:
    """What is known of a feature's mismatches; `absent_*` is null or NaN on that side alone, in rows."""

    absent_offline: int
    absent_online: int
    cause: Cause

    def document(self) -> dict[str, object]:
        """Return the JSON document."""
        absent = {"absent_offline": self.absent_offline, "absent_online": self.absent_online}
        return {**absent, "cause": self.cause.document()}


def explain(
    given: Given, pairs: ir.Table, key: Sequence[str], features: Sequence[Feature], mismatches: Mapping[str, int]
) -> dict[str, Explanation]:
    """Explain the features that differ, with the histories that the plan's tables hold; see `find_causes`."""
    columns, tables = given.plan.columns, given.tables
    events = table_of(given, "events")
    sources = Sources(
        offline=tables["offline"].table,
        online=tables["online"].table,
        events=None if isinstance(events, Reason) else events.table,
        key=tuple(key),
        time=columns.time,
        ingested=columns.ingested,
    )
    return find_causes(pairs, features, mismatches, given.plan.parameters.parity_tolerance, sources)


def find_causes(
    pairs: ir.Table, features: Sequence[Feature], mismatches: Mapping[str, int], tolerance: float, sources: Sources
) -> dict[str, Explanation]:
    """Explain the features with mismatches, by name: at most MOST_FEATURES, those with the most first.

    Parameters
    ----------
    pairs: as of `compare.pair`.
    """
    worst = sorted(
        (feature for feature in features if mismatches.get(feature.name)),
        key=lambda feature: (-mismatches[feature.name], feature.name),
    )[:MOST_FEATURES]
    enough = [feature for feature in worst if mismatches[feature.name] >= FEWEST]
    found = [rows_of(pairs, len(sources.key), feature, mismatches[feature.name], tolerance) for feature in enough]
    causes = {feature.name: Cause("unknown", mismatches[feature.name], why="few") for feature in worst}
    causes |= {rows.feature.name: _of_values(rows, pairs) for rows in found}
    still = [rows for rows in found if causes[rows.feature.name].why == "nothing"]
    past = _past(still, sources)
    causes |= {rows.feature.name: _of_many(rows, pairs, past) for rows in still}
    gaps = _gaps(pairs, worst)
    return {name: Explanation(*gaps[name], cause=cause) for name, cause in causes.items()}


def _gaps(pairs: ir.Table, worst: Sequence[Feature]) -> dict[str, tuple[int, int]]:
    wanted = {}
    both = pairs.in_offline.notnull() & pairs.in_online.notnull()
    for feature in worst:
        left, right = absent(pairs[feature.left]), absent(pairs[feature.right])
        wanted[f"a{feature.index}"] = (both & left & ~right).sum()
        wanted[f"b{feature.index}"] = (both & right & ~left).sum()
    seen = row(pairs.aggregate(**wanted)) if wanted else {}
    return {
        feature.name: (int(seen[f"a{feature.index}"] or 0), int(seen[f"b{feature.index}"] or 0)) for feature in worst
    }


def _of_values(rows: Rows, pairs: ir.Table) -> Cause:
    """Ask for a relation of the two values."""
    total = _size(rows)
    return _decided(rows, _value_claims(rows), list(default_tallies(rows, pairs, total)), total)


def _of_many(rows: Rows, pairs: ir.Table, past: Sequence[Near]) -> Cause:
    """Ask the history, then what is true of many values at once."""
    if past:
        cause = _of_the_past(rows, past)
        if cause.why != "nothing":
            return cause
    with_mapping = mapped(rows)
    if with_mapping is not None:
        cause = _decided(with_mapping, list(mapping_claims(with_mapping)), [], _size(rows))
        if cause.why != "nothing":
            return cause
    tally = multiset_tally(pairs, rows.feature, rows.tolerance)
    return decide([tally] if tally else [], tally.rows if tally else _size(rows), lambda _a, _b: (0, 0))


def _size(rows: Rows) -> int:
    return int(row(rows.table.aggregate(rows=rows.table.count()))["rows"])


def _value_claims(rows: Rows) -> list[Claim]:
    claims = list(gap_claims(rows))
    if rows.feature.numeric:
        claims.extend(number_claims(rows))
    elif rows.feature.moments:
        claims.extend(moment_claims(rows))
    else:
        claims.extend(text_claims(rows))
    return claims


def _of_the_past(rows: Rows, past: Sequence[Near]) -> Cause:
    few = Rows(keep(rows.table.order_by("draw").limit(HISTORY_ROWS)), rows.feature, rows.tolerance)
    looked, kinds = few, []
    for index, found in enumerate(past):
        sides = sides_of(found, few)
        if sides:
            looked, zones = flagged(found, looked, sides, f"p{index}_")
            kinds.append((found, sides, f"p{index}_", zones))
    kept = Rows(keep(looked.table), rows.feature, rows.tolerance)
    claims = [
        claim for found, sides, prefix, zones in kinds for claim in past_claims(found, kept, sides, prefix, zones)
    ]
    return _decided(kept, claims, [], _size(kept))


def _decided(rows: Rows, claims: Sequence[Claim], extra: Sequence[Tally], total: int) -> Cause:
    """Count every combination of claims that explain a row, once, and decide."""
    import ibis

    def bits(flags: Sequence[ir.BooleanValue]) -> ir.IntegerValue:
        whole: ir.IntegerValue = ibis.literal(0, "int64")
        for index, flag in enumerate(flags):
            whole = whole + flag.fill_null(False).ifelse(1 << index, 0).cast("int64")
        return whole

    if not claims and not extra:
        return Cause("unknown", total, why="nothing")
    asked = rows.table.select(
        "dealt",
        holds=bits([claim.holds for claim in claims]),
        chance=bits([claim.by_chance for claim in claims]),
        # Which of the claims can be asked of a dealt row at all.
        asked=bits([claim.by_chance.notnull() for claim in claims]),
    )
    grouped = asked.group_by(["dealt", "holds", "chance", "asked"]).aggregate(times=lambda t: t.count())
    groups = arrow(grouped).to_pylist()

    def count(wanted: int, unwanted: int = 0) -> int:
        return sum(g["times"] for g in groups if g["holds"] & wanted == wanted and not g["holds"] & unwanted)

    tallies = [
        Tally(
            claim.hypothesis,
            total,
            count(1 << index),
            hits=sum(g["times"] for g in groups if g["dealt"] and g["asked"] & g["chance"] & 1 << index),
            dealt=sum(g["times"] for g in groups if g["dealt"] and g["asked"] & 1 << index),
        )
        for index, claim in enumerate(claims)
    ]
    place = {id(tally): index for index, tally in enumerate(tallies)}

    def discordant(first: Tally, second: Tally) -> tuple[int, int]:
        if id(first) not in place or id(second) not in place:
            return first.explained, second.explained
        one, two = 1 << place[id(first)], 1 << place[id(second)]
        return count(one, two), count(two, one)

    cause = decide([*tallies, *extra], total, discordant)
    return _with_lag(cause, rows, claims)


def _with_lag(cause: Cause, rows: Rows, claims: Sequence[Claim]) -> Cause:
    for claim in claims:
        if (claim.hypothesis.code, claim.hypothesis.detail) == (cause.code, cause.detail) and claim.lag is not None:
            lag = row(rows.table.aggregate(lag=claim.holds.ifelse(claim.lag, None).median()))["lag"]
            if lag is not None:
                sign = -1.0 if cause.code == "future_value" else 1.0
                return replace(cause, detail={**cause.detail, "lag_seconds": sign * lag})
    return cause


def _past(found: Sequence[Rows], sources: Sources) -> list[Near]:
    """Read the histories that the plan's tables hold, and place every row in them once."""
    if not found or sources.time is None:
        return []
    time = sources.time
    entity = tuple(name for name in sources.key if name != time)
    rows = _rows_in_time(found, sources, time, entity)
    if rows is None:
        return []
    features = [one.feature.name for one in found]
    return [Near(history, near(history, rows)) for history in _histories(sources, entity, time, features, rows)]


def _rows_in_time(found: Sequence[Rows], sources: Sources, time: str, entity: tuple[str, ...]) -> ir.Table | None:
    """`draw`, the entity as `i0`, ... and `at` of all rows that will be looked up."""
    places = {name: index for index, name in enumerate(sources.key)}
    parts = {f"i{part}": f"e{places[name]}" for part, name in enumerate(entity)}
    tables = []
    for one in found:
        few = one.table.order_by("draw").limit(HISTORY_ROWS)
        tables.append(few.select("draw", *[f"e{index}" for index in range(len(sources.key))]))
    rows = tables[0]
    for table in tables[1:]:
        rows = rows.union(table)
    rows = rows.distinct()
    if time not in sources.offline.columns or not _timed(sources.offline[time]):
        return None
    if time in places:
        at = rows[f"e{places[time]}"]
    else:
        offline = sources.offline.select(
            **{f"k{index}": sources.offline[name] for index, name in enumerate(sources.key)}, at=sources.offline[time]
        )
        rows = rows.inner_join(offline, [rows[f"e{index}"] == offline[f"k{index}"] for index in places.values()])
        at = rows["at"]
    timed = rows.select("draw", **{part: rows[name] for part, name in parts.items()}, at=_clock(at))
    return keep(timed.filter(timed["at"].notnull()))


def _alike(events: ir.Table, offline: ir.Table, names: Sequence[str]) -> bool:
    """Say whether both have these columns, of the same kinds."""
    if not set(names) <= set(events.columns):
        return False
    return all(kind_of(events[name].type()) == kind_of(offline[name].type()) for name in names)


def _timed(value: ir.Value) -> bool:
    return bool(is_dated(value) or value.type().is_numeric())


def _clock(value: ir.Value) -> ir.FloatingValue:
    return seconds(value) if is_dated(value) else value.cast("float64")


def _histories(
    sources: Sources, entity: tuple[str, ...], time: str, features: Sequence[str], rows: ir.Table
) -> list[History]:
    events = sources.events
    if events is not None and _alike(events, sources.offline, (*entity, time)):
        ingested = sources.ingested if sources.ingested in events.columns and is_dated(events[time]) else None
        if ingested is not None and not is_dated(events[ingested]):
            ingested = None
        return [read_history("events", events, entity, time, ingested, features)]
    if time not in sources.key:
        return []
    return [
        read_history("offline", sources.offline, entity, time, None, features),
        read_history("online", sources.online, entity, time, None, features),
    ]
