"""Actions and changes of policies: both engines give the same bytes; nothing taken out or spoiled leaves an allow."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from act_inputs import generated_acts, golden_acts
from hypothesis import HealthCheck, given, settings
from simulators.policy_world import Document, policy_set

from gates.bundle.canonical import canonical_bytes
from gates.decide.acts import decide_action
from gates.decide.engines import at_hand
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import Engine, prepared
from gates.decide.engines.opa_server import OpaServerEngine, started
from gates.decide.opa_binary import find_opa
from gates.errors import EngineError, EvidenceError
from gates.records.action import ActionInput

_EXAMPLES = max(100, settings().max_examples)


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(policy_set()) as engine:
        yield engine


@pytest.fixture(scope="module")
def server() -> Iterator[OpaServerEngine]:
    opa = find_opa()
    assert opa is not None
    with started(policy_set(), opa) as engine:
        yield engine


@pytest.mark.opa
def test_golden_inputs_are_allowed_by_both(server: Engine, embedded: Engine) -> None:
    for name, (entry, document) in golden_acts().items():
        answers = [engine.evaluate(entry, document) for engine in (server, embedded)]
        denying = [row for row in answers[0]["results"] if row["disposition"] != "satisfied"]
        assert (answers[0]["allow"], denying) == (True, []), name
        assert canonical_bytes(answers[0]) == canonical_bytes(answers[1]), name


@pytest.mark.opa
def test_generated_inputs(server: Engine, embedded: Engine) -> None:
    seen: Counter[str] = Counter()

    @given(case=generated_acts())
    @settings(max_examples=_EXAMPLES, suppress_health_check=list(HealthCheck))
    def ask(case: tuple[str, Document]) -> None:
        entry, document = case
        one, other = (engine.evaluate(entry, document) for engine in (server, embedded))
        assert canonical_bytes(one) == canonical_bytes(other)
        seen.update(row["code"] for row in one["results"] if row["disposition"] == "denies")
        seen["allowed"] += one["allow"]

    ask()
    assert seen["allowed"] > 5
    assert len(seen) > 15, seen


@pytest.mark.opa
def test_white_space_is_the_same_to_both(server: Engine, embedded: Engine) -> None:
    entry, document = golden_acts()["rollback"]
    spaces = [chr(code) for code in range(0x10000) if chr(code).isspace() and code > 0x9F]
    for word in [*spaces, "\u200b", "\ufeff", "\u180e", "\u0085", "\u00a0x", " é "]:
        document["request"]["reason"] = word
        one, other = (engine.evaluate(entry, document) for engine in (server, embedded))
        assert canonical_bytes(one) == canonical_bytes(other), ascii(word)
        assert one["allow"] is bool(word.strip()), ascii(word)


class _Says:
    """An engine whose answers on actions are its own."""

    name, version, source = "server", "1", "http://localhost:1"

    def __init__(self, engine: Engine, error: str | None = None) -> None:
        self._engine, self._error = engine, error

    def evaluate(self, entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        if self._error:
            raise EngineError("no", code=self._error)
        return {**self._engine.evaluate(entry_point, document), "allow": True, "valid_until_us": 2**53 - 1}


@pytest.mark.parametrize("alone", [True, False])
def test_a_server_that_lies_is_no_answer_and_one_that_is_away_holds_up_no_rollback(
    embedded: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    document = ActionInput.model_validate(golden_acts()["rollback"][1])
    spoilt = document.model_copy(update={"bytes": ()})

    def ask(server: Any, what: ActionInput) -> Any:
        monkeypatch.setattr(at_hand, "server_at_hand", lambda *_, **__: nullcontext(server))
        return at_hand.on_both(
            policy_set(), lambda engine, second: decide_action(engine, what, confirming=second), alone=alone
        )

    for what in (document, spoilt):
        with pytest.raises(EngineError) as caught:
            ask(_Says(embedded), what)
        assert (caught.value.code, caught.value.exit_code) == ("engine.disagree", 4)
    decision, evaluation = ask(None, document)
    assert (decision.allow, evaluation.engine, evaluation.confirmed_by) == (True, "embedded", None)
    for code in ("engine.unavailable", "engine.start"):
        away = _Says(embedded, code)
        if alone:
            assert ask(away, document)[1].engine == "embedded"
        else:
            with pytest.raises(EngineError, match="no"):
                ask(away, document)
    with pytest.raises(EngineError):
        ask(_Says(embedded, "engine.failed"), document)


def test_traffic_that_is_taken_away_waits_for_no_engine_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gates.decide.opa_binary.find_opa", lambda: pytest.fail("looked for one"))
    monkeypatch.delenv(at_hand.OPA_URL_VARIABLE, raising=False)
    document = ActionInput.model_validate(golden_acts()["rollback"][1])
    asked = at_hand.on_both(
        policy_set(), lambda engine, second: decide_action(engine, document, confirming=second), alone=True
    )
    assert asked[0].allow is True


GONE = object()
SPOILED = (GONE, None, [], {}, "", " ", 0, -1, True, "NaN", "1e999", 2**53 - 1)
SAID = "said for people; no rule reads it, and the chain holds the entry to the digests beside it"
BOUND = "read from the verified ledger and bound by its head; what is asked about is elsewhere"
LESS = "with less history, or none, there is less to deny for, never more to allow"
TIME = "a time that the chain holds the entry to, or one that only another value would deny"
SEEN = "what a monitor saw, signed with its demand; policy asks that it is said, and holds no limit against it"
CALLED = "who started the job, by what CI calls them; the key that signs says so, and nobody is barred unnamed"

_EVERYWHERE = {
    "request/model": "not read where no approval is asked for; the chain holds it to the slot",
    "request/version/name": SAID,
    "request/version/version": SAID,
    "request/reason": "any text with something in it",
    "request/triggered_by": CALLED,
    "request/triggered_by/*": CALLED,
    "ledger/sequence": BOUND,
    "ledger/served/*": BOUND,
    "ledger/served/*/time_us": BOUND,
    "ledger/served/*/left_us": BOUND,
    "ledger/held": LESS,
    "ledger/held/*": LESS,
    "ledger/archived": LESS,
    "ledger/archived/*": LESS,
}
_ASKED_BY_A_MONITOR = {
    "ledger/release_digest": BOUND,
    "present/since_us": BOUND,
    "present/alarms": "one more alarm stops nobody from demanding less",
    "present/decision_id": BOUND,
    "present/observed": "less traffic waits for nobody to see it",
    "alarm/monitor": SEEN,
    "alarm/check": SEEN,
    "alarm/value": SEEN,
    "alarm/rows": SEEN,
    "alarm/from_us": SEEN,
}
_UNREACHED = {"bytes/*/found": "what could not be reached is a debt"}
HARMLESS: dict[str, dict[str, str]] = {
    "rollback": {**_EVERYWHERE, **_UNREACHED, "request/effective_time_us": TIME, "ledger/release_digest": BOUND},
    "retire": {
        **{field: why for field, why in _EVERYWHERE.items() if field != "request/model"},
        "ledger/served": BOUND,
        "approvals/*/statement/expires_us": TIME,
        "traffic/source": SAID,
        "traffic/from_us": "a longer time in which nothing came",
        "traffic/earlier": "more requests before that",
    },
    "archive": {
        **_EVERYWHERE,
        "request/effective_time_us": TIME,
        "ledger/release_digest": BOUND,
        "ledger/served": BOUND,
    },
    "rollout": {
        **_EVERYWHERE,
        "request/release": "the chain computes it from the share",
        "present/since_us": TIME,
        "rollout/decided_us": TIME,
        "rollout/valid_until_us": TIME,
        "rollout/steps/*": "steps that are behind; the next one is asked for",
        "rollout/suspects": LESS,
        "rollout/suspects/*": LESS,
        "rollout/suspects/*/time_us": "of another version",
    },
    "back": {**_EVERYWHERE, **_UNREACHED, **_ASKED_BY_A_MONITOR},
    "pause": {**_EVERYWHERE, **_ASKED_BY_A_MONITOR, "ledger/served": BOUND},
    "policy": {
        "request/reason": "any text with something in it",
        "request/triggered_by": CALLED,
        "request/triggered_by/*": CALLED,
        "ledger/sequence": BOUND,
        "ledger/owners": "the one who asks is listed by the trust data too",
        "ledger/owners/*": "as the owners",
        "approvals/*/statement/expires_us": TIME,
        "simulation/decisions": "what came out is for people to judge",
        "simulation/to_allow": "as the decisions",
        "simulation/to_deny": "as the decisions",
    },
}
"""Fields in which some other value leaves a good input good, each with its reason. Nothing may join it unseen."""


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _spoiled(engine: Engine, entry: str, document: Document) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path in _paths(document):
        for value in SPOILED:
            changed = copy.deepcopy(document)
            holder = changed
            for part in path[:-1]:
                holder = holder[part]
            if value is GONE:
                del holder[path[-1]]
            elif canonical_bytes(holder[path[-1]]) == canonical_bytes(value):
                continue
            else:
                holder[path[-1]] = value
            try:
                prepared(entry, changed)
                allowed = engine.evaluate(entry, changed)["allow"]
            except EvidenceError:
                continue
            if allowed:
                field = "/".join("*" if isinstance(part, int) else part for part in path)
                found.setdefault(field, []).append("gone" if value is GONE else value)
    return found


@pytest.mark.parametrize("name", sorted(golden_acts()))
def test_nothing_taken_out_or_spoiled_leaves_an_allow(embedded: EmbeddedEngine, name: str) -> None:
    entry, document = golden_acts()[name]
    assert embedded.evaluate(entry, document)["allow"] is True
    assert _spoiled(embedded, entry, document).keys() == HARMLESS[name].keys()
