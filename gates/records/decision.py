"""Decision and its input: the only document that policies see, and what they answered."""

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, KeyId, Micros, ModelVersion, Name, Record, SchemaVersion
from gates.records.evidence import Code, Isolation, Metadata, TableIdentity
from gates.records.measurement import Item, Measurement, Slice, Subject
from gates.records.plan import Plan, Requirement
from gates.records.release import Approval, Parts, Release, Route
from gates.records.waiver import Waiver, WaiverApproval

Verdict = Literal["pass", "fail", "inconclusive", "error"]
Disposition = Literal[
    "satisfied", "denies", "accepted", "tolerated", "waived", "observed", "warned", "shortened", "not_applicable"
]
Basis = Literal["proven", "provisional", "hotfix", "unenforced", "none"]


class Request(Record):
    """Who asks for what, when. `champion` is what the ledger says serves there (absent: nothing does).

    `actor_key_id` is the key that signs the decision: whose it is, the trust data say. `actor` is its identity there;
    without a key, whoever ran the command says so. `triggered_by` are the accounts that started the job, as CI names them;
    elsewhere the user of the machine. `incident` makes it a hotfix. `percent` is the share of the traffic that the candidate is to take; what serves keeps the rest.
    `parts` is what the plan says that serves with the candidate.
    """

    environment: Environment
    action: Literal["promote"]
    model: Name
    candidate: ModelVersion
    champion: ModelVersion | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    parts: Parts | None = None
    actor: Name
    actor_key_id: KeyId | None = None
    triggered_by: tuple[Name, ...] | None = None
    reason: Name | None = None
    incident: Name | None = None
    effective_time_us: Micros


class PlanInput(Record):
    digest: Digest
    body: Plan


class BundleInput(Record):
    digest: Digest
    plan_digest: Digest
    candidate_digest: Digest
    champion_digest: Digest | None = None
    holdout_digest: Digest | None = None
    holdout_sketch_digest: Digest | None = None
    metadata: Metadata | None = None
    created_us: Micros
    key_ids: tuple[str, ...]


class EvidenceInput(Record):
    """A statement whose signatures were verified: the key ids that did, and what it says."""

    digest: Digest
    gate: Name
    subject_digest: Digest
    champion_digest: Digest | None = None
    plan_digest: Digest
    key_ids: tuple[str, ...]
    tables: tuple[TableIdentity, ...]
    code: Code
    isolation: Isolation
    started_us: Micros
    finished_us: Micros
    measurements: tuple[Measurement, ...]


class Alias(Record):
    alias: Name
    version: Name


class RegistryInput(Record):
    aliases: tuple[Alias, ...] = ()


class RungBelow(Record):
    """The version that takes all traffic on the rung below, and when the promotion that brought it was done."""

    environment: Environment
    candidate_digest: Digest
    time_us: Micros


class KnownRelease(Record):
    digest: Digest
    state: Literal["done", "suspect", "bad"]
    candidate_digest: Digest
    time_us: Micros


class LedgerInput(Record):
    """What the ledger knows, at one position in it.

    Attributes
    ----------
    adopted: the present release entered by `adopt` and was not promoted.
    rung_below: absent where this is the lowest rung with a ledger, or no promoted version takes all traffic there.
    sealed: the bundle was entered before this position.
    looks: which look at this holdout this decision is, counted over all candidates (1 = the first).
    attempts: sealed bundles of this candidate. candidates_judged: candidates judged by this holdout.
    last_decision: id of the decision of the newest promotion that was done here.
    expected_aliases: aliases as the ledger's releases explain them; the registry must agree.
    hotfix_until_us: when the hotfix ends by which the present release came; absent where it came by none.
    archived: true where the candidate is; absent where it is not.
    loosened: paths of overrides that loosen, as the policy entry in force names them; absent where it names none.
    """

    head: Digest
    sequence: Annotated[int, Field(ge=0)]
    policy_digest: Digest | None = None
    trust_digest: Digest | None = None
    release: Release | None = None
    release_digest: Digest | None = None
    adopted: bool = False
    rung_below: RungBelow | None = None
    known_releases: tuple[KnownRelease, ...] = ()
    sealed: bool = False
    looks: Annotated[int, Field(ge=1)] = 1
    attempts: Annotated[int, Field(ge=0)] = 0
    candidates_judged: Annotated[int, Field(ge=0)] = 0
    last_decision: Digest | None = None
    expected_aliases: tuple[Alias, ...] = ()
    loosened: tuple[Name, ...] | None = None
    archived: bool | None = None
    hotfix_until_us: Micros | None = None


class LastInput(Record):
    """The last decision that was carried out in the slot, and what it rested on; no plan where that is lost.

    Attributes
    ----------
    metadata: of the candidate then, as its bundle says.
    slices: the values of columns that were judged then, in their order; absent where there were none.
    """

    decision_id: Digest
    plan: PlanInput | None = None
    metadata: Metadata | None = None
    slices: tuple[Slice, ...] | None = None


class ApprovalInput(Record):
    digest: Digest
    key_ids: tuple[str, ...]
    statement: Approval


class WaiverApprovalInput(Record):
    digest: Digest
    key_ids: tuple[str, ...]
    statement: WaiverApproval


class WaiverInput(Record):
    """A waiver or baseline whose signatures were verified, with the approvals of it."""

    digest: Digest
    key_ids: tuple[str, ...]
    statement: Waiver
    approvals: tuple[WaiverApprovalInput, ...] = ()


