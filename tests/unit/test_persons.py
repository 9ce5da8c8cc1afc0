"""One person who is written in two ways is one: among those who approve, and among those who made it or ask for it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from simulators.policy_world import Document, codes, golden, key_of, plan_request, policy_set, trust

from gates.bundle.trust import Trust, TrustedKey
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.records.names import as_called, folded


@pytest.mark.parametrize("text", ["ann@x", "Ann@X", " ANN@x ", "ａｎｎ@x", "ann@x\u00a0"])
def test_one_name_however_it_is_written(text: str) -> None:
    assert folded(text) == "ann@x"
    assert folded(folded(text)) == "ann@x"


def test_forms_of_one_character_and_small_letters_of_others() -> None:
    assert folded("Jose\u0301") == folded("JOSÉ")
    assert folded("STRASSE") == folded("straße")
    assert folded("mira") != folded("mila")
    assert len(folded("\ufdfa" * 256)) == 256


def test_names_stand_as_said_and_folded_beside() -> None:
    assert as_called(["Ann", "bo", "ann"]) == ("Ann", "bo", "ann")
    assert as_called(["Ann"]) == ("Ann", "ann")
    assert as_called([]) == ()


def test_what_policies_see_of_it_is_no_part_of_the_document() -> None:
    one = _with("rolf", person="MIRA")
    key = next(key for key in one.data()["keys"] if key["key_id"] == key_of("rolf"))
    assert (key["who"], key["person"]) == ("mira", "MIRA")
    assert {"MIRA", "mira", "rolf@acme"} == set(key["called"])
    assert "who" not in one.document()["keys"][0]
    assert one.digest == Trust.parse(one.document()).digest
    assert Trust().data() == Trust().document()


def _with(name: str, **change: object) -> Trust:
    """The trust data of the world, but for one key."""
    keys = (
        TrustedKey.model_validate({**key.model_dump(), **change}) if key.person == name else key for key in trust().keys
    )
    return Trust(keys=tuple(keys))


def _denying(trusted: Trust, **metadata: object) -> set[str]:
    policies = replace(policy_set(), trust=trusted)
    with EmbeddedEngine(policies) as engine:
        document: Document = copy.deepcopy(golden("production", engine.evaluate(PLAN, plan_request()), policies))
        document["policy"]["trust_digest"] = policies.trust_digest
        document["ledger"]["trust_digest"] = policies.trust_digest
        document["bundle"]["metadata"] |= metadata
        answer = engine.evaluate(DECISION, document)
        return codes(answer) | codes(answer, "tolerated")


def test_two_keys_of_one_person_are_no_two_approvals() -> None:
    assert "approval.missing" not in _denying(trust())
    assert "approval.missing" in _denying(_with("rolf", person="mira"))
    for person in ("Mira", " MIRA", "ｍｉｒａ"):
        assert "approval.missing" in _denying(_with("rolf", person=person)), person


@pytest.mark.parametrize("author", ["mira@acme", "Mira@ACME", "MIRA"])
def test_an_author_in_capitals_is_the_author(author: str) -> None:
    found = _denying(trust(), authors=list(as_called([author])))
    assert {"approval.by_author", "approval.missing"} <= found


def test_an_author_as_he_was_said_by_an_earlier_version() -> None:
    found = _denying(_with("mira", names=("Mira M",)), authors=["Mira M"])
    assert {"approval.by_author", "approval.missing"} <= found
