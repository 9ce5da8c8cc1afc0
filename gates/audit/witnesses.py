"""What saw the ledger's head from outside, read again: tags in the registry, rollback packs beside the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.witnesses import Witness, check_witness, coverage, parse_witness, witness_tag
from gates.apply.pack import Pack, open_pack
from gates.audit.findings import Findings
from gates.records.base import Digest
from gates.records.release import Slot

if TYPE_CHECKING:
    from gates.apply.serving.interface import Serving
    from gates.inputs.registry import Registry


def look_at_witnesses(
    found: Findings, chain: Chain, registry: Registry | None, serving_of: Callable[[Slot], Serving | None]
) -> None:
    """Compare the ledger with what each witness saw; say which is the newest, and what none of them covers."""
    seen = []
    if registry is not None:
        tags = found.attempt("witness", "tags can be read", "the registry", _tags, chain, registry, out_of_reach=True)
        for by, text in (tags or {}).items():
            witness = found.attempt("witness", "is one", by, _parse, text, by)
            seen += [witness] if witness else []
    for slot in chain.slots:
        if (target := serving_of(slot)) is not None:
            seen += list(_pack_beside(found, chain, target, slot))
    for witness in seen:
        found.attempt("witness", "the ledger holds what it saw", witness.by, check_witness, chain, witness)
    found.witnessed = coverage(chain, seen)


def _tags(chain: Chain, registry: Registry) -> dict[str, str]:
    """Return the tags that witness, by where they are."""
    found = {}
    for slot, state in chain.slots.items():
        key = witness_tag(slot.environment)
        # What a cut ledger does not know any more, an alias still points to.
        known = [each.release.approved.version for each in state.known.values()]
        for version in dict.fromkeys([*known, *registry.aliases(slot.model).values()]):
            if (text := registry.tags(slot.model, version).get(key)) is not None:
                found[f"tag {key} of models:/{slot.model}/{version}"] = text
    return found


def _parse(text: str, by: str) -> Witness:
    return parse_witness(text, by=by)


def _pack_beside(found: Findings, chain: Chain, target: Serving, slot: Slot) -> Iterator[Witness]:
    history = found.attempt("witness", "has a history", target.name, target.heads, out_of_reach=True)
    for text in history or ():
        by = f"a commit of {target.name}"
        witness = found.attempt("witness", "is one", by, _parse, text, by)
        yield from [witness] if witness else []
    place = f"the rollback pack beside {target.name}"
    raw = found.attempt("witness", "can be read", place, target.pack, out_of_reach=True)
    if raw is not None:
        pack = found.attempt("pack", "is signed and whole", place, _open, raw, chain.root, slot, place)
        yield from [Witness(pack.sequence, pack.head, place)] if pack else []


def _open(raw: bytes, root: Digest, slot: Slot, place: str) -> Pack:
    return open_pack(raw, root=root, slot=slot, where=place)
