"""What is wrong with the sources and data of policy owners, and can be seen without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import pairwise
from pathlib import Path
from typing import Any

from gates.bundle.trust import Trust
from gates.decide.controls import WORDS, faults
from gates.decide.policies import PolicySet, parse_data
from gates.decide.resolution import Resolution
from gates.decide.scorers import comparison, named
from gates.errors import UsageError
from gates.plan.nearest import did_you_mean, nearest

_TEXTS = ("title", "description")
_CUSTOM = ("code", "remedy", "owner")
"""What the METADATA of a rule that yields results must say."""


def lint(policies: PolicySet, owners: Path) -> list[str]:
    """What is wrong and can be seen without running anything: one line each, with the place."""
    sources = {path: content.decode() for path, content in policies.rego.items() if path.startswith("custom/")}
    return [
        *_texts(policies),
        *_untested(policies, owners),
        *unreachable(sources, set(policies.data["thresholds"])),
        *_headline(sources, policies.data),
        *_unused(policies.data),
        *_unknown(policies.data),
        *_toothless(policies.data),
        *_owners(policies),
        *_written_twice(policies.trust),
    ]


def below_resolution(found: Resolution) -> Iterator[str]:
    """Limits that no perfect model would be proven to keep on this holdout: a rule that is always red, or provisional.

    One that a model would keep after which the rows of a cluster share nothing is none.
    """
    for shown in found.shown:
        for at in shown.limits:
            if at.possible:
                continue
            where = "" if shown.slice.kind == "whole" else f" of {shown.slice.column} = {shown.slice.value}"
            needed = "more than a billion rows" if at.rows is None else f"{at.rows:,} rows"
            yield (
                f"{', '.join(at.environments)}: {' and '.join(shown.checks)}{where}: the limit {at.limit.value:g} is below "
                f"what the holdout can show of a perfect model ({shown.smallest:.2g}); {needed} would do"
                f"{' at best' if at.rows != at.rows_at_worst else ''}"
                f"{'; until then it is provisional at best' if at.provisional else ''}"
            )


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


_ROOTS = ("results", "required")
"""What is asked of a package of the policy owners."""
_RULE = re.compile(r"^(?:default )?([a-zA-Z_]\w*)(?=[\s(\[:=.])")
_ENVIRONMENT = re.compile(r'input\.request\.environment (?:==|in) (\{[^}]*\}|"[^"]*")')


def unreachable(sources: Mapping[str, str], environments: Set[str]) -> Iterator[str]:
    """Rules that nothing asks for, and conditions that can never hold.

    Parameters
    ----------
    sources: path -> Rego of policy owners. environments: those of the ladder.
    """
    bodies = [(path, number, name, body) for path, text in sources.items() for number, name, body in _rules(text)]
    asked = {(path, root) for path in sources for root in _ROOTS}
    while True:
        used = {word for path, _, name, body in bodies if (path, name) in asked for word in re.findall(r"\w+", body)}
        more = {(path, name) for path, _, name, _ in bodies if name in used} | asked
        if more == asked:
            break
        asked = more
    for path, number, name, body in bodies:
        if (path, name) not in asked:
            yield f"{path}:{number}: nothing asks for {name}; a package gives `results` and `required`"
        elif re.search(r"(?m)^\s*false\s*$", body):
            yield f"{path}:{number}: {name} has the condition `false`, and never holds"
        for said in _ENVIRONMENT.findall(body):
            unknown = sorted(set(re.findall(r'"([^"]*)"', said)) - set(environments))
            if unknown:
                yield f"{path}:{number}: there is no environment {', '.join(unknown)}, so that this never holds"


def _rules(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and text of each rule: from its head to the next one's; comments and imports are none."""
    lines = text.splitlines()
    heads = [
        (number, found[1])
        for number, line in enumerate(lines)
        if (found := _RULE.match(line)) and found[1] not in {"package", "import"}
    ]
    for (number, name), (end, _) in pairwise([*heads, (len(lines), "")]):
        said = [line for line in lines[number:end] if not line.lstrip().startswith("#")]
        # Its own name in its head is no use of it.
        yield number + 1, name, "\n".join([said[0].replace(name, "", 1), *said[1:]])


_ACCURACY = re.compile(r"\b(?<!balanced_)accuracy\b")
_EXACT = re.compile(r"\bcalibration\.spiegelhalter\b")


def _headline(sources: Mapping[str, str], data: Mapping[str, Any]) -> Iterator[str]:
    """Accuracy by itself is high where one class is common, whatever the model does; nothing may be allowed by it.

    Nor by Spiegelhalter's Z, which asks whether a model is calibrated exactly: none is, and few rows never show it.
    """
    for path, text in sources.items():
        for number, name, body in _rules(text):
            if _ACCURACY.search(body) and re.search(r'"(satisfied|tolerated)"', body):
                yield f"{path}:{number}: {name} lets pass on accuracy alone; judge errors by class, or against a constant"
            if _EXACT.search(body) and re.search(r'"(satisfied|tolerated)"', body):
                yield f"{path}:{number}: {name} lets pass on calibration.spiegelhalter alone; few rows refute no model, judge calibration.ece"
    for model, facts in sorted(data.get("models", {}).items()):
        own = [word for word in facts.get("own", {}) if _ACCURACY.search(word.replace("_", " "))]
        beside = {wish["check"] for wish in facts.get("required", ()) if wish["check"].startswith("regression.")}
        for word in own:
            if "balanced" not in word and not beside:
                yield (
                    f"models/{model}/data.yaml: own.{word} is a headline figure; require a check against the champion or a "
                    "constant beside it, such as regression.balanced_accuracy_vs_champion"
                )


