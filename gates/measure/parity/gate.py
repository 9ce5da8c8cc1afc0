"""From the offline and the online table to the measurements of `parity.*`. A stage of measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gates.inputs.opened import OpenTable
from gates.inputs.tables import arrow
from gates.inputs.values import has_moment
from gates.measure.census import table_of
from gates.measure.grouping import group_of, group_text
from gates.measure.interface import Findings, Given, Note
from gates.measure.parity.apart import apart, unlike
from gates.measure.parity.asof import point_in_time
from gates.measure.parity.causes import Explanation, explain, explain_keys, explain_pair
from gates.measure.parity.chances import unequal_chances
from gates.measure.parity.compare import Feature, Side, both_sides, pair, shared_features
from gates.measure.parity.counts import AT, CLUSTER, Counts, Lag, count, count_apart
from gates.measure.parity.definitions import definitions
from gates.measure.parity.figures import Basis, features, items, missing, no_mismatch, no_missing, paired
from gates.measure.parity.match import keys_compare, match
from gates.measure.parity.origin import origins
from gates.measure.parity.unkeyed import remember, unpaired
from gates.measure.stats.figure import Floats, Ints
from gates.measure.sums import codes, numbers
from gates.records import Measurement, Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

ATTACHMENT = "parity.json"
SIDES: tuple[Side, Side] = ("offline", "online")


class ParityGate:
    """Measures `parity.*`: the tables `offline` and `online`, paired by the plan's key.

    Where that key alone is not unique and both tables have the plan's time, pairs are of one key and one time.
    """

    name: ClassVar[str] = "parity"

    def measure(self, given: Given) -> Findings:
        """Join once, count once; features that differ are looked at again for their cause."""
        parts = (self._compared(given), Findings(tuple(origins(given))), point_in_time(given), definitions(given))
        return Findings(
            measurements=tuple(figure for part in parts for figure in part.measurements),
            notes=tuple(note for part in parts for note in part.notes),
        )

    def _compared(self, given: Given) -> Findings:
        basis = Basis.of(given)
        comparison = _compare(given, basis)
        kept = remember(given)
        notes = () if kept is None else (kept,)
        if isinstance(comparison, Reason):
            unkeyed = unpaired(given) if _unkeyed(given) else ()
            return Findings(
                measurements=(*_nothing(given, basis, comparison), *unkeyed), notes=(*_why(given, comparison), *notes)
            )
        if unequal_chances(given):
            unkeyed = unpaired(given) if _unkeyed(given) else ()
            unequal = (*_nothing(given, basis, Reason.NOT_PROVIDED), *unkeyed)
            return Findings(measurements=unequal, notes=(_note(given, comparison), *notes))
        measurements = (
            *features(given, basis, comparison.features, comparison.counts, comparison.lags, comparison.statuses),
            *missing(basis, comparison.alone),
            paired(comparison.counts.paired),
            *(unpaired(given) if comparison.counts.paired == 0 or _unkeyed(given) else ()),
        )
        return Findings(measurements=measurements, notes=(_note(given, comparison), *notes))


def _unkeyed(given: Given) -> bool:
    """Whether distributions are compared: there is no key, or the fingerprint of an earlier run."""
    tables = given.tables
    return "online" in tables and ("fingerprint" in tables or ("offline" in tables and not given.plan.columns.key))


Alone = tuple[Floats, Floats, Ints | None]
"""Keys without a partner, keys, and codes of their clusters, by cell."""


@dataclass(frozen=True)
class _Comparison:
    key: tuple[str, ...]
    features: dict[str, Feature]
    lags: Mapping[str, Lag]
    statuses: Mapping[str, str]
    counts: Counts
    alone: dict[str, Alone | Reason]
    explanations: dict[str, Explanation]


def _compare(given: Given, basis: Basis) -> _Comparison | Reason:
    offline, online = table_of(given, "offline"), table_of(given, "online")
    if isinstance(offline, Reason):
        return offline
    if isinstance(online, Reason):
        return online
    keys = _key(offline, online, given.plan)
    if isinstance(keys, Reason):
        return keys
    key, paired = keys
    plan = given.plan
    tables = {"offline": offline.table, "online": online.table}
    clusters = {f"{CLUSTER}_{side}": side for side in SIDES if basis.cluster in tables[side].columns}
    if basis.cluster is not None and not clusters:
        return Reason.COLUMN_MISSING
    extra = plan.parity.features if plan.parity else ()
    named = shared_features(plan.columns.features, offline.table, online.table, plan.parameters.parity_features, extra)
    beside = _Beside.of(plan, offline, online, named)
    if isinstance(beside, Reason):
        return beside
    columns = beside.columns | {name: (side, str(basis.cluster)) for name, side in clusters.items()}
    inner = pair(offline.table, online.table, key, named, how="inner")
    tolerance = plan.parameters.parity_tolerance
    rows = {side: given.tables[side].identity.rows for side in SIDES}
    copied = unlike(inner, len(key), named, paired) if named and not columns else None
    found = None if copied is None else apart(copied, len(key), named, tolerance, few=True)
    if found is None:
        pairs = pair(offline.table, online.table, key, named, columns)
        pairs = beside.timed(pairs, online.identity.as_of_us)
        if clusters:
            pairs = pairs.mutate(**{CLUSTER: _first(plan, pairs, list(clusters))})
        counts = count(
            pairs,
            named,
            tolerance,
            slices=beside.slices,
            clustered=bool(clusters),
            lags=beside.lags,
            statuses=beside.statuses,
        )
    else:
        pairs = None
        counts = count_apart(
            found,
            named,
            paired,
            (rows["offline"], rows["online"]),
            lambda: pair(offline.table, online.table, key, named, how="anti"),
        )
    return _Comparison(
        key=key,
        features={feature.name: feature for feature in named},
        lags=beside.lags,
        statuses=beside.statuses,
        counts=counts,
        alone={side: _alone(pairs, side, basis, counts, rows[side]) for side in _told(plan)},
        explanations=explain(given, inner, found, key, named, counts.mismatches),
    )


def _key(offline: OpenTable, online: OpenTable, plan: Plan) -> tuple[tuple[str, ...], int] | Reason:
    """Return the columns to pair by and how many pairs there are, or why nothing can be paired."""
    key, time = plan.columns.key, plan.columns.time
    if not key:
        return Reason.NOT_PROVIDED
    shared = set(offline.table.columns) & set(online.table.columns)
    if not set(key) <= shared:
        return Reason.COLUMN_MISSING
    if 0 in (offline.identity.rows, online.identity.rows):
        return Reason.EMPTY_TABLE
    wider = [key] if time is None or time in key or time not in shared else [key, (*key, time)]
    for columns in wider:
        if not keys_compare(offline.table, online.table, columns):
            return Reason.ROWS_UNPAIRED
        matched = match(offline.table, online.table, columns)
        if not matched.repeat:
            return columns, matched.paired
    return Reason.KEYS_NOT_UNIQUE


def _told(plan: Plan) -> list[Side]:
    """Sides whose keys must all have a partner: of a table of which only a sample is at hand, the other's need not."""
    sampled = {table.role for table in plan.tables if table.scope}
    others: dict[Side, Side] = {"offline": "online", "online": "offline"}
    return [side for side in SIDES if others[side] not in sampled or side in sampled]


