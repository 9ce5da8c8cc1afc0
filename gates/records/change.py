"""A change of the policies and trust data in force: what policies see of one, and what they answered."""

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, KeyId, Micros, Name, Record, SchemaVersion
from gates.records.decision import ActDecision, PolicyInput

CHANGE_TYPE = "urn:model-gates:change-decision:v1"
CHANGE_APPROVAL_TYPE = "urn:model-gates:change-approval:v1"


class ChangeRequest(Record):
    """Who wants to put other policies in force, when; `actor`, `actor_key_id`, `triggered_by` as in a promotion's."""

    environment: Environment
    action: Literal["policy"] = "policy"
    actor: Name
    actor_key_id: KeyId
    triggered_by: tuple[Name, ...] | None = None
    reason: Name | None = None
    effective_time_us: Micros


class Change(Record):
    """What is to be in force.

    Attributes
    ----------
    loosened: paths of overrides that loosen what is shipped, and of facts that ask less than those in force, as those
    policies say. named: those that the entry will name.
    unknown: paths of overrides of something that no policy has.
    """

    policy_digest: Digest
    trust_digest: Digest
    loosened: tuple[Name, ...] = ()
    named: tuple[Name, ...] = ()
    unknown: tuple[Name, ...] = ()


class Simulated(Record):
    """What the new policies would have decided on past inputs.

    Attributes
    ----------
    digest: of the whole answer, in the store. policy_digest: of the policies that were tried.
    decisions: how many were judged again. to_allow, to_deny: how many would have gone otherwise.
    """

    digest: Digest
    policy_digest: Digest
    decisions: Annotated[int, Field(ge=0)]
    to_allow: Annotated[int, Field(ge=0)]
    to_deny: Annotated[int, Field(ge=0)]


class ChangeLedger(Record):
    """What the ledger knows at one position in it: what is in force, and the policy owners of entry 0."""

    head: Digest
    sequence: Annotated[int, Field(ge=0)]
    policy_digest: Digest
    trust_digest: Digest
    owners: tuple[KeyId, ...]


class ChangeApproval(Record):
    """A signed yes of one person for exactly this change; void when any digest in it changes."""

    schema_version: SchemaVersion = "v1"
    environment: Environment
    role: Name
    policy_digest: Digest
    trust_digest: Digest
    current_policy_digest: Digest
    current_trust_digest: Digest
    time_us: Micros
    expires_us: Micros
    comment: Name | None = None


class ChangeApprovalInput(Record):
    digest: Digest
    key_ids: tuple[str, ...]
    statement: ChangeApproval


class ChangeInput(Record):
    """Everything that a decision on a change depends on besides the policies and trust data that are in force.

    Attributes
    ----------
    policy: those that judge. change: those that are judged. unsimulated: why nothing was simulated.
    """

    schema_version: SchemaVersion = "v1"
    request: ChangeRequest
    policy: PolicyInput
    ledger: ChangeLedger
    change: Change
    approvals: tuple[ChangeApprovalInput, ...] = ()
    simulation: Simulated | None = None
    unsimulated: Name | None = None


class ChangeDecision(ActDecision):
    """Allow or deny, for a change: its id is the digest of this record's canonical bytes."""

    entry_point: Literal["gates/main/change"] = "gates/main/change"
    request: ChangeRequest
