"""Release, slot and transition: what serves in an environment, and the ledger entries that move it."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gates.records.base import (
    Digest,
    Environment,
    KeyId,
    Micros,
    ModelVersion,
    Name,
    Record,
    RowDigest,
    Scalar,
    SchemaVersion,
    slot_key,
)

DECISION_TYPE = "urn:model-gates:decision:v1"
APPROVAL_TYPE = "urn:model-gates:approval:v1"
ENTRY_TYPE = "urn:model-gates:ledger-entry:v1"
PACK_TYPE = "urn:model-gates:rollback-pack:v1"
JOURNAL_TYPE = "urn:model-gates:journal:v1"
CONFIRMATION_TYPE = "urn:model-gates:confirmation:v1"


class Route(Record):
    """A share of the traffic, in whole percent."""

    version: ModelVersion
    percent: Annotated[int, Field(ge=0, le=100)]


class Pin(Record):
    """A named value that serves with the model: a feature view's version, a flag's variant."""

    name: Name
    value: Scalar


Part = Literal[
    "image_digest",
    "preprocessor_digest",
    "decision_threshold",
    "postprocessing",
    "feature_views",
    "flags",
    "cache_namespace",
    "data_snapshot",
    "fallback",
]
PARTS: tuple[Part, ...] = Part.__args__  # type: ignore[attr-defined]
"""What serves besides the model version, by the names of its fields."""


class Parts(Record):
    """What a release holds besides model versions.

    A part without a value is one that the model lacks, where `lacks` names it; else nobody said.

    Attributes
    ----------
    image_digest: of the serving image. preprocessor_digest: of what makes features of a request.
    decision_threshold: of the score, from which on the answer is yes. postprocessing: version of what comes after.
    feature_views: the version of each view that is read. flags: the variant of each feature flag.
    cache_namespace: where features are cached. data_snapshot: of the data that is read while serving.
    fallback: the batch scores that answer where the model does not.
    """

    image_digest: Digest | None = None
    preprocessor_digest: Digest | None = None
    decision_threshold: float | None = None
    postprocessing: Name | None = None
    feature_views: tuple[Pin, ...] = ()
    flags: tuple[Pin, ...] = ()
    cache_namespace: Name | None = None
    data_snapshot: Digest | None = None
    fallback: Name | None = None
    lacks: tuple[Part, ...] | None = None

    @model_validator(mode="after")
    def _has_or_lacks(self) -> Self:
        if both := [part for part in self.lacks or () if getattr(self, part) not in (None, ())]:
            raise ValueError(f"{both[0]} is lacked, and has a value")
        return self


class Release(Parts):
    """All that serves in an environment."""

    schema_version: SchemaVersion = "v1"
    model: Name
    environment: Environment
    routes: tuple[Route, ...]
    approved: ModelVersion
    decision_digest: Digest | None = None

    @property
    def champion(self) -> ModelVersion:
        """The version that carries most of the traffic: what a new candidate is compared with."""
        return max(self.routes, key=lambda route: route.percent).version


class Slot(Record):
    """One model in one environment: what a transition moves."""

    model: Name
    environment: Environment

    @property
    def key(self) -> str:
        """See `slot_key`."""
        return slot_key(self.model, self.environment)


EntryKind = Literal[
    "policy",
    "sealed",
    "intent",
    "outcome",
    "takeover",
    "rollback",
    "adopt",
    "retire",
    "archive",
    "rollout",
    "monitor",
    "revert",
    "bad",
]


class PublicKey(Record):
    """An Ed25519 public key; the key id is the SHA-256 of its SubjectPublicKeyInfo."""

    key_id: KeyId
    pem: str
    identity: Name


class ActivePolicy(Record):
    """The policy and trust digests that are valid in an environment from this entry on.

    `loosened` are the paths of the owners' overrides that loosen what we ship; one that is not named does not count.
    """

    environment: Environment
    policy_digest: Digest
    trust_digest: Digest
    loosened: tuple[Name, ...] | None = None


class Entry(Record):
    """A ledger entry: the signed body. Its digest is that of its exact envelope bytes.

    Which optional fields a kind has:
    policy: owners (entry 0 only), active, reason, decisions (one for each environment that had policies). sealed: bundle_digest, candidate, holdout_digest, holdout_sketch, measured_us.
    intent, rollback, rollout: slot, action, expects, before, after, decision (its envelope), reason.
    rollback besides: incident, snapshot. retire: the same without after. archive: slot, action, candidate, decision, reason.
    monitor: as rollback; or, where nothing moves, slot, action, candidate, decision, reason.
    outcome: slot, intent, status, observed, debts, head witness. takeover: slot, intent, reason.
    adopt: slot, after, reason. revert: slot, reason, before (what the target stated), after (what the ledger has).
    bad: slot, reason, after (the release that is marked).

    Attributes
    ----------
    status: `accepted`: the target took the release, and nobody saw the traffic; nothing is observed then, and a later
        outcome of the same intent may say that it was.
    expects: digest of the slot's last closing entry (outcome or adopt) that the writer built upon.
    holdout_sketch: the bundle's; an entry from before there were any has none.
    measured_us: when the oldest evidence of the bundle began to be measured.
    incident: its kind. snapshot: digest of what was kept of what served.
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
    holdout_sketch: tuple[RowDigest, ...] | None = None
    measured_us: Micros | None = None
    slot: Slot | None = None
    action: Literal["promote", "rollback", "retire", "archive", "rollout", "monitor"] | None = None
    expects: Digest | None = None
    before: Release | None = None
    after: Release | None = None
    decision: dict[str, Any] | None = None
    intent: Digest | None = None
    status: Literal["done", "accepted", "failed", "pending"] | None = None
    observed: Release | None = None
    debts: tuple[str, ...] | None = None
    incident: Name | None = None
    snapshot: Digest | None = None
    decisions: tuple[dict[str, Any], ...] | None = None


class Journalled(Record):
    """A rollback that was carried out while the ledger was out of reach, as its signer wrote it beside the target.

    Attributes
    ----------
    expects: the slot's last closing entry, by the rollback pack that was used.
    before: what the target stated; absent where it was cleared. observed: what it stated afterwards; absent before it
        was looked at again.
    decision: on the rollback, by the policies in the pack; absent where it held none.
    incident, snapshot: as in an entry.
    debts: what could not be reached, in words.
    """

    schema_version: SchemaVersion = "v1"
    ledger_root: Digest
    slot: Slot
    expects: Digest
    time_us: Micros
    actor: Name
    reason: Name
    before: Release | None = None
    after: Release
    observed: Release | None = None
    decision: dict[str, Any] | None = None
    incident: Name | None = None
    snapshot: Digest | None = None
    debts: tuple[str, ...] = ()


class Confirmation(Record):
    """A second person's signature that a rollback, named by its ledger entry, was right to do."""

    schema_version: SchemaVersion = "v1"
    slot: Slot
    rollback: Digest
    time_us: Micros
    comment: Name


class Approval(Record):
    """A signed yes of one person for exactly this move; void when any digest in it changes.

    Only a promotion has a bundle and a plan.
    """

    schema_version: SchemaVersion = "v1"
    model: Name
    environment: Environment
    action: Literal["promote", "retire", "archive"]
    role: Name
    candidate_digest: Digest
    bundle_digest: Digest | None = None
    plan_digest: Digest | None = None
    policy_digest: Digest
    current_release_digest: Digest | None = None
    time_us: Micros
    expires_us: Micros
    comment: Name | None = None
