"""A validation error in words: file and line, path, what is wrong, and the nearest valid word. Part of plan."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gates.errors import UsageError
from gates.plan.document import Document, Location
from gates.plan.nearest import did_you_mean

LIMIT_WORDS = frozenset({"limit", "limits", "threshold", "thresholds", "ceiling", "margin", "tolerance", "waivers"})
KINDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "dict": "a mapping"}
WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "tuple_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "model_attributes_type": "a mapping of names to values",
}


def say(error: ValidationError, model: type[BaseModel], document: Document) -> UsageError:
    """Turn all errors of one validation into one UsageError, in the order of the file's lines."""
    found = [_one(details, model, document) for details in error.errors()]
    found.sort(key=lambda item: item[0])
    texts = [str(item[1]) for item in found]
    first = found[0][1]
    if len(found) == 1:
        return first
    # the first error's place is the place of the whole; the others carry theirs in their own line
    message = "\n".join([str(UsageError(first.message, remedy=first.remedy)), *texts[1:]])
    return UsageError(message, code="spec.invalid", where=first.where)


def _one(details: ErrorDetails, model: type[BaseModel], document: Document) -> tuple[int, UsageError]:
    location: Location = tuple(part for part in details["loc"] if part != "[key]")
    message, remedy = _words(details, location, model)
    path = ".".join(str(part) for part in location)
    text = f"{path}: {message}" if path else message
    error = UsageError(text, code="spec.invalid", where=document.where(location), remedy=remedy)
    return document.line(location), error


def _words(details: ErrorDetails, location: Location, model: type[BaseModel]) -> tuple[str, str | None]:
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        return _unknown(str(location[-1]), location, model)
    if kind == "missing":
        return "missing", None
    if kind == "literal_error":
        expected = details["ctx"]["expected"].replace("'", "")
        return f'"{value}" is none of {expected}', did_you_mean(str(value), expected.replace(" or ", ", ").split(", "))
    if kind in WANTED:
        remedy = "write it in quotes" if kind == "string_type" and isinstance(value, int | float) else None
        return f"must be {WANTED[kind]}, is {_kind(value)}", remedy
    if kind == "timezone_aware":
        return "has no time zone", "write it like 2014-01-01T05:00:00Z"
    if kind == "string_pattern_mismatch":
        return f'"{value}" has not the form {details["ctx"]["pattern"]}', None
    if kind == "value_error":
        return str(details["ctx"]["error"]), None
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}", None


def _unknown(word: str, location: Location, model: type[BaseModel]) -> tuple[str, str | None]:
    if word.casefold() in LIMIT_WORDS:
        return "no limits here", "limits are the policy owners', in the policies folder"
    known = _fields(model, location[:-1])
    return "unknown word", did_you_mean(word, known)


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    """Names that are valid at a location, found by walking the models."""
    here: Any = model
    for part in location:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, BaseModel):
            here = _model_in(here.model_fields[part].annotation)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in get_args(annotation))
    return next((found for found in inner if found is not None), None)


def _kind(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, list):
        return "a list"
    return KINDS.get(type(value).__name__, type(value).__name__)
