"""What a person types on a small world of their own: what does not promote, and what bad input answers."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from small_world import World

from gates.bundle.store import Store

LIMITS = "limits:\n  calibration.ece: {medium: {limit: 0.9, inclusive: true}}\n"


def serves(world: World) -> str:
    """The staging slot as `status` shows it, and proof that nothing moved."""
    return world.run("status").out.split("production")[0]


def one_line(said: str) -> None:
    lines = said.strip().splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert "Traceback" not in said


def test_proven_evidence_promotes(world):
    assert world.promote().code == 0
    assert "version 2 100 %" in serves(world)
    assert world.run("verify").code == 0


def test_limits_loosened_on_a_branch_cannot_promote(world):
    folder = world.folder / "policies" / "overrides" / "staging"
    folder.mkdir(parents=True)
    (folder / "data.yaml").write_text(LIMITS)
    ran = world.promote()
    assert ran.code == 1
    assert "policy.inactive" in ran.denying
    assert "version 1 100 %" in serves(world)
    # Nor by putting them in force with a key that is not a policy owner's.
    mine = ("policy", "activate", "-e", "staging", "--reason", "mine", "--key", "applier.pem")
    unnamed = world.run(*mine)
    assert (unnamed.code, "override.loosened" in unnamed.err) == (2, True)
    paths = re.findall(r"^  take it out, or say --loosen (\S+)$", unnamed.err, re.MULTILINE)
    active = world.run(*mine, *(word for path in paths for word in ("--loosen", path)))
    assert active.code == 1
    one_line(active.err)


def test_a_lower_tier_on_a_branch_cannot_promote(world):
    (world.folder / "policies" / "models" / "approval" / "data.yaml").write_text("tier: low\n")
    assert "policy.inactive" in world.promote().denying
    assert "version 1 100 %" in serves(world)


def test_a_trust_file_changed_on_a_branch_cannot_promote(world):
    given = ("--person", "stranger", "--role", "measure", "--role", "decide", "--role", "apply")
    assert world.run("trust", "add", "stranger.pem.pub", *given).code == 0
    ran = world.run("promote", "-e", "staging", "--reason", "t", "--key", "stranger.pem", "-o", "json")
    assert ran.code == 1
    assert "version 1 100 %" in serves(world)


def test_an_alias_set_by_hand_is_found_and_stops_the_move(world):
    world.client.set_registered_model_alias("approval", "deployed-staging", "2")
    status = world.run("status")
    assert status.code == 1
    assert "deployed-staging points to version 2" in status.out
    assert world.promote().denying == {"alias.mismatch"}
    verified = world.run("verify")
    assert verified.code == 3
    assert "deployed-staging" in verified.out


def test_no_champion_in_the_ledger(bare, tmp_path):
    ran = bare.copy(tmp_path).check()
    assert ran.code == 1
    assert "champion.none" in ran.denying


def test_evidence_sealed_by_an_unlisted_key(world):
    ran = world.check(key="stranger.pem")
    assert ran.code == 1
    assert ran.denying == {"evidence.unlisted_key"}
    remedy = next(row["remedy"] for row in ran.json["rows"] if row["code"] == "evidence.unlisted_key")
    assert "gates trust add" in remedy


def test_a_bundle_with_a_flipped_byte(world):
    digest = world.promote("--percent", "100").json["decision"]["bundle_digest"]
    path = world.folder / "store" / "sha256" / digest[7:9] / digest[7:]
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    for ran in (world.promote("-e", "production"), world.promote("-e", "production", "--bundle", digest)):
        assert ran.code == 3
        one_line(ran.err)
        assert digest[7:] in ran.err
    assert world.run("verify").code == 3


def test_a_signature_that_does_not_verify(world):
    """The store is in order: only the signature is another message's."""
    digest = world.check().json["decision"]["bundle_digest"]
    store = Store(world.folder / "store")
    envelope = json.loads(store.get(digest))
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[0] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()
    ran = world.promote("--bundle", store.put(json.dumps(envelope).encode()))
    assert ran.code == 3
    one_line(ran.err)
    assert "version 1 100 %" in serves(world)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("sqlite:///mlflow.db", "http://127.0.0.1:9", 4),
        ("uri: holdout.parquet", "uri: holdoutt.parquet", 2),
        ("label: y", "label: why", 2),
        ("models:/approval@challenger", "models:/approval@chalenger", 2),
        ("models:/approval@challenger", "models:/approval@Challenger", 2),
        ("models:/approval@challenger", "models:/approval/9", 2),
        ("models:/approval@challenger", "approval", 2),
        ("sqlite:///mlflow.db", "sqlite:///nowhere.db", 2),
        ("model: approval", "model: approvall", 2),
        ("task: binary", "tusk: binary", 2),
        ("policies: policies", "policies: nowhere", 2),
    ],
)
def test_what_the_spec_gets_wrong(world, old, new, code):
    world.edit(old, new)
    ran = world.check()
    assert ran.code == code, ran.out + ran.err
    one_line(ran.err)


