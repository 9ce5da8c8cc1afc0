"""How often a holdout was looked at: by the `sealed` entries, over all candidates.

Two holdouts are one where their digests are equal, or where, of the same registered model, their sketches share a row:
rows cut off, added, sorted anew or written to another format begin no new count. An entry without a sketch, from before
there were any, is compared by its digest alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from gates.records.base import Digest
from gates.records.evidence import Bundle
from gates.records.release import Entry


def sealed_on(entries: Iterable[Entry], bundle: Bundle) -> list[Entry]:
    """Return the `sealed` entries whose holdout shares rows with a bundle's, in their order."""
    rows = frozenset(bundle.holdout_sketch or ())
    return [entry for entry in entries if _same_holdout(entry, bundle) or _shares(entry, bundle, rows)]


def _same_holdout(entry: Entry, bundle: Bundle) -> bool:
    return bundle.holdout_digest is not None and entry.holdout_digest == bundle.holdout_digest


def _shares(entry: Entry, bundle: Bundle, rows: frozenset[str]) -> bool:
    # Keys that count from 1 are the same in every model's holdout, and say nothing across models.
    same_model = entry.candidate is not None and entry.candidate.name == bundle.candidate.name
    return same_model and not rows.isdisjoint(entry.holdout_sketch or ())


def look_of(entries: Iterable[Entry], bundle: Bundle, digest: Digest) -> int:
    """Which look this bundle is: its place among those entered on its rows, or the next."""
    bundles = [entry.bundle_digest for entry in sealed_on(entries, bundle)]
    return bundles.index(digest) + 1 if digest in bundles else len(bundles) + 1


def candidates_on(entries: Iterable[Entry], bundle: Bundle) -> int:
    """Number of different candidates with a bundle entered on its rows."""
    return len({entry.candidate.digest for entry in sealed_on(entries, bundle) if entry.candidate})
