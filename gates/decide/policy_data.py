"""What the policy owners' folder may hold: facts about models, and overrides of limits and levels. Strict about words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from gates.decide.limits import Sense
from gates.decide.plan_request import Wish
from gates.errors import UsageError
from gates.plan.nearest import nearest
from gates.records.base import Digest, Environment, Micros, Name, Record, first_fault, micros
from gates.records.measurement import Subject
from gates.records.plan import Alike, Outcomes, Tier


class ParameterFacts(Record):
    """Parameters that differ from parameters/data.yaml; what is absent keeps the shipped value."""

    bins: Annotated[int, Field(ge=2, le=100)] | None = None
    micro_bins: Annotated[int, Field(ge=10, le=100_000)] | None = None
    coverage_level: Annotated[float, Field(gt=0, lt=1)] | None = None
    curve_levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] | None = None
    curve_reach: Annotated[float, Field(ge=0, lt=1)] | None = None
    strata: Annotated[int, Field(ge=2, le=100)] | None = None
    operating_threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    parity_tolerance: Annotated[float, Field(ge=0)] | None = None
    parity_features: tuple[Alike, ...] | None = None
    minimum_clusters: Annotated[int, Field(ge=2)] | None = None
    max_rows: Annotated[int, Field(ge=1_000)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    latency_pairs: Annotated[int, Field(ge=300, le=100_000)] | None = None
    anchors: Annotated[int, Field(ge=1, le=100)] | None = None
    minimum_events: Annotated[int, Field(ge=1)] | None = None
    maturation_seconds: Annotated[int, Field(ge=1)] | None = None
    near_digits: Annotated[int, Field(ge=1, le=15)] | None = None
    personal_rows: Annotated[int, Field(ge=1, le=100_000)] | None = None
    rescored_rows: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    rescored_tolerance: Annotated[float, Field(ge=0)] | None = None
    cost: Outcomes | None = None
    payoff: Outcomes | None = None


class Gold(Record):
    """The table that every release must be good at, by the digest of its bytes."""

    digest: Digest


class Mirror(Record):
    """The other side of a two-sided limit."""

    limit: float
    ceiling: float | None = None


class LimitData(Record):
    """A limit in the unit of its figure; `ceiling` absent means that nothing undecided is accepted.

    Attributes
    ----------
    unit: of the figures that it is for; one in another unit is denied.
    """

    limit: float
    inclusive: bool
    unit: Name | None = None
    ceiling: float | None = None
    mirror: Mirror | None = None


class OwnLimit(LimitData):
    """A limit of an own check.

    Attributes
    ----------
    point: a number without bounds is accepted here by its point alone, as provisional; it is never a pass.
    """

    point: bool = False


OwnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class OwnCheck(Record):
    """A check `own.<name>` that the policy owners define; `required` says where it is needed.

    Attributes
    ----------
    range: `none` accepts a mean of values of which nobody declared the least and the largest.
    """

    sense: Sense
    subject: Subject = "candidate"
    range: Literal["none"] | None = None
    limits: dict[Environment, OwnLimit]

    @model_validator(mode="after")
    def _both_sides(self) -> Self:
        one_sided = [name for name, limit in self.limits.items() if (limit.mirror is None) == (self.sense == "within")]
        if one_sided:
            raise ValueError(
                f"{one_sided[0]}: `mirror`, the other side, stands in a limit of sense within and no other"
            )
        return self


class ScorerCheck(Record):
    """A scorer of scikit-learn by name: by how much the candidate's score must be above the champion's, or may be below it."""

    limits: dict[Environment, LimitData]

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if any(limit.mirror is not None for limit in self.limits.values()):
            raise ValueError("more is better by every scorer: its limits have no `mirror`")
        return self


class ContractBounds(Record):
    """What a contract may let pass of this model, in place of release/data.yaml: bad rows, and the lag of a table."""

    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    rows: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[int, Field(ge=0)] | None = None


class ModelFacts(Record):
    """`models/<model>/data.yaml`. A model without one has tier high and nothing of its own.

    Attributes
    ----------
    holdouts: digests of the tables that may judge it; none named means any. target: its serving target, as in gates.yaml.
    business_owner: the person who approves besides at tier high, by the trust data. solo: one person may ask, make and
    approve; every view says self-approved.
    inconclusive_share_ppm: check -> the most of the rows, in a million, that its inconclusive slices may hold together.
    sizes: sizes that it may serve in; none named means those of release/data.yaml. recognisers: tools whose reports of
    personal data count besides those of release/data.yaml.
    """

    tier: Tier = "high"
    first_release: bool = False
    cluster: Name | None = None
    weight: Name | None = None
    slices: tuple[Name, ...] = ()
    parameters: ParameterFacts = ParameterFacts()
    required: tuple[Wish, ...] = ()
    own: dict[OwnName, OwnCheck] = Field(default_factory=dict)
    scorers: dict[OwnName, ScorerCheck] = Field(default_factory=dict)
    gold: Gold | None = None
    holdouts: tuple[Digest, ...] = ()
    target: Name | None = None
    business_owner: Name | None = None
    solo: bool = False
    sizes: tuple[Name, ...] = ()
    contract: ContractBounds | None = None
    recognisers: tuple[Name, ...] = ()
    inconclusive_share_ppm: dict[str, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)


Strictness = Literal["observe", "warn", "deny"]


def _instant(value: object) -> int:
    """A time with its zone, as microseconds."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError("a time with its zone: 2026-01-31T12:00:00Z")
    return micros(moment)


