"""What another tool found of personal data in a table: counts by column, bound to the table's digest. Inputs of measuring.

The form is docs/privacy.md's. A word that is not of it is refused, for reports of such tools also hold what they found.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gates.bundle.canonical import digest_bytes
from gates.errors import UsageError
from gates.inputs.opened import LookedAt, LookedInto
from gates.inputs.stored import document_bytes
from gates.plan.document import parse_document
from gates.records import Table
from gates.records.base import Digest, Name, first_fault
from gates.records.plan import TableRole

Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Kind = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_ ./-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Column(_Part):
    column: Name
    values: Count
    found: dict[Kind, Count] = {}

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if sum(self.found.values()) > self.values:
            raise ValueError(f'column "{self.column}" has more findings than values')
        return self


class _Report(_Part):
    schema_version: Literal["v1"] = "v1"
    tool: Kind
    digest: Digest
    rows: Count
    columns: Annotated[tuple[_Column, ...], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [column.column for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("a column stands there twice")
        if any(column.values > self.rows for column in self.columns):
            raise ValueError("a column has more values than there are rows")
        return self


def read_personal_data(tables: Iterable[Table], base: Path) -> dict[TableRole, LookedAt]:
    """Read the reports that stand beside tables, by the tables' role.

    Raises
    ------
    UsageError: no such file (`personal_data.missing`), or not of the form (`personal_data.invalid`).
    """
    return {table.role: _read(table.personal_data, base) for table in tables if table.personal_data is not None}


def _read(text: str, base: Path) -> LookedAt:
    content = document_bytes(text, base, None, code="personal_data.missing")
    try:
        report = _Report.model_validate(parse_document(content, text).value)
    except ValidationError as error:
        remedy = "docs/privacy.md shows the form"
        raise UsageError(first_fault(error), code="personal_data.invalid", where=text, remedy=remedy) from error
    columns = {each.column: LookedInto(each.values, dict(each.found)) for each in report.columns}
    return LookedAt(text, digest_bytes(content), report.tool, report.digest, report.rows, columns)
