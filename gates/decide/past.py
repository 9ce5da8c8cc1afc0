"""What rows that differ from what was known at their time have in common: the future, late ingestion, or the past.

Read from the parity gate's attachment `asof.json`. A hint for a person, never a verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydantic import ValidationError

from gates.decide.attachments import Form, Rows
from gates.decide.causes import Cause


class _Feature(Form):
    name: str
    mismatches: Rows
    earlier: Rows
    happened_later: Rows
    ingested_later: Rows
    default: Rows = 0


class _Past(Form):
    rows: Rows
    features: tuple[_Feature, ...]


def read_past(raw: bytes | None, failed: Collection[str]) -> tuple[Cause, ...]:
    """Say of each feature that was proven bad where its values are from, the one with the most mismatches first.

    Parameters
    ----------
    raw: the attachment `asof.json`, or None; one that is not of the form says nothing.
    """
    try:
        past = _Past.model_validate_json(raw) if raw is not None else None
    except ValidationError:
        return ()
    if past is None:
        return ()
    features = sorted(past.features, key=lambda feature: (-feature.mismatches, feature.name))
    return tuple(
        Cause(feature.name, said) for feature in features if feature.name in failed and (said := _say(feature))
    )


def _say(feature: _Feature) -> str:
    said = "; ".join(_parts(feature))
    return f"of {feature.mismatches:,} rows that differ from what was known at their time, {said}" if said else ""


def _parts(feature: _Feature) -> Iterator[str]:
    for rows, words in (
        (feature.happened_later, "a value of a later time"),
        (feature.ingested_later, "a value that was not ingested by then"),
        (feature.earlier, "an older value"),
        (feature.default, "the default of the definition, where nothing was known"),
    ):
        if rows:
            yield f"{rows:,} {'has' if rows == 1 else 'have'} {words}"
