"""Rego of policy owners, typed: a built-in that may be given what it does not take is found before it is in force.

The compiled policies leave undefined what OPA's strict errors refuse, so that a rule of this kind would say nothing there.
OPA's own check lets a call pass where one of the types that an argument may have fits. So each argument is offered to it the
other way round as well: as what only takes the types that the built-in refuses. Where OPA lets that pass, an expression
before the call must have asked for a type that the built-in takes (`is_string(x)`).
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.decide.arithmetic import syntax_tree
from gates.decide.build_module import run_opa
from gates.decide.opa_binary import OpaBinary
from gates.decide.owners_calls import Argument, arguments
from gates.decide.policies import PolicySet
from gates.errors import EngineError
from gates.resources import policies_folder, schema_folder

_INPUT = b"""# METADATA
# scope: subpackages
# schemas:
#   - input: schema["decision-input.v1"]
package custom
"""
_OURS = ("data.gates.lib.integers.", "data.gates.lib.said.")
"""Functions of ours that ask for themselves what they are given; the others are given by ours what they take."""
_DEPTH = {"gates": 4, "custom": 3}
"""How many words name a package of ours, or of the owners', `data` among them."""
_PROBE = "gates_probe_"
_SECONDS = 120.0
_ANY = {"type": "any"}
_SURE = {
    "arraycomprehension": "array",
    "setcomprehension": "set",
    "objectcomprehension": "object",
    **{kind: kind for kind in ("array", "set", "object", "string", "number", "boolean", "null")},
}
_KINDS: tuple[dict[str, Any], ...] = (
    {"type": "null"},
    {"type": "boolean"},
    {"type": "number"},
    {"type": "string"},
    {"type": "array", "dynamic": _ANY},
    {"type": "set", "of": _ANY},
    {"type": "object", "dynamic": {"key": _ANY, "value": _ANY}},
)


@dataclass(frozen=True)
class _Doubt:
    """An argument that must be shown to fit. `begin`, `end`: where its text stands in its source."""

    path: str
    begin: int
    end: int
    argument: Argument
    takes: Mapping[str, Any]

    def __str__(self) -> str:
        node, kinds = self.argument.node, sorted(_kinds(self.takes))
        text, asks = " ".join(_text(node).split()), " or ".join(f"is_{kind}({_text(node)})" for kind in kinds)
        remedy = f"; ask before it {asks}" if kinds else ""
        return f"{self.path}:{node['location']['row']}: {self.argument.name} may be given {text} that it does not take{remedy}"


def misfits(opa: OpaBinary, policies: PolicySet) -> list[str]:
    """Return what is wrong with the types of the owners' sources: one line each, with the place."""
    owned = {path: content for path, content in policies.rego.items() if path.startswith("custom/")}
    if not owned:
        return []
    with tempfile.TemporaryDirectory(prefix="gates-check-") as name:
        folder = Path(name)
        policies.write_bundle(folder / "policies")
        (folder / "policies" / "custom" / "input.rego").write_bytes(_INPUT)
        try:
            run_opa(opa, folder, "check", "--strict", *_given(policies_folder() / "capabilities.json"))
        except EngineError as error:
            _, *said = re.split(r"\s(?=policies/)", error.message)
            return [" ".join(one.removeprefix("policies/").split()) for one in said] or [error.message]
        return _doubtful(opa, folder, owned)


def _given(capabilities: Path) -> list[str]:
    return ["--schema", str(schema_folder()), "--capabilities", str(capabilities), "--bundle", "policies"]


