"""Texts of gates.yaml in which a name in braces is filled in."""

from __future__ import annotations

import re
from typing import Any

from pydantic import AfterValidator


def placeholders(text: str) -> list[str]:
    """Return the names in braces.

    Raises
    ------
    ValueError: a brace that opens or closes nothing.
    """
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise ValueError("a brace that opens or closes nothing")
    return re.findall(r"\{([^{}]*)\}", text)


def only(*allowed: str) -> Any:
    """Return a validator of a text in which only these names stand in braces."""

    def check(text: str) -> str:
        wrong = [name for name in placeholders(text) if name not in allowed]
        if wrong:
            names = " and ".join(f"{{{name}}}" for name in allowed)
            raise ValueError(f"{{{wrong[0]}}} is not filled in here; only {names}")
        return text

    return AfterValidator(check)
