"""Canonical bytes are those of the reference implementation of RFC 8785, refusals included."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from gates.bundle.canonical import canonical_bytes, canonical_sets
from gates.errors import EvidenceError

_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()))
_PAD = "0" * 8_000
"""What makes a document a large one, which another library writes."""


class _Word(Enum):
    A = "a"


class _Number(IntEnum):
    ONE = 1


class _Text(str):
    __slots__ = ()


_documents = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(_documents)
@example({"\ue000": 1, "\U0001f6e9": 2, "a": 3, "": 4})
@example([-0.0, 1e-7, 0.0001, 0.00001, 1e16, 1e21, 123456789012345680.0, 5e-324, 1.7976931348623157e308, 2**53 - 1])
@example(['\x00\x1f\x7f\u2028"\\\b\f\n\r\t/é', {'\x01"': []}])
@example("\ud800")
@example({"\ud800": 1})
@example(2**53)
@example(float("nan"))
@example([float("-inf")])
def test_the_bytes_are_the_librarys(document: Any) -> None:
    _same(document)


def _same(document: Any) -> None:
    try:
        expected = rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(EvidenceError):
            canonical_bytes(document)
    else:
        assert canonical_bytes(document) == expected


@pytest.mark.parametrize("document", [{1: 2}, {True: 1}, {None: 1}, {("a",): 1}, {b"a": 1}, {"a", "b"}, object(), b"x"])
def test_what_json_does_not_have_is_refused(document: Any) -> None:
    with pytest.raises(EvidenceError):
        canonical_bytes(document)


def test_a_document_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(EvidenceError):
        canonical_bytes(endless)


def _large(document: Any) -> dict[str, Any]:
    return {"pad": _PAD, "is": document}


# What another library writes otherwise, and texts that look like it.
_suspicious = st.one_of(
    st.sampled_from(
        [
            ":null",
            "[null",
            "null",
            ":0.0000001,",
            ',"0.0000001',
            "1:9007199254740992",
            '"',
            "\\",
            ":",
            "\U0001f6e9",
            "é",
        ]
    ),
    st.sampled_from(
        [0.0000001, -1e-7, 1.5e-300, 10.0000001, 20.00000012, 1e-6, 2**53 - 1, 1 - 2**53, 2**53, 1e16, 1e22]
    ),
)
_odd = st.recursive(
    st.one_of(_scalars, _suspicious),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=3), _suspicious.filter(lambda one: isinstance(one, str))), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(_odd)
@example({"\ue000": 1, "\U0001f6e9": 2, "a": 3, "": 4})
@example([1e-7, ":0.0000001,", {'":0.0000001': 1e-8}])
@example([float("nan")])
@example({"a": None})
@example([2**53])
@example("\ud800")
def test_the_bytes_of_a_large_document_are_the_librarys(document: Any) -> None:
    _same(_large(document))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200))
def test_every_number_of_a_large_document_is_written_as_the_library_does(bits: list[int]) -> None:
    numbers = [struct.unpack("<d", struct.pack("<Q", one))[0] for one in bits]
    # Of every size, for which bits at random are nearly always far too large or far too small.
    found = [
        math.ldexp(math.frexp(one)[0], one_bits % 96 - 44)
        for one, one_bits in zip(numbers, bits, strict=True)
        if math.isfinite(one)
    ]
    assert canonical_bytes(_large(found)) == rfc8785.dumps(_large(found))


@pytest.mark.parametrize("value", [Decimal("0.1"), _Word.A, {1}, b"x", 1j, ..., {_Word.A: 1}, {1: 1}])
def test_what_json_does_not_have_is_refused_in_a_large_document(value: Any) -> None:
    with pytest.raises(EvidenceError):
        canonical_bytes(_large(value))


@pytest.mark.parametrize("value", [_Number.ONE, _Text("a"), (1, "a"), True])
def test_what_the_library_knows_is_written_in_a_large_document(value: Any) -> None:
    assert canonical_bytes(_large(value)) == rfc8785.dumps(_large(value))


@given(_documents)
def test_a_document_of_sets_is_the_same_in_whatever_order_they_come(document: Any) -> None:
    try:
        expected = canonical_bytes(_sorted(document))
    except EvidenceError:
        return
    assert canonical_sets(document) == expected
    assert canonical_sets(_reversed(document)) == expected


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    return sorted(map(_sorted, value), key=canonical_bytes) if isinstance(value, list) else value


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in reversed(value)] if isinstance(value, list) else value
