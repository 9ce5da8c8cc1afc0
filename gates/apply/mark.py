"""Mark: a release that was done here is found to be bad, and no rollback goes to it any more.

(1) Verify: authority and a reason; the slot is at rest; the ledger knows the release.
(2) Append the `bad` entry. It moves nothing: what serves, serves on until it is rolled back.
(3) Rollback pack: without the ledger nobody goes there either.

Promoting its version again needs evidence that was measured since.
"""

from __future__ import annotations

from gates.apply.begin import require_reason
from gates.apply.ledger.chain import Chain
from gates.apply.pack import keep_pack
from gates.apply.saga import open_elsewhere, require_unmoved
from gates.apply.serving.interface import Serving
from gates.apply.writer import LedgerWriter, Position, Present
from gates.errors import Refused
from gates.records.base import Digest
from gates.records.release import Entry, Slot


def mark_bad(writer: LedgerWriter, serving: Serving, slot: Slot, release: Digest, *, reason: str) -> Digest:
    """Mark a release of a slot; return the entry's digest. One that is marked already stays so.

    Raises
    ------
    UsageError: no reason. Refused: no authority, a move is open, `mark.unknown`: it was never done there.
    """
    require_reason(reason, "a mark")
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        raise open_elsewhere(state.open, slot)
    known = state.known.get(release)
    if known is None:
        names = ", ".join(f"{digest} (version {item.release.approved.version})" for digest, item in state.known.items())
        raise Refused(
            f"{slot.environment} never served release {release}",
            code="mark.unknown",
            remedy=f"name one that was done: {names}" if names else "gates status",
        )

    def build(newest: Chain, position: Position) -> Entry | Present:
        require_unmoved(newest, slot, state)
        if there := _marked(newest, slot, release):
            return Present(there)
        return writer.entry(
            position,
            "bad",
            reason=reason,
            slot=slot,
            after=known.release,
        )

    digest, chain = writer.append(build, chain)
    keep_pack(writer, serving, chain, slot)
    return digest


def _marked(chain: Chain, slot: Slot, release: Digest) -> Digest | None:
    known = chain.slot(slot).known[release]
    return chain.digest_at(known.sequence) if known.state == "bad" else None
