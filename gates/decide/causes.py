"""What train/serve mismatches look like: another unit, another time zone, another type, a value that is not served.

Read from the parity gate's attachment. A hint for a person, never a verdict.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gates.decide.attachments import ParityFeature, Pattern, read_parity

_ENOUGH = 0.9
"""Share of the mismatches that a cause must explain to be named."""

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

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Cause:
    """A hint: the feature and, free of foreign names, what its mismatches have in common."""

    feature: str
    hint: str

    def document(self) -> dict[str, Any]:
        return {"feature": self.feature, "hint": self.hint}


def read_causes(raw: bytes | None, failed: Collection[str]) -> tuple[Cause, ...]:
    """Name a cause for each feature that was proven bad, the one with the most mismatches first.

    Parameters
    ----------
    raw: the attachment `parity.json`, or None.
    """
    parity = read_parity(raw)
    if parity is None:
        return ()
    features = sorted(parity.features, key=lambda feature: (-feature.mismatches, feature.name))
    hints = ((feature.name, _hint(feature)) for feature in features if feature.name in failed and feature.mismatches)
    return tuple(Cause(name, hint) for name, hint in hints if hint is not None)


def _hint(feature: ParityFeature) -> str | None:
    absent = {"online": feature.absent_online, "offline": feature.absent_offline}
    for side, count in absent.items():
        if count >= _ENOUGH * feature.mismatches:
            return f"the value is missing {side} where the other side has one"
    if feature.offline_kind != feature.online_kind and not (feature.ratio or feature.offset):
        return f"{_kind(feature.offline_kind)} offline and {_kind(feature.online_kind)} online"
    ratio, offset = feature.ratio, feature.offset
    if offset is not None and offset.explains >= _ENOUGH and (ratio is None or offset.explains >= ratio.explains):
        return _shifted(offset, times=feature.offline_kind == "time")
    if ratio is not None and ratio.explains >= _ENOUGH:
        return _scaled(ratio)
    return None


_KINDS = frozenset({"integer", "number", "bool", "text", "time"})


def _kind(word: str) -> str:
    """A word for a type; the attachment may hold any."""
    return word if word in _KINDS else "another type"


def _scaled(ratio: Pattern) -> str:
    hint = f"online = {ratio.median:.4g} × offline in {_percent(ratio.explains)} of the mismatches"
    for factor, words in _UNITS.items():
        if abs(ratio.median - factor) <= _ALIKE * factor:
            return f"{hint}, as with {words}"
        if ratio.median != 0 and abs(1 / ratio.median - factor) <= _ALIKE * factor:
            return f"{hint}, as with {words}, the other way round"
    return hint


def _shifted(offset: Pattern, *, times: bool) -> str:
    sign = "-" if offset.median < 0 else "+"
    hours = abs(offset.median) / _HOUR_S
    if times and hours == round(hours):
        amount = f"{hours:.0f} {'hour' if hours == 1 else 'hours'}"
        return f"online = offline {sign} {amount} in {_percent(offset.explains)} of the mismatches, as with another time zone"
    amount = f"{abs(offset.median):.4g}" + (" seconds" if times else "")
    return f"online = offline {sign} {amount} in {_percent(offset.explains)} of the mismatches"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
