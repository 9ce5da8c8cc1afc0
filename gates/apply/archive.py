"""Archive: a version that nothing needs is marked, in the ledger and then in the registry.

(1) Verify authority here; that no environment needs it, and approvals, by the policies in force (policies/actions/archive).
(2) Append the `archive` entry, which holds the decision.
(3) Tag the version in the registry with the entry's digest. The same again finishes what was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.apply.act import Asked, Judge
from gates.apply.begin import decided
from gates.apply.ledger.chain import Chain
from gates.apply.writer import LedgerWriter, Position, Present
from gates.inputs.registry import Registry
from gates.records.base import Digest, ModelVersion
from gates.records.decision import ApprovalInput
from gates.records.release import Entry, Slot

ARCHIVED_TAG = "gates.archived"


@dataclass(frozen=True)
class Archived:
    """A version that is archived.

    Attributes
    ----------
    entry: of the ledger. again: it was archived before.
    """

    version: ModelVersion
    entry: Digest
    again: bool


def archive(
    writer: LedgerWriter,
    registry: Registry,
    slot: Slot,
    version: ModelVersion,
    judge: Judge,
    *,
    reason: str,
    approvals: Sequence[ApprovalInput],
) -> Archived:
    """Mark a version so that it is neither promoted nor rolled back to.

    Parameters
    ----------
    slot: of the highest environment, where those sit who may archive.

    Raises
    ------
    Refused: no authority, or the policies deny. EvidenceError, EngineError: the policies in force cannot be had, or
    ledger or registry is out of reach.
    """
    chain = writer.read()
    writer.require_apply(chain, slot)
    known = _entry_of(chain, version)
    digest = known or _enter(writer, chain, slot, version, judge, reason, approvals)
    # (3)
    registry.set_tag(version.name, version.version, ARCHIVED_TAG, digest)
    return Archived(version, digest, again=known is not None)


def _enter(
    writer: LedgerWriter,
    chain: Chain,
    slot: Slot,
    version: ModelVersion,
    judge: Judge,
    reason: str,
    approvals: Sequence[ApprovalInput],
) -> Digest:
    # (1)
    asked = Asked(action="archive", slot=slot, version=version, release=None, reason=reason, approvals=approvals)
    decision = decided(writer, judge, chain, asked)

    # (2)
    def build(newest: Chain, position: Position) -> Entry | Present:
        if there := _entry_of(newest, version):
            return Present(there)
        return writer.entry(
            position,
            "archive",
            reason=reason,
            slot=slot,
            action="archive",
            candidate=version,
            decision=decision,
        )

    return writer.append(build, chain)[0]


def _entry_of(chain: Chain, version: ModelVersion) -> Digest | None:
    if version.digest not in chain.archived:
        return None
    sequence = chain.archived[version.digest].sequence
    return chain.digest_at(sequence)