class Variable(Record):
    """A variable of the serving process. `looks_like` names kinds of secrets; the value is nowhere in our records."""

    name: Name
    kind: Literal["plain", "reference"]
    looks_like: tuple[Name, ...] = ()


class ServingConfiguration(Record):
    """How the candidate is to serve, as the spec's file says; `digest` is of the file's bytes.

    Attributes
    ----------
    capture_percent: of the requests. traffic: shares in percent, as configured.
    """

    digest: Digest
    minimum_replicas: Annotated[int, Field(ge=0)] | None = None
    maximum_replicas: Annotated[int, Field(ge=0)] | None = None
    size: Name | None = None
    capture_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    traffic: tuple[Annotated[int, Field(ge=0, le=100)], ...] = ()
    variables: tuple[Variable, ...] = ()


class ServingInput(Record):
    target: Name
    routes: tuple[Route, ...] = ()
    configuration: ServingConfiguration | None = None


ReadyPart = Literal["artifact", "image", "feature_views", "data_snapshot", "golden"]


class ReadyInput(Record):
    """One part of the release that serves now, as a rollback would need it.

    Attributes
    ----------
    state: `there`: it resolves, or answers; `gone`: it does not; `changed`: it is another; `lacked`: the release says
        that it has none; `unsaid`: it does not say, or the spec does not say where it is. why: in words.
    """

    part: ReadyPart
    state: Literal["there", "gone", "changed", "lacked", "unsaid"]
    why: Name | None = None


class RollbackInput(Record):
    """Whether what serves now could be brought back, as it was seen at the decision.

    Attributes
    ----------
    release_digest: of the release that was looked at. kept_s: seconds for which the spec states that what served stays
        up at 0 percent.
    """

    release_digest: Digest
    parts: tuple[ReadyInput, ...]
    kept_s: Annotated[int, Field(ge=0)] | None = None


class PolicyInput(Record):
    """Digests of the policies and the trust data that this evaluation runs with."""

    digest: Digest
    trust_digest: Digest


class DecisionInput(Record):
    """Everything that a decision depends on besides the policies, trust data and nothing else.

    Times and key ids, never ages, roles or "verified" flags: policy derives those.
    `ledger` is absent in development only.
    """

    schema_version: SchemaVersion = "v1"
    request: Request
    policy: PolicyInput
    plan: PlanInput
    bundle: BundleInput
    evidence: tuple[EvidenceInput, ...]
    registry: RegistryInput = RegistryInput.model_construct()
    ledger: LedgerInput | None = None
    last: LastInput | None = None
    approvals: tuple[ApprovalInput, ...] = ()
    waivers: tuple[WaiverInput, ...] = ()
    serving: ServingInput | None = None
    rollback: RollbackInput | None = None


class RuleResult(Record):
    """References only: figures, limits and texts are joined afterwards.

    Attributes
    ----------
    waiver: the waiver or baseline that covers the figure, or that the note is about.
    """

    check: Name
    subject: Subject | None = None
    slice: Slice | None = None
    item: Item | None = None
    rule: Name
    verdict: Verdict
    disposition: Disposition
    code: Name
    limit: Name | None = None
    waiver: Digest | None = None


class RiskPart(Record):
    """Points for one part of the risk, and what they are for."""

    part: Name
    what: Name
    points: Annotated[int, Field(ge=0)]


class Risk(Record):
    """How much a decision risks, in the policy's points: none of them is a probability."""

    points: Annotated[int, Field(ge=0)]
    parts: tuple[RiskPart, ...]


class LedgerPosition(Record):
    """Where a decision stood in the ledger: the last entry that it saw."""

    sequence: Annotated[int, Field(ge=0)]
    head: Digest


class Decision(Record):
    """Allow or deny, for a candidate: `decision_id` is the digest of this record's canonical bytes.

    `ledger` is absent in development only.
    """

    schema_version: SchemaVersion = "v1"
    entry_point: Literal["gates/main/decision"] = "gates/main/decision"
    request: Request
    policy_digest: Digest
    trust_digest: Digest
    plan_digest: Digest
    bundle_digest: Digest
    input_digest: Digest
    ledger: LedgerPosition | None = None
    allow: bool
    basis: Basis
    required: tuple[Requirement, ...]
    missing: tuple[Requirement, ...]
    results: tuple[RuleResult, ...]
    approvals: tuple[Digest, ...] = ()
    waivers: tuple[Digest, ...] = ()
    valid_until_us: Micros
    simulated: bool
    bypasses: tuple[Name, ...] = ()
    risk: Risk | None = None


class ActDecision(Record):
    """What decisions on an action, and on a change of policies, have in common: each has an entry point and a request."""

    schema_version: SchemaVersion = "v1"
    entry_point: str
    request: Record
    policy_digest: Digest
    trust_digest: Digest
    input_digest: Digest
    ledger: LedgerPosition
    allow: bool
    results: tuple[RuleResult, ...]
    approvals: tuple[Digest, ...] = ()
    valid_until_us: Micros


class Evaluation(Record):
    """How the answer was computed; beside the decision, outside its id."""

    engine: Name
    version: Name
    source: Name
    duration_us: Annotated[int, Field(ge=0)]
    confirmed_by: Name | None = None