def _known(data: Mapping[str, Any], environment: str) -> set[str]:
    limits = data["thresholds"].get(environment, {}).get("limits", {})
    models = data.get("models", {}).values()
    own = {f"own.{name}" for model in models for name in model.get("own", {})}
    may = named(data["release"])
    scorers = {comparison(name) for model in models for name in model.get("scorers", {}) if name in may}
    return set(limits) | own | scorers


def _unused(data: Mapping[str, Any]) -> Iterator[str]:
    for environment, override in data.get("overrides", {}).items():
        where = f"overrides/{environment}/data.yaml"
        for check in sorted(override.get("limits", {}).keys() - _known(data, environment)):
            yield f"{where}: no check is called {check}, so that its limits are never read"
        for model in sorted(override.get("models", {}).keys() - data.get("models", {}).keys()):
            yield f"{where}: no model is called {model} in models/, which is denied (override.unknown){_near(model, data.get('models', ()))}"
        for model, check in sorted(_of_features(override)):
            if check not in _known(data, environment):
                yield f"{where}: no check is called {check}, so that its limits for features of {model} are never read"


def _unknown(data: Mapping[str, Any]) -> Iterator[str]:
    may = named(data["release"])
    for name, model in sorted(data.get("models", {}).items()):
        where = f"models/{name}/data.yaml"
        required = {wish["check"] for wish in model.get("required", ())}
        known = set().union(*(_known(data, environment) for environment in data["thresholds"]))
        for check in sorted(required - known):
            yield f"{where}: no check is called {check}; what requires it is denied (check.unknown)"
        for check in sorted(model.get("inconclusive_share_ppm", {}).keys() - known):
            yield f"{where}: no check is called {check}, whose inconclusive share is limited (override.unknown)"
        for own in sorted(f"own.{word}" for word in model.get("own", {})):
            if own not in required:
                yield f"{where}: {own} has limits, and nothing requires it"
        for scorer in sorted(model.get("scorers", {})):
            if scorer not in may:
                near = did_you_mean(scorer, sorted(may))
                yield f"{where}: policies know no scorer {scorer}; {near}"
            elif comparison(scorer) not in required:
                yield f"{where}: {comparison(scorer)} has limits, and nothing requires it"


def _near(name: str, known: Iterable[str]) -> str:
    found = nearest(name, known)
    return f'; did you mean "{found}"?' if found else ""


def _owners(policies: PolicySet) -> Iterator[str]:
    """Business owners whose yes no key could give, so that what waits for it waits for ever."""
    keys, role = policies.trust.keys, "approve:business-owner"
    asked = [name for name, tiers in policies.data["release"]["approvals"].items() if tiers.get("high")]
    for model, facts in sorted(policies.data.get("models", {}).items()):
        owner = facts.get("business_owner")
        if owner is None or not keys:
            continue
        own = [key for key in keys if owner in (key.identity, key.person)]
        where = f"models/{model}/data.yaml: the business owner {owner}"
        if not own:
            called = {name for key in keys for name in (key.identity, key.person)}
            yield f"{where} is nobody in the trust data{_near(owner, called)}"
            continue
        lacking = [name for name in asked if not any(policies.trust.allows(key.key_id, role, name) for key in own)]
        if lacking:
            yield f"{where} has no key with the role {role} in {', '.join(lacking)}"


def _written_twice(trust: Trust) -> Iterator[str]:
    ways: dict[str, set[str]] = {}
    for key in trust.keys:
        ways.setdefault(key.who, set()).add(key.person)
    for written in (sorted(written) for _, written in sorted(ways.items()) if len(written) > 1):
        yield f"the trust data write one person as {' and '.join(map(repr, written))}, who count as one"


def _of_features(override: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Model and check of every limit that is a feature's."""
    found = set()
    for model, said in override.get("models", {}).items():
        for feature in said.get("features", {}).values():
            in_slices = (checks for values in feature.get("slices", {}).values() for checks in values.values())
            found |= {(model, check) for checks in (feature.get("limits", {}), *in_slices) for check in checks}
    return found


def _toothless(data: Mapping[str, Any]) -> Iterator[str]:
    """An override with the very limit that is shipped changes nothing."""
    for environment, override in data.get("overrides", {}).items():
        shipped = data["thresholds"].get(environment, {}).get("limits", {})
        for check, tiers in sorted(override.get("limits", {}).items()):
            for tier, limit in sorted(tiers.items()):
                if shipped.get(check, {}).get(tier) == limit:
                    yield f"overrides/{environment}/data.yaml: {check} at tier {tier} is the shipped limit"
