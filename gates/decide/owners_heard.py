"""What policy owners wrote and nothing would ever ask for: a misspelt environment, rules under a name that is not read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from gates.decide.scorers import comparison
from gates.errors import UsageError
from gates.plan.nearest import did_you_mean

_ASKED = re.compile(r"^(default +)?(results|required)\b", re.MULTILINE)


def heard(
    files: Mapping[str, bytes], data: Mapping[str, Any], known: Collection[str], limited: Collection[str] = ()
) -> None:
    """Refuse what is never asked.

    Parameters
    ----------
    files: of the policy owners, by path. data: those of them that are data, parsed. known: environments of the ladder.
    limited: checks with limits of ours.

    Raises
    ------
    UsageError: data of an environment that there is not, limits of a scorer that has some of ours, or a package without
    `results` and `required` that no other uses.
    """
    for path, document in data.items():
        kind, name, *_ = PurePosixPath(path).parts
        if kind == "overrides":
            _there([name], known, path)
        for wish in document.get("required", ()) if kind == "models" else ():
            if "environments" in wish:
                _there(wish["environments"], known, path)
        _read(document.get("scorers", {}), known, limited, path)
    packages: dict[str, str] = {}
    for path, content in files.items():
        if path.endswith(".rego"):
            name = PurePosixPath(path).parts[1]
            packages[name] = packages.get(name, "") + content.decode(errors="replace") + "\n"
    for name, text in packages.items():
        used = re.compile(rf"\bdata\.custom\.{re.escape(name)}\b")
        if not _ASKED.search(text) and not any(used.search(packages[other]) for other in packages if other != name):
            raise UsageError(
                "no rule of this package is ever asked",
                code="policy.unasked",
                where=f"custom/{name}",
                remedy="name its rules `results` or `required`; docs/policies.md shows both",
            )


def _read(scorers: Mapping[str, Any], known: Collection[str], limited: Collection[str], where: str) -> None:
    for scorer, said in scorers.items():
        _there(said["limits"], known, where)
        if comparison(scorer) in limited:
            raise UsageError(
                f"{comparison(scorer)} has limits of ours, and those under `scorers` would not be read",
                code="policy.scorer",
                where=where,
                remedy="tighten it in overrides/<environment>/data.yaml",
            )


def _there(environments: Iterable[str], known: Collection[str], where: str) -> None:
    named = list(environments)
    strange = next((name for name in named if name not in known), None)
    if strange is not None:
        raise UsageError(
            f"no environment {strange!r}", code="policy.environment", where=where, remedy=did_you_mean(strange, known)
        )
    if not named:
        raise UsageError("required in no environment", code="policy.environment", where=where)
