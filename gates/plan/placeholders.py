"""Texts of gates.yaml that name places: names in braces are filled in, and paths are counted from a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from gates.errors import UsageError


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


def fill(text: str, **values: str) -> str:
    """Fill `{version}` or `{environment}`; a value that would leave the folder is refused.

    Raises
    ------
    UsageError: a value with a path separator, or a dot name.
    """
    for name, value in values.items():
        if re.search(r"[/\\\x00]", value) or value in ("", ".", ".."):
            raise UsageError(f'{name} "{value}" cannot be part of a path', code="spec.placeholder", where=text)
        text = text.replace(f"{{{name}}}", value)
    return text


def resolve_path(text: str, base: Path) -> Path:
    """Return a path or `file:` URI as an absolute path, counted from `base`.

    Raises
    ------
    UsageError: a URI of another kind.
    """
    parts = urlsplit(text)
    if parts.scheme == "file":
        # Not above: it brings a client of HTTP along, with TLS.
        from urllib.request import url2pathname

        return Path(url2pathname(parts.path))
    if "://" in text:
        raise UsageError(f'"{parts.scheme}:" is not read', code="uri.unsupported", where=text, remedy="give a file")
    # "~someone" is a file's name as well as anything else; only the own home folder is meant by "~/"
    return (base / (Path(text).expanduser() if text.startswith("~/") else Path(text))).absolute()
