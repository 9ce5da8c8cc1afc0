"""What a train/serve mismatch looks like: a constant ratio or offset, read from the parity gate's attachment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cause:
    """A hint, never a verdict: `feature` and, free of foreign names, what its mismatches have in common."""

    feature: str
    hint: str

    def document(self) -> dict[str, Any]:
        return {"feature": self.feature, "hint": self.hint}


def read_causes(raw: bytes | None, failed: Collection[str]) -> tuple[Cause, ...]:
    return ()
