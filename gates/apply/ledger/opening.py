"""Which ledger, and which is the right one: its URI from the spec or the environment, its root from outside the branch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from gates.apply.ledger.interface import Ledger
from gates.errors import UsageError
from gates.records.base import Digest, is_digest

ROOT_VARIABLE = "GATES_LEDGER_ROOT"
CACHE_VARIABLE = "GATES_CACHE"
"""Where clones of Git ledgers lie; default: the user's cache."""

_SQLITE = "sqlite:///"
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|\.lock(?:/|$)|/\.|\.$|/$))[A-Za-z0-9_][A-Za-z0-9_./-]*")
_FORMS = (
    "write sqlite:///path/to/ledger.db, postgresql://host/database, git+https://host/repository#branch "
    "or git:branch@remote"
)


def open_ledger(uri: str, environ: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Ledger:
    """Open the ledger at an address; nothing is created before the first entry.

    Parameters
    ----------
    uri: `sqlite:///relative/path`, `sqlite:////absolute/path`, `postgresql://host/database`, `git+https://...#branch`
        (also `git+ssh`, `git+http`, `git+file`), or `git:branch@remote` for a remote of the checkout around `folder`.

    Raises
    ------
    UsageError: another scheme, or an incomplete address.
    """
    environ = os.environ if environ is None else environ
    if uri.startswith(_SQLITE) and uri != _SQLITE:
        from gates.apply.ledger.sqlite_ledger import SqliteLedger

        return SqliteLedger(Path(uri.removeprefix(_SQLITE)))
    if uri.startswith(("postgresql://", "postgres://")):
        from gates.apply.ledger.postgres_ledger import PostgresLedger

        return PostgresLedger(uri)
    if uri.startswith(("git+", "git:")):
        return _git_ledger(uri, environ, folder or Path.cwd())
    # An address that is not understood may hold a password.
    raise UsageError("not a ledger", where=uri.partition("@")[0], code="ledger.uri", remedy=_FORMS)


def _git_ledger(uri: str, environ: Mapping[str, str], folder: Path) -> Ledger:
    from gates.apply.ledger.git_command import remote_at, remote_named
    from gates.apply.ledger.git_ledger import GitLedger

    if uri.startswith("git:"):
        branch, _, named = uri.removeprefix("git:").partition("@")
        remote = remote_named(named, environ, folder) if named else None
        name = uri
    else:
        url, _, branch = uri.removeprefix("git+").partition("#")
        remote = remote_at(url, environ)
        name = f"git+{remote.url}#{branch}"
    if remote is None or not _BRANCH.fullmatch(branch):
        raise UsageError("names no remote or no branch", where=branch, code="ledger.uri", remedy=_FORMS)
    return GitLedger(remote, branch, name=name, cache=_cache(environ), environ=environ)


def _cache(environ: Mapping[str, str]) -> Path:
    import platformdirs

    given = environ.get(CACHE_VARIABLE)
    return Path(given) if given else platformdirs.user_cache_path("model-gates")


def check_place(uri: str, environ: Mapping[str, str], workspace: Path) -> None:
    """Refuse an sqlite file that a CI job would keep inside its workspace: the next job begins without it.

    Raises
    ------
    UsageError: `ledger.in_workspace`.
    """
    if not environ.get("CI") or not uri.startswith(_SQLITE):
        return
    path = Path(uri.removeprefix(_SQLITE)).resolve()
    named = (environ.get(name) for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE"))
    for root in (workspace, *(Path(name) for name in named if name)):
        if path.is_relative_to(root.resolve()):
            raise UsageError(
                "a ledger inside the workspace of a CI job: the branch could bring its own, and the next job has none",
                code="ledger.in_workspace",
                where=str(path),
                remedy="set GATES_LEDGER to git:BRANCH@origin, to Postgres, or to a file that all jobs share",
            )


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
