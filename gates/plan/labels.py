"""Which of two words for a label means that the event happened. Used where labels are text."""

from __future__ import annotations

from collections.abc import Iterable

PAIRS: tuple[tuple[str, str], ...] = (
    ("0", "1"),
    ("0.0", "1.0"),
    ("false", "true"),
    ("f", "t"),
    ("no", "yes"),
    ("n", "y"),
    ("neg", "pos"),
    ("negative", "positive"),
    ("off", "on"),
    ("absent", "present"),
)
"""(did not happen, happened): pairs whose direction nobody disputes."""


def label_pair(values: Iterable[str]) -> tuple[str, str] | None:
    """Return the two values as (negative, positive), or None where their direction is not beyond dispute.

    One value alone finds its partner where only one pair has it: a table of one class is a table still.
    """
    texts = {value.strip().casefold(): value for value in values}
    for pair in PAIRS:
        if texts and set(texts) <= set(pair):
            negative, positive = pair
            return texts.get(negative, negative), texts.get(positive, positive)
    return None