def _doubtful(opa: OpaBinary, folder: Path, owned: Mapping[str, bytes]) -> list[str]:
    capabilities = json.loads((policies_folder() / "capabilities.json").read_bytes())
    takes = {builtin["name"]: builtin["decl"].get("args", []) for builtin in capabilities["builtins"]}
    trees = {path: syntax_tree(opa, path, source) for path, source in sorted(owned.items())}
    wrong = [line for path, tree in trees.items() for line in _unlooked(path, tree, frozenset(takes))]
    wrong += [line for path, tree in trees.items() for line in (*_called(path, tree), *_unnamed(path, tree))]
    if wrong:
        return wrong
    rules = frozenset((_package(tree), name) for tree in trees.values() for name in _rules(tree))
    left = [
        doubt
        for path, tree in trees.items()
        for names in [frozenset(_imports(tree)) | {name for package, name in rules if package == _package(tree)}]
        for doubt in _doubts(path, owned[path].decode(), tree, names, takes)
    ]
    # A rule in which OPA finds an error may be anything to the rules that read it: what fits is taken out, and asked again.
    while left:
        fitting = _fitting(opa, folder, owned, left, capabilities)
        if not fitting:
            break
        left = [doubt for number, doubt in enumerate(left) if number not in fitting]
    return [str(doubt) for doubt in left]


def _package(tree: Mapping[str, Any]) -> str:
    return ".".join(word["value"] for word in tree["package"]["path"])


def _rules(tree: Mapping[str, Any]) -> dict[str, int]:
    """Names of rules -> row."""
    return {str(rule["head"]["ref"][0]["value"]): rule["location"]["row"] for rule in tree.get("rules", ())}


