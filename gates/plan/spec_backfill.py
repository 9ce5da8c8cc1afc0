"""`backfill` of gates.yaml: what a rewrite of a table was to do. It is a part of the plan, which evidence and policy bind."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from gates.plan.spec_columns import ColumnsSpec, Names, Part
from gates.records import Backfill, Columns
from gates.records.base import Name, micros

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def text_time(value: object) -> object:
    """Refuse what YAML made of an unquoted time: its zone may be gone."""
    if not isinstance(value, str):
        raise ValueError("a time with its zone, such as 2014-01-01T05:00:00Z")  # noqa: TRY004 (pydantic reads ValueError)
    return value


def _duration(value: object) -> object:
    found = re.fullmatch(r"(\d{1,6})([smhdw])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration: a whole number and s, m, h, d or w, such as 6h")
    return int(found[1]) * _SECONDS[found[2]]


Time = Annotated[AwareDatetime, BeforeValidator(text_time)]
Duration = Annotated[int, BeforeValidator(_duration, json_schema_input_type=str)]


class BackfillSpec(Part):
    """What a rewrite of the table `live`, which is there as `shadow`, was to do."""

    partition: Name = Field(description="The column by which both tables are compared, such as the day.")
    start: Time = Field(alias="from", description="The first time whose rows may change, with its zone.")
    end: Time = Field(alias="to", description="The first time after it whose rows may not, with its zone.")
    zone: Name = Field(default="UTC", description="The zone of days in the partition column, such as Europe/Berlin.")
    lateness: Duration | None = Field(
        default=None,
        description="How long after its time a row may come in (columns.ingested), such as 2d: the watermark of live.",
    )
    known: Names = Field(default=(), description="Columns: when the newest input of the row's values was known.")
    ttl: Duration | None = Field(
        default=None, description="How old an input may be at the row's time, such as 6h: older ones are not served."
    )
    written: Names = Field(
        default=(),
        description="Columns that every run writes anew, such as the time of the run; they are not compared.",
    )

    @field_validator("start", "end")
    @classmethod
    def _recordable(cls, time: AwareDatetime) -> AwareDatetime:
        if not 0 <= micros(time) < 2**53:
            raise ValueError("a time before 1970 or after 2255")
        return time

    @field_validator("end")
    @classmethod
    def _after(cls, end: AwareDatetime, info: ValidationInfo) -> AwareDatetime:
        start = info.data.get("start")
        if start is not None and end <= start:
            raise ValueError("is not after `from`: the window holds no time")
        return end

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        import zoneinfo

        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f'no zone "{zone}"; one is written like Europe/Berlin') from error
        return zone

    @model_validator(mode="after")
    def _in_pairs(self) -> BackfillSpec:
        if self.ttl is not None and not self.known:
            raise ValueError("ttl needs known: the columns that say how old an input is")
        if self.partition in self.written:
            raise ValueError("written: the partition column is compared")
        return self

    def left_out(self, columns: Columns | ColumnsSpec) -> str | None:
        """Say which column is written anew and still has to be compared: the spec's, or those resolved with the model's."""
        named = {columns.label, columns.time, *columns.key, *columns.features}
        found = next((name for name in self.written if name in named), None)
        return None if found is None else f'written: "{found}" has a part to play, and is compared'

    def record(self) -> Backfill:
        """Return it in the plan's form."""
        return Backfill(
            partition=self.partition,
            from_us=micros(self.start),
            to_us=micros(self.end),
            zone=self.zone,
            lateness_s=self.lateness,
            known=self.known,
            ttl_s=self.ttl,
            written=self.written,
        )