class Enforcement(Record):
    """How strictly a check, a gate or all of them are held.

    Attributes
    ----------
    level: `observe` and `warn` compute, seal and report; `deny` denies. enforce_from: a UTC time from when on the level
    holds; until then `before` does, which is milder.
    """

    level: Strictness = "deny"
    enforce_from_us: Annotated[Micros, BeforeValidator(_instant)] | None = Field(
        default=None, validation_alias="enforce_from"
    )
    before: Literal["observe", "warn"] | None = None

    @model_validator(mode="after")
    def _milder_before(self) -> Self:
        if (self.enforce_from_us is None) != (self.before is None):
            raise ValueError("`enforce_from` and `before` belong together")
        levels = get_args(Strictness)
        if self.before is not None and levels.index(self.before) >= levels.index(self.level):
            raise ValueError(f"`before` is to be milder than {self.level}")
        return self


class Enforcements(Record):
    """`rules`: check or gate -> how strictly; `all`: every other check."""

    all: Enforcement | None = None
    rules: dict[str, Enforcement] = Field(default_factory=dict)


Step = Annotated[str, Field(pattern=r"^[^/]+$")]
"""A name that is a step of a limit's path; a slash would lead elsewhere."""


class FeatureOverrides(Record):
    """Limits of one feature's figures, by check; and in a slice: column -> value -> check."""

    limits: dict[Step, LimitData] = Field(default_factory=dict)
    slices: dict[Step, dict[Step, dict[Step, LimitData]]] = Field(default_factory=dict)


class ModelOverrides(Record):
    """What holds for one model only."""

    features: dict[Step, FeatureOverrides] = Field(default_factory=dict)


def _or_none(limits: object) -> object:
    """A file whose lines are all comments says `limits:` and no more."""
    return {} if limits is None else limits


class EnvironmentOverrides(Record):
    """`overrides/<environment>/data.yaml`: limits by check and tier, and how strictly checks are held.

    The narrowest limit wins: of a model's feature in a slice, of the feature, of the tier, of the environment (`any`).
    """

    limits: Annotated[dict[Step, dict[Tier | Literal["any"], LimitData]], BeforeValidator(_or_none)] = Field(
        default_factory=dict
    )
    models: dict[Step, ModelOverrides] = Field(default_factory=dict)
    enforcement: Enforcements | None = None


_KINDS: dict[str, type[Record]] = {"models": ModelFacts, "overrides": EnvironmentOverrides}


def checked(kind: str, document: Any, where: str) -> dict[str, Any]:
    """Return the data of a file of the policy owners as JSON.

    Raises
    ------
    UsageError: a word or a value that means nothing here, with the nearest word that does.
    """
    record = _KINDS[kind]
    try:
        return record.model_validate(document if document is not None else {}).document()
    except ValidationError as error:
        first = error.errors()[0]
        near = nearest(str(first["loc"][-1]), _words(record)) if first["type"] == "extra_forbidden" else None
        raise UsageError(
            first_fault(error, "/"),
            code="policy.data",
            where=where,
            remedy=f'did you mean "{near}"?' if near else None,
        ) from error


def _words(record: type[Record]) -> list[str]:
    words = [
        *record.model_fields,
        *ParameterFacts.model_fields,
        *Wish.model_fields,
        *ContractBounds.model_fields,
        *OwnLimit.model_fields,
        *OwnCheck.model_fields,
        *ScorerCheck.model_fields,
        *Enforcement.model_fields,
        *Enforcements.model_fields,
        *FeatureOverrides.model_fields,
        *ModelOverrides.model_fields,
        *EnvironmentOverrides.model_fields,
        "enforce_from",
    ]
    return sorted(set(words))


def without_check(overrides: Mapping[str, Any], check: str) -> dict[str, Any]:
    """Return the overrides of an environment without any limit of a check: of a tier, of a feature, in a slice."""

    def pruned(node: Any) -> Any:
        return (
            {name: pruned(inner) for name, inner in node.items() if name != check} if isinstance(node, dict) else node
        )

    found = dict(overrides)
    for word in ("limits", "models"):
        if word in found:
            found[word] = pruned(found[word])
    return found
