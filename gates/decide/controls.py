"""What each rule is good for to somebody who has to show that models are governed: from METADATA, never by itself enough.

A package says it for all of its rules and a rule may say otherwise: who owns it, the controls that it supports, the
fields of the decision input that show it, and what it does not cover.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from gates.bundle.trust import Role
from gates.decide.frameworks import FRAMEWORKS
from gates.errors import EngineError
from gates.resources import module_folder

FILE = "controls.json"
OWNERS = frozenset(role.removeprefix("approve:") for role in get_args(Role)) - {"measure", "decide", "apply", "monitor"}
"""Roles of the trust data that can own a rule."""
WORDS = ("owner", "supports", "evidence", "not_covered")
"""What METADATA says of a rule besides title, description, code and remedy."""


@dataclass(frozen=True)
class Support:
    """What some rules are good for.

    Attributes
    ----------
    codes: codes of the rules. owner: role of the trust data that answers for them. supports: framework -> controls.
    evidence: fields of the decision input. not_covered: what nobody should read into it.
    """

    codes: tuple[str, ...]
    owner: str
    supports: Mapping[str, tuple[str, ...]]
    evidence: tuple[str, ...]
    not_covered: str


def collect(inspected: Mapping[str, Any]) -> list[Support]:
    """Join what packages and rules say, from `opa inspect --annotations`; rules that say the same come together.

    Raises
    ------
    EngineError: `policy.controls`: some rule or its package does not say all of it, or names no known control.
    """
    notes = [(_path(item), item["annotations"]) for item in inspected["annotations"]]
    of_package = {path: note.get("custom", {}) for path, note in notes if note.get("scope") == "package"}
    joined: dict[str, list[str]] = {}
    for path, note in notes:
        custom = note.get("custom", {})
        if "code" not in custom:
            continue
        found = {**_of(path, of_package), **custom}
        wrong = list(faults(found))
        if wrong:
            raise EngineError(f"{custom['code']}: {'; '.join(wrong)}", code="policy.controls")
        joined.setdefault(json.dumps({word: found[word] for word in WORDS}), []).append(custom["code"])
    return [_support({**json.loads(said), "codes": sorted(codes)}) for said, codes in sorted(joined.items())]


def _path(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(part["value"]) for part in item.get("path", ()))


def _of(path: tuple[str, ...], of_package: Mapping[tuple[str, ...], Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((of_package[path[:end]] for end in range(len(path), 0, -1) if path[:end] in of_package), {})


def faults(said: Mapping[str, Any], *, words: Sequence[str] = WORDS) -> Iterator[str]:
    """Say what is wrong with what METADATA says of a rule. words: those that must be there."""
    for word in words:
        if not said.get(word):
            yield f"METADATA lacks {word}"
    if said.get("owner") and said["owner"] not in OWNERS:
        yield f"owner {said['owner']!r} is none of {', '.join(sorted(OWNERS))}"
    supports = said.get("supports") or {}
    if not isinstance(supports, Mapping):
        yield "`supports` is no mapping of framework to controls"
        return
    for framework, controls in supports.items():
        known = FRAMEWORKS[framework].controls if framework in FRAMEWORKS else {}
        for control in controls if isinstance(controls, list) and controls else [None]:
            if control not in known:
                yield f"no control {control!r} of {framework!r} is known"


def load_supports() -> list[Support]:
    """Read what the shipped rules support, generated beside the compiled policies.

    Raises
    ------
    EngineError: the package is incomplete.
    """
    path = module_folder() / FILE
    try:
        return [_support(one) for one in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(
            "what the policies support is not here", code="install.incomplete", where=str(path)
        ) from error


def document(supports: Sequence[Support]) -> list[dict[str, Any]]:
    """As JSON has it."""
    return [
        {
            "owner": one.owner,
            "supports": {framework: list(controls) for framework, controls in one.supports.items()},
            "evidence": list(one.evidence),
            "not_covered": one.not_covered,
            "codes": list(one.codes),
        }
        for one in supports
    ]


def _support(said: Mapping[str, Any]) -> Support:
    return Support(
        codes=tuple(said["codes"]),
        owner=said["owner"],
        supports={framework: tuple(controls) for framework, controls in said["supports"].items()},
        evidence=tuple(said["evidence"]),
        not_covered=str(said["not_covered"]).strip(),
    )


def support_of(code: str, supports: Sequence[Support]) -> Support | None:
    """Find what stands behind a code; `calibration.ece.inconclusive` is of the rule `calibration.ece`."""
    if code.startswith("own."):
        code = "own.name"
    of = {known: one for one in supports for known in one.codes}
    return of.get(code) or of.get(code.rpartition(".")[0])


def by_control(supports: Sequence[Support]) -> dict[str, dict[str, list[Support]]]:
    """Framework -> control -> what supports it, in the framework's order; empty where no rule does."""
    return {
        framework: {
            control: [one for one in supports if control in one.supports.get(framework, ())]
            for control in known.controls
        }
        for framework, known in FRAMEWORKS.items()
    }
