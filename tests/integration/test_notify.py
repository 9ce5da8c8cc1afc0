"""What people are told of moves: by Apprise, to a receiver on this machine that sees what a messenger would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from simulators.answering import Request, answering
from simulators.apply_world import World, slot_in

from gates.apply.archive import Archived
from gates.apply.batch import Run
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.errors import EngineError, Refused, UsageError
from gates.flow import notify
from gates.flow.batch import Restored, Scored
from gates.flow.notify import Notice, redacted, tell, told
from gates.flow.people import Activated


@dataclass
class Receiver:
    port: int
    answer: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)
    wait: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"json://someone:hunter2hunter2@127.0.0.1:{self.port}/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    def answer(asked: Request) -> tuple[int, bytes]:
        there.wait.wait(20)
        there.got.append(json.loads(asked.body))
        return there.answer, b""

    with answering(answer) as address:
        there = Receiver(urlsplit(address).port or 0)
        there.wait.set()
        yield there
        there.wait.set()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no failure to tell."""
    monkeypatch.setattr(notify, "PATIENCE", 60.0)


def project(receiver: Receiver, cache: Path, **environ: str) -> Any:
    """What of a project is needed to tell."""
    said = {"GATES_NOTIFY": receiver.address, "GATES_CACHE": str(cache), **environ}
    return SimpleNamespace(environ=said, failures=[], spec=SimpleNamespace(model="flights"))


def notice(what: str = "rolled back", *lines: str) -> Notice:
    return Notice("rolled back", "flights", "production", what, lines)


def test_a_promotion_and_a_rollback_are_told_with_what_serves_and_why(receiver: Receiver, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    here = project(receiver, tmp_path / "cache")
    decision = world.allowed("staging", 2)
    told(here, "staging", "promoted", None, lambda: promote(world.writer(), world.surfaces("staging"), decision))
    world.registry.down = True
    done = told(
        here,
        "staging",
        "rolled back",
        "worse AUC",
        lambda: rollback(world.writer(), world.surfaces("staging"), slot_in("staging"), reason="worse AUC"),
    )
    up, back = receiver.got
    assert (up["title"], up["type"]) == ("[staging] flights: promoted", "success")
    assert "version 2 100 %" in up["message"]
    assert (back["title"], back["type"]) == ("[staging] flights: rolled back", "warning")
    assert f"ledger {done.outcome}" in back["message"]
    assert "reason: worse AUC" in back["message"]
    assert "debt: aliases of staging" in back["message"]
    assert here.failures == []


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Refused("the decision denies", code="decision.denied"), "warning"),
        (EngineError("out of reach", code="serving.unavailable"), "failure"),
    ],
)
def test_a_denial_and_a_failure_are_told_and_stay_what_they_are(
    receiver: Receiver, tmp_path: Path, error: Exception, level: str
) -> None:
    def move() -> None:
        raise error

    here = project(receiver, tmp_path)
    with pytest.raises(type(error)):
        told(here, "production", "promoted", None, move)
    assert (receiver.got[0]["title"], receiver.got[0]["type"]) == ("[production] flights: not promoted", level)
    assert f"[{error.code}]" in receiver.got[0]["message"]  # type: ignore[attr-defined]


