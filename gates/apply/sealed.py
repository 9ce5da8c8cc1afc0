"""Enter a bundle before it is judged above development: without it a decision is simulated and cannot be applied."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.writer import LedgerWriter, Position, Present
from gates.bundle.pack import OpenedBundle
from gates.records.base import Digest
from gates.records.release import Entry


def append_sealed(writer: LedgerWriter, bundle: OpenedBundle) -> Digest:
    """Append a `sealed` entry, once a bundle, and return its digest: the look at the holdout is counted from here on.

    Raises
    ------
    Refused: `key.unlisted`: the signer may neither decide nor apply anywhere.
    """
    record = bundle.record

    def build(chain: Chain, position: Position) -> Entry | Present:
        known = next((item.digest for item in chain.entries if item.entry.bundle_digest == bundle.digest), None)
        if known is not None:
            return Present(known)
        return Entry(
            sequence=position.sequence,
            previous=position.previous,
            kind="sealed",
            time_us=position.time_us,
            actor=writer.actor,
            bundle_digest=bundle.digest,
            candidate=record.candidate,
            holdout_digest=record.holdout_digest,
        )

    return writer.append(build)[0]