@dataclass(frozen=True)
class _Beside:
    """Columns of the pairs besides keys and features.

    Attributes
    ----------
    columns: by their name in the pairs. slices: those of slice columns by their name in the plan. lags: by feature, where
    an age is asked for. statuses: by feature, where an online store says what became of its values.
    """

    columns: dict[str, tuple[Side, str]]
    slices: dict[str, str]
    lags: dict[str, Lag]
    statuses: dict[str, str]

    @classmethod
    def of(cls, plan: Plan, offline: OpenTable, online: OpenTable, named: list[Feature]) -> _Beside | Reason:
        columns: dict[str, tuple[Side, str]] = {}
        slices = {}
        for index, name in enumerate(plan.parameters.slices):
            side = _holder(name, offline, online)
            if side is not None:
                slices[name] = f"slice_{index}"
                columns[slices[name]] = (side, name)
        source = online.source
        told = {} if source is None else _told_of(source.statuses, online, named)
        statuses = {feature: f"status_{index}" for index, feature in enumerate(told)}
        columns |= {statuses[feature]: ("online", column) for feature, column in told.items()}
        ages = _ages(plan, {} if source is None else source.written)
        lags = {}
        for index, feature in enumerate(named):
            if feature.name not in ages:
                continue
            written, seconds = ages[feature.name]
            if not has_moment(online.table, written):
                return Reason.COLUMN_MISSING
            lags[feature.name] = Lag(f"written_{index}", seconds)
            columns[f"written_{index}"] = ("online", str(written))
        time = plan.columns.time
        if lags and time is not None and has_moment(online.table, time):
            columns[AT] = ("online", time)
        elif lags and time is not None and has_moment(offline.table, time):
            columns[AT] = ("offline", time)
        elif lags and online.identity.as_of_us is None:
            return Reason.NOT_PROVIDED
        return cls(columns, slices, lags, statuses)

    def timed(self, pairs: ir.Table, as_of_us: int | None) -> ir.Table:
        """Return the pairs with the time that ages count to: the event's, else that at which the table was taken."""
        import ibis

        if not self.lags or AT in self.columns:
            return pairs
        return pairs.mutate(**{AT: ibis.literal((as_of_us or 0) // 1_000_000).as_timestamp("s")})


def _holder(name: str, offline: OpenTable, online: OpenTable) -> Side | None:
    if name in offline.table.columns:
        return "offline"
    return "online" if name in online.table.columns else None


def _told_of(said: Mapping[str, str], online: OpenTable, named: list[Feature]) -> dict[str, str]:
    """By feature, the online table's column of statuses."""
    return {f.name: said[f.name] for f in named if f.name in said and said[f.name] in online.table.columns}


def _ages(plan: Plan, own: Mapping[str, str]) -> dict[str, tuple[str | None, float]]:
    """By feature, the column that says when its value was written, and the strictest lag that anybody named.

    Parameters
    ----------
    own: the columns of the online table's source, of features for which the spec names none.
    """
    parity = plan.parity
    served = parity.features if parity else ()
    written = {feature.feature: feature.written for feature in served if feature.written is not None}
    found: dict[str, tuple[str | None, float]] = {}
    for rule in (*plan.parameters.parity_features, *served):
        if rule.max_age_s is not None:
            column = written.get(rule.feature, parity.written if parity else None) or own.get(rule.feature)
            seconds = min(rule.max_age_s, found[rule.feature][1] if rule.feature in found else rule.max_age_s)
            found[rule.feature] = (column, seconds)
    return found


def _first(plan: Plan, pairs: ir.Table, names: list[str]) -> ir.Value:
    import ibis

    return ibis.coalesce(*(group_of(plan, pairs[name]).cast("string") for name in names))


def _alone(pairs: ir.Table | None, side: Side, basis: Basis, counts: Counts, rows: int) -> Alone | Reason:
    """Count the keys of one side that have no partner; in clusters by the pairs, of which they are a column."""
    if basis.cluster is None or pairs is None:
        alone = counts.offline_only if side == "offline" else counts.online_only
        return np.array([float(alone)]), np.array([float(rows)]), None
    name = f"{CLUSTER}_{side}"
    if name not in pairs.columns:
        return Reason.COLUMN_MISSING
    own = pairs.filter(pairs[f"in_{side}"].notnull())
    cells = own.select(cluster=group_text(basis.plan, own[name]), alone=~both_sides(own))
    answer = arrow(cells.group_by("cluster").aggregate(n=cells.count(), alone=cells.alone.sum()))
    return numbers(answer, "alone"), numbers(answer, "n"), codes(answer, "cluster")[1]


def _nothing(given: Given, basis: Basis, reason: Reason) -> Iterator[Measurement]:
    for item in items(given):
        yield no_mismatch(given, basis, reason, item)
    yield from no_missing(basis, reason)
    yield paired(reason)


def _why(given: Given, reason: Reason) -> tuple[Note, ...]:
    """Where the keys are why nothing could be compared, say what is wrong with them."""
    if reason not in (Reason.ROWS_UNPAIRED, Reason.KEYS_NOT_UNIQUE):
        return ()
    causes = [cause.document() for cause in explain_keys(given, given.plan.columns.key)]
    return (_attached({"key": list(given.plan.columns.key), "features": [], "causes": causes}),)


def _note(given: Given, found: _Comparison) -> Note:
    counts = found.counts
    causes = explain_pair(given, found.key, counts.paired, counts.online_only, found.explanations)
    document = {
        "key": list(found.key),
        "tolerance": given.plan.parameters.parity_tolerance,
        "paired": found.counts.paired,
        "offline_only": found.counts.offline_only,
        "online_only": found.counts.online_only,
        "features": [_feature(found, feature) for feature in found.features.values()],
        "causes": [cause.document() for cause in causes],
    }
    return _attached(document)


def _attached(document: dict[str, Any]) -> Note:
    return Note.of(ATTACHMENT, {"schema_version": "v1", **document})


def _feature(found: _Comparison, feature: Feature) -> dict[str, Any]:
    explanation = found.explanations.get(feature.name)
    kinds = found.counts.pieces[0].features[feature.name]
    null, old, lost = int(kinds.null.sum()), int(kinds.old.sum()), int(kinds.lost.sum())
    document: dict[str, Any] = {
        "name": feature.name,
        "offline_kind": feature.offline,
        "online_kind": feature.online,
        "mismatches": int(kinds.mismatches.sum()),
        "online": {
            "present": int(kinds.values.sum()) - null - old - lost,
            "null": null,
            "too_old": old,
            "not_found": found.counts.not_found[feature.name] + lost,
        },
    }
    if explanation is not None:
        document |= explanation.document()
    return document
