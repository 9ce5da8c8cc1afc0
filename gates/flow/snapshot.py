"""What served when something went wrong, kept before anything moves: tried for one second, and never waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.bundle.canonical import canonical_bytes
from gates.errors import GatesError
from gates.records import Digest, Environment, Slot
from gates.records.base import Micros

if TYPE_CHECKING:
    from gates.apply.surfaces import Surfaces
    from gates.project import Project

SECONDS = 1.0
_MOST_BYTES = 1_000_000
LINK = "incident-snapshot"


@dataclass(frozen=True)
class Snapshot:
    """What was kept.

    Attributes
    ----------
    digest: of its document in the store; None where that was not to be had in time. absent: what is missing, and why.
    """

    digest: Digest | None
    absent: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the ledger's entry says of it."""
        kept = f"snapshot {self.digest[7:19]}" if self.digest else "no snapshot"
        return f"{kept}, {len(self.absent)} absent" if self.absent else kept


def take(project: Project, environment: Environment, surfaces: Surfaces, slot: Slot, now_us: Micros) -> Snapshot:
    """Keep what the target states, and the ends of the files and answers that the spec names.

    The document in the store: `{schema_version, model, environment, time_us, kept: {name: digest}, absent: [...]}`.
    """
    said = project.spec.rollback
    wanted: dict[str, Callable[[], bytes]] = {
        "target": lambda: _target(surfaces),
        **{place: (lambda place=place: _end_of(project, place)) for place in (said.snapshot if said else ())},  # type: ignore[misc]
    }
    deadline = time.monotonic() + SECONDS
    # Writing into a store that is not mounted would make a new one in its place.
    there = _Started(lambda: _there(project))
    if there.until(deadline) is None:
        return Snapshot(None, (f"everything: {there.why}",))
    kept = {name: _Started(lambda read=read: project.store.put(read())) for name, read in wanted.items()}  # type: ignore[misc]
    found = {name: started.until(deadline) for name, started in kept.items()}
    absent = tuple(f"{name}: {started.why}" for name, started in kept.items() if found[name] is None)
    document = {
        "schema_version": "v1",
        "model": slot.model,
        "environment": environment,
        "time_us": now_us,
        "kept": {name: digest for name, digest in found.items() if digest},
        "absent": list(absent),
    }
    started = _Started(lambda: _put(project, slot, canonical_bytes(document)))
    digest = started.until(max(deadline, time.monotonic() + 0.1))
    return Snapshot(digest, absent if digest else (*absent, f"the snapshot itself: {started.why}"))


def _there(project: Project) -> str:
    project.store.check_there()
    return project.store.name


class _Started:
    """A call in a thread of its own, which nobody waits for longer than he wants."""

    def __init__(self, call: Callable[[], str]) -> None:
        self.why = f"not within {SECONDS:g} s"
        self._found: str | None = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], str]) -> None:
        try:
            self._found = call()
        except GatesError as error:
            self.why = error.message
        except Exception as error:  # noqa: BLE001 (whatever is wrong with a log, the rollback goes on)
            self.why = f"{type(error).__name__}: {error}"

    def until(self, deadline: float) -> str | None:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return None if self._thread.is_alive() else self._found


def _put(project: Project, slot: Slot, content: bytes) -> Digest:
    digest = project.store.put(content)
    project.store.link(LINK, f"{slot.model}@{slot.environment}", digest)
    return digest


def _target(surfaces: Surfaces) -> bytes:
    from gates.apply.serving.interface import Serves
    from gates.apply.surfaces import describe

    observed = surfaces.serving.read()
    release: Any = observed.release.document() if isinstance(observed, Serves) else None
    return canonical_bytes({"said": describe(observed), **({"release": release} if release else {})})


def _end_of(project: Project, place: str) -> bytes:
    import urllib.request

    if place.startswith(("http://", "https://")):
        with urllib.request.urlopen(place, timeout=SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read(_MOST_BYTES)
            return content
    path: Path = project.spec.path(place)
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MOST_BYTES))
        return file.read()
