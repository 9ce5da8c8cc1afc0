"""Release, slot and transition: what serves in an environment, and the ledger entries that move it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, KeyId, Micros, ModelVersion, Name, Record, Scalar, SchemaVersion

DECISION_TYPE = "urn:model-gates:decision:v1"
APPROVAL_TYPE = "urn:model-gates:approval:v1"
ENTRY_TYPE = "urn:model-gates:ledger-entry:v1"
PACK_TYPE = "urn:model-gates:rollback-pack:v1"


class Route(Record):
    """A share of the traffic, in whole percent."""

    version: ModelVersion
    percent: Annotated[int, Field(ge=0, le=100)]


class Pin(Record):
    """A named value that serves with the model: a feature view's version, a flag's variant."""

    name: Name
    value: Scalar


class Release(Record):
    """All that serves in an environment. A part that the model lacks is absent."""

    schema_version: SchemaVersion = "v1"
    model: Name
    environment: Environment
    routes: tuple[Route, ...]
    approved: ModelVersion
    image_digest: Digest | None = None
    preprocessor_digest: Digest | None = None
    decision_threshold: float | None = None
    feature_views: tuple[Pin, ...] = ()
    flags: tuple[Pin, ...] = ()
    data_snapshot: Digest | None = None
    decision_digest: Digest | None = None

    @property
    def champion(self) -> ModelVersion:
        """The version that carries most of the traffic: what a new candidate is compared with."""
        return max(self.routes, key=lambda route: route.percent).version


class Slot(Record):
    """One model in one environment: what a transition moves."""

    model: Name
    environment: Environment


EntryKind = Literal["policy", "sealed", "intent", "outcome", "takeover", "rollback", "adopt"]


class PublicKey(Record):
    """An Ed25519 public key; the key id is the SHA-256 of its SubjectPublicKeyInfo."""

    key_id: KeyId
    pem: str
    identity: Name


class ActivePolicy(Record):
    """The policy and trust digests that are valid in an environment from this entry on."""

    environment: Environment
    policy_digest: Digest
    trust_digest: Digest


class Entry(Record):
    """A ledger entry: the signed body. Its digest is that of its exact envelope bytes.

    Which optional fields a kind has:
    policy: owners (entry 0 only), active, reason. sealed: bundle_digest, candidate, holdout_digest, measured_us.
    intent, rollback: slot, action, expects, before, after, decision (its envelope), reason.
    outcome: slot, intent, status, observed, debts, head witness. takeover: slot, intent, reason.
    adopt: slot, after, reason.

    Attributes
    ----------
    expects: digest of the slot's last closing entry (outcome or adopt) that the writer built upon.
    measured_us: when the oldest evidence of the bundle began to be measured.
    """

    schema_version: SchemaVersion = "v1"
    sequence: Annotated[int, Field(ge=0)]
    previous: Digest | None = None
    kind: EntryKind
    time_us: Micros
    actor: Name
    reason: Name | None = None
    owners: tuple[PublicKey, ...] | None = None
    active: tuple[ActivePolicy, ...] | None = None
    bundle_digest: Digest | None = None
    candidate: ModelVersion | None = None
    holdout_digest: Digest | None = None
    measured_us: Micros | None = None
    slot: Slot | None = None
    action: Literal["promote", "rollback"] | None = None
    expects: Digest | None = None
    before: Release | None = None
    after: Release | None = None
    decision: dict[str, Any] | None = None
    intent: Digest | None = None
    status: Literal["done", "failed", "pending"] | None = None
    observed: Release | None = None
    debts: tuple[str, ...] | None = None


class Approval(Record):
    """A signed yes of one person for exactly this move; void when any digest in it changes."""

    schema_version: SchemaVersion = "v1"
    model: Name
    environment: Environment
    action: Literal["promote"]
    role: Name
    candidate_digest: Digest
    bundle_digest: Digest
    plan_digest: Digest
    policy_digest: Digest
    current_release_digest: Digest | None = None
    time_us: Micros
    expires_us: Micros
    comment: Name | None = None
