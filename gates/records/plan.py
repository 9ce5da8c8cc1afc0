"""Plan: what must be measured and how (the policy's words) and where (the spec's), under one digest.

One plan covers every rung of the ladder, so that a candidate is measured once and decided in each environment.
"""

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, Micros, Name, Record, SchemaVersion
from gates.records.measurement import Slice
from gates.records.release import Parts
from gates.records.sources import Feast, Read, RequestLog, Snapshot

Role = Literal["prove", "no-harm"]
Tier = Literal["high", "medium", "low"]
Task = Literal["binary", "multiclass", "numeric"]
TableRole = Literal[
    "training",
    "calibration",
    "champion_training",
    "champion_calibration",
    "holdout",
    "champion_holdout",
    "annotations",
    "gold",
    "offline",
    "online",
    "events",
    "fingerprint",
    "predictions",
    "champion_predictions",
    "live",
    "shadow",
    "rerun",
]

Document = Literal[
    "contract",
    "champion_contract",
    "definitions",
    "serving_definitions",
    "champion_definitions",
    "personal_data",
    "log",
]
"""What may stand beside a table, and make checks required; `log`, where the table is one of requests."""
DEFINITIONS = ("definitions", "serving_definitions", "champion_definitions")
"""Documents of how features are computed: for training, in serving, and for the champion."""
SOURCE_ROLES: dict[str, TableRole] = {"definitions": "offline", "serving_definitions": "online"}
"""Definitions that a feature store has too: those of the table of which role."""


class Requirement(Record):
    """One (check, slice) that an environment requires.

    Attributes
    ----------
    slice: `whole`, a named value, or with `column` alone (kind `each`) every value that occurs in it.
    """

    environment: Environment
    check: Name
    role: Role
    slice: Slice | None = None
    each: Name | None = None


class NotApplicable(Record):
    """A check that the policy takes out of the required set, and why."""

    environment: Environment
    check: Name
    reason: Name


class Outcomes(Record):
    """What each (decision, outcome) costs or pays, in one currency; of any sign."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float


class Alike(Record):
    """When two values of a feature, offline and online, count as the same.

    Numbers: |a - b| <= absolute + relative * max(|a|, |b|), or at most `ulp` units in the last place of the larger one;
    of single precision where either column is.

    Attributes
    ----------
    text: `nfc` compares texts in Unicode's normalisation form C.
    max_age_s: of the online value, in seconds; an older one is too old.
    """

    feature: Name
    absolute: Annotated[float, Field(ge=0)] | None = None
    relative: Annotated[float, Field(ge=0, lt=1)] | None = None
    ulp: Annotated[int, Field(ge=0, le=2**20)] | None = None
    text: Literal["exact", "nfc"] | None = None
    max_age_s: Annotated[float, Field(ge=0)] | None = None

    @property
    def numeric(self) -> bool:
        """Whether it says anything of numbers."""
        return (self.absolute, self.relative, self.ulp) != (None, None, None)


class Parameters(Record):
    """How the policy wants figures computed; evidence with other parameters is not promotable.

    Attributes
    ----------
    anchors: at most so many versions that served are scored to find the best.
    parity_tolerance: of features that `parity_features` says nothing of; `parity_features` takes its place.
    max_rows, seed: figures that need rows one by one take a sample of a larger table, drawn by key and seed.
    maturation_seconds: after its event a row's label is taken to have come for good; None where nobody said.
    near_digits: significant digits to which numbers are rounded where rows are compared for being nearly the same.
    personal_rows: rows of a table whose values are looked at for personal data.
    rescored_rows: of supplied predictions that are scored again from the registered bytes, where the policy asks for it.
    rescored_tolerance: how far a score may be from the supplied one, in the score's unit.
    curve_levels: a numeric model's curve has a predicted quantile within curve_reach of each; or an interval of the level
    that lies between such a quantile and its mirror, within twice that.
    weight: the column that weighs rows in place of the spec's, where the policy owners name one.
    cluster: column whose values group rows that hang together; with `cluster_by` its days in UTC do.
    cost: of a decision, lower is better. payoff: of a decision, times the row's payoff where the plan names a column.
    """

    bins: Annotated[int, Field(ge=2, le=100)] = 10
    micro_bins: Annotated[int, Field(ge=10, le=100_000)] = 1_000
    coverage_level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    curve_levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] = (
        0.1,
        0.25,
        0.5,
        0.75,
        0.9,
    )
    curve_reach: Annotated[float, Field(ge=0, lt=1)] = 0.05
    strata: Annotated[int, Field(ge=2, le=100)] = 5
    operating_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    parity_tolerance: Annotated[float, Field(ge=0)] = 1e-6
    parity_features: tuple[Alike, ...] = ()
    minimum_clusters: Annotated[int, Field(ge=2)] = 8
    latency_pairs: Annotated[int, Field(ge=200, le=100_000)] = 300
    anchors: Annotated[int, Field(ge=1, le=100)] = 12
    minimum_events: Annotated[int, Field(ge=1)] = 50
    max_rows: Annotated[int, Field(ge=1_000)] = 10_000_000
    seed: Annotated[int, Field(ge=0)] = 0
    maturation_seconds: Annotated[int, Field(ge=1)] | None = None
    near_digits: Annotated[int, Field(ge=1, le=15)] = 4
    personal_rows: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    rescored_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 1_000
    rescored_tolerance: Annotated[float, Field(ge=0)] = 1e-6
    cost: Outcomes | None = None
    payoff: Outcomes | None = None
    cluster: Name | None = None
    weight: Name | None = None
    cluster_by: Literal["day"] | None = None
    slices: tuple[Name, ...] = ()

    def grouping(self, cluster: str) -> str:
        """Return how a cluster's column is told to people: by the day where its days are the clusters."""
        return cluster if self.cluster_by is None else f"{cluster} by {self.cluster_by}"


