"""Words of a table in gates.yaml whose rows are not those of a file: `feast`, `log` and `reads`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from gates.plan.spec_columns import Names, Part
from gates.records.base import Name
from gates.records.sources import Feast, Read, RequestLog


def _exact(number: object) -> object:
    """A number that JSON would not keep, as a text."""
    return str(number) if isinstance(number, int) and number >= 2**53 else number


SnapshotSpec = Annotated[
    Annotated[int, Field(strict=True, ge=0, lt=2**53)] | Annotated[str, Field(pattern=r"^\d{1,19}$")],
    BeforeValidator(_exact),
]


class FeastSpec(Part):
    """A Feast store; the table's uri has the rows that features are asked for: keys, and times."""

    repo: Name = Field(description="The folder of feature_store.yaml.")
    service: Name | None = Field(default=None, description="A feature service of the store.")
    features: Names = Field(default=(), description="Or references, such as amounts:mean_30d.")
    time: Name | None = Field(
        default=None,
        description="Column of the rows: the time that is asked about; default: columns.time. Rows without it are asked as of as_of, else as of the moment.",
    )
    created: bool = Field(
        default=True,
        description="Leave out values that were created only after the time (filter_by_created_timestamp).",
    )
    full_names: bool = Field(default=False, description="Features are called view__feature.")

    @model_validator(mode="after")
    def _one_of_both(self) -> FeastSpec:
        if (self.service is None) == (not self.features):
            raise ValueError("a service, or features")
        return self

    def record(self, time: str | None) -> Feast:
        """Return it in the plan's form; `time` is the column where none is named."""
        return Feast(**{**self.model_dump(), "time": self.time or time})


class LogSpec(Part):
    """A log of requests to a model server."""

    format: Literal["databricks"] = Field(description="databricks: an inference table, of any of its three forms.")
    id: Name = Field(default="client_request_id", description="What the client's id of a request is called here.")
    time: Name = Field(default="event_time", description="What the time of a request is called here.")
    columns: tuple[Name, ...] | None = Field(
        default=None,
        min_length=1,
        description="Names of values that requests give by their places alone, in the order of the model's signature.",
    )

    @model_validator(mode="after")
    def _named_once(self) -> LogSpec:
        if self.columns and len(set(self.columns)) < len(self.columns):
            raise ValueError("columns has a name twice")
        return self

    def record(self) -> RequestLog:
        """Return it in the plan's form."""
        return RequestLog(**self.model_dump())


class ReadSpec(Part):
    """A table that a query reads."""

    uri: Name = Field(description="Path or file URI of CSV, Parquet, or the folder of a Delta or Iceberg table.")
    snapshot: SnapshotSpec | None = Field(
        default=None, description="Version of a Delta table, or snapshot of an Iceberg table; default: the newest."
    )

    def record(self, name: str) -> Read:
        """Return it in the plan's form."""
        return Read(name=name, **self.model_dump())
