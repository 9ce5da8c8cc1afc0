"""Arguments of built-ins in a syntax tree, each with what the expressions before it have asked of it.

A question counts where it is sure to come first: it stands before the call in the same body or in one around it, and each
of its variables is bound by then by an argument, `some ... in`, `every` or `:=`. OPA moves an expression behind what binds
its variables, and with `=` that could stand below.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Tree = Any

_CLOSURES = {"arraycomprehension", "setcomprehension", "objectcomprehension"}
_ALWAYS = {"input", "data"}


@dataclass(frozen=True)
class Argument:
    """One argument of a call. `asked`: types that it was asked for (`is_string` asks for `string`)."""

    name: str
    position: int
    node: Tree
    asked: frozenset[str]


@dataclass(frozen=True)
class _Known:
    """What holds at a place: variables that are bound there, and questions that were answered with yes."""

    bound: frozenset[str]
    asked: frozenset[tuple[str, str]] = frozenset()

    def ask(self, expression: Tree) -> _Known:
        terms = expression["terms"]
        if expression.get("negated") or expression.get("with") or not isinstance(terms, list) or len(terms) != 2:
            return self
        name, term = called(terms[0]), terms[1]
        if name is None or not name.startswith("is_") or not variables(term) <= self.bound:
            return self
        return _Known(self.bound, self.asked | {(plain(term), name.removeprefix("is_"))})

    def inside(self, body: Sequence[Tree], declared: frozenset[str] = frozenset()) -> _Known:
        """In a body of its own, whose variables may hide those around it."""
        hidden = declared | {name for expression in body for name in _declared(expression)}
        kept = frozenset((term, name) for term, name in self.asked if not variables(json.loads(term)) & hidden)
        return _Known((self.bound - hidden) | declared, kept)


def arguments(rule: Mapping[str, Any], names: frozenset[str]) -> Iterator[Argument]:
    """All arguments of calls in a rule, with its `else`. `names`: rules and imports, which are bound everywhere."""
    head = rule["head"]
    taken = list(head.get("args", ()))
    known = yield from _body(rule["body"], _Known(names | _ALWAYS | variables(taken)))
    yield from _within({key: value for key, value in head.items() if key != "args"}, known)
    if "else" in rule:
        yield from arguments({**rule["else"], "head": {**rule["else"]["head"], "args": taken}}, names)


def _body(body: Sequence[Tree], known: _Known) -> Generator[Argument, None, _Known]:
    for expression in body:
        terms = expression["terms"]
        if isinstance(terms, dict) and "domain" in terms:
            yield from _within(terms["domain"], known)
            declared = variables([terms["key"], terms["value"]])
            yield from _body(terms["body"], known.inside(terms["body"], declared))
        elif isinstance(terms, list):
            yield from _call(terms, known)
        else:
            yield from _within(terms, known)
        yield from _within(expression.get("with", ()), known)
        known = _Known(known.bound | _declared(expression), known.asked).ask(expression)
    return known


def _call(terms: Sequence[Tree], known: _Known) -> Iterator[Argument]:
    name = called(terms[0])
    for position, term in enumerate(terms[1:]):
        if name is not None:
            text = plain(term)
            yield Argument(name, position, term, frozenset(kind for of, kind in known.asked if of == text))
        yield from _within(term, known)


def _within(node: Tree, known: _Known) -> Iterator[Argument]:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _within(item, known)
    elif not isinstance(node, dict):
        return
    elif node.get("type") == "call":
        yield from _call(node["value"], known)
    elif node.get("type") in _CLOSURES:
        inner = yield from _body(node["value"]["body"], known.inside(node["value"]["body"]))
        yield from _within({key: value for key, value in node["value"].items() if key != "body"}, inner)
    else:
        for value in node.values():
            yield from _within(value, known)


def called(node: Tree) -> str | None:
    """The name by which a call's first term calls: `count`, `object.get`, `data.custom.a.f`."""
    if node.get("type") != "ref" or not all(isinstance(word["value"], str) for word in node["value"]):
        return None
    return ".".join(word["value"] for word in node["value"])


def _declared(expression: Tree) -> frozenset[str]:
    """Variables that an expression declares and binds."""
    terms = expression["terms"]
    if isinstance(terms, dict) and "symbols" in terms:
        # `some x in xs`; what is only declared (`some x`) is bound who knows where.
        inside = [symbol["value"][1:-1] for symbol in terms["symbols"] if symbol["type"] == "call"]
        return variables(inside)
    if isinstance(terms, list) and called(terms[0]) == "assign":
        return variables(terms[1])
    return frozenset()


def variables(node: Tree) -> frozenset[str]:
    """All variables in a term, without names of built-ins that it calls."""
    if isinstance(node, list | tuple):
        return frozenset().union(*(variables(item) for item in node))
    if not isinstance(node, dict):
        return frozenset()
    if node.get("type") == "var":
        return frozenset({node["value"]})
    if node.get("type") == "call":
        return variables(node["value"][1:])
    return frozenset().union(*(variables(value) for value in node.values()))


def plain(node: Tree) -> str:
    """A term without places, to compare."""
    return json.dumps(_placeless(node), sort_keys=True)


def _placeless(node: Tree) -> Tree:
    if isinstance(node, list):
        return [_placeless(item) for item in node]
    if isinstance(node, dict):
        return {key: _placeless(value) for key, value in node.items() if key != "location"}
    return node
