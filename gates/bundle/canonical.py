"""One byte form for every document: RFC 8785 (JCS); everything that has a name has a digest of exact bytes."""

from __future__ import annotations

import hashlib
import json
import marshal
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

import rfc8785

from gates.errors import EvidenceError, UsageError
from gates.records.base import Digest


def canonical_bytes(document: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON document.

    Raises
    ------
    EvidenceError: NaN, an infinity, an integer of 2^53 or more, or a value that JSON does not have.
    """
    return _at_once(document) or _encoded(_text, document)


def canonical_sets(document: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON document all lists of which are sets: their members in the order of their bytes.

    Raises
    ------
    EvidenceError: as `canonical_bytes`.
    """
    return _encoded(_ordered, document)


def _encoded(write: Callable[[Any], str], document: Any) -> bytes:
    try:
        return write(document).encode()
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise EvidenceError(f"has no canonical form: {error}", code="record.not_canonical") from error


def _ordered(value: Any) -> str:
    if type(value) is dict:
        return "{" + ",".join([before + _ordered(value[key]) for key, before in _order(value)]) + "}"
    if type(value) is list:
        # Texts are in the order of their code points, which is that of their bytes.
        return "[" + ",".join(sorted([_ordered(item) for item in value])) + "]"
    return _text(value)


def _text(value: Any) -> str:
    """Write what is common here, in a fifth of the time; whatever else there is, and every refusal, is the library's."""
    kind = type(value)
    if kind is float:
        return _number(value)
    if kind is dict:
        return "{" + ",".join([before + _text(value[key]) for key, before in _order(value)]) + "}"
    if kind is str:
        return encode_basestring(value)
    if kind is list or kind is tuple:
        return "[" + ",".join([_text(item) for item in value]) + "]"
    if value is True or value is False:
        return "true" if value else "false"
    if kind is int and -_BEYOND < value < _BEYOND:
        return str(value)
    return rfc8785.dumps(value).decode()


_BEYOND = 2**53


def _number(value: float) -> str:
    text = repr(value)
    if "e" in text or "n" in text:
        return rfc8785.dumps(value).decode()
    whole = text.removesuffix(".0")
    return "0" if whole == "-0" else whole


def _order(document: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    # What is kept must stay small; a document with as many keys as rows is of a shape of its own anyway.
    return _layout(tuple(document)) if len(document) <= _MANY else _layout.__wrapped__(tuple(document))


_MANY = 64


def _at_once(document: Any) -> bytes | None:
    """Write a large document by a library in Rust, in a seventh of the time; None where that writes otherwise than RFC 8785.

    It knows no exponents, refuses no whole number of 2^53 or more, has null for NaN, and orders keys by code points. What
    looks as if it had one of these, be it within a text, is left to `_text`; but very small numbers are written anew.
    """
    if type(document) is not dict:
        return None
    try:
        # Refuses what is not exactly one of Python's own kinds: the other writes an Enum as its value, and a Decimal in full.
        if len(marshal.dumps(document)) < _LARGE:
            return None
        from jsonschema_rs.canonical.json import to_string

        text = to_string(document)
    except ValueError:
        return None
    raw = text.encode()
    if not text.isascii() and raw.translate(None, _FEWER_THAN_FOUR):
        return None
    shape = raw.translate(_SHAPE)
    if b":null" in shape or _beyond(raw, shape):
        return None
    if "0.000000" not in text:
        return raw
    return None if "\\" in text else _with_exponents(text).encode()


_LARGE = 8_000
"""Bytes; the library takes longer to load than to write less."""

_FEWER_THAN_FOUR = bytes(range(0xF0))
"""All bytes of UTF-8 but those that begin a code point beyond the first 65,536."""

_SHAPE = bytes.maketrans(b"123456789,[-", b"000000000:::")
"""Every digit as 0, and as a colon whatever a value can stand behind."""


def _beyond(raw: bytes, shape: bytes) -> bool:
    """Whether there is a whole number that is not exact, or what looks like one within a text."""
    at = shape.find(_LONG)
    while at >= 0:
        end = at + len(_LONG)
        if shape[end : end + 1] == b"0" or raw[at + 1 : end] >= _FIRST_BEYOND:
            return True
        at = shape.find(_LONG, end)
    return False


_FIRST_BEYOND = str(_BEYOND).encode()
_LONG = b":" + b"0" * len(_FIRST_BEYOND)


def _with_exponents(text: str) -> str:
    """Write numbers below a millionth as RFC 8785 does; in a text without a backslash, every quote begins or ends one."""
    parts, done, quotes = [], 0, 0
    for found in _TINY.finditer(text):
        between = text[done : found.start()]
        quotes += between.count('"')
        number = quotes % 2 == 0 and not between[-1:].isdigit()
        parts += [between, _number(float(found[0])) if number else found[0]]
        done = found.end()
    return "".join([*parts, text[done:]])


_TINY = re.compile(r"0\.0{6}\d*")


@lru_cache(maxsize=4096)
def _layout(keys: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """Keys in their order, and what is written before each one's value; documents have few shapes, and many of each.

    The order is of UTF-16 code units, which is of code points unless there are any beyond the first 65,536.
    """
    if not all(isinstance(key, str) for key in keys):
        raise rfc8785.CanonicalizationError(f"a key that is no text: {keys!r}")
    ordered = sorted(keys, key=lambda key: key.encode("utf-16-be"))
    return tuple((key, f"{encode_basestring(key)}:") for key in ordered)


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of a JSON document, for `object_pairs_hook`; of a key that is there twice, readers take either.

    Raises
    ------
    ValueError: a key occurs twice.
    """
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = max(counts := Counter(key for key, _ in pairs), key=counts.__getitem__)
        raise ValueError(f"the key {twice[:100]!r} occurs twice")
    return document


def parse_json(raw: bytes, *, where: str | None = None) -> Any:
    """Parse JSON strictly: UTF-8, no duplicate keys, no NaN or infinity.

    Raises
    ------
    EvidenceError: the bytes are not such a document.
    """

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=each_key_once, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"not a JSON document: {error}", code="record.invalid", where=where) from error


def digest_bytes(raw: bytes) -> Digest:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def digest_document(document: Any) -> Digest:
    """Digest of the canonical bytes of a document."""
    return digest_bytes(canonical_bytes(document))


def digest_file(path: Path) -> Digest:
    """Digest of a file's bytes, read in pieces.

    Raises
    ------
    UsageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), code="file.unreadable") from error
