"""Which ledger, and which is the right one: its URI from the spec or the environment, its root from outside the branch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gates.apply.ledger.interface import Ledger
from gates.apply.ledger.sqlite_ledger import SqliteLedger
from gates.errors import UsageError
from gates.records.base import Digest, is_digest

ROOT_VARIABLE = "GATES_LEDGER_ROOT"


def open_ledger(uri: str) -> Ledger:
    """Open `sqlite:///relative/path` or `sqlite:////absolute/path`; nothing is created before the first entry.

    Raises
    ------
    UsageError: another scheme.
    """
    scheme = "sqlite:///"
    if not uri.startswith(scheme) or uri == scheme:
        raise UsageError("not a ledger", where=uri, code="ledger.uri", remedy="write sqlite:///path/to/ledger.db")
    return SqliteLedger(Path(uri.removeprefix(scheme)))


def ledger_root(environ: Mapping[str, str]) -> Digest:
    """Return the digest of entry 0, which reaches every job from outside the branch.

    Raises
    ------
    UsageError: `GATES_LEDGER_ROOT` is missing or is not a digest.
    """
    root = environ.get(ROOT_VARIABLE, "").strip()
    if not root:
        raise UsageError(
            f"{ROOT_VARIABLE} is not set: above development nothing else says which ledger is the right one",
            code="ledger.root_missing",
            remedy=f"set {ROOT_VARIABLE} to the digest that `gates policy activate` printed for entry 0",
        )
    if not is_digest(root):
        raise UsageError(
            "not a digest", where=ROOT_VARIABLE, code="ledger.root_invalid", remedy="write sha256: and 64 hex digits"
        )
    return root
