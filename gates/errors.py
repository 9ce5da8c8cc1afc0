"""The one error root, and the exit code that each branch carries.

Denied and could-not-decide never share a code: a denial is a `Decision`, not an exception, and exits 1.
Everything here exits 2, 3 or 4.
"""

from __future__ import annotations

import re
from typing import ClassVar


def masked(value: str) -> str:
    """Return the shape of a row's value: `A` and `a` for letters, `9` for digits, of at most 12 characters.

    What rows hold may be about people, and stays out of evidence, reports, logs and terminals.
    """
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda letter: "A" if letter[0].isupper() else "a", value))
    return shape if len(shape) <= 12 else f"{shape[:11]}…"


def without_values(message: str) -> str:
    """Return what another library said on one line; quoted texts, fractions and numbers of three digits or more masked.

    Engines and converters repeat the value that they trip over.
    """
    line = " ".join(message.split())
    # An apostrophe within a word quotes nothing.
    quoted = re.sub(r"(?<!\w)(['\"`])(.+?)\1(?!\w)", lambda found: f"{found[1]}{masked(found[2])}{found[1]}", line)
    return re.sub(r"\d+[.,]\d+|\d{3,}", lambda found: masked(found[0]), quoted)


class GatesError(Exception):
    """Says what happened, where, and what to do about it.

    Attributes
    ----------
    code: stable dotted identifier, for `gates explain CODE` and for tests.
    where: file:line, column, URI or digest that the reader can go to.
    remedy: one sentence or one command.
    """

    exit_code: ClassVar[int] = 4
    default_code: ClassVar[str] = "internal"

    def __init__(
        self, message: str, *, code: str | None = None, where: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


class UsageError(GatesError):
    """A wrong path, name, type or configuration: the caller can mend it (exit 2)."""

    exit_code = 2
    default_code = "usage"


class EvidenceError(GatesError):
    """Bytes that do not match their digest, a signature that does not verify, an invalid record (exit 3)."""

    exit_code = 3
    default_code = "evidence.invalid"


class EngineError(GatesError):
    """A policy engine, registry, store or target that failed or disagreed: no decision (exit 4)."""

    exit_code = 4
    default_code = "engine.failed"


class Refused(GatesError):
    """A move that authority, ladder or the state of the slot forbids: the answer is no (exit 1)."""

    exit_code = 1
    default_code = "refused"
