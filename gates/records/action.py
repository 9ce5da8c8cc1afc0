"""Actions besides a promotion: what policies see of one, and what they answered."""

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, KeyId, Micros, ModelVersion, Name, Record, SchemaVersion
from gates.records.decision import ActDecision, ApprovalInput, Basis, PolicyInput

ActionName = Literal["rollback", "retire", "archive", "rollout", "monitor"]
Demand = Literal["pause", "back", "rollback"]
"""What a monitor may ask for: no further step, an earlier step, or what served before the rollout."""
Percent = Annotated[int, Field(ge=0, le=100)]

ACTION_TYPE = "urn:model-gates:action-decision:v1"


class ActionRequest(Record):
    """Who asks for what, when.

    Attributes
    ----------
    release: the release to go to (rollback, rollout, monitor), or to take away (retire); absent where nothing moves.
    version: the one to archive, or that serves. actor, actor_key_id, triggered_by: as in a promotion's request.
    percent: share of the traffic that `version` is to have (rollout, monitor). demand: of a monitor.
    incident: what kind of incident it is about.
    """

    environment: Environment
    action: ActionName
    model: Name
    release: Digest | None = None
    version: ModelVersion
    actor: Name
    actor_key_id: KeyId
    triggered_by: tuple[Name, ...] | None = None
    reason: Name | None = None
    incident: Name | None = None
    percent: Percent | None = None
    demand: Demand | None = None
    effective_time_us: Micros


class Served(Record):
    """A release that was done here.

    Attributes
    ----------
    time_us: when it came into its state. left_us: when it was last left; absent where it serves.
    """

    digest: Digest
    state: Literal["done", "suspect", "bad"]
    candidate_digest: Digest
    time_us: Micros
    left_us: Micros | None = None


class Held(Record):
    """A version that an environment needs, and for what."""

    environment: Environment
    version_digest: Digest
    why: Literal["serves", "approved", "deployed", "open", "rollback"]


class JournalStep(Record):
    """A rollback that was carried out beside the ledger before this one, in the same outage.

    Attributes
    ----------
    before: the release that it left; absent where nothing served.
    """

    before: Digest | None = None
    after: Digest
    time_us: Micros


class ActionLedger(Record):
    """What the ledger knows at one position in it, or the rollback pack that was taken from it there.

    Attributes
    ----------
    served: releases of the slot, in the order in which they were first done.
    held: versions of the model, in every environment. archived: digests of versions.
    pack: digest of the pack that says all this, where the ledger was out of reach; nothing is held then.
    """

    head: Digest
    sequence: Annotated[int, Field(ge=0)]
    policy_digest: Digest
    trust_digest: Digest
    release_digest: Digest | None = None
    served: tuple[Served, ...] = ()
    held: tuple[Held, ...] = ()
    archived: tuple[Digest, ...] = ()
    pack: Digest | None = None


class Hashed(Record):
    """A model version's bytes, hashed again; nothing was found where the registry was out of reach."""

    wanted: Digest
    found: Digest | None = None


class TrafficSeen(Record):
    """Requests in a log, counted.

    Attributes
    ----------
    digest: of the log's bytes. requests: from `from_us` on. earlier: before that, which shows that it logs at all.
    """

    source: Name
    digest: Digest
    from_us: Micros
    until_us: Micros
    requests: Annotated[int, Field(ge=0)]
    earlier: Annotated[int, Field(ge=0)]


class PresentShare(Record):
    """What serves in the slot, as far as a rollout is concerned.

    Attributes
    ----------
    percent: share of the version that was approved last. since_us: when that share came.
    alarms: demands of monitors to go no further, since the promotion that began this.
    decision_id: by which it came; absent where it was adopted. observed: the release that the traffic follows, read back at
    this time; absent where nobody sees it.
    """

    version_digest: Digest
    percent: Percent
    since_us: Micros
    alarms: Annotated[int, Field(ge=0)]
    decision_id: Digest | None = None
    observed: Digest | None = None


class Suspect(Record):
    """A version that some environment rolled back from, and when."""

    environment: Environment
    version_digest: Digest
    time_us: Micros


class Rollout(Record):
    """The decision that a step belongs to, as it was carried out here.

    Attributes
    ----------
    steps: of the rollout, in percent, by the plan that was decided on. suspects: versions of the model, anywhere.
    """

    decision_id: Digest
    basis: Basis
    allow: bool
    decided_us: Micros
    valid_until_us: Micros
    policy_digest: Digest
    trust_digest: Digest
    plan_digest: Digest
    steps: tuple[Percent, ...] = ()
    suspects: tuple[Suspect, ...] = ()


class Alarm(Record):
    """What a monitor saw, in its own words: a figure, and no limit.

    Attributes
    ----------
    check: what is watched. rows: requests, or rows, that the figure is about, from `from_us` to `until_us`.
    """

    monitor: Name
    check: Name
    value: float
    unit: Name | None = None
    rows: Annotated[int, Field(ge=0)]
    from_us: Micros
    until_us: Micros


class ActionInput(Record):
    """Everything that a decision on an action depends on besides the policies, trust data and nothing else.

    Attributes
    ----------
    journal: rollbacks of this outage, oldest first. present, rollout, alarm: of a step, of a monitor's demand.
    """

    schema_version: SchemaVersion = "v1"
    request: ActionRequest
    policy: PolicyInput
    ledger: ActionLedger
    approvals: tuple[ApprovalInput, ...] = ()
    bytes: tuple[Hashed, ...] = ()
    traffic: TrafficSeen | None = None
    journal: tuple[JournalStep, ...] = ()
    present: PresentShare | None = None
    rollout: Rollout | None = None
    alarm: Alarm | None = None


class ActionDecision(ActDecision):
    """Allow or deny, for an action: its id is the digest of this record's canonical bytes."""

    entry_point: Literal["gates/main/action"] = "gates/main/action"
    request: ActionRequest
