"""Who asks, who answers and who looks, as typed: nobody approves his own request, and verify sees every surface."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from small_world import World

BOTH = ("-e", "staging", "-e", "production")


def enrol(world: World, name: str, person: str, *roles: str, where: tuple[str, ...] = ()) -> None:
    if not (world.folder / f"{name}.pem").exists():
        assert world.run("keys", "new", f"{name}.pem", "--identity", f"{name}@acme").code == 0
    given = [part for role in roles for part in ("--role", role)] + [p for e in where for p in ("--environment", e)]
    assert world.run("trust", "add", f"{name}.pem.pub", "--person", person, *given).code == 0


def activate(world: World, *where: str, key: str = "owner.pem") -> int:
    return world.run("policy", "activate", *(where or BOTH), "--reason", "r", "--key", key).code


@pytest.fixture(scope="module")
def climbed(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Mira has a key that approves and one that deploys; the candidate serves in staging."""
    world = measured.copy(tmp_path_factory.mktemp("climbed"))
    enrol(world, "mira", "Mira", "approve:ml-owner")
    enrol(world, "mira-deploy", "Mira", "decide", "apply")
    assert activate(world) == 0
    promoted = world.promote()
    assert promoted.code == 0, promoted.out + promoted.err
    return world


@pytest.fixture
def own(climbed: World, tmp_path: Path) -> World:
    return climbed.copy(tmp_path)


def release(world: World, key: str, **environ: str) -> Any:
    where = ("-e", "production", "--reason", "t", "--key", key, "-o", "json")
    return world.run("promote", *where, **environ)


def approve(world: World) -> None:
    ran = world.run("approve", "-e", "production", "--role", "ml-owner", "--key", "mira.pem")
    assert ran.code == 0, ran.err


def say_yes(world: World, key: str, role: str) -> Any:
    return world.run("approve", "-e", "production", "--role", role, "--key", key, "-o", "json")


def test_a_yes_that_will_not_count_says_so_at_once(own: World) -> None:
    for name, person, *roles in (
        ("mira2", "MIRA ", "approve:ml-owner", "approve:risk"),
        ("measurer", "Mo", "measure", "decide", "apply", "approve:ml-owner"),
        ("rolf", "Rolf", "approve:risk"),
    ):
        enrol(own, name, person, *roles)
    assert activate(own) == 0

    unlisted = say_yes(own, "mira.pem", "risk")
    assert (unlisted.code, unlisted.json["counts"]) == (1, False), unlisted.err
    assert "this yes does not count as things are: " in unlisted.err
    assert "[approval.unlisted_key]" in unlisted.json["void"][0]
    author = say_yes(own, "measurer.pem", "ml-owner")
    assert author.code == 1
    assert "[approval.by_author]" in author.err
    counts = say_yes(own, "mira.pem", "ml-owner")
    assert (counts.code, counts.json["counts"], counts.json["void"]) == (0, True, []), counts.err
    assert "count" not in counts.err
    again = say_yes(own, "mira2.pem", "ml-owner")
    assert again.code == 1
    assert "mira has said yes to this already, as ml-owner" in again.err
    other = say_yes(own, "rolf.pem", "risk")
    assert (other.code, "no rule asks for risk here" in other.err) == (0, True), other.err
    # It was signed each time, and the decision judges.
    ran = release(own, "applier.pem")
    assert ran.code == 0, ran.out
    assert len(ran.json["decision"]["approvals"]) >= 2


def test_nobody_approves_his_own_request_by_another_key(own: World) -> None:
    approve(own)
    ran = release(own, "mira-deploy.pem")
    assert ran.code == 1
    assert ran.denying == {"approval.missing"}
    assert "approval.by_actor" in {row["code"] for row in ran.json["rows"]}
    assert release(own, "applier.pem").code == 0
    assert own.run("verify").code == 0


