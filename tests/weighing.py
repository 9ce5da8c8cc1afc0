"""What a table of weighted rows says of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def heaviest_of(frame: Mapping[str, Any]) -> float | None:
    """Return the largest weight; None where rows have none."""
    return float(frame["weight"].max()) if "weight" in frame else None
