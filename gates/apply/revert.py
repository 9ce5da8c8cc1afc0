"""Revert: what somebody changed beside the ledger is put back as the ledger has it. Numbered as in saga.py.

(1) Verify: authority and a reason; the slot is at rest; target or aliases say what the ledger does not explain; the
    registered bytes are the ledger's.
(2) Append the `revert` entry: it holds the reason, what the target stated and what it is put back to, and moves no slot.
(3) Write the target. (5) Aliases. (6) Read back. (7) Rollback pack.

Interrupted after (2) it is run again: what is still different is found again, and another entry says so.
"""

from __future__ import annotations

from gates.apply.begin import require_reason
from gates.apply.ledger.chain import Chain
from gates.apply.pack import keep_pack
from gates.apply.saga import Applied, Closing, explanations, open_elsewhere, require_unmoved, tag_head
from gates.apply.serving.interface import Serves
from gates.apply.surfaces import Surfaces, check_target
from gates.apply.writer import LedgerWriter, Position
from gates.errors import Refused
from gates.records.release import Entry, Slot


def strange(surfaces: Surfaces, slot: Slot, chain: Chain) -> tuple[str, ...]:
    """Say what target and aliases have that the ledger does not explain; nothing where it explains all.

    Raises
    ------
    EngineError: target or registry is out of reach.
    """
    known = explanations(chain.slot(slot))
    found = []
    try:
        check_target(surfaces.serving, *known)
    except Refused as error:
        found.append(error.message)
    return (*found, *surfaces.unexplained_aliases(slot, *known).values())


def revert(writer: LedgerWriter, surfaces: Surfaces, slot: Slot, *, reason: str) -> Applied:
    """Put target and aliases of a slot back as the ledger has them.

    Raises
    ------
    UsageError: no reason. Refused: no authority, a move is open, `revert.nothing`: the ledger explains all of it.
    EvidenceError: the registered bytes are others. EngineError: a surface is out of reach.
    """
    require_reason(reason, "a revert")
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        raise open_elsewhere(state.open, slot)
    # (1)
    if not strange(surfaces, slot, chain):
        raise Refused(
            f"the ledger explains all that {slot.environment} has", code="revert.nothing", remedy="gates status"
        )
    release = state.standing.release
    if release is not None:
        surfaces.check_bytes(release)
        surfaces.serving.check(release)
    observed = surfaces.serving.read()
    stated = observed.release if isinstance(observed, Serves) else None

    # (2)
    def build(newest: Chain, position: Position) -> Entry:
        require_unmoved(newest, slot, state)
        return writer.entry(
            position,
            "revert",
            reason=reason,
            slot=slot,
            before=stated,
            after=release,
        )

    digest, chain = writer.append(build, chain)
    # (3)
    require_unmoved(writer.newest(chain), slot, state)
    accepted = surfaces.serve(release)
    # (5)
    require_unmoved(writer.newest(chain), slot, state)
    leave = surfaces.unseen(slot) if release is not None else frozenset()
    surfaces.move_aliases(slot, state.standing, leave=leave)
    # (6)
    seen = surfaces.observe(release)
    surfaces.observe_aliases(slot, state.standing, leave=leave)
    # (7)
    pack = keep_pack(writer, surfaces.serving, chain, slot)
    unwitnessed = tag_head(surfaces, slot, chain)
    status: Closing = "accepted" if leave else "done"
    seen = None if leave else seen
    return Applied(slot, status, release, accepted, seen, digest, digest, pack, (), unwitnessed)
