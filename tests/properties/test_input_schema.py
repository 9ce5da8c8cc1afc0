"""Documents are refused as their published JSON Schema refuses them: the same ones, in the same words, at the same place."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gates.decide.schemas import records, validate_record
from gates.decide.validator import Validator
from gates.errors import EvidenceError
from gates.resources import schema_folder

_NUMBERS = st.one_of(st.floats(0.4, 1.1), st.integers(-3, 3), st.integers(), st.floats())
_ANYTHING = st.one_of(_NUMBERS, st.booleans(), st.none(), st.text(max_size=2), st.just([0.7]), st.just({}))
_MANY = {
    "type": "object",
    "properties": {
        "one": {"type": "number", "exclusiveMinimum": 0.5},
        "other": {"$ref": "#/$defs/Part"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "either": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Part"}]},
    },
    "required": ["one"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"value": {"type": "number", "exclusiveMinimum": -0.25}, "whole": {"$ref": "#/$defs/Whole"}},
        },
        "Whole": {"type": "number", "exclusiveMinimum": 0},
    },
}
_PARTS = st.fixed_dictionaries({}, optional={"value": _ANYTHING, "whole": _ANYTHING})


def _published(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((schema_folder() / f"{name}.json").read_bytes())
    return found


def _same(schema: dict[str, Any], document: Any) -> None:
    library = next(jsonschema_rs.Draft202012Validator(schema).iter_errors(document), None)
    ours = Validator(schema).first_error(document)
    assert (ours is None) == (library is None)
    if library is not None:
        assert (ours.message, ours.instance_path) == (library.message, library.instance_path)


def _figure(confidence: object) -> dict[str, Any]:
    return {
        "check": "calibration.ece",
        "subject": "candidate",
        "slice": {"kind": "whole"},
        "share_ppm": 1_000_000,
        "status": "measured",
        "estimate": 0.01,
        "bounds": [{"confidence": c, "lower": 0.0, "upper": 0.02} for c in (0.95, confidence)],
        "scope": "sample",
        "family": {"name": "calibration.ece", "size": 1},
        "n": 1,
        "unit": "ratio",
        "method": "test",
        "params": [],
    }


@given(_ANYTHING)
@example(0.5)
@example(math.nextafter(0.5, 1))
@example(math.nextafter(0.5, 0))
@example(-0.0)
@example(1.0)
@example(2**60)
@example(math.nan)
def test_a_confidence_is_held_to_its_limits(confidence: Any) -> None:
    _same(_published("measurement.v1"), _figure(confidence))


def test_a_confidence_of_a_half_is_refused_with_its_place() -> None:
    with pytest.raises(EvidenceError, match=r"bounds/1/confidence: 0\.5 is less than or equal to the minimum of 0\.5$"):
        validate_record("measurement.v1", _figure(0.5), where="here")
    validate_record("measurement.v1", _figure(math.nextafter(0.5, 1)), where="here")


@given(
    st.fixed_dictionaries({"one": _ANYTHING}, optional={"other": _PARTS, "parts": st.lists(_PARTS), "either": _PARTS})
)
@example({"one": 1, "parts": [{"value": 0.0}, {}, {"value": -0.25}]})
@example({"one": 1, "either": {"value": -0.25}})
@example({"one": 1, "other": {"whole": 0}})
def test_limits_are_found_wherever_they_stand(document: Any) -> None:
    _same(_MANY, document)


@pytest.mark.parametrize("name", list(records()))
def test_nothing_of_a_published_schema_is_lost(name: str) -> None:
    for document in ({}, [], {"more": 1}, {"measurements": 1}):
        _same(_published(name), document)
