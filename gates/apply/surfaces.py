"""What a move changes outside the ledger, and how it is looked at again: the serving target and the registry aliases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import assert_never

from gates.apply.differences import differences
from gates.apply.ledger.aliases import AliasNames, Standing, unexplained
from gates.apply.ledger.shape import release_digest
from gates.apply.serving.interface import Following, Observed, Serves, ServesNothing, Serving, Unreadable, Unseen
from gates.errors import EngineError, EvidenceError, Refused
from gates.inputs.registry import Registry
from gates.records.base import ModelVersion
from gates.records.release import Release, Slot


@dataclass(frozen=True)
class Surfaces:
    """The two outside parties of one slot, and how aliases are called."""

    registry: Registry
    serving: Serving
    names: AliasNames = field(default_factory=AliasNames)

    def check_bytes(self, release: Release) -> None:
        """Hash the bytes of every version of a release again.

        Raises
        ------
        EvidenceError: `model.bytes_changed`. EngineError: the registry does not answer.
        """
        for version in dict.fromkeys(route.version for route in release.routes):
            actual = self.registry.digest(version.name, version.version)
            if actual != version.digest:
                raise EvidenceError(
                    f"the registered bytes are {actual} now, decided was {version.digest}",
                    code="model.bytes_changed",
                    where=version.uri,
                    remedy="find out who changed them; register the bytes as a new version and decide on that",
                )

    def unexplained_aliases(self, slot: Slot, *explanations: Standing) -> dict[str, str]:
        """Return, by alias, what none of the ledger's standings explains."""
        return unexplained(self.registry.aliases(slot.model), *(self._expected(slot, s) for s in explanations))

    def check_aliases(self, slot: Slot, *explanations: Standing) -> None:
        """Refuse aliases that none of the ledger's standings explains.

        Raises
        ------
        Refused: `alias.unexplained`.
        """
        if found := self.unexplained_aliases(slot, *explanations):
            raise Refused(
                f"no ledger entry explains the registry: {'; '.join(found.values())}",
                code="alias.unexplained",
                where=f"models:/{slot.model}",
                remedy="`gates revert` sets it back; `gates adopt` enters what serves",
            )

    def check_serving(self, slot: Slot, *explanations: Standing) -> None:
        """See `check_target`."""
        check_target(self.serving, *explanations)

    def unseen(self, slot: Slot) -> frozenset[str]:
        """Return the aliases that wait until somebody sees the traffic; none where the target shows it."""
        if not isinstance(self.serving.traffic(), Unseen):
            return frozenset()
        return frozenset(self._expected(slot, Standing())) - {self.names.approved_in(slot.environment)}

    def serve(self, release: Release | None) -> Release | None:
        """Steps 3 and 4: traffic, model digests and pins, in one atomic document. Return what was accepted."""
        if release is None:
            self.serving.clear()
            return None
        return self.serving.write(release)

    def move_aliases(self, slot: Slot, standing: Standing, *, leave: Collection[str] = ()) -> None:
        """Step 5: `approved` at once; `deployed` and `champion` only where the target, read again, states the release.

        Parameters
        ----------
        leave: aliases not to touch.

        Raises
        ------
        Refused: `readback.mismatch`.
        """
        wanted = {alias: version for alias, version in self._expected(slot, standing).items() if alias not in leave}
        approved = self.names.approved_in(slot.environment)
        if approved in wanted:
            self._point(slot.model, approved, wanted.pop(approved))
        self.observe(standing.release)
        for alias, version in wanted.items():
            self._point(slot.model, alias, version)

    def observe(self, wanted: Release | None) -> Release | None:
        """Step 6, the target: return what it states, which must be what was wanted.

        Raises
        ------
        Refused: `readback.mismatch`. EngineError: `serving.converging`: the traffic was seen, and is not there yet.
        """
        observed = self.serving.read()
        if isinstance(observed, Serves) and isinstance(traffic := self.serving.traffic(), Following):
            raise EngineError(
                f"the traffic is not there yet: {traffic.reason}",
                code="serving.converging",
                where=self.serving.name,
                remedy="wait for it",
            )
        if not _states(observed, wanted):
            raise Refused(
                f"wanted {describe_release(wanted)}, observed {describe(observed)}"
                + _named_differences(observed, wanted),
                code="readback.mismatch",
                where=self.serving.name,
                remedy="somebody else writes to the target: stop that first",
            )
        return observed.release if isinstance(observed, Serves) else None

    def observe_aliases(self, slot: Slot, standing: Standing, *, leave: Collection[str] = ()) -> None:
        """Step 6, the registry.

        Raises
        ------
        Refused: `readback.mismatch`.
        """
        found = self.unexplained_aliases(slot, standing)
        if found := {alias: message for alias, message in found.items() if alias not in leave}:
            raise Refused(
                f"wanted other aliases: {'; '.join(found.values())}",
                code="readback.mismatch",
                where=f"models:/{slot.model}",
                remedy="somebody else moves the aliases: stop that first",
            )

    def alias_moves(self, slot: Slot, standing: Standing) -> tuple[str, ...]:
        """Say which aliases would move for a standing: `deployed-staging: 1 -> 2`."""
        actual = self.registry.aliases(slot.model)
        wanted = self._expected(slot, standing)
        return tuple(
            f"{alias}: {actual.get(alias, 'none')} -> {version or 'none'}"
            for alias, version in sorted(wanted.items())
            if actual.get(alias) != version
        )

    def _expected(self, slot: Slot, standing: Standing) -> dict[str, str | None]:
        return self.names.expected(slot.environment, standing)

    def _point(self, model: str, alias: str, version: str | None) -> None:
        present = self.registry.aliases(model).get(alias)
        if version is not None and present != version:
            self.registry.set_alias(model, alias, version)
        elif version is None and present is not None:
            self.registry.delete_alias(model, alias)


