"""What a server says that it does at this moment: a file or an address that the spec names."""

from __future__ import annotations

from pathlib import Path

from gates.errors import EngineError

_MOST_BYTES = 4_000_000
_SECONDS = 10


def read_live(place: str, word: str) -> bytes:
    """Read at most 4 MB from a file or an http(s) address.

    Parameters
    ----------
    word: where `gates.yaml` names the place, for the remedy.

    Raises
    ------
    EngineError: out of reach.
    """
    import urllib.request

    try:
        if place.startswith(("http://", "https://")):
            with urllib.request.urlopen(place, timeout=_SECONDS) as answer:  # noqa: S310
                content: bytes = answer.read(_MOST_BYTES)
                return content
        return Path(place).read_bytes()
    except (OSError, ValueError) as error:
        raise EngineError(
            f"the status cannot be read: {error}", code="serving.unavailable", where=place, remedy=f"look at {word}"
        ) from error