class Table(Record):
    """Where a table is, by role.

    Attributes
    ----------
    uri: path or URI of CSV or Parquet; `{version}` stands for the candidate's version.
    as_of_us: the time up to which the table claims to be complete, from its lineage.
    contract: path of what the table was promised to be, in the Open Data Contract Standard; `#NAME` is one of its objects.
    champion_contract: the one that the champion was made by. Of a champion with a sealed bundle this and
    champion_definitions are digests of its attachments.
    definitions, serving_definitions, champion_definitions: paths of how its features are computed; see DEFINITIONS.
    personal_data: path of what another tool found of it in the table.
    snapshot: the version of a Delta table, or the snapshot of an Iceberg table; default: the newest when it is read.
    scope: `sample` where its rows were drawn from those that a claim is about; else they are all of them.
    feast: `uri` has the rows that features are asked of a store for. log: it is a log of requests.
    reads: `uri` is a query, and these are what it reads.
    """

    role: TableRole
    uri: Name
    as_of_us: Micros | None = None
    snapshot: Snapshot | None = None
    contract: Name | None = None
    champion_contract: Name | None = None
    definitions: Name | None = None
    serving_definitions: Name | None = None
    champion_definitions: Name | None = None
    personal_data: Name | None = None
    scope: Literal["sample"] | None = None
    feast: Feast | None = None
    log: RequestLog | None = None
    reads: Annotated[tuple[Read, ...], Field(min_length=1)] | None = None


class Interval(Record):
    """Columns of a prediction interval at one nominal coverage."""

    level: Annotated[float, Field(gt=0, lt=1)]
    lower: Name
    upper: Name


class Quantile(Record):
    """Column of a predicted quantile."""

    level: Annotated[float, Field(gt=0, lt=1)]
    column: Name


class Served(Alike):
    """What a spec says of a feature; `written` is the column of the online table that says when its value was written."""

    written: Name | None = None


class Parity(Record):
    """What a spec adds to the comparison of offline and online.

    Attributes
    ----------
    written: as of `Served`, of the features that name no column of their own.
    features: rules that must hold besides the policy's, so that they can only be stricter.
    fingerprint: what the offline table looks like is kept with the evidence.
    """

    written: Name | None = None
    features: tuple[Served, ...] = ()
    fingerprint: bool = False