@pytest.mark.parametrize(
    ("arguments", "environ", "code"),
    [
        (("check", "-e", "stagng", "--key", "measurer.pem"), {}, 2),
        (("check", "-e", "staging", "--key", "nobody.pem"), {}, 2),
        (("check", "-e", "staging", "--key", "measurer.pem", "--at", "yesterday"), {}, 2),
        (("check", "--spec", "nowhere.yaml"), {}, 2),
        (("promote", "-e", "staging", "--reason", "r", "--key", "applier.pem"), {"GATES_LEDGER_ROOT": ""}, 2),
        (("promote", "-e", "staging", "--reason", "r", "--key", "applier.pem", "--bundle", "zzz"), {}, 2),
        (("rollback", "-e", "staging", "--key", "applier.pem"), {}, 2),
        (("rollback", "-e", "staging", "--reason", "r", "--key", "stranger.pem"), {}, 1),
        (("rollback", "-e", "development", "--reason", "r", "--key", "applier.pem"), {}, 2),
        (("adopt", "models:/approval/1", "-e", "development", "--reason", "r", "--key", "applier.pem"), {}, 2),
        (("status",), {"GATES_LEDGER_ROOT": "sha256:" + "0" * 64}, 3),
        (("replay", "sha256:" + "0" * 64), {}, 3),
        (("replay", "zzz"), {}, 2),
        (("explain", "zzz"), {}, 2),
    ],
)
def test_what_a_command_gets_wrong(world, arguments, environ, code):
    ran = world.run(*arguments, **environ)
    assert ran.code == code, ran.out + ran.err
    assert "Traceback" not in ran.err
    assert "version 1 100 %" in serves(world)


def empty(table: pd.DataFrame) -> pd.DataFrame:
    return table[:0]


def one_row(table: pd.DataFrame) -> pd.DataFrame:
    return table[:1]


def one_class(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(y=1)


def nan_features(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(x=np.nan)


def huge_features(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(x=1e308)


@pytest.mark.usefixtures("scored_here")
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (empty, "unmeasured.empty_table"),
        (one_row, "data.rows"),
        (one_class, "unmeasured.one_class"),
        (nan_features, "unmeasured.scorer_failed"),
    ],
)
def test_a_damaged_holdout_is_denied_with_its_code(
    world: World, damage: Callable[[pd.DataFrame], pd.DataFrame], code: str
) -> None:
    path = world.folder / "holdout.parquet"
    damage(pd.read_parquet(path)).to_parquet(path, index=False)
    ran = world.check()
    assert ran.code == 1, ran.err
    assert code in ran.denying


@pytest.mark.usefixtures("scored_here")
def test_scores_that_are_labels_name_the_version(world):
    path = world.folder / "holdout.parquet"
    huge_features(pd.read_parquet(path)).to_parquet(path, index=False)
    ran = world.check()
    assert ran.code == 2
    one_line(ran.err)
    assert "models:/approval/" in ran.err


@pytest.mark.parametrize(("score", "code"), [(np.nan, 1), (np.inf, 2), (1.5, 2), (-0.1, 2)])
def test_scores_in_a_table(tmp_path, score, code, world):
    rng = np.random.default_rng(3)
    p = rng.random(3000)
    table = pd.DataFrame({"y": (rng.random(3000) < p).astype(int), "p": p})
    table.loc[5, "p"] = score
    table.to_parquet(tmp_path / "p.parquet")
    ran = world.run("check", tmp_path / "p.parquet", "-o", "json")
    assert ran.code == code, ran.out + ran.err
    if code == 1:
        assert "unmeasured.nan_scores" in ran.denying


def test_the_resolution_of_the_holdout_is_known_before_any_model_is_measured(measured: World) -> None:
    ran = measured.run("plan", "--resolution", "-o", "json")
    assert ran.code == 0, ran.err
    [holdout] = ran.json["holdouts"]
    assert (holdout["rows"], holdout["scores_known"]) == (24_000, False)
    by_check = {item["checks"][0]: item for item in ran.json["checks"]}
    assert by_check["calibration.ece"]["smallest_limit"] == pytest.approx(0.0151, abs=2e-4)
    assert all(limit["proof"] for limit in by_check["calibration.ece"]["limits"])
    assert measured.run("policy", "lint", "--holdout").code == 0
    tight = measured.folder / "policies/overrides/production/data.yaml"
    tight.parent.mkdir(parents=True)
    tight.write_text("limits: {calibration.ece: {medium: {limit: 0.01, inclusive: true}}}\n", encoding="utf-8")
    linted = measured.run("policy", "lint", "--holdout")
    shutil.rmtree(tight.parents[1])
    assert linted.code == 1
    assert "the limit 0.01 is below what the holdout can show of a perfect model (0.015)" in linted.out
    shown = measured.run("plan", "--resolution")
    assert "what a perfect model could prove" in shown.out
