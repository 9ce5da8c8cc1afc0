"""The Serving port: where the traffic of one slot is split. What is wanted, accepted and observed are three facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gates.records.release import Release


@dataclass(frozen=True)
class Serves:
    """The target states a whole release.

    Attributes
    ----------
    stated: the digest that it gives for it; another one than the release's own gives an edit by hand away.
    """

    release: Release
    stated: str


@dataclass(frozen=True)
class ServesNothing:
    """The target was never written, or was cleared."""


@dataclass(frozen=True)
class Unreadable:
    """The target states something that no writer of ours left there."""

    reason: str


Observed = Serves | ServesNothing | Unreadable


@dataclass(frozen=True)
class Followed:
    """The traffic was seen to be what the target states."""


@dataclass(frozen=True)
class Following:
    """The traffic was looked at, and is not there yet."""

    reason: str


@dataclass(frozen=True)
class Unseen:
    """Nobody can see the traffic: what the target states was accepted, no more."""

    reason: str


Traffic = Followed | Following | Unseen


class Serving(Protocol):
    """One slot's target. Every method raises EngineError (`serving.unavailable`) where it cannot be reached."""

    @property
    def name(self) -> str:
        """Path or address, for messages."""
        ...

    def read(self) -> Observed:
        """Observe what the target states now."""
        ...

    def traffic(self) -> Traffic:
        """Look whether the traffic is what `read` states."""
        ...

    def check(self, release: Release) -> None:
        """Refuse a release that the target cannot serve from where it stands; Refused or UsageError."""
        ...

    def write(self, release: Release) -> Release:
        """Make the target serve a release, atomically; return what it accepted. Idempotent."""
        ...

    def clear(self) -> None:
        """Make the target serve nothing. Idempotent."""
        ...

    def keep_pack(self, pack: bytes) -> None:
        """Put the signed rollback pack beside the target, in place of the last one."""
        ...

    def pack(self) -> bytes | None:
        """Return the rollback pack beside the target; None where there is none."""
        ...

    def heads(self) -> tuple[str, ...]:
        """Return what the target's own history says that the ledger's head was, the newest first: `12 sha256:...`."""
        ...

    def keep_journal(self, journal: Sequence[bytes]) -> None:
        """Put these signed records beside the target, in place of those there; none of them takes the journal away."""
        ...

    def journal(self) -> tuple[bytes, ...]:
        """Return what was rolled back beside the ledger: records as they were signed, in order.

        Raises
        ------
        EvidenceError: `journal.malformed`.
        """
        ...
