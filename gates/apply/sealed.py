"""Enter a bundle before it is judged above development: without it a decision is simulated and cannot be applied."""

from __future__ import annotations

from gates.apply.ledger.chain import Chain
from gates.apply.writer import LedgerWriter, Position, Present
from gates.bundle.pack import OpenedBundle
from gates.errors import EvidenceError
from gates.records.base import Digest, Micros
from gates.records.evidence import Bundle
from gates.records.release import Entry


def append_sealed(writer: LedgerWriter, bundle: OpenedBundle) -> Digest:
    """Append a `sealed` entry, once a bundle, and return its digest: the look at the holdout is counted from here on.

    Raises
    ------
    Refused: `key.unlisted`: the signer may neither decide nor apply anywhere. EvidenceError: `ledger.sealed`: it is
    entered already, as something else than it is.
    """
    record = bundle.record

    def build(chain: Chain, position: Position) -> Entry | Present:
        known = next((item for item in chain.entries if item.entry.bundle_digest == bundle.digest), None)
        if known is not None:
            check_sealed(known.entry, record, bundle.measured_us)
            return Present(known.digest)
        return writer.entry(
            position,
            "sealed",
            bundle_digest=bundle.digest,
            candidate=record.candidate,
            holdout_digest=record.holdout_digest,
            holdout_sketch=record.holdout_sketch,
            measured_us=bundle.measured_us,
        )

    return writer.append(build)[0]


def check_sealed(entry: Entry, bundle: Bundle, measured_us: Micros) -> None:
    """Refuse a `sealed` entry that says other things about its bundle than the bundle itself does.

    Parameters
    ----------
    measured_us: when the bundle's oldest evidence began to be measured.

    Raises
    ------
    EvidenceError: `ledger.sealed`.
    """
    for name, entered, named in (
        ("candidate", entry.candidate, bundle.candidate),
        ("holdout", entry.holdout_digest, bundle.holdout_digest),
        ("sketch of the holdout", entry.holdout_sketch, bundle.holdout_sketch),
        ("time of measuring", entry.measured_us, measured_us),
    ):
        if entered != named:
            raise EvidenceError(
                f"enters a bundle with another {name} than the bundle's own",
                code="ledger.sealed",
                where=f"ledger entry {entry.sequence}",
                remedy="find out who signed the entry; measure and seal again",
            )
