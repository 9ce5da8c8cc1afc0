"""Approvals of a change of policies, as signed statements."""

from __future__ import annotations

from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.base import Digest
from gates.records.change import CHANGE_APPROVAL_TYPE, ChangeApproval, ChangeApprovalInput


def put_change_approval(store: Store, signer: Signer, approval: ChangeApproval) -> Digest:
    """Sign an approval of a change, store it and list it under the policies that it is about."""
    subject = [(f"policy:{approval.environment}", approval.policy_digest)]
    digest = store.put(seal(CHANGE_APPROVAL_TYPE, subject, approval.document(), signer))
    store.link("change-approval", approval.policy_digest, digest)
    return digest


def load_change_approval(store: Store, digest: Digest) -> ChangeApprovalInput:
    """Open an approval of a change.

    Raises
    ------
    EvidenceError: bytes and signatures that do not verify, or another subject.
    """
    opened = open_envelope(store.get(digest), expect=CHANGE_APPROVAL_TYPE, where=digest)
    approval = ChangeApproval.parse(opened.predicate, where=digest)
    if opened.subjects != ((f"policy:{approval.environment}", approval.policy_digest),):
        raise EvidenceError("the approval is about other policies", code="approval.subject", where=digest)
    return ChangeApprovalInput(digest=digest, key_ids=opened.key_ids, statement=approval)


def load_change_approvals(store: Store, policy: Digest, environment: str) -> tuple[ChangeApprovalInput, ...]:
    """Return the approvals that these policies be in force there; one that does not verify counts for nothing."""
    found = []
    for digest in store.linked("change-approval", policy):
        try:
            approval = load_change_approval(store, digest)
        except EvidenceError:
            continue
        if approval.statement.environment == environment:
            found.append(approval)
    return tuple(sorted(found, key=lambda item: item.digest))
