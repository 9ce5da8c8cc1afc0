"""From the pairs to a cause for each feature that differs. Joins and rows stay in the engine; counts come out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gates.inputs.engines import engine_errors
from gates.inputs.profile import kind_of
from gates.inputs.tables import arrow, keep, row
from gates.inputs.values import is_moment
from gates.measure.parity.apart import NOWHERE, Apart, apart, differing
from gates.measure.parity.causes.decide import FEWEST, decide
from gates.measure.parity.causes.history import History, near, read_history
from gates.measure.parity.causes.hypotheses import Cause, Claim, Hypothesis, Tally
from gates.measure.parity.causes.levels import mapping_claims, multiset_tallies, whole_mapping_tallies
from gates.measure.parity.causes.moments import moment_claims
from gates.measure.parity.causes.numbers import number_claims
from gates.measure.parity.causes.past import Near, flagged, look, past_claims
from gates.measure.parity.causes.rows import Rows, sample, seconds
from gates.measure.parity.causes.texts import default_tallies, gap_claims, text_claims
from gates.measure.parity.compare import Feature

if TYPE_CHECKING:
    import ibis.expr.types as ir

_log = logging.getLogger(__name__)

MOST_FEATURES = 50
"""Those with the most mismatches first: an attachment is read by people."""

ENGINES = frozenset({"duckdb"})
"""Where histories are read: the numbering of events has been proven there alone."""

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


def find_causes(
    pairs: ir.Table,
    found: Apart | None,
    features: Sequence[Feature],
    mismatches: Mapping[str, int],
    tolerance: float,
    sources: Sources,
) -> dict[str, Explanation]:
    """Explain the features with mismatches, by name: at most MOST_FEATURES, those with the most first.

    Parameters
    ----------
    pairs: the inner join, as of `compare.pair`. found: where they differ; None: that is looked for here.
    """
    worst = sorted(
        (feature for feature in features if mismatches.get(feature.name)),
        key=lambda feature: (-mismatches[feature.name], feature.name),
    )[:MOST_FEATURES]
    if not worst:
        return {}
    if found is None:
        key = len(sources.key)
        found = apart(differing(pairs, key, worst, tolerance), key, worst, tolerance, few=False)
    enough = {feature.index for feature in worst if mismatches[feature.name] >= FEWEST}
    samples = [
        sample(stack.of(wanted), mismatches, tolerance)
        for stack in found.stacks
        if (wanted := enough.intersection(stack.features))
    ]
    causes = {feature.name: Cause("unknown", mismatches[feature.name], why="few") for feature in worst}
    gaps = any(differ.absent_offline or differ.absent_online for differ in found.differ.values())
    still, steady = [], []
    for rows in samples:
        decided = _asked_of(rows, lambda rows: _of_values(rows, pairs, gaps=gaps))
        causes |= {rows.features[f].name: cause for f, cause in decided.items()}
        if left := [f for f, cause in decided.items() if cause.why == "nothing"]:
            still.append(rows.of(left))
        if constant := [f for f, cause in decided.items() if "offset" in (cause.code, *cause.candidates)]:
            steady.append(rows.of(constant))
    past = _past([*still, *steady], sources)
    for rows in still:
        decided = _asked_of(rows, lambda rows: _of_many(rows, past, pairs))
        causes |= {rows.features[f].name: cause for f, cause in decided.items()}
    for rows in steady:
        for f, step in _asked_of(rows, lambda rows: _of_the_past(rows, past)).items():
            name = rows.features[f].name
            causes[name] = _or_a_step(causes[name], step)
    if sources.time is not None and not _read(sources):
        causes = {name: replace(c, why="engine") if c.why == "nothing" else c for name, c in causes.items()}
    differ = {name: found.differ.get(name, NOWHERE) for name in causes}
    return {
        name: Explanation(differ[name].absent_offline, differ[name].absent_online, cause=cause)
        for name, cause in causes.items()
    }


def _asked_of(rows: Rows, ask: Callable[[Rows], dict[int, Cause]]) -> dict[int, Cause]:
    """Return what is answered; where values of these types cannot be asked that, the figures stand and the cause does not."""
    from ibis.common.annotations import ValidationError
    from ibis.common.exceptions import IbisError

    try:
        return ask(rows)
    except (IbisError, ValidationError, *engine_errors()) as error:
        _log.debug("no cause was looked for", exc_info=error)
        return {f: Cause("unknown", size, why="types") for f, size in rows.sizes.items()}


def _of_values(rows: Rows, pairs: ir.Table, *, gaps: bool) -> dict[int, Cause]:
    """Ask for a relation of the two values.

    Parameters
    ----------
    gaps: somewhere one side has nothing where the other has a value.
    """
    defaults = default_tallies(rows, pairs) if gaps else {}
    if rows.form.numeric:
        rows, claims = number_claims(rows, pairs)
    elif rows.form.moments:
        rows, claims = moment_claims(rows, pairs)
    else:
        rows, claims = text_claims(rows)
    return _decided(rows, [*gap_claims(rows), *claims], defaults)


def _of_many(rows: Rows, past: Sequence[Near], pairs: ir.Table) -> dict[int, Cause]:
    """Ask the history, then what is true of many values at once."""
    nothing = {f: Cause("unknown", size, why="nothing") for f, size in rows.sizes.items()}
    causes = nothing | _of_the_past(rows, past)
    left = [f for f, cause in causes.items() if cause.why == "nothing"]
    if left:
        causes |= _decided(*mapping_claims(rows.of(left)), {})
    for tallies_of in (lambda left: whole_mapping_tallies(left, pairs), multiset_tallies):
        left = [f for f, cause in causes.items() if cause.why == "nothing"]
        if left:
            tallies = tallies_of(rows.of(left))
            causes |= {f: decide([tally], tally.rows, lambda _a, _b: (0, 0)) for f, tally in tallies.items()}
    return causes


def _of_the_past(rows: Rows, past: Sequence[Near]) -> dict[int, Cause]:
    looks = [found for index, near in enumerate(past) if (found := look(near, rows, f"p{index}_")) is not None]
    if not looks:
        return {}
    kept = rows.of({f for found in looks for f in found.columns})
    kept = kept.on(_few(kept.table))
    for found in looks:
        kept = flagged(found, kept)
    counted = arrow(kept.table.group_by("f").aggregate(rows=kept.table.count())).to_pydict()
    sizes = dict(zip(counted["f"], counted["rows"], strict=True))
    claims = [claim for found in looks for claim in past_claims(found, kept)]
    return _decided(replace(kept, sizes=sizes), claims, {})


def _or_a_step(offset: Cause, step: Cause) -> Cause:
    """What grows by the same at each event, such as a count, is off by a constant too where it is an event too late."""
    codes = step.candidates if step.why == "ambiguous" else () if step.code == "unknown" else (step.code,)
    if not codes:
        return offset
    candidates = tuple(sorted({*(offset.candidates or (offset.code,)), *codes}))
    return Cause("unknown", offset.rows, offset.explained, candidates=candidates, why="ambiguous")


def _few(table: ir.Table) -> ir.Table:
    """At most HISTORY_ROWS of each feature."""
    import ibis

    place = ibis.row_number().over(group_by=table.f, order_by=table.draw)
    ranked = table.mutate(place=place)
    return ranked.filter(ranked.place < HISTORY_ROWS).drop("place")


def _known(flag: ir.BooleanValue) -> bool:
    """Whether a flag is never null: one that says false where it would not be known."""
    from ibis.expr.operations import Coalesce, Literal

    op = flag.op()
    return isinstance(op, Coalesce) and isinstance(op.arg[-1], Literal) and op.arg[-1].value is not None


def _bits(flags: Sequence[ir.BooleanValue]) -> ir.IntegerValue:
    """Return the flags as the bits of a number; null is false."""
    import ibis

    whole: ir.IntegerValue = ibis.literal(0, "int64")
    for index, flag in enumerate(flags):
        told = flag if _known(flag) else flag.fill_null(False)
        whole = whole + told.ifelse(1 << index, 0).cast("int64")
    return whole


def _asked(flags: Sequence[ir.BooleanValue]) -> ir.IntegerValue:
    """Return, as the bits of a number, which flags are not null."""
    import ibis

    always = sum(1 << index for index, flag in enumerate(flags) if _known(flag))
    whole: ir.IntegerValue = ibis.literal(always, "int64")
    for index, flag in enumerate(flags):
        if not _known(flag):
            whole = whole + flag.notnull().ifelse(1 << index, 0).cast("int64")
    return whole


@dataclass(frozen=True)
class _Counted:
    """How often each combination of claims explains a row of one feature, and each combination by chance."""

    groups: list[dict[str, int]]

    def explained(self, wanted: int, unwanted: int = 0) -> int:
        return sum(g["times"] for g in self.groups if g["holds"] & wanted == wanted and not g["holds"] & unwanted)

    def tally(self, claim: Claim, f: int, rows: int, bit: int) -> Tally:
        return Tally(
            Hypothesis(claim.code, claim.level, claim.details[f]),
            rows,
            self.explained(bit),
            hits=sum(g["times"] for g in self.groups if g["dealt"] and g["asked"] & g["chance"] & bit),
            dealt=sum(g["times"] for g in self.groups if g["dealt"] and g["asked"] & bit),
        )


def _decided(rows: Rows, claims: Sequence[Claim], extra: Mapping[int, Sequence[Tally]]) -> dict[int, Cause]:
    """Count every combination of claims that explain a row, once for all features, and decide."""
    if not claims and not extra:
        return {}
    asked = rows.table.select(
        "f",
        dealt=rows.table.dealt.ifelse(1, 0).cast("int64"),
        holds=_bits([claim.holds for claim in claims]),
        chance=_bits([claim.by_chance for claim in claims]),
        # Which of the claims can be asked of a dealt row at all.
        asked=_asked([claim.by_chance for claim in claims]),
    )
    groups = arrow(
        asked.group_by(["f", "dealt", "holds", "chance", "asked"]).aggregate(times=asked.count())
    ).to_pylist()
    causes = {}
    for f, size in rows.sizes.items():
        counted = _Counted([group for group in groups if group["f"] == f])
        bits = {index: 1 << index for index, claim in enumerate(claims) if f in claim.details}
        tallies = {index: counted.tally(claims[index], f, size, bit) for index, bit in bits.items()}
        place = {id(tally): bits[index] for index, tally in tallies.items()}

        def discordant(
            one: Tally, two: Tally, counted: _Counted = counted, place: dict[int, int] = place
        ) -> tuple[int, int]:
            if id(one) not in place or id(two) not in place:
                return one.explained, two.explained
            first, second = place[id(one)], place[id(two)]
            return counted.explained(first, second), counted.explained(second, first)

        cause = decide([*tallies.values(), *extra.get(f, ())], size, discordant)
        causes[f] = _with_lag(cause, f, rows, claims)
    return causes


def _with_lag(cause: Cause, f: int, rows: Rows, claims: Sequence[Claim]) -> Cause:
    for claim in claims:
        if claim.lag is not None and (claim.code, claim.details.get(f)) == (cause.code, cause.detail):
            own = rows.table.filter(rows.table.f == f)
            lag = row(own.aggregate(lag=claim.holds.ifelse(claim.lag, None).median()))["lag"]
            if lag is not None:
                sign = -1.0 if cause.code == "future_value" else 1.0
                return replace(cause, detail={**cause.detail, "lag_seconds": sign * lag})
    return cause


def _read(sources: Sources) -> bool:
    return sources.offline.get_backend().name in ENGINES


def _past(found: Sequence[Rows], sources: Sources) -> list[Near]:
    """Read the histories that the plan's tables hold, and place every row in them once."""
    if not found or sources.time is None or not _read(sources):
        return []
    time = sources.time
    entity = tuple(name for name in sources.key if name != time)
    rows = _rows_in_time(found, sources, time, entity)
    if rows is None:
        return []
    features = [feature.name for one in found for feature in one.features.values()]
    return [Near(history, near(history, rows)) for history in _histories(sources, entity, time, features, rows)]


def _rows_in_time(found: Sequence[Rows], sources: Sources, time: str, entity: tuple[str, ...]) -> ir.Table | None:
    """`draw`, the entity as `i0`, ... and `at` of all rows that will be looked up."""
    places = {name: index for index, name in enumerate(sources.key)}
    parts = {f"i{part}": f"e{places[name]}" for part, name in enumerate(entity)}
    tables = []
    for one in found:
        few = _few(one.table)
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
    return bool(is_moment(value) or value.type().is_numeric())


def _clock(value: ir.Value) -> ir.FloatingValue:
    return seconds(value) if is_moment(value) else value.cast("float64")


def _histories(
    sources: Sources, entity: tuple[str, ...], time: str, features: Sequence[str], rows: ir.Table
) -> list[History]:
    events = sources.events
    if events is not None and _alike(events, sources.offline, (*entity, time)):
        ingested = sources.ingested if sources.ingested in events.columns and is_moment(events[time]) else None
        if ingested is not None and not is_moment(events[ingested]):
            ingested = None
        return [read_history("events", events, entity, time, ingested, features)]
    if time not in sources.key:
        return []
    return [
        read_history("offline", sources.offline, entity, time, None, features),
        read_history("online", sources.online, entity, time, None, features),
    ]
