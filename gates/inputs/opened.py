"""What is opened for gates to read: tables, contracts, definitions, times, and what other tools found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gates.records import Digest, TableIdentity
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np
    import numpy.typing as npt
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

    from gates.records.evidence import Isolation

    Floats = npt.NDArray[np.float64]

STATUSES = ("present", "null", "not_found", "too_old")
"""What an online store says of a value."""


@dataclass(frozen=True)
class Definition:
    """How a feature is computed; `digest` is of its code."""

    name: str
    version: str
    digest: Digest
    window: str | None = None
    default: Scalar | None = None
    keys: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return the JSON document."""
        return asdict(self) | {"keys": list(self.keys)}


@dataclass(frozen=True)
class Source:
    """Where the rows of a table come from that are not those of a file.

    Attributes
    ----------
    document: JSON; what was asked of whom, and digests of what it was answered from. Its digest is the table's.
    statuses: by feature, the column that says what became of its value online: one of STATUSES, null where unknown.
    written: by feature, the column that says when its value was written.
    definitions: how the features are computed, where the source knows.
    """

    document: Mapping[str, Any]
    statuses: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenTable:
    """A table in the engine, the identity of the bytes behind it, and its source where it is no file."""

    identity: TableIdentity
    table: ir.Table
    source: Source | None = None


@dataclass(frozen=True)
class Contract:
    """What a table is promised to be, in the Open Data Contract Standard v3, as it was read.

    Attributes
    ----------
    name: its path, as gates.yaml has it. digest: of `content`, the bytes of the file.
    place: which of the objects under `schema` the table is.
    where: file and line of a location in it, such as ("schema", 0, "properties", 3).
    """

    name: str
    digest: Digest
    content: bytes
    standard: OpenDataContractStandard
    place: int
    where: Callable[[tuple[str | int, ...]], str]

    @property
    def object(self) -> SchemaObject:
        """The table as the contract describes it."""
        objects: list[SchemaObject] = self.standard.schema_ or []
        return objects[self.place]


@dataclass(frozen=True)
class Latency:
    """Times of single calls, one after the other in one process, candidate and champion on the same rows.

    Attributes
    ----------
    candidate, champion: seconds a call, shape (pairs,); pair i is of the same row, its order alternates.
    shared_runner: other work had the same cores: the figures are advice.
    isolation: how the process ran.
    """

    candidate: Floats
    champion: Floats
    shared_runner: bool
    isolation: Isolation = "none"


@dataclass(frozen=True)
class LookedInto:
    """What a tool found in a column: of so many values, how many of each kind of personal data."""

    values: int
    found: Mapping[str, int]


@dataclass(frozen=True)
class LookedAt:
    """What a tool of another kind found of personal data in a table.

    Attributes
    ----------
    name, digest: of the file that says so. table: digest of the table that it is about. rows: that the tool read.
    """

    name: str
    digest: Digest
    tool: str
    table: Digest
    rows: int
    columns: Mapping[str, LookedInto]
