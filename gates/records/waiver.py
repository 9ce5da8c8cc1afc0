"""Waiver and baseline: figures that two people accept for a time, and what each of them signs."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gates.records.base import Digest, Environment, Micros, ModelVersion, Name, Record, SchemaVersion
from gates.records.measurement import WHOLE, CheckName, Item, Number, Slice

WAIVER_TYPE = "urn:model-gates:waiver:v1"
WAIVER_APPROVAL_TYPE = "urn:model-gates:waiver-approval:v1"


class Side(Record):
    """The lower side of what is accepted of a figure that must stay within two limits."""

    limit: Number
    ceiling: Number


class Level(Record):
    """How bad the figure may be, in its unit and by the sense of its check: a wider limit, itself still good.

    Attributes
    ----------
    limit: as far as the point may be (the debiased estimate where there is one).
    ceiling: as far as the bound at the first rung may reach.
    mirror: the lower side, where the check has two.
    """

    limit: Number
    ceiling: Number
    inclusive: Literal[True] = True
    mirror: Side | None = None


class Accepted(Record):
    """One figure by its place, and how bad it may be."""

    check: CheckName
    slice: Slice = WHOLE
    item: Item | None = None
    accepts: Level


class Waiver(Record):
    """What the one who asks for it signs; it counts once somebody else has signed a WaiverApproval of it.

    A `waiver` is of one version, check and slice. A `baseline` is of all that a model fails on one day: of whatever
    version comes next.

    Attributes
    ----------
    bundle_digest: the evidence that the figures were taken from.
    from_us, until_us: it holds at from_us and no longer at until_us.
    """

    schema_version: SchemaVersion = "v1"
    kind: Literal["waiver", "baseline"]
    model: Name
    environment: Environment
    candidate: ModelVersion | None = None
    bundle_digest: Digest
    accepted: Annotated[tuple[Accepted, ...], Field(min_length=1)]
    reason: Name
    ticket: Name
    time_us: Micros
    from_us: Micros
    until_us: Micros

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.from_us >= self.until_us:
            raise ValueError("it ends before it begins")
        places = {(one.check, one.slice, one.item) for one in self.accepted}
        if len(places) != len(self.accepted):
            raise ValueError("a figure is accepted twice")
        if (self.kind == "waiver") != (self.candidate is not None):
            raise ValueError("a waiver names its version, a baseline none")
        if self.kind == "waiver" and len({(one.check, one.slice) for one in self.accepted}) > 1:
            raise ValueError("a waiver is of one check and slice")
        return self


class WaiverApproval(Record):
    """The yes of a second person to exactly one waiver or baseline."""

    schema_version: SchemaVersion = "v1"
    waiver_digest: Digest
    model: Name
    environment: Environment
    time_us: Micros
    comment: Name | None = None
