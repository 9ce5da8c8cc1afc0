"""What is wrong with the sources and data of policy owners, and can be seen without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gates.decide.controls import WORDS, faults
from gates.decide.policies import PolicySet, parse_data
from gates.errors import UsageError

_TEXTS = ("title", "description")
_CUSTOM = ("code", "remedy", "owner")
"""What the METADATA of a rule that yields results must say."""


def lint(policies: PolicySet, owners: Path) -> list[str]:
    """What is wrong and can be seen without running anything: one line each, with the place."""
    return [*_texts(policies), *_untested(policies, owners), *_unused(policies.data), *_toothless(policies.data)]


def _texts(policies: PolicySet) -> Iterator[str]:
    for path, content in policies.rego.items():
        if not path.startswith("custom/"):
            continue
        lines = content.decode().splitlines()
        for number, line in enumerate(lines):
            if re.match(r"results (contains|:=)", line):
                for fault in _faults(_metadata_above(lines, number)):
                    yield f"{path}:{number + 1}: {fault}"


def _faults(note: Mapping[str, Any]) -> Iterator[str]:
    custom = note.get("custom") or {}
    missing = [word for word in _TEXTS if not note.get(word)]
    missing += [word for word in _CUSTOM if not (isinstance(custom, Mapping) and custom.get(word))]
    if missing:
        yield f"METADATA lacks {', '.join(missing)}"
    elif isinstance(custom, Mapping):
        # Which controls a rule of their own supports is for the owners to say; who says one, says all of it.
        yield from faults(custom, words=WORDS if "supports" in custom else ("owner",))


def _metadata_above(lines: list[str], number: int) -> Mapping[str, Any]:
    begin = number
    while begin and lines[begin - 1].startswith("#"):
        begin -= 1
    block = lines[begin:number]
    if "# METADATA" not in block:
        return {}
    text = "\n".join(line[2:] for line in block[block.index("# METADATA") + 1 :])
    try:
        found = parse_data("METADATA", text.encode())
    except UsageError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _untested(policies: PolicySet, owners: Path) -> Iterator[str]:
    for path in policies.rego:
        if path.startswith("custom/"):
            beside = (owners / path).with_name(f"{Path(path).stem}_test.rego")
            if not beside.is_file() or b"\ntest_" not in b"\n" + beside.read_bytes():
                yield f"{path}: no test beside the rule ({beside.name})"


def _known(data: Mapping[str, Any], environment: str) -> set[str]:
    limits = data["thresholds"].get(environment, {}).get("limits", {})
    own = {f"own.{name}" for model in data.get("models", {}).values() for name in model.get("own", {})}
    return set(limits) | own


def _unused(data: Mapping[str, Any]) -> Iterator[str]:
    for environment, override in data.get("overrides", {}).items():
        where = f"overrides/{environment}/data.yaml"
        if environment not in data["thresholds"]:
            yield f"{where}: there is no environment {environment}, so that these limits are never read"
            continue
        for check in sorted(override.get("limits", {}).keys() - _known(data, environment)):
            yield f"{where}: no check is called {check}, so that its limits are never read"
    for name, model in sorted(data.get("models", {}).items()):
        where = f"models/{name}/data.yaml"
        required = {wish["check"] for wish in model.get("required", ())}
        known = set().union(*(_known(data, environment) for environment in data["thresholds"]))
        for check in sorted(required - known):
            yield f"{where}: no check is called {check}; what requires it is denied (check.unknown)"
        for own in sorted(f"own.{word}" for word in model.get("own", {})):
            if own not in required:
                yield f"{where}: {own} has limits, and nothing requires it"


def _toothless(data: Mapping[str, Any]) -> Iterator[str]:
    """An override with the very limit that is shipped changes nothing."""
    for environment, override in data.get("overrides", {}).items():
        shipped = data["thresholds"].get(environment, {}).get("limits", {})
        for check, tiers in sorted(override.get("limits", {}).items()):
            for tier, limit in sorted(tiers.items()):
                if shipped.get(check, {}).get(tier) == limit:
                    yield f"overrides/{environment}/data.yaml: {check} at tier {tier} is the shipped limit"
