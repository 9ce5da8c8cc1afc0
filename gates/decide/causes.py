"""What train/serve mismatches look like: another unit, another time zone, an older value, a default for nothing.

Read from the parity gate's attachment, which names the cause of each feature's mismatches or says that it is unknown. A
hint for a person, never a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from gates.decide.attachments import Detail, MismatchCause, Parity, ParityFeature

_ALIKE = 2e-3
"""Relative distance at which a ratio is taken for a known one."""

_UNITS = {
    0.44704: "miles per hour served as metres per second",
    0.514444: "knots served as metres per second",
    1.609344: "miles served as kilometres",
    0.3048: "feet served as metres",
    2.54: "inches served as centimetres",
    0.45359237: "pounds served as kilograms",
    33.8639: "inches of mercury served as hectopascals",
    3.6: "metres per second served as kilometres per hour",
    100.0: "shares served as percent",
    1000.0: "a unit served in thousandths",
    60.0: "minutes served as seconds, or hours as minutes",
    3600.0: "hours served as seconds",
}

_BASE_SECONDS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


@dataclass(frozen=True)
class Cause:
    """A hint: the feature and, free of foreign names, what its mismatches have in common."""

    feature: str
    hint: str

    def document(self) -> dict[str, Any]:
        return {"feature": self.feature, "hint": self.hint}


def read_causes(raw: bytes | None, failed: Collection[str]) -> tuple[Cause, ...]:
    """Name a cause for the pair of tables, then for each feature that was proven bad, the one with the most mismatches first.

    Parameters
    ----------
    raw: the attachment `parity.json`, or None.
    """
    parity = Parity.read(raw)
    if parity is None:
        return ()
    features = sorted(parity.features, key=lambda feature: (-feature.mismatches, feature.name))
    hints = [("offline and online", hint) for cause in parity.causes if (hint := _table_hint(cause)) is not None]
    hints += [
        (feature.name, hint)
        for feature in features
        if feature.name in failed and feature.mismatches and (hint := _hint(feature)) is not None
    ]
    return tuple(Cause(name, hint) for name, hint in hints)


def _hint(feature: ParityFeature) -> str | None:
    cause = feature.cause
    if cause is None or not cause.rows:
        return None
    if cause.code == "unknown":
        return _unknown(feature, cause)
    say = _SAY.get(cause.code)
    words = say(cause.detail) if say is not None else None
    return None if words is None else f"{words} in {_share(feature, cause)}: {_NAMES[cause.code]}"


def _share(feature: ParityFeature, cause: MismatchCause) -> str:
    whole = f"{cause.rows:,} mismatches" if cause.rows == feature.mismatches else f"{cause.rows:,} mismatches looked at"
    if cause.explained >= cause.rows:
        return f"all {whole}"
    # Never 100 % where it is not all.
    return f"{min(99.9, 100 * cause.explained / cause.rows):.3g} % of {whole}"


def _unknown(feature: ParityFeature, cause: MismatchCause) -> str | None:
    if cause.why == "ambiguous":
        names = [_NAMES[code] for code in cause.candidates if code in _NAMES]
        if cause.detail.read_as == "absolute value":
            names.append("a lost sign")
        return f"cause unknown: {' and '.join(names)} explain its mismatches alike" if len(names) > 1 else None
    if cause.why == "engine":
        return "cause unknown: no relation of the two values explains its mismatches; stale, late and future values are looked for on DuckDB alone"
    if cause.why in ("nothing", "types"):
        kinds = [_kind(kind) for kind in (feature.offline_kind, feature.online_kind)]
        unlike = f" ({kinds[0]} offline, {kinds[1]} online)" if kinds[0] != kinds[1] else ""
        if cause.why == "types":
            return f"cause unknown: values of these types are not compared further{unlike}"
        return f"cause unknown: nothing known explains nine in ten of its {feature.mismatches:,} mismatches{unlike}"
    return None


_KINDS = frozenset({"integer", "number", "bool", "text", "time"})


def _kind(word: str) -> str:
    """A word for a type; the attachment may hold any."""
    return word if word in _KINDS else "another type"


def _scale(detail: Detail) -> str | None:
    factor = detail.factor
    if factor is None:
        return None
    if detail.offset is not None:
        return f"online = {factor:.7g} × offline {_signed(detail.offset)}"
    return f"online = {factor:.7g} × offline{_unit(factor)}"


def _unit(factor: float) -> str:
    for known, words in _UNITS.items():
        if abs(factor - known) <= _ALIKE * known:
            return f" ({words}?)"
        if factor != 0 and abs(1 / factor - known) <= _ALIKE * known:
            return f" ({words}, the other way round?)"
    return ""


def _offset(detail: Detail) -> str | None:
    if detail.seconds is not None:
        way = "after" if detail.seconds > 0 else "before"
        return f"online is {_duration(detail.seconds)} {way} offline"
    return None if detail.offset is None else f"online = offline {_signed(detail.offset)}"


def _signed(number: float) -> str:
    return f"{'-' if number < 0 else '+'} {abs(number):.7g}"


def _zone(detail: Detail) -> str | None:
    if detail.hours is None:
        return None
    hours = f"{_hours(detail.hours)}{f' or {_hours(detail.or_hours)}' if detail.or_hours is not None else ''}"
    if detail.side is None:
        return f"online = offline {hours}"
    return f"the {detail.side} value is that of {hours} from the row's time"


def _hours(hours: float) -> str:
    return f"{'-' if hours < 0 else '+'} {abs(hours):.4g} {'hour' if abs(hours) == 1 else 'hours'}"


def _duration(seconds: float) -> str:
    """The largest unit of which it is a whole number, or with decimals the largest that it has one of."""
    size = abs(seconds)
    for base, name in _BASE_SECONDS:
        if size >= base:
            count = size / base
            return f"{count:.3g} {name}{'' if count == 1 else 's'}"
    return f"{size:.3g} seconds"


def _stale(detail: Detail) -> str:
    side = detail.side or "online"
    if detail.lag_seconds is None:
        return f"the {side} value is an earlier one of the same entity"
    return f"the {side} value is that of {_duration(detail.lag_seconds)} earlier"


def _future(detail: Detail) -> str:
    side = detail.side or "offline"
    if detail.lag_seconds is None:
        return f"the {side} value is a later one of the same entity"
    return f"the {side} value is that of {_duration(detail.lag_seconds)} later"


def _default(detail: Detail) -> str:
    side = detail.side or "online"
    return f"{side} has {detail.default or 'a constant'} where {_other(side)} has nothing"


def _absent(detail: Detail) -> str:
    return f"the value is missing {detail.side or 'on one side'} where the other side has one,"


def _other(side: str) -> str:
    return "offline" if side == "online" else "online"


def _rounded(detail: Detail) -> str:
    if detail.step is not None:
        return f"both sides are whole steps of {detail.step:.4g}, rounded to the nearest on one and towards zero on the other"
    side = detail.side or "online"
    sizes = {"decimals": detail.decimals, "digits": detail.digits, "bits": detail.bits}
    to = next((_plural(size, name) for name, size in sizes.items() if size is not None), None)
    to = f"a whole {detail.unit}" if detail.unit is not None else to
    return f"{side} = {_other(side)} rounded or cut to {to or 'fewer digits'}"


def _plural(size: int, name: str) -> str:
    if name == "decimals" and size <= 0:
        return f"steps of {10**-size:,}"
    return f"{size} {name[:-1] if size == 1 else name}"


def _encoded(detail: Detail) -> str:
    words = {
        "case and spaces": "but for case and spaces",
        "plain letters": "but for letters beyond ASCII",
        "day and month exchanged": "but for day and month, which are exchanged",
        "NaN for null": "but for NaN in place of null",
    }
    read = detail.read_as or "text"
    return f"the two are the same {words.get(read, f'when read as {read}')}"


_SAY: dict[str, Callable[[Detail], str | None]] = {
    "scale_or_unit": _scale,
    "offset": _offset,
    "time_zone": _zone,
    "stale": _stale,
    "future_value": _future,
    "late_backfill": lambda _: "offline has a value that came after the row's time, online the one known by then,",
    "default_instead_of_null": _default,
    "absent": _absent,
    "rounding_or_precision": _rounded,
    "type_or_encoding": _encoded,
    "category_mapping": lambda _: "each offline value has one online value of another name",
    "sort_order": lambda _: "the online values are the offline values of other rows",
    "current_status_join": lambda detail: f"the {detail.side or 'offline'} value is the entity's last",
    "ingestion_time": lambda detail: f"the {detail.side or 'offline'} value is the last ingested by the row's time,",
}

_NAMES = {
    "scale_or_unit": "scale or unit",
    "offset": "offset",
    "time_zone": "time zone",
    "stale": "stale",
    "future_value": "future value, which leaks",
    "late_backfill": "late backfill",
    "default_instead_of_null": "default instead of null",
    "absent": "not served or not computed",
    "rounding_or_precision": "rounding or precision",
    "type_or_encoding": "type or encoding",
    "category_mapping": "category mapping",
    "sort_order": "sort order, or rows joined by another key",
    "current_status_join": "join with the current status",
    "ingestion_time": "ingestion time taken as feature time",
}


def _table_hint(cause: MismatchCause) -> str | None:
    """Say what is wrong with the keys, or with the order of the rows."""
    detail = cause.detail
    lost = f"{cause.explained:,} of {cause.rows:,} online keys without a partner"
    if cause.code == "duplicated_key" and detail.keys and detail.rows:
        keys = f"{detail.keys:,} {'key occurs' if detail.keys == 1 else 'keys occur'}"
        return f"{keys} more than once {detail.side or ''}, in {detail.rows:,} rows: duplicated key"
    if cause.code == "key_of_another_kind":
        if detail.online_like and detail.offline_like:
            return f"online keys are {detail.online_like}, offline keys are {detail.offline_like}: key of another kind"
        return f"another offline column, named in parity.json, holds {lost}: key of another kind"
    if cause.code == "type_or_encoding":
        return f"{lost} are offline but for how they are written: type or encoding"
    if cause.code == "time_zone" and detail.hours is not None:
        return f"{lost} are offline {_hours(-detail.hours)} away: time zone"
    if cause.code == "sort_order":
        return f"all features that differ have the values of other rows: {_NAMES[cause.code]}"
    return None
