"""Where a table's rows come from when they are not those of a file: a feature store, a request log, a query. Part of plan."""

from typing import Annotated, Literal

from pydantic import Field

from gates.records.base import Name, Record

Snapshot = Annotated[int, Field(ge=0, lt=2**53)] | Annotated[str, Field(pattern=r"^\d{1,19}$")]
"""Version of a Delta table, or snapshot of an Iceberg table; as text where JSON would not keep the number."""


class Feast(Record):
    """Features of a Feast store for the rows of the table.

    Attributes
    ----------
    repo: folder of feature_store.yaml. service: a feature service; else
    features: references, `view:feature`.
    time: column of the rows whose time is asked about; without one it is `as_of` of the table, else when it is read.
    created: values that were created only later are left out (Feast's filter_by_created_timestamp).
    full_names: features are called `view__feature`.
    """

    repo: Name
    service: Name | None = None
    features: tuple[Name, ...] = ()
    time: Name | None = None
    created: bool = True
    full_names: bool = False


class RequestLog(Record):
    """Requests to a model server, from its log.

    Attributes
    ----------
    id, time: what the request's id by its client, and its time, are called in the table.
    columns: names of values that a request gives by their places alone, in the order of the model's signature.
    """

    format: Literal["databricks"]
    id: Name = "client_request_id"
    time: Name = "event_time"
    columns: tuple[Name, ...] | None = None


class Read(Record):
    """A table that a query reads, by the name that it has there."""

    name: Name
    uri: Name
    snapshot: Snapshot | None = None