@pytest.mark.parametrize("word", ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"])
def test_nobody_approves_what_his_account_started(own: World, word: str) -> None:
    approve(own)
    ran = release(own, "applier.pem", **{"GITHUB_ACTOR": "octo", word: "Mira"})
    assert ran.denying == {"approval.missing"}
    assert "Mira" in ran.json["decision"]["request"]["triggered_by"]
    assert "approval.by_actor" in {row["code"] for row in ran.json["rows"]}
    assert release(own, "applier.pem", GITHUB_ACTOR="octo").code == 0


def test_the_actor_is_whom_the_trust_in_force_names_not_the_key_file(own: World) -> None:
    approve(own)
    for name in ("mira-deploy", "applier"):
        path = own.folder / f"{name}.pem"
        path.write_text("Identity: nobody@else\n" + path.read_text().split("\n", 1)[1])
    ran = release(own, "mira-deploy.pem")
    assert ran.denying == {"approval.missing"}
    assert ran.json["decision"]["request"]["actor"] == "mira-deploy@acme"
    ran = release(own, "applier.pem")
    assert ran.code == 0
    assert ran.json["decision"]["request"]["actor"] == "applier"


def test_a_key_that_the_active_trust_lists_for_policy_may_activate(own: World) -> None:
    """And one that only a branch lists so may not, nor anywhere else than where it is listed."""
    enrol(own, "deputy", "Dora", "policy", where=("staging",))
    assert activate(own, "-e", "staging", key="deputy.pem") == 1
    assert activate(own) == 0
    enrol(own, "late", "Lars", "measure")
    assert activate(own, "-e", "staging", key="deputy.pem") == 0
    assert activate(own, *BOTH, key="deputy.pem") == 1
    assert activate(own, "-e", "production", key="deputy.pem") == 1
    assert own.run("verify").code == 0
    # Whoever it struck off is gone: the trust before an entry counts, not the one that the entry brings.
    enrol(own, "deputy", "Dora", "measure")
    assert activate(own, "-e", "staging", key="deputy.pem") == 0
    assert activate(own, "-e", "staging", key="deputy.pem") == 1


def edit_percent(path: Path) -> None:
    text = path.read_text()
    assert '"percent": 100' in text
    path.write_text(text.replace('"percent": 100', '"percent": 99'))


@pytest.mark.parametrize("spoil", [edit_percent, Path.unlink, lambda path: path.write_text("{")])
def test_verify_looks_at_the_serving_target(own: World, spoil: Any) -> None:
    assert own.run("verify").code == 0
    spoil(own.folder / "serving" / "production.json")
    ran = own.run("verify")
    assert ran.code == 3
    assert "serving.unexplained" in ran.out


def test_verify_finds_a_target_that_no_entry_ever_moved(bare: World, tmp_path: Path, own: World) -> None:
    world = bare.copy(tmp_path / "bare")
    # Production is in the ledger's hands: an alias of its set by hand would be found as well.
    world.client.delete_registered_model_alias("approval", "champion")
    assert world.run("verify").code == 0
    (world.folder / "serving").mkdir()
    shutil.copy(own.folder / "serving" / "production.json", world.folder / "serving")
    ran = world.run("verify")
    assert ran.code == 3
    assert "serving.unexplained" in ran.out


def test_verify_with_the_registry_down_is_incomplete_and_never_good(own: World) -> None:
    own.edit("registry: sqlite:///mlflow.db", "registry: http://127.0.0.1:9")
    own.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    ran = own.run("verify")
    assert ran.code == 4
    assert ran.out.startswith("INCOMPLETE: 5 things could not be reached")
    document = own.run("verify", "-o", "json").json
    assert (document["good"], document["complete"]) == (True, False)
    # What does not hold goes before what could not be reached.
    (own.folder / "serving" / "production.json").unlink()
    ran = own.run("verify")
    assert ran.code == 3
    assert ran.out.startswith("FAILED")


def test_verify_with_the_ledger_out_of_reach_is_incomplete(own: World) -> None:
    ran = own.run("verify", GATES_LEDGER=f"sqlite:///{own.folder}")
    assert ran.code == 4
    assert ran.out.startswith("INCOMPLETE")


def test_verify_without_a_registry_in_the_spec_says_so_and_is_good(own: World) -> None:
    own.edit("registry: sqlite:///mlflow.db\n", "")
    ran = own.run("verify")
    assert ran.code == 0
    assert ran.out.startswith("VERIFIED")
    assert "no registry at hand" in ran.out


def test_verify_takes_any_key_for_a_decision_of_development(own: World) -> None:
    checked = own.run("check", "-e", "development", "--key", "stranger.pem", "-o", "json")
    assert checked.code == 0, checked.out + checked.err
    ran = own.run("verify", checked.json["decision_id"])
    assert ran.code == 0, ran.out + ran.err


def test_verify_finds_aliases_of_a_slot_that_no_entry_ever_moved(bare: World, tmp_path: Path) -> None:
    own = bare.copy(tmp_path)
    adopted = own.run("adopt", "models:/approval/1", "-e", "staging", "--reason", "r", "--key", "applier.pem")
    assert adopted.code == 0, adopted.err
    own.client.set_registered_model_alias("approval", "deployed-production", "2")
    ran = own.run("verify")
    assert ran.code == 3
    assert "deployed-production" in ran.out


def test_verify_finds_a_pack_whose_entry_was_cut_off(own: World) -> None:
    assert own.promote().code == 0
    with sqlite3.connect(own.ledger) as ledger:
        for (trigger,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            ledger.execute(f"DROP TRIGGER {trigger}")
        ledger.execute("DELETE FROM entries WHERE sequence = (SELECT max(sequence) FROM entries)")
    shutil.rmtree(own.folder / "store" / "links" / "ledger-entry")
    ran = own.run("verify")
    assert ran.code == 3
    assert "an entry that the ledger does not have" in ran.out


def test_a_serving_file_that_says_more_than_a_release(own: World) -> None:
    path = own.folder / "serving" / "staging.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"override_model_uri": "models:/other/1"}))
    ran = own.run("verify")
    assert ran.code == 3
    assert "more than a release" in ran.out


def test_bytes_are_hashed_again_where_a_promotion_was_done_already(own: World) -> None:
    bundle = own.promote().json["decision"]["bundle_digest"]
    for model in (own.folder / "artifacts").rglob("model.pkl"):
        model.write_bytes(model.read_bytes() + b"\0")
    ran = own.promote("--bundle", bundle)
    assert ran.code == 3
    assert "model.bytes_changed" in ran.err


def test_development_does_not_write_where_another_environment_serves(own: World) -> None:
    before = (own.folder / "serving" / "production.json").read_bytes()
    own.edit('"serving/{environment}.json"', '"serving/production.json"')
    assert own.run("check", "-e", "development", "--key", "stranger.pem").code == 0
    ran = own.run("promote", "-e", "development", "--reason", "r", "--key", "stranger.pem")
    assert ran.code == 1
    assert "serving.foreign" in ran.err
    assert (own.folder / "serving" / "production.json").read_bytes() == before


def test_a_report_draws_its_pictures_as_files_with_their_words(own: World, tmp_path: Path) -> None:
    checked = own.run("check", "-o", "json")
    page, drawn = tmp_path / "page.html", tmp_path / "pictures"
    ran = own.run("report", checked.json["decision_id"], "--out", page, "--pictures", drawn, "-o", "json")
    assert ran.code == 0, ran.err
    assert "<svg" in page.read_text(encoding="utf-8")
    assert {Path(item["file"]).name for item in ran.json["pictures"]} == {path.name for path in drawn.iterdir()}
    assert {"reliability.png", "gaps.png"} <= {path.name for path in drawn.iterdir()}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn.iterdir())
    assert all(item["finding"] and item["caption"] for item in ran.json["pictures"])