class Columns(Record):
    """Names of the columns with a part to play.

    Attributes
    ----------
    score, champion_score: the probability of 1 (binary), or the point prediction (numeric).
    classes: values of the label, in the order of the model's probabilities (multiclass).
    class_scores, champion_class_scores: columns of the classes' probabilities, in the same order.
    time: of the row's event; in the table `events`, from which the value held. ingested: when the platform learned of it.
    set_columns, champion_set_columns: membership of each class in the prediction set, in the order of the classes; 0, 1 when binary.
    intervals, champion_intervals, quantiles, champion_quantiles: what a numeric model says of its own uncertainty.
    labelled: when the label came. annotator: who gave it. guideline: version of the rules that it was given by.
    quasi_identifiers: columns that together may tell who a row is about.
    weight: of the rows; only ratios count. payoff: what the row is worth, in the unit of the cost matrix.
    groups: columns of protected groups.
    """

    label: Name | None = None
    key: tuple[Name, ...] = ()
    time: Name | None = None
    ingested: Name | None = None
    labelled: Name | None = None
    annotator: Name | None = None
    guideline: Name | None = None
    quasi_identifiers: tuple[Name, ...] = ()
    weight: Name | None = None
    payoff: Name | None = None
    groups: tuple[Name, ...] = ()
    score: Name | None = None
    champion_score: Name | None = None
    classes: tuple[Name, ...] = ()
    class_scores: tuple[Name, ...] = ()
    champion_class_scores: tuple[Name, ...] = ()
    set_columns: tuple[Name, ...] = ()
    champion_set_columns: tuple[Name, ...] = ()
    intervals: tuple[Interval, ...] = ()
    champion_intervals: tuple[Interval, ...] = ()
    quantiles: tuple[Quantile, ...] = ()
    champion_quantiles: tuple[Quantile, ...] = ()
    features: tuple[Name, ...] = ()


class Backfill(Record):
    """What a rewrite of the table `live`, which is there as `shadow`, was to do.

    Attributes
    ----------
    partition: column by whose values both are compared. zone: of days in it.
    from_us, to_us: rows of a time in [from, to) may change, others may not.
    lateness_s: the longest that a row may be ingested (columns.ingested) after its time.
    known: columns of the time at which the newest input of the row's values was known; at most ttl_s before its time.
    written: columns that every run writes anew; they are not compared.
    """

    partition: Name
    from_us: Micros
    to_us: Micros
    zone: Name = "UTC"
    lateness_s: Annotated[int, Field(ge=0)] | None = None
    known: tuple[Name, ...] = ()
    ttl_s: Annotated[int, Field(ge=0)] | None = None
    written: tuple[Name, ...] = ()


class Rollout(Record):
    """Percent of the traffic, step by step."""

    environment: Environment
    steps: tuple[Annotated[int, Field(ge=1, le=100)], ...]


class Plan(Record):
    """The contract between policy and measuring. Its digest is in every piece of evidence and in each approval.

    Attributes
    ----------
    pull_request: the holdout is the one that the spec names for pull requests; no decision can rest on it.
    release: what serves with the candidate; a decision binds it.
    """

    schema_version: SchemaVersion = "v1"
    model: Name
    task: Task
    tier: Tier
    environments: tuple[Environment, ...]
    requirements: tuple[Requirement, ...]
    not_applicable: tuple[NotApplicable, ...] = ()
    parameters: Parameters = Parameters.model_construct()
    independent_rows: bool = False
    tables: tuple[Table, ...]
    columns: Columns = Columns.model_construct()
    backfill: Backfill | None = None
    parity: Parity | None = None
    release: Parts | None = None
    rollout: tuple[Rollout, ...] = ()
    policy_digest: Digest
    spec_digest: Digest
    built_in: bool = False
    pull_request: Literal[True] | None = None

    @property
    def weight(self) -> Name | None:
        """The column that weighs rows; the policy's goes before the spec's."""
        return self.parameters.weight or self.columns.weight
