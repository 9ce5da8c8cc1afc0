"""Definitions of features: how each is computed, with the digest of its code. Inputs of measuring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from gates.bundle.canonical import digest_bytes
from gates.bundle.store import Store
from gates.errors import UsageError
from gates.inputs.opened import Definition, OpenTable
from gates.inputs.stored import DIGEST, document_bytes
from gates.plan.document import parse_document
from gates.plan.nearest import did_you_mean
from gates.plan.placeholders import resolve_path
from gates.records import Plan
from gates.records.base import Digest, Name, first_fault
from gates.records.plan import DEFINITIONS, SOURCE_ROLES

INVALID, MISSING = "definitions.invalid", "definitions.missing"

Text = Annotated[str, Strict()]
Default = Annotated[bool, Strict()] | Annotated[int, Strict()] | Annotated[float, Strict()] | Text | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Feature(_Part):
    name: Name
    version: Text
    description: Text | None = None
    code: Name | None = None
    digest: Digest | None = None
    window: Text | None = None
    default: Default = None
    keys: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.code is None) == (self.digest is None):
            raise ValueError(f'feature "{self.name}" names its code, or the digest of it')
        return self


class _Document(_Part):
    features: Annotated[tuple[_Feature, ...], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError("a feature is defined twice")
        return self


def read_definitions(plan: Plan, base: Path, store: Store | None = None) -> dict[str, dict[str, Definition]]:
    """Read the definitions that stand beside tables, by word and feature.

    Parameters
    ----------
    base: the folder that relative paths count from. store: holds what a plan names by digest.

    Raises
    ------
    UsageError: no such file, not of the form, or two of one word that contradict each other.
    """
    read: dict[str, dict[str, Definition]] = {}
    for word in DEFINITIONS:
        # In the order of the tables; a file beside several of them is read once.
        paths = dict.fromkeys(path for table in plan.tables if (path := getattr(table, word)) is not None)
        for path in paths:
            found = _read(path, base, store)
            if read.setdefault(word, found) != found:
                raise UsageError(
                    f"says otherwise than {next(iter(paths))}, and both are {word}",
                    code=INVALID,
                    where=path,
                    remedy="name one of them",
                )
    return read


def with_sources(
    read: Mapping[str, Mapping[str, Definition]], opened: Mapping[str, OpenTable]
) -> Mapping[str, Mapping[str, Definition]]:
    """Return the definitions with those that a table's source knows, of words that have no file."""
    known = {
        word: opened[role].source.definitions  # type: ignore[union-attr]
        for word, role in SOURCE_ROLES.items()
        if role in opened and opened[role].source is not None
    }
    return {**{word: found for word, found in known.items() if found}, **read}


def _read(text: str, base: Path, store: Store | None) -> dict[str, Definition]:
    document = parse_document(document_bytes(text, base, store, code=MISSING), text)
    try:
        content = _Document.model_validate(document.value)
    except ValidationError as error:
        raise UsageError(first_fault(error), code=INVALID, where=text, remedy=_remedy(error)) from error
    folder = base if text.startswith(DIGEST) else resolve_path(text, base).parent
    return {feature.name: _definition(feature, folder) for feature in content.features}


def _remedy(error: ValidationError) -> str | None:
    first = error.errors()[0]
    if first["type"] != "extra_forbidden":
        return "docs/feature-definitions.md shows the form"
    return did_you_mean(
        str(first["loc"][-1]), _Feature.model_fields if len(first["loc"]) > 1 else _Document.model_fields
    )


def _definition(feature: _Feature, folder: Path) -> Definition:
    digest = feature.digest
    if digest is None:
        digest = digest_bytes(document_bytes(str(feature.code), folder, None, code=MISSING))
    return Definition(feature.name, feature.version, digest, feature.window, feature.default, feature.keys)
