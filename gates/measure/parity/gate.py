"""From the offline and the online table to `parity.mismatch` and `parity.missing`. A stage of measure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from gates.measure.census import census, table_of, unmeasured
from gates.measure.interface import Findings, Given, Note, OpenTable
from gates.measure.parity.causes import Explanation, explain
from gates.measure.parity.compare import (
    Counts,
    Feature,
    count,
    keys_compare,
    keys_repeat,
    pair,
    shared_features,
)
from gates.records import Item, Measurement, Param, Reason

MISMATCH, MISSING = "parity.mismatch", "parity.missing"
MISMATCH_METHOD = (
    "share of paired keys whose values differ; finite numbers by |a-b| <= t*(min(1, mean|a|) + max(|a|,|b|))"
)
MISSING_METHOD = "share of the table's keys without a partner in the other; full outer join"
ATTACHMENT = "parity.json"


class ParityGate:
    """Measures `parity.*`: the tables `offline` and `online`, paired by the plan's key."""

    name: ClassVar[str] = "parity"

    def measure(self, given: Given) -> Findings:
        """Join once, count once; features that differ are looked at again for their cause."""
        comparison = _compare(given)
        if isinstance(comparison, Reason):
            return Findings(measurements=tuple(_nothing(given, comparison)))
        measurements = (*_mismatches(given, comparison), *_missing(comparison))
        return Findings(measurements=measurements, notes=(_note(given, comparison),))


@dataclass(frozen=True)
class _Comparison:
    offline_rows: int
    online_rows: int
    features: dict[str, Feature]
    counts: Counts
    explanations: dict[str, Explanation]


def _compare(given: Given) -> _Comparison | Reason:
    offline, online, key = table_of(given, "offline"), table_of(given, "online"), given.plan.columns.key
    if isinstance(offline, Reason):
        return offline
    if isinstance(online, Reason):
        return online
    reason = _unpairable(offline, online, key)
    if reason is not None:
        return reason
    features = shared_features(given.plan.columns.features, offline.table, online.table)
    tolerance = given.plan.parameters.parity_tolerance
    pairs = pair(offline.table, online.table, key, features)
    counts = count(pairs, features, tolerance)
    return _Comparison(
        offline_rows=offline.identity.rows,
        online_rows=online.identity.rows,
        features={feature.name: feature for feature in features},
        counts=counts,
        explanations=explain(given, pairs, key, features, counts.mismatches),
    )


def _unpairable(offline: OpenTable, online: OpenTable, key: tuple[str, ...]) -> Reason | None:
    if not key:
        return Reason.NOT_PROVIDED
    if not (set(key) <= set(offline.table.columns) and set(key) <= set(online.table.columns)):
        return Reason.COLUMN_MISSING
    if 0 in (offline.identity.rows, online.identity.rows):
        return Reason.EMPTY_TABLE
    if not keys_compare(offline.table, online.table, key):
        return Reason.ROWS_UNPAIRED
    if keys_repeat(offline.table, key) or keys_repeat(online.table, key):
        return Reason.KEYS_NOT_UNIQUE
    return None


def _params(given: Given) -> tuple[Param, ...]:
    return (Param(name="tolerance", value=given.plan.parameters.parity_tolerance),)


def _nothing(given: Given, reason: Reason) -> Iterator[Measurement]:
    for item in _items(given):
        yield _no_figure(given, reason, item)
    for side in ("offline", "online"):
        yield unmeasured(
            MISSING, reason, unit="ratio", method=MISSING_METHOD, item=Item(kind="table", name=side), family=2
        )


def _items(given: Given) -> list[Item | None]:
    """One for each feature of the plan; without any, one figure still says that there is none."""
    return [Item(kind="feature", name=name) for name in given.plan.columns.features] or [None]


def _no_figure(given: Given, reason: Reason, item: Item | None) -> Measurement:
    return unmeasured(
        MISMATCH,
        Reason.NOT_PROVIDED if item is None else reason,
        unit="ratio",
        method=MISMATCH_METHOD,
        item=item,
        family=len(given.plan.columns.features),
        params=_params(given),
    )


def _mismatches(given: Given, found: _Comparison) -> Iterator[Measurement]:
    paired = found.counts.paired
    for item in _items(given):
        if item is None or item.name not in found.features:
            yield _no_figure(given, Reason.COLUMN_MISSING, item)
        elif paired == 0:
            yield _no_figure(given, Reason.ROWS_UNPAIRED, item)
        else:
            yield census(
                MISMATCH,
                found.counts.mismatches[item.name] / paired,
                n=paired,
                unit="ratio",
                method=MISMATCH_METHOD,
                item=item,
                family=len(given.plan.columns.features),
                params=_params(given),
            )


def _missing(found: _Comparison) -> Iterator[Measurement]:
    for side, rows, alone in (
        ("offline", found.offline_rows, found.counts.offline_only),
        ("online", found.online_rows, found.counts.online_only),
    ):
        yield census(
            MISSING,
            alone / rows,
            n=rows,
            unit="ratio",
            method=MISSING_METHOD,
            item=Item(kind="table", name=side),
            family=2,
        )


def _note(given: Given, found: _Comparison) -> Note:
    document = {
        "schema_version": "v1",
        "key": list(given.plan.columns.key),
        "tolerance": given.plan.parameters.parity_tolerance,
        "paired": found.counts.paired,
        "offline_only": found.counts.offline_only,
        "online_only": found.counts.online_only,
        "features": [_feature(found, feature) for feature in found.features.values()],
    }
    content = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    return Note(name=ATTACHMENT, media_type="application/json", content=content)


def _feature(found: _Comparison, feature: Feature) -> dict[str, Any]:
    explanation = found.explanations.get(feature.name)
    document: dict[str, Any] = {
        "name": feature.name,
        "offline_kind": feature.offline,
        "online_kind": feature.online,
        "mismatches": found.counts.mismatches[feature.name],
    }
    if explanation is not None:
        document |= explanation.document()
    return document
