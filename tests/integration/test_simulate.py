"""Past decisions under other policies: the same ones change nothing, and a limit flips exactly what it decides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from audit_world import MINUTE, NOW, Promoted, promoted
from click.testing import CliRunner
from simulators.policy_world import MODEL, bounds, codes, golden, measurements, plan_request, policy_set

from gates.audit.simulate import Simulation, simulate, with_limit
from gates.bundle.canonical import digest_bytes
from gates.bundle.store_remote import RemoteStore
from gates.cli.main import cli
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.policies import PolicySet
from gates.errors import UsageError

ECE = "calibration.ece"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Promoted:
    """One decision that allowed, and one that denied for its calibration error of .06."""
    made = promoted(tmp_path_factory.mktemp("world"))
    worse = made.world.registry.register(MODEL, "8", b"weights 8")
    made.world.decide(made.root, made.world.bundle(worse, made.candidate, ece=0.06), now_us=NOW + 2 * MINUTE)
    return made


def test_the_same_policies_change_nothing(made: Promoted) -> None:
    found = simulate(made.world.store, made.world.policies)
    assert [(one.allowed, one.would) for one in found.outcomes] == [(True, True), (False, False)]
    assert all(one.denies == one.would_deny for one in found.outcomes)
    assert not found.flips
    assert not found.deciding
    assert not found.alarms()
    assert found.undecided(now=False) == found.undecided(now=True)


def test_a_limit_flips_what_it_decides_and_says_so(made: Promoted) -> None:
    store, policies = made.world.store, made.world.policies
    loose = simulate(store, with_limit(policies, ECE, 0.07))
    assert [(one.version, one.allowed, one.would) for one in loose.flips] == [("8", False, True)]
    assert loose.deciding == [((ECE, ECE, "whole"), 1)]
    tight = simulate(store, with_limit(policies, ECE, 0.0001))
    [flip] = tight.flips
    assert (flip.version, flip.would) == ("7", False)
    assert {check for _, check, _ in flip.decides} == {ECE}
    assert (tight.undecided(now=True) or 0) > (tight.undecided(now=False) or 0)
    assert (f"{ECE}.inconclusive", 0, 1) in tight.alarms()
    with pytest.raises(UsageError, match="no environment") as no:
        with_limit(policies, "calibration.eec", 0.1)
    assert ECE in (no.value.remedy or "")


def test_a_rule_that_is_raised_shows_how_often_it_would_have_denied(made: Promoted) -> None:
    """What was observed denies where the rule is held strictly, under the same code, in decisions that flip and others."""
    denied = simulate(made.world.store, made.world.policies).outcomes[1]
    observed = replace(denied, allowed=True, denies=())
    other = replace(denied, denies=(("approval.missing", "release.approvals", "the move"),))
    assert Simulation((observed, observed, other, denied)).alarms() == [("approval.missing", 1, 0), (ECE, 1, 4)]


@pytest.mark.parametrize(("bound", "denied"), [(0.01, True), (0.1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_of_two_sides_moves_on_both(bound: float, denied: bool, sign: int) -> None:
    policies = policy_set()
    asked = with_limit(policies, "calibration.bin", bound)
    with EmbeddedEngine(policies) as engine:
        document = golden("production", engine.evaluate(PLAN, plan_request()))
    for figure in measurements(document):
        if figure["check"] == "calibration.bin":
            figure |= {"estimate": sign * 0.04, "bounds": bounds(sign * 0.04 - 0.005, sign * 0.04 + 0.005)}
    with EmbeddedEngine(asked) as engine:
        found = engine.evaluate(DECISION, document)
    assert ("calibration.bin" in codes(found, "denies")) is denied


def test_what_is_no_limit_is_refused(made: Promoted) -> None:
    for check, limit in ((ECE, float("nan")), (ECE, float("inf")), ("calibration.bin", -0.1)):
        with pytest.raises(UsageError) as no:
            with_limit(made.world.policies, check, limit)
        assert no.value.code == "limit.invalid"
    ratio = with_limit(made.world.policies, "parity.variance_ratio", 4.0).data["thresholds"]["production"]["limits"]
    assert {tier["mirror"]["limit"] for tier in ratio["parity.variance_ratio"].values()} == {0.25}


def test_what_cannot_be_judged_is_told(made: Promoted) -> None:
    found = simulate(made.world.store, made.world.policies, decisions=[digest_bytes(b"none")])
    assert found.outcomes == ()
    assert len(found.unreadable) == 1
    assert found.undecided(now=True) is None


def test_two_processes_find_the_same(made: Promoted, monkeypatch: pytest.MonkeyPatch) -> None:
    from gates.audit import simulate as module

    alone = simulate(made.world.store, made.world.policies)
    monkeypatch.setattr(module, "_ALONE", 0)
    assert simulate(made.world.store, made.world.policies) == alone
    # A store of an address holds no folder that a process could be given instead.
    addressed = RemoteStore(made.world.store.root.as_uri())
    assert simulate(addressed, made.world.policies) == alone


def test_the_command_draws_a_curve_and_changes_nothing(made: Promoted, tmp_path: Path) -> None:
    root = made.world.root
    spec = f"model: {MODEL}\ntask: binary\npolicies: {root}/policies\nstore: {root}/store\ncolumns: {{label: late, key: [id]}}\n"
    (tmp_path / "gates.yaml").write_text(spec + "tables: {holdout: {uri: h.parquet}}\n", encoding="utf-8")
    before = sorted(path.name for path in root.rglob("*"))
    run = ["simulate", "--spec", str(tmp_path / "gates.yaml")]
    limits = [word for value in ("0.07", "0.02", "0.0001") for word in ("--limit", value)]
    curve = json.loads(CliRunner().invoke(cli, [*run, "--what-if", ECE, *limits, "-o", "json"]).output)["curve"]
    assert [(point["limit"], len(point["flips"])) for point in curve] == [(0.0001, 1), (0.02, 0), (0.07, 1)]
    text = CliRunner().invoke(cli, [*run, "--policy", str(root / "policies")]).output
    assert text.startswith("2 decisions: 0 allowed would be denied, 0 denied would be allowed")
    assert CliRunner().invoke(cli, [*run, "--what-if", ECE]).exit_code == 2
    assert sorted(path.name for path in root.rglob("*")) == before
    assert PolicySet.load(root / "policies", made.world.trust).digest == made.world.policies.digest
