"""Inputs of actions and of changes of policies in which everything is good, and what comes of them by a few changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from simulators.policy_world import DAY, MODEL, NOW, Document, key_of, name_of, policy_set

from gates.decide.engines.interface import ACTION, CHANGE
from gates.records.action import ActionInput
from gates.records.change import ChangeInput

HOUR = 3_600_000_000
KINDS = {ACTION: ActionInput, CHANGE: ChangeInput}
_CANDIDATE = {"name": MODEL, "version": "7", "digest": name_of("candidate")}
_CHAMPION = {"name": MODEL, "version": "3", "digest": name_of("champion")}


def golden_acts() -> dict[str, tuple[str, Document]]:
    """Name -> entry point and input, each of which is allowed in production."""
    acts = {"rollback": _rollback(), "retire": _retire(), "archive": _archive(), "rollout": _rollout()}
    acts |= {"back": _monitor(), "pause": _pause()}
    found = {name: (ACTION, document) for name, document in acts.items()} | {"policy": (CHANGE, _change())}
    return {
        name: (entry, KINDS[entry].model_validate(document).document()) for name, (entry, document) in found.items()
    }


def _policy() -> Document:
    return {"digest": name_of("policy"), "trust_digest": policy_set().trust_digest}


def _request(action: str, person: str = "olga", **more: Any) -> Document:
    return {
        "environment": "production",
        "action": action,
        "model": MODEL,
        "actor": f"{person}@acme",
        "actor_key_id": key_of(person),
        "triggered_by": ["octo"],
        "reason": "complaints",
        "effective_time_us": NOW,
        **more,
    }


def _act(request: Document, **more: Any) -> Document:
    served = [
        {
            "digest": name_of("first"),
            "state": "done",
            "candidate_digest": name_of("champion"),
            "time_us": NOW - 40 * DAY,
        },
        {"digest": name_of("bad"), "state": "suspect", "candidate_digest": name_of("worse"), "time_us": NOW - 9 * DAY},
        {"digest": name_of("release"), "state": "done", "candidate_digest": name_of("candidate"), "time_us": NOW - DAY},
    ]
    served[0]["left_us"] = served[1]["left_us"] = NOW - DAY
    ledger = {
        "head": name_of("head"),
        "sequence": 9,
        "policy_digest": name_of("policy"),
        "trust_digest": policy_set().trust_digest,
        "release_digest": name_of("release"),
        "served": served,
        "held": [{"environment": "production", "version_digest": name_of("candidate"), "why": "serves"}],
        "archived": [name_of("older")],
    }
    return {"request": request, "policy": _policy(), "ledger": ledger, **more}


_HASHED = [{"wanted": name_of("champion"), "found": name_of("champion")}]


def _rollback() -> Document:
    return _act(_request("rollback", release=name_of("first"), version=_CHAMPION), bytes=_HASHED)


def _approval(person: str, role: str, action: str) -> Document:
    statement = {
        "model": MODEL,
        "environment": "production",
        "action": action,
        "role": role,
        "candidate_digest": name_of("candidate"),
        "policy_digest": name_of("policy"),
        "current_release_digest": name_of("release"),
        "time_us": NOW - HOUR,
        "expires_us": NOW + HOUR,
    }
    return {"digest": name_of(f"{person} {action}"), "key_ids": [key_of(person)], "statement": statement}


def _retire() -> Document:
    traffic = {
        "source": "requests.csv",
        "digest": name_of("log"),
        "from_us": NOW - 8 * DAY,
        "until_us": NOW,
        "requests": 0,
        "earlier": 5,
    }
    approvals = [_approval("mira", "ml-owner", "retire"), _approval("rolf", "risk", "retire")]
    request = _request("retire", release=name_of("release"), version=_CANDIDATE)
    return _act(request, traffic=traffic, approvals=approvals)


def _archive() -> Document:
    version = {"name": MODEL, "version": "1", "digest": name_of("oldest")}
    return _act(_request("archive", version=version))


def _present(percent: int = 25) -> Document:
    return {
        "version_digest": name_of("candidate"),
        "percent": percent,
        "since_us": NOW - DAY,
        "alarms": 0,
        "decision_id": name_of("decision"),
        "observed": name_of("release"),
    }


def _rollout() -> Document:
    rollout = {
        "decision_id": name_of("decision"),
        "basis": "proven",
        "allow": True,
        "decided_us": NOW - 2 * DAY,
        "valid_until_us": NOW + DAY,
        "policy_digest": name_of("policy"),
        "trust_digest": policy_set().trust_digest,
        "plan_digest": name_of("plan"),
        "steps": [5, 25, 100],
        "suspects": [{"environment": "staging", "version_digest": name_of("worse"), "time_us": NOW - HOUR}],
    }
    request = _request("rollout", release=name_of("next"), version=_CANDIDATE, percent=100)
    return _act(request, present=_present(), rollout=rollout)


_ALARM = {
    "monitor": "canary",
    "check": "errors",
    "value": 0.08,
    "rows": 4000,
    "from_us": NOW - HOUR,
    "until_us": NOW - HOUR // 2,
}


def _monitor() -> Document:
    request = _request("monitor", "watch", release=name_of("first"), version=_CANDIDATE, percent=5, demand="back")
    return _act(request, bytes=_HASHED, present=_present(), alarm=_ALARM)


def _pause() -> Document:
    request = _request("monitor", "watch", version=_CANDIDATE, percent=25, demand="pause")
    return _act(request, present=_present(), alarm=_ALARM)


def _change() -> Document:
    now = {"policy_digest": name_of("policy"), "trust_digest": policy_set().trust_digest}
    statement = {
        "environment": "production",
        "role": "risk",
        "policy_digest": name_of("new"),
        "trust_digest": name_of("trust"),
        "current_policy_digest": now["policy_digest"],
        "current_trust_digest": now["trust_digest"],
        "time_us": NOW - HOUR,
        "expires_us": NOW + HOUR,
    }
    request = _request("policy", "pia")
    del request["model"]
    return {
        "request": request,
        "policy": _policy(),
        "ledger": {"head": name_of("head"), "sequence": 9, **now, "owners": ["0" * 64]},
        "change": {
            "policy_digest": name_of("new"),
            "trust_digest": name_of("trust"),
            "loosened": ["overrides/production/limits/data.rows/low"],
            "named": ["overrides/production/limits/data.rows/low"],
        },
        "approvals": [{"digest": name_of("yes"), "key_ids": [key_of("rolf")], "statement": statement}],
        "simulation": {
            "digest": name_of("simulation"),
            "policy_digest": name_of("new"),
            "decisions": 7,
            "to_allow": 0,
            "to_deny": 1,
        },
    }


_WORDS = (
    "",
    " ",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\u200b",
    "\ufeff",
    " x ",
    "é",
    "production",
    "staging",
    "moon",
    "risk",
)
_NAMES = ("policy", "new", "first", "release", "bad", "candidate", "champion", "worse", "decision", "other")
_TIMES = (0, NOW - 180 * DAY, NOW - 30 * DAY, NOW - 7 * DAY, NOW - DAY, NOW - HOUR, NOW, NOW + HOUR, 2**53 - 1)
_COUNTS = (0, 1, 4, 5, 6, 24, 25, 26, 99, 100)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    items = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
    for key, value in items:
        yield node, key
        yield from _places(value)


def _other(draw: Callable[[Any], Any], key: object, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = st.sampled_from(_TIMES).flatmap(lambda time: st.sampled_from([max(time - 1, 0), time, time + 1]))
        return draw(near if str(key).endswith("_us") else st.sampled_from(_COUNTS))
    if isinstance(value, str) and value.startswith("sha256:"):
        return name_of(draw(st.sampled_from(_NAMES)))
    if isinstance(value, str):
        return draw(st.sampled_from(_WORDS))
    return copy.deepcopy(value)


@st.composite
def generated_acts(draw: Callable[[Any], Any]) -> tuple[str, Document]:
    """An entry point, and a golden input of it after up to eight changes; always one that the product could write."""
    goldens = golden_acts()
    name = draw(st.sampled_from(sorted(goldens)))
    entry, document = goldens[name]
    for _ in range(draw(st.integers(1, 8))):
        before = copy.deepcopy(document)
        holder, key = draw(st.sampled_from(list(_places(document))))
        way = draw(st.sampled_from(["other", "other", "other", "gone", "twice"]))
        if way == "gone":
            del holder[key]
        elif way == "twice" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = _other(draw, key, holder[key])
        try:
            document = KINDS[entry].model_validate(document).document()
        except ValueError:
            document = before
    return entry, document
