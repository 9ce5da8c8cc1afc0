"""Seal what the gates found into one signed bundle, and open a bundle by checking every byte of it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gates.bundle.canonical import canonical_bytes, parse_json
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.bundle.store import Store
from gates.errors import EvidenceError
from gates.records.base import Digest, Micros, RowDigest, slot_key
from gates.records.decision import ApprovalInput
from gates.records.evidence import BUNDLE_TYPE, EVIDENCE_TYPE, Bundle, Evidence, EvidenceRef, Metadata
from gates.records.measurement import Measurement
from gates.records.plan import Plan, TableRole
from gates.records.release import APPROVAL_TYPE, Approval

_JUDGED: tuple[TableRole, ...] = ("holdout", "predictions")


@dataclass(frozen=True)
class OpenedEvidence:
    """A statement of the bundle: what it says, and the keys that signed it."""

    digest: Digest
    evidence: Evidence
    key_ids: tuple[str, ...]


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle whose digests and signatures were all checked."""

    digest: Digest
    record: Bundle
    key_ids: tuple[str, ...]
    plan: Plan
    evidence: tuple[OpenedEvidence, ...]

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return tuple(m for part in self.evidence for m in part.evidence.measurements)

    @property
    def measured_us(self) -> Micros:
        """When the oldest evidence began to be measured: sealing it again makes it no younger."""
        return oldest((part.evidence for part in self.evidence), self.record)


def oldest(evidence: Iterable[Evidence], bundle: Bundle) -> Micros:
    """When the first of a bundle's evidence began to be measured."""
    return min((item.started_us for item in evidence), default=bundle.created_us)


def put_plan(store: Store, plan: Plan) -> Digest:
    return store.put(canonical_bytes(plan.document()))


def load_plan(store: Store, digest: Digest) -> Plan:
    return Plan.parse(parse_json(store.get(digest), where=digest), where=digest)


def seal_bundle(
    store: Store,
    signer: Signer,
    plan: Plan,
    evidence: Sequence[Evidence],
    *,
    holdout_digest: Digest | None,
    holdout_sketch: tuple[RowDigest, ...] | None,
    now_us: int,
    metadata: Metadata | None = None,
) -> Digest:
    """Sign each gate's evidence and the manifest over all of it; return the bundle's digest.

    Raises
    ------
    EvidenceError: no evidence, or evidence about different candidates, champions, plans or holdouts.
    """
    plan_digest = put_plan(store, plan)
    subjects = {(item.candidate, item.champion, item.plan_digest) for item in evidence}
    if len(subjects) != 1 or plan_digest != evidence[0].plan_digest:
        raise EvidenceError("a bundle is about one candidate, one champion and one plan", code="bundle.mixed")
    candidate, champion, _ = subjects.pop()
    for item in evidence:
        check_holdout(item, holdout_digest, where=item.gate)
    subject = [(candidate.uri, candidate.digest)]
    bundle = Bundle(
        candidate=candidate,
        champion=champion,
        plan_digest=plan_digest,
        evidence=tuple(
            EvidenceRef(gate=item.gate, digest=store.put(seal(EVIDENCE_TYPE, subject, item.document(), signer)))
            for item in evidence
        ),
        attachments=tuple(attachment for item in evidence for attachment in item.attachments),
        holdout_digest=holdout_digest,
        holdout_sketch=holdout_sketch,
        metadata=metadata,
        created_us=now_us,
    )
    digest = store.put(seal(BUNDLE_TYPE, subject, bundle.document(), signer))
    store.link("bundle", candidate.digest, digest)
    return digest


@dataclass(frozen=True)
class OpenedManifest:
    """A bundle's manifest whose signature and subject were checked; its evidence was not read."""

    record: Bundle
    key_ids: tuple[str, ...]


