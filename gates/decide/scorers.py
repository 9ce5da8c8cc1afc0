"""Scorers of scikit-learn that policy owners may name in models/<model>/data.yaml: which there are, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named(release: Mapping[str, Any]) -> frozenset[str]:
    """Those of all tasks that release/data.yaml lists."""
    return frozenset(scorer for names in release["scorers"].values() for scorer in names)


def comparison(scorer: str) -> str:
    """The check that a scorer's limits are of."""
    return f"regression.{scorer}_vs_champion"
