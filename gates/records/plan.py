"""Plan: what must be measured and how (the policy's words) and where (the spec's), under one digest.

One plan covers every rung of the ladder, so that a candidate is measured once and decided in each environment.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Digest, Environment, Micros, Name, Record, SchemaVersion
from gates.records.measurement import Slice

Role = Literal["prove", "no-harm"]
Tier = Literal["high", "medium", "low"]
Task = Literal["binary", "multiclass", "numeric"]
TableRole = Literal["training", "calibration", "holdout", "offline", "online", "predictions", "champion_predictions"]


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


class Parameters(Record):
    """How the policy wants figures computed; evidence with other parameters is not promotable."""

    bins: Annotated[int, Field(ge=2, le=100)] = 10
    micro_bins: Annotated[int, Field(ge=10, le=100_000)] = 1_000
    coverage_level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    operating_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    parity_tolerance: Annotated[float, Field(ge=0)] = 1e-6
    minimum_clusters: Annotated[int, Field(ge=2)] = 8
    cluster: Name | None = None
    slices: tuple[Name, ...] = ()


class Table(Record):
    """Where a table is, by role.

    Attributes
    ----------
    uri: path or URI of CSV or Parquet; `{version}` stands for the candidate's version.
    as_of_us: the time up to which the table claims to be complete, from its lineage.
    """

    role: TableRole
    uri: Name
    as_of_us: Micros | None = None


class Columns(Record):
    """Names of the columns with a part to play."""

    label: Name | None = None
    key: tuple[Name, ...] = ()
    time: Name | None = None
    score: Name | None = None
    champion_score: Name | None = None
    set_columns: tuple[Name, ...] = ()
    features: tuple[Name, ...] = ()


class Plan(Record):
    """The contract between policy and measuring. Its digest is in every piece of evidence and in each approval."""

    schema_version: SchemaVersion = "v1"
    model: Name
    task: Task
    tier: Tier
    environments: tuple[Environment, ...]
    requirements: tuple[Requirement, ...]
    not_applicable: tuple[NotApplicable, ...] = ()
    parameters: Parameters = Parameters()
    independent_rows: bool = False
    tables: tuple[Table, ...]
    columns: Columns = Columns()
    policy_digest: Digest
    spec_digest: Digest
    built_in: bool = False