def check_target(serving: Serving, *explanations: Standing) -> None:
    """Refuse a target that states what none of the ledger's standings explains.

    Raises
    ------
    Refused: `serving.unexplained`. EngineError: the target is out of reach.
    """
    observed = serving.read()
    if any(_states(observed, standing.release) for standing in explanations):
        return
    wanted = " or ".join(dict.fromkeys(describe_release(standing.release) for standing in explanations))
    raise Refused(
        f"no ledger entry explains the target: it states {describe(observed)}, the ledger {wanted}"
        + _named_differences(observed, explanations[0].release),
        code="serving.unexplained",
        where=serving.name,
        remedy="`gates revert` puts it back; `gates adopt` enters what serves",
    )


def _states(observed: Observed, wanted: Release | None) -> bool:
    if wanted is None:
        return isinstance(observed, ServesNothing)
    return isinstance(observed, Serves) and release_digest(observed.release) == observed.stated == release_digest(
        wanted
    )


def _named_differences(observed: Observed, wanted: Release | None) -> str:
    named = differences(wanted, observed.release) if isinstance(observed, Serves) and wanted is not None else ()
    return f"; {'; '.join(named)}" if named else ""


def describe(observed: Observed) -> str:
    match observed:
        case Serves(release, stated):
            edited = "" if stated == release_digest(release) else f", edited by hand: it calls itself {stated[7:19]}"
            return f"{describe_release(release)}{edited}"
        case ServesNothing():
            return "nothing"
        case Unreadable(reason):
            return f"something unreadable ({reason})"
        case other:
            assert_never(other)


def describe_release(release: Release | None) -> str:
    if release is None:
        return "nothing"
    shares = ", ".join(f"{route.percent} % version {_short(route.version)}" for route in release.routes)
    return f"release {release_digest(release)[7:19]} ({shares})"


def _short(version: ModelVersion) -> str:
    return f"{version.version} {version.digest[7:15]}"
