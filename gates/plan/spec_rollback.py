"""Where the parts of a release are, so that what serves now can be looked at before something new is let in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gates.plan.placeholders import only
from gates.plan.spec_columns import Part
from gates.records.base import Name

Digested = Annotated[Name, only("digest", "hex")]
Versioned = Annotated[Name, only("version")]


class GoldenSpec(Part):
    """A request that the model must still answer: rows for its registered bytes, or a request to its server."""

    rows: Versioned | None = Field(
        default=None, description="Parquet of feature rows, which the version's registered bytes must score."
    )
    url: Versioned | None = Field(
        default=None, description="Where the version's server answers; {version} is filled in."
    )
    request: Versioned | None = Field(default=None, description="File with the JSON that is posted to url.")
    answer: Versioned | None = Field(default=None, description="File with the JSON that must come back, exactly.")

    @model_validator(mode="after")
    def _one(self) -> GoldenSpec:
        if (self.rows is None) == (self.url is None):
            raise ValueError("either rows, or url with request")
        if (self.url is None) != (self.request is None) or (self.answer is not None and self.url is None):
            raise ValueError("url and request go together, and answer only with them")
        return self


class RollbackSpec(Part):
    """Where what a rollback needs is found, and for how long it is kept."""

    image: Digested | None = Field(
        default=None, description="File or address of the serving image's manifest; {digest} or {hex} is filled in."
    )
    feature_views: Annotated[Name, only("name", "version")] | None = Field(
        default=None, description="File or address of a feature view; {name} and {version} are filled in."
    )
    data_snapshot: Digested | None = Field(
        default=None, description="File or address of the data that serving reads; {digest} or {hex} is filled in."
    )
    golden: GoldenSpec | None = Field(default=None, description="A request that what serves now must answer.")
    kept_hours: Annotated[int, Field(strict=True, ge=1, le=8_760)] | None = Field(
        default=None, description="Hours for which what served before stays up at 0 percent after a promotion."
    )
    snapshot: tuple[Name, ...] = Field(
        default=(), description="Files and addresses of logs and metrics that a rollback tries to keep a copy of."
    )
    retrain: Name | None = Field(
        default=None,
        description="Address that an incident of the type retrain is posted to; GATES_DISPATCH_TOKEN goes with it.",
    )
