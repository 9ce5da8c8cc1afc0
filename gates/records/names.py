"""Names of people, by which they are told apart: one who is written in two ways is one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LONGEST = 256


def folded(name: str) -> str:
    """Return a name without what only its writing differs in: case, spaces around it, forms of one character."""
    found = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold()).strip()
    # One character may stand for eighteen; a record's name has an end.
    return found[:_LONGEST]


def as_called(names: Iterable[str]) -> tuple[str, ...]:
    """Return names as they are said, each once, and after them how they are folded where that is another way.

    Policies that are in force from earlier compare names as they are said.
    """
    said = tuple(dict.fromkeys(names))
    return tuple(dict.fromkeys([*said, *(found for name in said if (found := folded(name)))]))
