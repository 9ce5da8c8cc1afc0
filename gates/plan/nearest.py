"""The nearest valid word for a mistyped one; every stage that names columns, files or fields uses it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word most like `word`, ignoring case, or None where nothing is near."""
    folded: dict[str, str] = {}
    for candidate in words:
        folded.setdefault(candidate.casefold(), candidate)
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """Return `did you mean "x"?`, or the words there are where none is near, or None where there are none."""
    known = list(words)
    best = nearest(word, known)
    if best is not None:
        return f'did you mean "{best}"?'
    return f"one of: {', '.join(known[:20])}" if known else None
