"""What the shipped policy makes of a figure: the rungs of its ladder for families and looks, read from its source."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gates.measure.stats.figure import Figure

ROOT = Path(__file__).parents[2]
_SOURCE = (ROOT / "policies/lib/comparison.rego").read_text()


def _table(name: str) -> list[int]:
    found = re.search(rf"^{name} := (\[.*\])$", _SOURCE, re.MULTILINE)
    if found is None:
        raise LookupError(f"policies/lib/comparison.rego has no {name}")
    return list(json.loads(found[1]))


LARGEST_FAMILY = _table("_largest_family")
LARGEST_LOOK = _table("_largest_look")


def rung(table: list[int], n: int) -> int:
    """Return the first rung whose entry is at least n."""
    return next(i for i, largest in enumerate(table) if largest >= n)


def passes(figure: Figure, limit: float, *, look: int = 1) -> bool:
    """Whether a quantity that must be at most the limit is proven to be."""
    return bool(figure.upper[rung(LARGEST_LOOK, look)] <= limit)


def fails(figure: Figure, limit: float, *, family: int = 1, look: int = 1) -> bool:
    """Whether a quantity that must be at most the limit is proven not to be."""
    return bool(figure.lower[max(rung(LARGEST_FAMILY, family), rung(LARGEST_LOOK, look))] > limit)
