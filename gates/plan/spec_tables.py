"""Tables of gates.yaml, by the part that they play."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from gates.plan.placeholders import only, placeholders
from gates.plan.spec_backfill import Time
from gates.plan.spec_columns import Part
from gates.plan.spec_sources import FeastSpec, LogSpec, ReadSpec, SnapshotSpec
from gates.records import Table
from gates.records.base import Name, micros
from gates.records.plan import TableRole

FEAST_ROLES = ("offline", "online")


def _plain(text: str) -> str:
    if placeholders(text):
        raise ValueError("nothing is filled in here; {version} belongs to tables, {environment} to serving.file")
    return text


Location = Annotated[Name, AfterValidator(_plain)]
TableUri = Annotated[Name, only("version")]


class TableSpec(Part):
    """One table: a CSV or Parquet file, or a Delta table."""

    uri: TableUri = Field(
        description="Path or file URI of CSV, Parquet or a Delta table's folder, or table:NAME of Spark's catalog; {version} is the candidate's."
    )
    as_of: Time | None = Field(
        default=None, description="The time up to which the table claims to be complete, with its zone."
    )
    snapshot: SnapshotSpec | None = Field(
        default=None, description="Version of a Delta table, or snapshot of an Iceberg table; default: the newest."
    )
    scope: Literal["sample"] | None = Field(
        default=None, description="sample: rows drawn from all that the claim is about, so that figures have bounds."
    )
    contract: Location | None = Field(
        default=None,
        description="What the table is promised to be: a file of the Open Data Contract Standard v3; #NAME is one of its objects.",
    )
    champion_contract: Location | None = Field(
        default=None,
        description="The contract that the champion was made by, where its sealed bundle does not say: changes against it are classified.",
    )
    definitions: Location | None = Field(
        default=None, description="How the features of training are computed: a file of names, versions and code."
    )
    serving_definitions: Location | None = Field(default=None, description="How serving computes them.")
    champion_definitions: Location | None = Field(
        default=None,
        description="How the champion's were, where its sealed bundle does not say: definitions.json of its evidence.",
    )
    feast: FeastSpec | None = Field(default=None, description="Features of a Feast store, for the rows of uri.")
    log: LogSpec | None = Field(default=None, description="The uri is a log of requests to a model server.")
    reads: Annotated[dict[Name, ReadSpec], Field(min_length=1)] | None = Field(
        default=None, description="The uri is a file of SQL, one query; these are the tables that it reads, by name."
    )

    personal_data: Location | None = Field(
        default=None,
        description="What another tool found of personal data in this table, by its digest: docs/privacy.md.",
    )

    @model_validator(mode="after")
    def _both(self) -> TableSpec:
        own = self.definitions or self.feast
        if own is None and (self.serving_definitions or self.champion_definitions):
            raise ValueError("definitions are missing: what the others are compared with")
        if self.champion_contract is not None and self.contract is None:
            raise ValueError("champion_contract has no contract beside it to be compared with")
        if sum(word is not None for word in (self.feast, self.log, self.reads)) > 1:
            raise ValueError("one of feast, log and reads")
        return self

    def record(self, role: TableRole, time: str | None) -> Table:
        """Return it in the plan's form, URIs as written; `time` is the column where none is named."""
        return Table(
            role=role,
            as_of_us=None if self.as_of is None else micros(self.as_of),
            feast=None if self.feast is None else self.feast.record(time),
            log=None if self.log is None else self.log.record(),
            reads=None if self.reads is None else tuple(read.record(name) for name, read in sorted(self.reads.items())),
            **self.model_dump(exclude={"as_of", "feast", "log", "reads"}),
        )


class Tables(Part):
    """Tables by the part that they play."""

    training: TableSpec | None = Field(default=None, description="The rows that the model was fitted on.")
    calibration: TableSpec | None = Field(
        default=None, description="The rows that it was stopped, chosen, recalibrated or conformalized on."
    )
    champion_training: TableSpec | None = Field(default=None, description="The rows that the champion was fitted on.")
    champion_calibration: TableSpec | None = Field(
        default=None, description="The rows that the champion was stopped, chosen, recalibrated or conformalized on."
    )
    holdout: TableSpec | None = Field(default=None, description="Labelled rows that no fitting step has seen.")
    pull_request: TableSpec | None = Field(
        default=None,
        description="Another holdout, for `gates check --pull-request`: looking at it does not wear the other out.",
    )
    champion_holdout: TableSpec | None = Field(
        default=None, description="The holdout that the champion was judged by, where that was another one."
    )
    annotations: TableSpec | None = Field(
        default=None, description="Labels as people gave them: one row for each key and columns.annotator."
    )
    gold: TableSpec | None = Field(
        default=None, description="Labelled rows that policy pins by digest: what every release must be good at."
    )
    offline: TableSpec | None = Field(default=None, description="Features as training computed them, by key.")
    online: TableSpec | None = Field(default=None, description="Features as serving computed them, by key.")
    events: TableSpec | None = Field(
        default=None,
        description="The values of features as they came: the key without its time, columns.time from which they held.",
    )
    fingerprint: TableSpec | None = Field(
        default=None, description="What an earlier run wrote of the offline table, parity-fingerprint.csv."
    )
    predictions: TableSpec | None = Field(
        default=None,
        description="The candidate's scores, where they are supplied; production wants a sample of them scored again.",
    )
    champion_predictions: TableSpec | None = Field(default=None, description="The champion's scores, where supplied.")

    live: TableSpec | None = Field(default=None, description="What a backfill is to replace: the table in use.")
    shadow: TableSpec | None = Field(default=None, description="What it is to be replaced by: the rewrite, set aside.")
    rerun: TableSpec | None = Field(default=None, description="What a second run of the same rewrite gave.")

    @model_validator(mode="after")
    def _something_to_score(self) -> Tables:
        if self.holdout is None and self.predictions is None:
            raise ValueError("a holdout or a predictions table is needed")
        return self

    @field_validator("*")
    @classmethod
    def _of_the_role(cls, table: TableSpec | None, info: ValidationInfo) -> TableSpec | None:
        if table is not None and table.feast is not None and info.field_name not in FEAST_ROLES:
            raise ValueError("feast: a feature store stands for offline or online")
        return table
