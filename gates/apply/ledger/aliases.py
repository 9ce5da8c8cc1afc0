"""What the ledger's releases say about registry aliases: their names, in one place, and where each must point.

`approved-<env>` is moved by promote and rollback; `deployed-<env>` only after a read-back saw all traffic on one
version; `champion` is the last rung's `deployed`. Aliases are the ledger's shadow: one that no entry explains is
found and refused, never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gates.records.base import Environment, ModelVersion
from gates.records.release import Release


def sole_version(release: Release) -> ModelVersion | None:
    """The version that takes all of a release's traffic; None while traffic is split."""
    serving = [route.version for route in release.routes if route.percent > 0]
    return serving[0] if len(serving) == 1 else None


@dataclass(frozen=True)
class Standing:
    """Where a slot stands.

    Attributes
    ----------
    release: what serves; None before the first release.
    deployed: the last version that took all traffic; None where none ever did.
    """

    release: Release | None = None
    deployed: ModelVersion | None = None

    def moved_to(self, release: Release) -> Self:
        return type(self)(release, sole_version(release) or self.deployed)


@dataclass(frozen=True)
class AliasNames:
    """How aliases are called; `{environment}` is filled in.

    Attributes
    ----------
    last_rung: the environment whose deployed version is the champion.
    """

    approved: str = "approved-{environment}"
    deployed: str = "deployed-{environment}"
    champion: str = "champion"
    last_rung: Environment = "production"

    def approved_in(self, environment: Environment) -> str:
        return self.approved.format(environment=environment)

    def expected(self, environment: Environment, standing: Standing) -> dict[str, str | None]:
        """Return where each alias of a slot must point: a version, or None where the alias must not exist."""
        approved = standing.release.approved.version if standing.release else None
        deployed = standing.deployed.version if standing.deployed else None
        aliases = {self.approved_in(environment): approved, self.deployed.format(environment=environment): deployed}
        if environment == self.last_rung:
            aliases[self.champion] = deployed
        return aliases


def unexplained(actual: Mapping[str, str], *explanations: Mapping[str, str | None]) -> dict[str, str]:
    """Say, by alias, what none of the explanations allows; another spelling of a managed name is such a thing too."""
    names = explanations[0].keys()
    found: dict[str, str] = {}
    for name in sorted(names):
        allowed = {explanation[name] for explanation in explanations}
        if actual.get(name) not in allowed:
            wanted = " or ".join(sorted(_points_to(version) for version in allowed))
            found[name] = f"{name} {_points_to(actual.get(name))}, by the ledger it {wanted}"
    spelt = {name.casefold(): name for name in names}
    for name in sorted(actual):
        if name not in names and (managed := spelt.get(name.casefold())):
            found[managed] = f"{name} stands beside {managed}"
    return found


def _points_to(version: str | None) -> str:
    return "does not exist" if version is None else f"points to version {version}"
