"""From the holdout and the training table to the measurements of the drift gate. A stage of measure.

The features alone are compared: whether the label is as frequent is `data.class_balance`. Rows count alike.

In order:
(1) cells from the training table, and both tables' rows in them (cells.py);
(2) the divergences of these counts, and the largest gap with its slack (stats/drift.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gates.inputs.opened import OpenTable
from gates.measure.census import asked_for, both_of
from gates.measure.claims import NOTHING, Claim, family, row_params
from gates.measure.drift.cells import DECILES, LEVELS, Feature, Pair
from gates.measure.interface import Findings, Given
from gates.measure.stats.drift import JS, PSI, divergence, largest_gap
from gates.measure.stats.figure import Figure
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Param, Reason
from gates.records.base import Scalar

KS = "drift.ks"
_KINDS = {"drift.psi": PSI, "drift.js": JS}
_UNITS = {"drift.psi": "nats", "drift.js": "bits", KS: "ratio"}
_METHODS = {
    "drift.psi": "population stability index of the cells, Jeffreys; less its bias; delta method",
    "drift.js": "Jensen-Shannon divergence of the cells, base 2, not its root, Jeffreys; less its bias; delta method",
    KS: "Kolmogorov-Smirnov distance, what is missing above all values; Dvoretzky-Kiefer-Wolfowitz for both tables",
}


class DriftGate:
    """Measures `drift.*`: the holdout's features beside the training table's. Only those checks that the plan asks for."""

    name: ClassVar[str] = "drift"

    def measure(self, given: Given) -> Findings:
        """Read each table once for the cells of all numbers, once more for each text and for each KS."""
        checks = [check for check in _METHODS if check in asked_for(given)]
        both = both_of(given, "training", "holdout")
        features = given.plan.columns.features
        if isinstance(both, Reason):
            return Findings(tuple(_none(given, checks, both)))
        if not features:
            return Findings(tuple(_none(given, checks, Reason.NOT_PROVIDED)))
        return Findings(tuple(_measured(given, checks, *both)))


def _none(given: Given, checks: list[str], reason: Reason) -> Iterator[Measurement]:
    items = [Item(kind="feature", name=name) for name in given.plan.columns.features]
    for check in checks:
        for item in items or (None,):
            yield _claim(given, check, {}, ()).measured(reason, NOTHING, item)


def _measured(given: Given, checks: list[str], training: OpenTable, holdout: OpenTable) -> Iterator[Measurement]:
    pair = Pair(given.plan, training.table, holdout.table)
    grouped = tuple(one.identity.role for one in (training, holdout) if pair.grouped(one.table))
    where = Where(WHOLE, 1_000_000, training.identity.rows + holdout.identity.rows, None)
    # (1)
    features = pair.features(given.plan.columns.features)
    for check in checks:
        for name in given.plan.columns.features:
            feature = features[name]
            found = feature if isinstance(feature, Reason) else _figure(given, pair, check, name, feature)
            cells = {} if isinstance(feature, Reason) else _described(feature)
            yield _claim(given, check, cells, grouped).measured(found, where, Item(kind="feature", name=name))


def _figure(given: Given, pair: Pair, check: str, name: str, feature: Feature) -> Figure | Reason:
    parameters = given.plan.parameters
    least, minimum = parameters.minimum_events, parameters.minimum_clusters
    before, after = feature.before, feature.after
    # (2)
    if check != KS:
        return divergence(_KINDS[check], before, after, least=least, minimum_clusters=minimum)
    if not feature.ordered:
        return Reason.NO_ORDER
    return largest_gap(pair.gap(name, before.rows, after.rows), before, after, least=least, minimum_clusters=minimum)


def _described(feature: Feature) -> dict[str, Scalar]:
    asked = {"deciles": len(DECILES) + 1} if feature.ordered else {"levels": LEVELS}
    return {**asked, "cells": feature.cells}


def _claim(given: Given, check: str, cells: dict[str, Scalar], grouped: tuple[str, ...]) -> Claim:
    named = dict(cells)
    if len(grouped) == 1:
        named["clustered"] = grouped[0]
    params = tuple(Param(name=name, value=value) for name, value in named.items())
    cluster = given.plan.parameters.cluster if grouped else None
    together = family(check, len(given.plan.columns.features))
    return Claim(
        check, "data", together, _METHODS[check], (*params, *row_params(given.plan, cluster)), unit=_UNITS[check]
    )