def _imports(tree: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Names of imports -> what is imported, row."""
    paths = [(one, [word["value"] for word in one["path"]["value"]]) for one in tree.get("imports", ())]
    return {one.get("alias", path[-1]): (".".join(path), one["location"]["row"]) for one, path in paths}


def _unlooked(path: str, tree: Mapping[str, Any], builtins: frozenset[str]) -> Iterator[str]:
    """What would have types looked up at another place."""
    for name, row in [*_rules(tree).items(), *((name, row) for name, (_, row) in _imports(tree).items())]:
        if name in builtins:
            yield f"{path}:{row}: {name} is the name of a built-in"
    for row in _replaced(tree.get("rules", ())):
        yield f"{path}:{row}: with replaces what types speak of; it is for tests"


def _called(path: str, tree: Mapping[str, Any]) -> Iterator[str]:
    """Calls of functions of ours that do not ask themselves."""
    imports = _imports(tree)
    for rule in tree.get("rules", ()):
        for argument in arguments(rule, frozenset()):
            root, _, rest = argument.name.partition(".")
            name = ".".join(word for word in (imports.get(root, (root, 0))[0], rest) if word)
            if argument.position == 0 and name.startswith("data.gates.") and not name.startswith(_OURS):
                ours = " and ".join(f"{package}*" for package in _OURS)
                yield f"{path}:{argument.node['location']['row']}: {name} is not for others to call; {ours} are"


def _unnamed(path: str, tree: Mapping[str, Any]) -> Iterator[str]:
    """Packages that are looked up by what a variable holds: compiled policies find no rule there, while OPA does."""
    imports = _imports(tree)
    for ref in _refs(tree.get("rules", ())):
        root, *rest = ref["value"]
        if root["type"] != "var":
            continue
        named = imports[root["value"]][0] if root["value"] in imports else root["value"]
        words = [*named.split("."), *(word["value"] if word["type"] == "string" else None for word in rest)]
        depth = (_DEPTH.get(words[1], 0) if words[1] is not None else 2) if words[0] == "data" and len(words) > 1 else 0
        if None in words[:depth]:
            text = " ".join(_text(ref).split())
            yield f"{path}:{ref['location']['row']}: {text} names no package; write it for each by its name"


def _refs(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _refs(item)
    elif isinstance(node, dict):
        if node.get("type") == "ref":
            yield node
        for value in node.values():
            yield from _refs(value)


def _replaced(node: Any) -> Iterator[int]:
    if isinstance(node, list):
        for item in node:
            yield from _replaced(item)
    elif isinstance(node, dict):
        for replaced in node.get("with", ()):
            yield replaced["target"]["location"]["row"]
        for value in node.values():
            yield from _replaced(value)


def _doubts(
    path: str, source: str, tree: Mapping[str, Any], names: frozenset[str], takes: Mapping[str, Sequence[Any]]
) -> Iterator[_Doubt]:
    for rule in tree.get("rules", ()):
        for argument in arguments(rule, names):
            declared = takes.get(argument.name, ())
            wanted = declared[argument.position] if argument.position < len(declared) else _ANY
            sure = argument.asked | {_SURE.get(argument.node["type"])}
            if _refused(wanted) and not sure & _kinds(wanted):
                begin = _offset(path, source, argument.node)
                yield _Doubt(path, begin, begin + len(_text(argument.node)), argument, wanted)


def _refused(wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The types of all that a declared type does not take."""
    members: Sequence[Mapping[str, Any]] = wanted.get("of", ()) if wanted["type"] == "any" else (wanted,)
    if not members:
        return []
    taken = {member["type"] for member in members}
    found = [dict(kind) for kind in _KINDS if kind["type"] not in taken]
    for member in members:
        for word in ("dynamic", "of"):
            inside = _refused(member[word]) if member["type"] in {"array", "set"} and word in member else []
            if inside:
                found.append({"type": member["type"], word: {"type": "any", "of": inside}})
    return found


def _kinds(wanted: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of values of which a declared type takes all."""
    return frozenset(kind["type"] for kind in _KINDS) - {one["type"] for one in _refused(wanted)}


def _text(node: Mapping[str, Any]) -> str:
    return base64.b64decode(node["location"]["text"]).decode()


def _offset(path: str, source: str, node: Mapping[str, Any]) -> int:
    at = node["location"]
    text = _text(node)
    # The text has the brackets around a term, the column is that of what stands in them.
    before = len(text) - len(text.lstrip("( \t\r\n"))
    offset: int = sum(len(line) + 1 for line in source.split("\n")[: at["row"] - 1]) + at["col"] - 1 - before
    if not source.startswith(text, offset):
        raise EngineError("OPA names another place than this", code="module.build", where=f"{path}:{at['row']}")
    return offset


def _fitting(
    opa: OpaBinary, folder: Path, owned: Mapping[str, bytes], doubts: Sequence[_Doubt], capabilities: Mapping[str, Any]
) -> set[int]:
    """Those of which OPA's check says that they are nothing that the built-in refuses."""
    for path, source in owned.items():
        (folder / "policies" / path).write_text(_wrapped(path, source.decode(), doubts), encoding="utf-8")
    probes = [
        {"name": f"{_PROBE}{number}", "decl": {"type": "function", "args": [refused], "result": dict(doubt.takes)}}
        for number, doubt in enumerate(doubts)
        for refused in [{"type": "any", "of": _refused(doubt.takes)}]
    ]
    asking = folder / "capabilities.json"
    asking.write_text(json.dumps({**capabilities, "builtins": [*capabilities["builtins"], *probes]}), encoding="utf-8")
    command = [str(opa.path), "check", "--max-errors", "0", "--format", "json", *_given(asking)]
    try:
        ran = subprocess.run(  # noqa: S603 - OPA itself, no shell
            command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        said = json.loads(ran.stderr or ran.stdout or b"{}")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise EngineError(f"opa check: {error}", code="module.build") from error
    errors = said.get("errors", [])
    strange = [one["message"] for one in errors if one["code"] != "rego_type_error"]
    if strange:
        raise EngineError(f"opa check: {'; '.join(strange)}", code="module.build")
    found = (re.match(rf"{_PROBE}(\d+): invalid argument", one["message"]) for one in errors)
    return {int(one[1]) for one in found if one}


def _wrapped(path: str, source: str, doubts: Sequence[_Doubt]) -> str:
    """A source in which each argument in doubt is handed through a probe of its own."""
    cuts = [
        (doubt.begin, -doubt.end, f"{_PROBE}{number}(") for number, doubt in enumerate(doubts) if doubt.path == path
    ]
    cuts += [(doubt.end, -len(source) - 1, ")") for doubt in doubts if doubt.path == path]
    parts, last = [], 0
    for at, _, text in sorted(cuts):
        parts += [source[last:at], text]
        last = at
    return "".join([*parts, source[last:]])
