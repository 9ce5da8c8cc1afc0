"""What an audit found: every single thing that was looked at, and how it came out. Nothing ends at the first failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from gates.errors import EngineError, GatesError

Part = Literal[
    "store", "ledger", "decision", "replay", "policy", "trust", "plan", "bundle", "evidence", "attachment", "approval",
    "waiver", "pack", "model", "alias", "serving", "witness",
]  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    part: what kind of thing. what: what was asked of it. where: entry, digest, URI or path.
    status: `skipped` where it was not looked at; that is no proof of anything. With a code: it was named, and could not
    be reached; without one: nobody named it.
    code, message, remedy: of a failure, or why it was skipped.
    """

    part: Part
    what: str
    where: str
    status: Literal["ok", "failed", "skipped"] = "ok"
    code: str | None = None
    message: str | None = None
    remedy: str | None = None

    def document(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass
class Findings:
    """Collects findings; `attempt` turns an error into one and goes on."""

    items: list[Finding] = field(default_factory=list)
    witnessed: str | None = None
    """What saw the ledger's head from outside; None where no ledger was looked at."""

    def ok(self, part: Part, what: str, where: str) -> None:
        self.items.append(Finding(part, what, where))

    def failed(self, part: Part, what: str, where: str, *, code: str, message: str, remedy: str | None = None) -> None:
        self.items.append(Finding(part, what, where, "failed", code, message, remedy))

    def skipped(self, part: Part, what: str, where: str, message: str, *, code: str | None = None) -> None:
        self.items.append(Finding(part, what, where, "skipped", code, message))

    def attempt(
        self, part: Part, what: str, where: str, check: Callable[..., T], *given: object, out_of_reach: bool = False
    ) -> T | None:
        """Run a check; an error of ours is a finding, any other is a defect of the auditor and is raised.

        Parameters
        ----------
        given: what the check is called with.
        out_of_reach: an EngineError means that the thing could not be reached, and is no failure of it.
        """
        try:
            value = check(*given)
        except EngineError as error:
            if out_of_reach:
                self.skipped(part, what, where, error.message, code=error.code)
            else:
                self._error(part, what, where, error)
            return None
        except GatesError as error:
            self._error(part, what, where, error)
            return None
        self.ok(part, what, where)
        return value

    def _error(self, part: Part, what: str, where: str, error: GatesError) -> None:
        place = error.where if error.where and error.where != where else None
        message = f"{place}: {error.message}" if place else error.message
        self.failed(part, what, where, code=error.code, message=message, remedy=error.remedy)

    @property
    def good(self) -> bool:
        """Something was checked, and nothing failed; whether everything was reached, `complete` says."""
        return any(item.status == "ok" for item in self.items) and not self.failures

    @property
    def complete(self) -> bool:
        """Everything that was named could be reached."""
        return not self.unreached

    @property
    def unreached(self) -> list[Finding]:
        return [item for item in self.items if item.status == "skipped" and item.code is not None]

    @property
    def failures(self) -> list[Finding]:
        return [item for item in self.items if item.status == "failed"]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Number of findings by (part, status)."""
        return Counter((item.part, item.status) for item in self.items)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema_version": "v1",
            "good": self.good,
            "complete": self.complete,
            **({"witnessed": self.witnessed} if self.witnessed else {}),
            "findings": [item.document() for item in self.items],
        }
