"""Canonical bytes are those of the reference implementation of RFC 8785, refusals included."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from gates.bundle.canonical import canonical_bytes
from gates.errors import EvidenceError

_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()))
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
