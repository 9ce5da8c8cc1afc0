"""YAML as plain values, with the line of every one: what errors of gates.yaml point at. The first step of plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import YAMLError

from gates.errors import UsageError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000  # a page of aliases can stand for billions of values
MAX_DEPTH = 20

Location = tuple[str | int, ...]


class _Constructor(RoundTripConstructor):
    """Times stay text: their zone is judged where the field is."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)


@dataclass
class Document:
    """Plain values (dict, list, str, int, float, bool, None) and the 1-based line of each location."""

    name: str
    value: Any = None
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Return the line of a location, or of the nearest one around it that is written in the file."""
        for size in range(len(location), 0, -1):
            if location[:size] in self.lines:
                return self.lines[location[:size]]
        return 1

    def where(self, location: Location = ()) -> str:
        return f"{self.name}:{self.line(location)}"


def read_document(path: Path, *, name: str | None = None) -> Document:
    """Read one YAML 1.2 document of mappings, lists and scalars; anchors are fine.

    Raises
    ------
    UsageError: unreadable, not UTF-8, too large, bad syntax, a key given twice, a tag, a second document.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", code="spec.missing", where=str(path)) from error
    return parse_document(raw, name or path.name)


def parse_document(raw: bytes, name: str) -> Document:
    """Parse the bytes of a document that errors call `name`. Raises as `read_document`, whose bytes these may be."""
    document = Document(name)
    if len(raw) > MAX_BYTES:
        raise UsageError(f"larger than {MAX_BYTES} bytes", code="spec.invalid", where=document.name)
    try:
        tree = _parser().load(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UsageError("not UTF-8 text", code="spec.invalid", where=f"{document.name}:{line}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise _syntax(document, error) from error
    document.value = _Plain(document).convert(tree, (), 1)
    return document


def _parser() -> YAML:
    parser = YAML(typ="rt", pure=True)
    parser.Constructor = _Constructor
    parser.allow_duplicate_keys = False
    return parser


def _syntax(document: Document, error: Exception) -> UsageError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be understood"
    where = f"{document.name}:{mark.line + 1}" if mark is not None else document.name
    text = str(problem).strip().splitlines()[0]
    return UsageError(f"not valid YAML: {text}", code="spec.invalid", where=where)


class _Plain:
    """Turns the parser's tree into plain values, within bounds, and notes the lines."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def convert(self, node: Any, location: Location, line: int) -> Any:
        self._nodes += 1
        self._document.lines.setdefault(location, line)
        if self._nodes > MAX_NODES or len(location) > MAX_DEPTH:
            raise self._refuse(location, "nested too deep or too large; an anchor that holds itself?")
        if isinstance(node, CommentedMap):
            return self._mapping(node, location, line)
        if isinstance(node, CommentedSeq):
            return [
                self.convert(item, (*location, index), node.lc.data[index][0] + 1) for index, item in enumerate(node)
            ]
        return self._scalar(node, location)

    def _mapping(self, node: CommentedMap, location: Location, line: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, item in node.items():
            # a key that came in through `<<` has no position of its own
            own = (node.lc.data or {}).get(key)
            here = own[0] + 1 if own else line
            if not isinstance(key, str):
                self._document.lines[*location, str(key)] = here
                raise self._refuse((*location, str(key)), "a name here is text; write it in quotes")
            plain[str(key)] = self.convert(item, (*location, str(key)), here)
        return plain

    def _scalar(self, node: Any, location: Location) -> Any:
        if node is None:
            return None
        for kind in (bool, int, float, str):  # the parser's scalars are subclasses that remember their style
            if isinstance(node, kind):
                return kind(node)
        raise self._refuse(location, "only text, numbers, true, false, lists and mappings are understood here")

    def _refuse(self, location: Location, message: str) -> UsageError:
        path = ".".join(str(part) for part in location)
        text = f"{path}: {message}" if path else message
        return UsageError(text, code="spec.invalid", where=self._document.where(location))