def test_retired_archived_restored_and_policies_are_told_and_a_scored_partition_is_not(
    receiver: Receiver, tmp_path: Path
) -> None:
    world = World(tmp_path)
    world.begin()
    adopted = world.adopt("staging", 1)
    model, entry = world.version(1), world.writer().read().head
    here = project(receiver, tmp_path / "cache")
    scored = Scored(Run("1", model, entry, entry, 9), tmp_path, again=False)
    moves: dict[str, Any] = {
        "retired": replace(adopted, wanted=None),
        "archived models:/flights/1": Archived(model, entry, again=False),
        "batch scores restored": Restored(model, ("2026-01",), ()),
        "policies put in force": Activated(entry, first=True),
        "reconciled": (object(), None),
        "scored 2026-01": scored,
    }
    for word, done in moves.items():
        assert told(here, "staging", word, "because", lambda d=done: d) is done
    assert [(got["title"], got["type"]) for got in receiver.got] == [
        (f"[staging] flights: {word}", "success") for word in list(moves)[:4]
    ]
    texts = [got["message"] for got in receiver.got]
    assert all("reason: because" in text for text in texts)
    assert all(f"ledger {entry}" in texts[at] for at in (0, 1, 3))
    assert "nothing" in texts[0]
    assert model.uri in texts[1]
    assert "1 partitions count again, 0 are to be scored" in texts[2]
    with pytest.raises(Refused):
        told(here, "staging", "scored 2026-01", None, _refuses)
    assert receiver.got[-1]["title"] == "[staging] flights: not scored 2026-01"


def _refuses() -> None:
    raise Refused("nothing is deployed", code="batch.nothing")


def test_a_misspelt_command_is_nobodys_news(receiver: Receiver, tmp_path: Path) -> None:
    def move() -> None:
        raise UsageError("no such candidate")

    with pytest.raises(UsageError):
        told(project(receiver, tmp_path), "production", "promoted", None, move)
    assert receiver.got == []


def test_no_secret_leaves(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_TOKEN", "correct-horse-battery")
    monkeypatch.setenv("GATES_NOTIFY", receiver.address)
    secrets = (
        "correct-horse-battery",
        "ghp_" + "a" * 36,
        "AKIA" + "B" * 16,
        "postgresql://gates:open-sesame@db/gates",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIK\n-----END PRIVATE KEY-----",
        receiver.address,
    )
    tell(
        project(receiver, tmp_path),
        notice("rolled back", *(f"reason: it was {secret} all along" for secret in secrets)),
    )
    text = json.dumps(receiver.got)
    for secret in (*secrets, "open-sesame", "MC4CAQAwBQYDK2VwBCIEIK", "hunter2hunter2"):
        assert secret not in text
    assert text.count("[redacted]") == len(secrets)
    assert redacted("nothing to hide", {"PASSWORD": "", "TOKEN": "to"}) == "nothing to hide"


def test_the_same_is_not_told_twice_and_not_too_much_of_one_kind(receiver: Receiver, tmp_path: Path) -> None:
    here = project(receiver, tmp_path)
    for _ in range(2):
        tell(here, notice())
    assert (len(receiver.got), here.failures) == (1, ["notification: the same was told a moment ago"])
    (tmp_path / "notified.json").write_text("{broken")
    many = notify.MOST_AN_HOUR + 5
    send = [Notice("denied", "flights", "production", f"denied {i}") for i in range(many)]
    sent = len(receiver.got)
    for each in send:
        tell(here, each)
    assert len(receiver.got) - sent == notify.MOST_AN_HOUR
    tell(here, notice("rolled back again"))
    assert receiver.got[-1]["title"].endswith("rolled back again")


def test_a_receiver_that_refuses_hangs_or_is_none_blocks_nothing(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = 500
    here = project(receiver, tmp_path)
    assert told(here, "staging", "rolled back", "r", lambda: "sha256:1") == "sha256:1"
    assert "not every one" in here.failures[0]
    monkeypatch.setattr(notify, "PATIENCE", 0.2)
    receiver.wait.clear()
    tell(here, notice("hangs"))
    assert here.failures[1] == "notification: not told within 0.2 s"
    receiver.wait.set()
    monkeypatch.setattr(notify, "PATIENCE", 60.0)
    here.environ["GATES_NOTIFY"] = "nonsense://token-of-mine"
    tell(here, notice("to nobody"))
    assert "none that Apprise knows" in here.failures[2]
    here.environ["GATES_CACHE"] = "\0"
    tell(here, notice("state"))
    assert len(here.failures) == 4
    assert not any("token-of-mine" in failure or "hunter2" in failure for failure in here.failures)
