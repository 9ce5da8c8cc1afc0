"""What stands outside the ledger, compared with what it explains: aliases, serving targets and rollback packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.apply.ledger.aliases import AliasNames, Standing, unexplained
from gates.apply.saga import explanations
from gates.apply.surfaces import check_target
from gates.bundle.envelope import open_envelope
from gates.errors import EvidenceError
from gates.records.release import PACK_TYPE, Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain
    from gates.apply.serving.interface import Serving
    from gates.audit.findings import Findings
    from gates.bundle.store import Store
    from gates.inputs.registry import Registry
    from gates.records.base import Digest, ModelVersion


def serving_versions(chain: Chain) -> Iterator[ModelVersion]:
    """Return the versions that take traffic, by the ledger."""
    for slot in chain.slots:
        release = chain.slot(slot).standing.release
        if release is not None:
            yield from (route.version for route in release.routes)


def look_at_surfaces(
    found: Findings,
    store: Store,
    chain: Chain,
    registry: Registry | None,
    serving_of: Callable[[Slot], Serving | None],
    names: AliasNames,
    slots: Sequence[Slot],
) -> None:
    """Compare each slot's aliases, target and packs with the chain.

    Parameters
    ----------
    registry: None leaves aliases out. slots: also looked at where no entry ever moved them.
    """
    look = _Look(found, store, chain, registry, serving_of, names)
    for slot in chain.slots:
        look.moved(slot)
    for slot in dict.fromkeys(slots):
        if slot not in chain.slots:
            look.unmoved(slot)


@dataclass(frozen=True)
class _Look:
    found: Findings
    store: Store
    chain: Chain
    registry: Registry | None
    serving_of: Callable[[Slot], Serving | None]
    names: AliasNames

    def moved(self, slot: Slot) -> None:
        state = self.chain.slot(slot)
        self._aliases(slot, explanations(state))
        self._serving(slot, state.standing, *((state.open.after,) if state.open else ()))
        entries = {item.digest for item in self.chain.entries}
        for pack in self.store.linked("rollback-pack", slot.key):
            self.found.attempt("pack", "is signed and whole", pack, _pack, self.store, pack, self.chain.root, entries)

    def unmoved(self, slot: Slot) -> None:
        """Where policies are in force, the ledger explains aliases of what it never moved too."""
        self._serving(slot, Standing())
        if slot.environment in self.chain.policies:
            self._aliases(slot, (Standing(),))

    def _serving(self, slot: Slot, *explained: Standing) -> None:
        target = self.serving_of(slot)
        if target is not None:
            self.found.attempt(
                "serving",
                "states what the ledger explains",
                target.name,
                check_target,
                target,
                *explained,
                out_of_reach=True,
            )

    def _aliases(self, slot: Slot, explained: Iterable[Standing]) -> None:
        if self.registry is not None:
            self.found.attempt(
                "alias",
                "are those that the ledger explains",
                f"{slot.model} in {slot.environment}",
                self._check_aliases,
                self.registry,
                slot,
                explained,
                out_of_reach=True,
            )

    def _check_aliases(self, registry: Registry, slot: Slot, explained: Iterable[Standing]) -> None:
        wanted = [self.names.expected(slot.environment, standing) for standing in explained]
        strange = unexplained(registry.aliases(slot.model), *wanted)
        if strange:
            raise EvidenceError(
                "; ".join(strange.values()),
                code="alias.unexplained",
                remedy="`gates revert` sets it back; `gates adopt` enters what serves",
            )


def _pack(store: Store, digest: Digest, root: Digest, entries: Set[Digest]) -> None:
    opened = open_envelope(store.get(digest), expect=PACK_TYPE, where=digest)
    if opened.predicate.get("ledger_root") != root:
        raise EvidenceError("the pack of another ledger", code="pack.mixed", where=digest)
    if opened.predicate.get("closing") not in entries:
        # A pack is written after the entry that it names: that entry was cut off, or never was.
        raise EvidenceError("it follows an entry that the ledger does not have", code="pack.closing", where=digest)
