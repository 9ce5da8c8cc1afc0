"""Contracts of tables in the Open Data Contract Standard v3: a file read once, checked by the standard's own schema.

What a contract asks is `gates.measure.data.contract`'s; here is what makes a file one. Inputs of measuring.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.opened import Contract
from gates.inputs.stored import document_bytes
from gates.plan.document import Document, Location, parse_document
from gates.plan.nearest import did_you_mean
from gates.records import Table
from gates.records.base import first_fault
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import jsonschema_rs
    from open_data_contract_standard.model import OpenDataContractStandard

    from gates.bundle.store import Store

INVALID = "contract.invalid"
ANCHOR = "#"
"""Stands between a file and the name of one of its objects, as in the standard's references."""

_SHOWN = 240
_OPERATORS = "mustBe, mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo, mustBeBetween, mustNotBeBetween"


def read_contracts(
    tables: Iterable[Table], base: Path, *, champion: bool = False, store: Store | None = None
) -> dict[TableRole, Contract]:
    """Read the contracts that stand beside tables, by the tables' role.

    Parameters
    ----------
    base: the folder that relative paths count from. champion: those that the champion was made by.
    store: holds what a plan names by digest.

    Raises
    ------
    UsageError: as `read_contract`.
    """
    paths = {table.role: table.champion_contract if champion else table.contract for table in tables}
    return {role: read_contract(path, base, role, store) for role, path in paths.items() if path is not None}


def read_contract(text: str, base: Path, role: str, store: Store | None = None) -> Contract:
    """Read `PATH` or `PATH#OBJECT`, or the digest of stored bytes; a contract of several objects has one of the table's role, or is asked for by name.

    Raises
    ------
    UsageError: no such file, not of the standard (with line and nearest word), of a version before 3, no such object.
    """
    path, _, wanted = text.partition(ANCHOR)
    content = document_bytes(path, base, store, code="contract.missing")
    return parse_contract(content, path, wanted or None, role)


def parse_contract(content: bytes, name: str, wanted: str | None, role: str) -> Contract:
    """Parse a contract's bytes; `name` is how errors and evidence call it. Raises as `read_contract`."""
    from gates.bundle.canonical import digest_bytes

    document = parse_document(content, name)
    _of_the_standard(document)
    standard = _model(document)
    names = [each.name or "" for each in standard.schema_ or ()]
    place = _place(names, wanted, role, document)
    return Contract(
        name=name, digest=digest_bytes(content), content=content, standard=standard, place=place, where=document.where
    )


def _model(document: Document) -> OpenDataContractStandard:
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        return OpenDataContractStandard.model_validate(document.value)
    except ValidationError as error:
        where = document.where(error.errors()[0]["loc"])
        raise UsageError(first_fault(error), code=INVALID, where=where) from error


def _place(names: Sequence[str], wanted: str | None, role: str, document: Document) -> int:
    """Which of the contract's objects the table is."""
    if not names:
        raise UsageError("describes no table", code=INVALID, where=document.where(), remedy="add it under schema")
    found = wanted or (names[0] if len(names) == 1 else role)
    if names.count(found) != 1:
        several = f'several objects are called "{found}"' if found in names else f'no object "{found}"'
        raise UsageError(
            several,
            code="contract.object",
            where=document.where(("schema",)),
            remedy=None if found in names else f"{did_you_mean(found, names)} gates.yaml names it after {ANCHOR}",
        )
    return names.index(found)


def _of_the_standard(document: Document) -> None:
    version = document.value.get("apiVersion") if isinstance(document.value, dict) else None
    if not str(version).startswith("v3."):
        said = "no apiVersion" if version is None else f"apiVersion {version}"
        raise UsageError(
            f"{said}: not of the Open Data Contract Standard v3",
            code=INVALID,
            where=document.where(("apiVersion",)),
            remedy="apiVersion: v3.1.0, with kind: DataContract, id and version",
        )
    errors = list(_validator().iter_errors(document.value))
    if errors:
        raise _say(errors, document)


@functools.cache
def _standard() -> Any:
    """The standard's JSON Schema. Its conditions on a logicalType also hold where none is said, and would ask a `map` of
    every column without one: here they ask for the word first.
    """
    standard = json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_bytes())
    for each in _parts(standard):
        condition = each.get("if")
        if isinstance(condition, dict) and "logicalType" in json.dumps(condition):
            condition["required"] = ["logicalType"]
    return standard


@functools.cache
def _validator() -> jsonschema_rs.Draft201909Validator:
    import jsonschema_rs

    return jsonschema_rs.Draft201909Validator(_standard())


def _say(errors: Sequence[Any], document: Document) -> UsageError:
    """The first error of the file, of those that are no echo of a deeper one."""
    # a part that is wrong inside was not evaluated, and so every word of it counts as unexpected too
    told = [error for error in errors if error.kind.name != "unevaluatedProperties"] or list(errors)
    told.sort(key=lambda error: (document.line(tuple(error.instance_path)), -len(error.instance_path)))
    error = told[0]
    location: Location = tuple(error.instance_path)
    message, remedy = _words(error)
    path = ".".join(str(part) for part in location)
    return UsageError(
        f"{path}: {message}" if path else message, code=INVALID, where=document.where(location), remedy=remedy
    )


def _words(error: Any) -> tuple[str, str | None]:
    kind = error.kind.name
    if kind in ("unevaluatedProperties", "additionalProperties"):
        word = str(error.kind.unexpected[0])
        return f'unknown word "{word}"', did_you_mean(word, _known_words())
    if kind == "enum":
        options = [str(option) for option in error.kind.options]
        return f'"{str(error.instance)[:_SHOWN]}" is none of {", ".join(options)}', did_you_mean(
            str(error.instance), options
        )
    if kind == "oneOf" and list(error.schema_path)[-2:-1] == ["DataQualityOperators"]:
        return f"needs exactly one of {_OPERATORS}", None
    return error.message[:_SHOWN], None


def _parts(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(part)


def _known_words() -> list[str]:
    """Every word that the standard knows, wherever it belongs."""
    return sorted({word for each in _parts(_standard()) for word in each.get("properties", ())})
