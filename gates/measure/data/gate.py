"""From the holdout, the training table and contracts to the measurements of the data gate. A stage of measure.

Every figure is about the rows read. A missing column is counted by `data.schema` and leaves its own figures unmeasured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import ClassVar

from gates.inputs.opened import OpenTable
from gates.measure.census import asked_for, census, table_of, unmeasured
from gates.measure.data.overlap import no_overlaps, overlaps
from gates.measure.data.scan import Holdout, Scan, Training, repeated_rows, scan, schema
from gates.measure.interface import Findings, Given, Note
from gates.records import Item, Measurement, Reason


@dataclass(frozen=True)
class _Check:
    name: str
    unit: str
    method: str


SCHEMA = _Check("data.schema", "features", "features absent from the holdout, or of another kind than in training")
ROWS = _Check("data.rows", "rows", "count")
NULLS = _Check("data.null_rate_difference", "ratio", "share of null or NaN in the holdout minus that in training")
KEYS = _Check("data.duplicate_keys", "rows", "rows beyond the first of their key")
RANGE = _Check(
    "data.out_of_range",
    "ratio",
    "share of rows outside training's finite minimum and maximum, or with a value that training lacks; "
    "a null or NaN counts where training has none",
)
STALENESS = _Check("data.staleness", "seconds", "distance between the newest event time and the table's as-of time")
LABELS = _Check("data.label_nulls", "rows", "rows whose label is null or NaN")

ASKED: Mapping[str, tuple[str, str]] = {
    "data.time_order": ("order", "time_order"),
    "data.near_duplicates": ("twins", "near_duplicates"),
    "data.single_feature_auc": ("single_feature", "single_features"),
    "data.annotator_kappa": ("annotators", "kappa"),
    "data.krippendorff_alpha": ("annotators", "alpha"),
    "data.guideline_versions": ("guideline", "guideline_versions"),
    "data.immature_rows": ("maturity", "immature_rows"),
    "data.label_delay": ("maturity", "label_delay"),
    "data.class_balance": ("balance", "class_balance"),
    "data.smallest_cell": ("cells", "smallest_cell"),
    "data.untagged_columns": ("classes", "untagged_columns"),
}
"""What is measured only where the plan asks for it: module and function, imported then."""
PERSONAL = "data.untagged_personal_data"

HOLDOUT = Item(kind="table", name="holdout")


class DataGate:
    """Measures `data.*` for the holdout, against the training table."""

    name: ClassVar[str] = "data"

    def measure(self, given: Given) -> Findings:
        """Read each table once, and once more where it has a contract.

        Raises
        ------
        UsageError: a contract that cannot be understood. What the table engine raises on damaged bytes.
        """
        asked = [measurer(check)(given) for check in ASKED if check in asked_for(given)]
        promised = _contracts(given)
        people, notes = _people(given)
        figures = (*_measurements(given), *chain.from_iterable(asked), *promised.measurements, *people)
        return Findings(measurements=figures, notes=(*promised.notes, *notes))


def measurer(check: str) -> Callable[[Given], Iterator[Measurement]]:
    """Return what measures a check of ASKED."""
    module, name = ASKED[check]
    found: Callable[[Given], Iterator[Measurement]] = getattr(import_module(f"gates.measure.data.{module}"), name)
    return found


def _people(given: Given) -> tuple[tuple[Measurement, ...], tuple[Note, ...]]:
    if PERSONAL not in asked_for(given) and not given.personal_data:
        return (), ()
    from gates.measure.data.personal import untagged_personal_data

    return untagged_personal_data(given)


def _contracts(given: Given) -> Findings:
    if not given.contracts:
        return Findings(measurements=())
    from gates.measure.data.contract import contracts

    return contracts(given)


def _measurements(given: Given) -> Iterator[Measurement]:
    holdout = table_of(given, "holdout")
    training = table_of(given, "training")
    if isinstance(holdout, Reason):
        yield from _none(given, holdout)
        return
    rows = holdout.identity.rows
    yield census(ROWS.name, rows, n=rows, unit=ROWS.unit, method=ROWS.method)
    if rows == 0:
        yield from (figure for figure in _none(given, Reason.EMPTY_TABLE) if figure.check != ROWS.name)
        return
    if isinstance(training, OpenTable) and training.identity.rows == 0:
        training = Reason.EMPTY_TABLE
    seen = scan(given.plan.columns, holdout, training)
    yield _schema(given, holdout, training)
    yield from _features(given, seen, training)
    yield _keys(given, holdout)
    yield from overlaps(given, holdout)
    yield _staleness(given, holdout, seen.holdout)
    yield _labels(given, seen.holdout)


def _none(given: Given, reason: Reason) -> Iterator[Measurement]:
    for check in (ROWS, SCHEMA, KEYS, STALENESS, LABELS):
        yield _missing(check, reason, HOLDOUT if check in (SCHEMA, STALENESS) else None)
    yield from no_overlaps(reason)
    for check in (NULLS, RANGE):
        yield from _no_features(given, check, reason)


def _missing(check: _Check, reason: Reason, item: Item | None = None, family: int = 1) -> Measurement:
    return unmeasured(check.name, reason, unit=check.unit, method=check.method, item=item, family=family)


def _no_features(given: Given, check: _Check, reason: Reason) -> Iterator[Measurement]:
    features = given.plan.columns.features
    if not features:
        yield _missing(check, Reason.NOT_PROVIDED)
    for name in features:
        yield _missing(check, reason, Item(kind="feature", name=name), len(features))


def _schema(given: Given, holdout: OpenTable, training: OpenTable | Reason) -> Measurement:
    features = given.plan.columns.features
    if isinstance(training, Reason):
        return _missing(SCHEMA, training, HOLDOUT)
    if not features:
        return _missing(SCHEMA, Reason.NOT_PROVIDED, HOLDOUT)
    wrong = schema(features, holdout, training)
    return census(SCHEMA.name, len(wrong), n=len(features), unit=SCHEMA.unit, method=SCHEMA.method, item=HOLDOUT)


def _features(given: Given, seen: Scan, training: OpenTable | Reason) -> Iterator[Measurement]:
    features = given.plan.columns.features
    for check in (NULLS, RANGE):
        if not features or isinstance(training, Reason):
            yield from _no_features(given, check, training if isinstance(training, Reason) else Reason.NOT_PROVIDED)
            continue
        for name in features:
            item = Item(kind="feature", name=name)
            figure = _feature(check, seen.holdout, seen.training, name)
            if figure is None:
                yield _missing(check, Reason.COLUMN_MISSING, item, len(features))
            else:
                yield census(
                    check.name,
                    figure,
                    n=seen.holdout.rows,
                    unit=check.unit,
                    method=check.method,
                    item=item,
                    family=len(features),
                )


def _feature(check: _Check, holdout: Holdout, training: Training | None, name: str) -> float | None:
    if training is None or name not in holdout.missing or name not in training.missing:
        return None
    if check is NULLS:
        return holdout.missing[name] / holdout.rows - training.missing[name] / training.rows
    return holdout.outside[name] / holdout.rows if name in holdout.outside else None


def _keys(given: Given, holdout: OpenTable) -> Measurement:
    key = given.plan.columns.key
    if not key:
        return _missing(KEYS, Reason.NOT_PROVIDED)
    if not set(key) <= set(holdout.table.columns):
        return _missing(KEYS, Reason.COLUMN_MISSING)
    rows = holdout.identity.rows
    return census(KEYS.name, repeated_rows(holdout.table, key), n=rows, unit=KEYS.unit, method=KEYS.method)


def _staleness(given: Given, holdout: OpenTable, seen: Holdout) -> Measurement:
    as_of_us = holdout.identity.as_of_us
    if given.plan.columns.time is None or as_of_us is None:
        return _missing(STALENESS, Reason.NOT_PROVIDED, HOLDOUT)
    if seen.newest_us is None:
        return _missing(STALENESS, Reason.COLUMN_MISSING, HOLDOUT)
    # an event after the as-of time is as wrong as an old one: a table that looks too fresh must not pass as fresh
    seconds = abs(as_of_us - seen.newest_us) / 1_000_000
    return census(
        STALENESS.name, seconds, n=holdout.identity.rows, unit=STALENESS.unit, method=STALENESS.method, item=HOLDOUT
    )


def _labels(given: Given, seen: Holdout) -> Measurement:
    if given.plan.columns.label is None:
        return _missing(LABELS, Reason.NOT_PROVIDED)
    if seen.label_nulls is None:
        return _missing(LABELS, Reason.COLUMN_MISSING)
    return census(LABELS.name, seen.label_nulls, n=seen.rows, unit=LABELS.unit, method=LABELS.method)
