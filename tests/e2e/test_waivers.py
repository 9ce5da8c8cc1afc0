"""Waivers and baselines from end to end: every command of docs/waivers.md, and what is refused."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_world import World

PAGE = Path(__file__).parents[2] / "docs" / "waivers.md"
TIGHT = """limits:
  regression.brier_vs_baseline: {medium: {limit: 0.68, inclusive: false}}
  data.out_of_range: {medium: {limit: 0.0001, inclusive: true}}
"""
WORDS = ("--reason", "r", "--ticket", "T-1", "--key", "measurer.pem")
BRIER = "regression.brier_vs_baseline"


def tighten(world: World, text: str) -> None:
    folder = world.folder / "policies" / "overrides" / "staging"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.yaml").write_text(text)
    active = world.run("policy", "activate", "-e", "staging", "--reason", "t", "--key", "owner.pem")
    assert active.code == 0, active.err


@pytest.fixture(scope="module")
def strict(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three figures of the candidate deny, by limits that the policy owners tightened."""
    world = measured.copy(tmp_path_factory.mktemp("strict"))
    tighten(world, TIGHT)
    return world


def commands() -> Iterator[tuple[list[str], list[str]]]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for command in re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]:
        line, *shown = command.rstrip().splitlines()
        program, *arguments = shlex.split(line)
        assert program == "gates"
        yield arguments, shown


def test_every_command_of_the_page_prints_what_the_page_says(strict: World, tmp_path: Path) -> None:
    world, digest, last = strict.copy(tmp_path), "", None
    for arguments, shown in commands():
        last = world.run(*(digest if word == "DIGEST" else word for word in arguments))
        assert last.code == (1 if shown[:1] == ["DENY"] else 0), (arguments, last.out + last.err)
        for line in shown:
            assert line in last.out, (arguments, last.out)
        if arguments[0] == "baseline" or arguments[:2] == ["waive", "ask"]:
            [digest] = re.findall(r"gates waive approve (\S+)", last.out)
    assert last is not None
    # Which of two that cover one figure is named is a matter of their digests.
    assert re.search(r"waiver +[12] ok", last.out)


def test_an_unapproved_or_expired_one_denies_and_both_are_reported(strict: World, tmp_path: Path) -> None:
    world = strict.copy(tmp_path)
    asked = world.run("waive", "ask", BRIER, "-e", "staging", *WORDS, "-o", "json")
    assert asked.code == 0, asked.err
    digest = asked.json["waiver_digest"]
    own = world.run("waive", "approve", digest, "--key", "measurer.pem")
    assert (own.code, "waiver.self_approved" in own.err) == (1, True)
    # A stranger may sign; policy does not count it.
    assert world.run("waive", "approve", digest, "--key", "stranger.pem").code == 0
    before = world.run("decide", "-e", "staging", "-o", "json")
    assert BRIER in before.denying
    assert ("waiver.unapproved", digest) in {(row["code"], row.get("waiver")) for row in before.json["rows"]}
    assert world.run("waive", "approve", digest, "--key", "risk.pem").code == 0
    after = world.run("decide", "-e", "staging", "-o", "json")
    assert after.denying == {"data.out_of_range"}
    [row] = [row for row in after.json["rows"] if row["disposition"] == "waived"]
    assert (row["check"], row["verdict"], row["waiver"]) == (BRIER, "fail", digest)
    until = asked.json["waiver"]["until_us"]
    for at_us, denies in ((until - 1, False), (until, True)):
        at = f"{_iso(at_us)}"
        late = world.run("decide", "-e", "staging", "--at", at, "-o", "json")
        assert (BRIER in late.denying) == denies
        assert ("waiver.expired" in {row["code"] for row in late.json["rows"]}) == denies


def _iso(time_us: int) -> str:
    from gates.records.base import instant

    return instant(time_us).isoformat()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", "regression.brier_vs_champion"), "waiver.nothing"),
        (("ask", BRIER, "--slice", "x=1"), "waiver.nothing"),
        (("ask", BRIER, "--slice", "x"), "slice.invalid"),
        (("ask", BRIER, "--item", "w"), "waiver.nothing"),
        (("ask", "release.trust"), "waiver.nothing"),
        (("ask", BRIER, "--days", "31"), "waiver.too_long"),
        (("ask", BRIER, "--reason", " "), "reason.missing"),
    ],
)
def test_what_cannot_be_asked_for(strict: World, arguments: tuple[str, ...], code: str) -> None:
    ran = strict.run("waive", arguments[0], arguments[1], "-e", "staging", *WORDS, *arguments[2:])
    assert (ran.code, f"[{code}]" in ran.err) == (2, True), ran.err
    assert "Traceback" not in ran.err


def test_a_baseline_of_nothing_is_none(measured: World) -> None:
    ran = measured.run("baseline", "-e", "staging", *WORDS)
    assert (ran.code, "[baseline.nothing]" in ran.err) == (2, True)


def test_what_is_observed_is_told_and_lets_through_and_trust_still_denies(strict: World, tmp_path: Path) -> None:
    world = strict.copy(tmp_path)
    rules = f"  rules:\n    {BRIER}: {{level: deny, before: warn, enforce_from: 2090-01-01T00:00:00Z}}\n"
    policies = world.folder / "policies" / "overrides" / "staging" / "data.yaml"
    policies.write_text(f"{TIGHT}enforcement:\n  all: {{level: observe}}\n{rules}")
    activate = ("policy", "activate", "-e", "staging", "--reason", "r", "--key", "owner.pem")
    paths = [f"overrides/staging/enforcement/{rest}" for rest in ("all", f"rules/{BRIER}")]
    unnamed = world.run(*activate, "--loosen", paths[0])
    assert (unnamed.code, f"--loosen {paths[1]}" in unnamed.err) == (2, True), unnamed.err
    strange = world.run(*activate, *(f"--loosen={path}" for path in [*paths, "overrides/staging/limits/x/low"]))
    assert (strange.code, "[override.named]" in strange.err) == (2, True)
    named = world.run(*activate, *(f"--loosen={path}" for path in paths))
    assert (named.code, f"loosened: {paths[0]}" in named.out) == (0, True), named.err
    decided = world.run("decide", "-e", "staging", "-o", "json")
    found = decided.json
    assert (decided.code, found["answer"], found["basis"], found["conclusion"]) == (0, "allow", "unenforced", "neutral")
    told = {(row["check"], row["disposition"]) for row in found["rows"] if row["disposition"] != "satisfied"}
    assert told == {("data.out_of_range", "observed"), (BRIER, "warned")}
    shown = world.run("decide", "-e", "staging")
    assert "WOULD DENY (observed)" in shown.out
    assert "fail, observed" in shown.out
    later = world.run("decide", "-e", "staging", "--at", "2090-01-01T00:00:00Z", "-o", "json")
    assert (later.code, BRIER in later.denying, "evidence.stale" in later.denying) == (1, True, True)
    promoted = world.promote()
    assert promoted.code == 0, promoted.out
    assert world.run("verify").code == 0
    replayed = world.run("replay", found_id(promoted.json))
    assert replayed.code == 0, replayed.out
    # Not signed into the ledger, the same words on a branch let nothing through.
    policies.write_text(policies.read_text().replace("before: warn", "before: observe"))
    branch = world.run("decide", "-e", "staging", "-o", "json")
    assert (branch.code, "policy.inactive" in branch.denying) == (1, True)


def found_id(document: dict[str, str]) -> str:
    return document["decision_id"]
