"""The rollback pack: all that a rollback needs besides the target, signed, beside the target and in the store."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import release_digest
from gates.apply.serving.interface import Serving
from gates.apply.writer import LedgerWriter
from gates.bundle.envelope import seal
from gates.records.base import Digest
from gates.records.release import PACK_TYPE, Slot


def keep_pack(writer: LedgerWriter, serving: Serving, chain: Chain, slot: Slot) -> Digest | None:
    """Sign and keep the pack of a slot as it stands; None where nothing serves there.

    The predicate: `{schema_version, slot, ledger_root, closing, time_us, release, restorable: [release, ...]}`;
    `closing` is the slot's last closing entry, `restorable` the releases that a rollback may go to, newest first.
    """
    state = chain.slot(slot)
    release = state.standing.release
    if release is None:
        return None
    present = release_digest(release)
    restorable = [
        known.release.document()
        for digest, known in reversed(state.known.items())
        if digest != present and known.state == "done"
    ]
    predicate = {
        "schema_version": "v1",
        "slot": slot.document(),
        "ledger_root": chain.root,
        "closing": state.last_closing,
        "time_us": state.time_us,
        "release": release.document(),
        "restorable": restorable,
    }
    pack = seal(PACK_TYPE, [("release", present)], predicate, writer.signer)
    digest = writer.store.put(pack)
    writer.store.link("rollback-pack", f"{slot.model}@{slot.environment}", digest)
    serving.keep_pack(pack)
    return digest