def load_manifest(store: Store, digest: Digest) -> OpenedManifest:
    """Open a bundle's manifest alone.

    Raises
    ------
    EvidenceError: a byte that changed, a signature that does not verify, a statement about another subject.
    """
    opened = open_envelope(store.get(digest), expect=BUNDLE_TYPE, where=digest)
    record = Bundle.parse(opened.predicate, where=digest)
    if opened.subjects != ((record.candidate.uri, record.candidate.digest),):
        raise EvidenceError("the manifest is about another subject", code="bundle.mixed", where=digest)
    return OpenedManifest(record, opened.key_ids)


def load_bundle(store: Store, digest: Digest) -> OpenedBundle:
    """Open a bundle: every digest, signature and subject in it is checked.

    Raises
    ------
    EvidenceError: a byte that changed, a signature that does not verify, a statement about another subject.
    """
    opened = load_manifest(store, digest)
    record = opened.record
    return OpenedBundle(
        digest=digest,
        record=record,
        key_ids=opened.key_ids,
        plan=load_plan(store, record.plan_digest),
        evidence=tuple(_load_evidence(store, ref, record) for ref in record.evidence),
    )


def _load_evidence(store: Store, ref: EvidenceRef, bundle: Bundle) -> OpenedEvidence:
    opened = open_envelope(store.get(ref.digest), expect=EVIDENCE_TYPE, where=ref.digest)
    evidence = Evidence.parse(opened.predicate, where=ref.digest)
    if opened.subjects != ((bundle.candidate.uri, bundle.candidate.digest),) or evidence.gate != ref.gate:
        raise EvidenceError("evidence about another subject or gate", code="bundle.mixed", where=ref.digest)
    check_holdout(evidence, bundle.holdout_digest, where=ref.digest)
    return OpenedEvidence(ref.digest, evidence, opened.key_ids)


def check_holdout(evidence: Evidence, holdout: Digest | None, *, where: str) -> None:
    """Refuse evidence that judged other rows than the manifest names: looks at a holdout are counted by that name.

    The rows that were judged are the table `holdout`, and where there is none the table `predictions`. Own measurements
    that were recorded beside it name no table, and no other figure stands in their evidence.

    Raises
    ------
    EvidenceError: `bundle.holdout`.
    """
    digests = {role: {table.digest for table in evidence.tables if table.role == role} for role in _JUDGED}
    judged = next((found for found in digests.values() if found), set())
    own = evidence.measurements and all(measurement.check.startswith("own.") for measurement in evidence.measurements)
    if own and not evidence.tables:
        return
    if judged != ({holdout} if holdout else set()):
        named = " and ".join(sorted(judged)) or "none"
        raise EvidenceError(
            f"the evidence is about holdout {named}, the manifest about {holdout or 'none'}",
            code="bundle.holdout",
            where=where,
            remedy="measure again, and seal what `gates measure` wrote",
        )


def load_attachments(store: Store, bundle: Bundle) -> Mapping[str, bytes]:
    """Return attachments by name, each checked against its digest."""
    return {attachment.name: store.get(attachment.digest) for attachment in bundle.attachments}


def put_approval(store: Store, signer: Signer, approval: Approval) -> Digest:
    """Sign an approval, store it and list it under its bundle; that of an action, under the slot."""
    subject = [(slot_key(approval.model, approval.environment), approval.candidate_digest)]
    digest = store.put(seal(APPROVAL_TYPE, subject, approval.document(), signer))
    store.link("approval", approval.bundle_digest or slot_key(approval.model, approval.environment), digest)
    return digest


def load_approval(store: Store, digest: Digest) -> ApprovalInput:
    opened = open_envelope(store.get(digest), expect=APPROVAL_TYPE, where=digest)
    return ApprovalInput(
        digest=digest, key_ids=opened.key_ids, statement=Approval.parse(opened.predicate, where=digest)
    )


def load_approvals(store: Store, listed: str) -> tuple[ApprovalInput, ...]:
    """All approvals listed for a bundle, by its digest, or for actions in a slot; whether they hold is for policy to say."""
    return tuple(load_approval(store, digest) for digest in store.linked("approval", listed))
