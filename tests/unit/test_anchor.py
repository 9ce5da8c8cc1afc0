"""Who may be the anchor, by the ledger; and which of them is, by today's rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
import scored_world
from scored_world import plan
from scorer_models import probabilities, write_model
from simulators.apply_world import World, slot_in
from simulators.entries import Script
from sklearn.metrics import brier_score_loss, mean_absolute_error

from gates.apply.ledger.served import YEAR_US, champions_since
from gates.flow.anchor import choose, spread
from gates.flow.scoring import Scores, score_tables
from gates.inputs.tables import Tables
from gates.measure import scored_features
from gates.measure.anchor import mean_loss
from gates.measure.interface import Anchor, Given, Scored
from gates.measure.regression import RegressionGate
from gates.measure.scored import scored_by_scorer
from gates.records import ModelVersion, Reason
from gates.records.plan import Requirement

pytestmark = pytest.mark.usefixtures("scored_here")

STAGING = slot_in("staging")
MONTH = YEAR_US // 12


@pytest.fixture
def script(tmp_path: Path) -> Script:
    world = World(tmp_path)
    world.begin()
    return Script(world)


def promote(script: Script, number: int, percent: int = 100) -> None:
    version = script.world.version(number)
    script.intend("staging", version, bundle=script.seal(version, text=f"{number} {percent}"), percent=percent)
    script.close("staging")


def served(script: Script, months: float = 12) -> list[str]:
    chain = script.chain()
    found = champions_since(chain, STAGING, chain.time_us - int(months * MONTH))
    return [version.version for version in found]


class TestServed:
    def test_adopted_and_promoted_versions_stand_in_order(self, script: Script) -> None:
        assert served(script) == []
        script.adopt("staging", script.world.version(3))
        script.adopt("production", script.world.version(9))
        promote(script, 1)
        promote(script, 2)
        assert served(script) == ["3", "1", "2"]

    def test_a_release_counts_until_the_next_one_came(self, script: Script) -> None:
        version = script.world.version
        script.adopt("staging", version(1))
        start = script.chain().time_us
        script.adopt("staging", version(2), time_us=start + 6 * MONTH)
        script.adopt("staging", version(3), time_us=start + 20 * MONTH)
        # 1 left 14 months ago; 2 came then, and stayed until now.
        assert served(script) == ["2", "3"]
        assert served(script, 14.1) == ["1", "2", "3"]

    def test_a_small_share_is_no_champion_and_an_unfinished_move_brought_nothing(self, script: Script) -> None:
        script.adopt("staging", script.world.version(1))
        promote(script, 2, percent=5)
        assert served(script) == ["1"]
        script.intend("staging", script.world.version(2), bundle=script.seal(script.world.version(2), text="again"))
        assert served(script) == ["1"]
        before = script.chain().slot(STAGING).standing.release
        script.close("staging", status="failed", observed=before)
        assert served(script) == ["1"]

    def test_what_a_rollback_left_is_no_standard(self, script: Script) -> None:
        script.adopt("staging", script.world.version(1))
        first = script.chain().release(STAGING)
        assert first is not None
        promote(script, 2)
        script.roll_back("staging", first)
        assert served(script) == ["1", "2"]
        script.close("staging")
        assert served(script) == ["1"]


def version(number: int) -> ModelVersion:
    return ModelVersion(name="m", version=str(number), digest="sha256:" + f"{number:064d}")


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [(0, 3, []), (3, 3, [0, 1, 2]), (10, 1, [0]), (10, 2, [0, 9]), (10, 4, [0, 3, 6, 9]), (100, 3, [0, 49, 99])],
)
def test_the_oldest_and_the_newest_are_always_tried(count: int, most: int, places: list[int]) -> None:
    assert [int(one.version) for one in spread([version(n) for n in range(count)], most)] == places


class TestMeanLoss:
    rng = np.random.default_rng(5)
    weight = rng.uniform(0.5, 2, 400)

    def loss(self, frame: dict[str, Any], **fields: Any) -> float:
        table = ibis.memtable(pd.DataFrame({**frame, "weight": self.weight / self.weight.mean()}))
        return mean_loss(
            Scored(table, 400, False, False, "scored", heaviest=float(table.weight.max().execute()), **fields)
        )

    def test_binary_is_the_brier_score(self) -> None:
        y, p = self.rng.integers(0, 2, 400), self.rng.random(400)
        expected = brier_score_loss(y, p, sample_weight=self.weight)
        assert self.loss({"y": y.astype(float), "p": p}) == pytest.approx(expected, rel=1e-9)

    def test_multiclass_is_the_brier_score_over_all_classes(self) -> None:
        y, p = self.rng.integers(0, 3, 400), self.rng.dirichlet(np.ones(3), 400)
        expected = np.average(((p - np.eye(3)[y]) ** 2).sum(axis=1), weights=self.weight)
        columns = {f"p_{k}": p[:, k] for k in range(3)}
        found = self.loss({"y": y, **columns}, task="multiclass", classes=("a", "b", "c"))
        assert found == pytest.approx(expected, rel=1e-9)

    def test_numeric_is_the_mean_absolute_error_in_its_unit(self) -> None:
        y, p = self.rng.normal(size=400) / 8, self.rng.normal(size=400) / 8
        expected = mean_absolute_error(64 * y, 64 * p, sample_weight=self.weight)
        assert self.loss({"y": y, "p": p}, task="numeric", scale=64.0) == pytest.approx(expected, rel=1e-9)


# From versions to the column that measuring reads.

N = 400
OUTCOMES = np.arange(N) % 4 == 0
EXPRESSIONS = {1: "X['a'] * 0 + 0.45", 2: "X['a'] * 0 + 0.5", 3: "X['a'] * 0.5 + 0.2", 4: "X['a'] * 0 + 0.4"}
"""Constants are the worse the farther they are from the rate of 1 in 4; 3 is the best, and knows the outcome a little."""


class Registry:
    def __init__(self, folder: Path, sources: dict[int, str]) -> None:
        self.folders = {str(n): write_model(folder / str(n), source) for n, source in sources.items()}
        self.fetched: list[str] = []

    def fetch(self, version: ModelVersion, into: Path) -> Path:
        from gates.inputs.registry import NotRegistered

        self.fetched.append(version.version)
        if version.version not in self.folders:
            raise NotRegistered("is not registered", where=version.uri)
        return Path(shutil.copytree(self.folders[version.version], into))


def run(
    folder: Path, history: tuple[int, ...], broken: tuple[int, ...] = (), champion: int = 1
) -> tuple[Scores, list[str], Registry]:
    """Score candidate 2 against the champion and the best of the history."""
    sources = {n: probabilities(expression) for n, expression in EXPRESSIONS.items()}
    sources |= {n: probabilities("X['no_such_column']") for n in broken}
    registry = Registry(folder / "registry", sources)
    project: Any = SimpleNamespace(registry=registry, failures=[], spec=SimpleNamespace(packages="ours"))
    (folder / "tables").mkdir()
    (folder / "room").mkdir()
    rows = pd.DataFrame({"id": range(N), "a": OUTCOMES * 0.5 + 0.1, "y": OUTCOMES.astype(int)})
    with Tables(threads=2) as tables:
        world = scored_world.World(tables, folder / "tables").add("holdout", rows)
        asked = plan(score=None, features=("a",), key=("id",))
        pair = (version(2), version(champion))
        served = tuple(map(version, history))
        found = score_tables(project, asked, pair, tables, world.opened, folder / "room", served)
        if isinstance(found.scored, Scored):
            table = ibis.memtable(found.scored.table.to_pandas())
            found = Scores(
                Scored(table, N, found.scored.champion, False, "scored"), found.isolation, anchor=found.anchor
            )
    return found, project.failures, registry


def test_the_best_of_those_who_served_is_the_anchor(tmp_path: Path) -> None:
    found, failures, registry = run(tmp_path, (4, 3, 2, 1))
    assert (found.anchor, failures) == (Anchor(version(3), 3, 3), [])
    assert sorted(registry.fetched) == ["1", "2", "3", "4"]
    assert isinstance(found.scored, Scored)
    rows = found.scored.table.to_pandas()
    assert np.allclose(rows["anchor"], 0.25 + 0.25 * rows["y"])
    assert np.allclose(rows["p"], 0.5)
    assert np.allclose(rows["q"], 0.45)


def test_the_champion_is_the_anchor_where_nobody_was_better(tmp_path: Path) -> None:
    found, _, registry = run(tmp_path, (1,))
    assert found.anchor == Anchor(version(1), 1, 1)
    assert registry.fetched.count("1") == 1


def test_who_cannot_be_scored_any_more_is_left_out_and_said(tmp_path: Path) -> None:
    found, failures, _ = run(tmp_path, (7, 3, 4), broken=(3,))
    assert found.anchor == Anchor(version(4), 1, 3)
    assert [text.split(":/")[1].split()[0] for text in failures if "cannot be the anchor" in text] == ["m/7", "m/3"]
    assert any("no_such_column" in text for text in failures)


def test_where_nobody_can_be_scored_the_check_says_why(tmp_path: Path) -> None:
    found, failures, _ = run(tmp_path, (2, 3), broken=(3,))
    assert found.anchor is None
    assert isinstance(found.scored, Scored)
    assert "anchor" not in found.scored.table.columns
    assert failures
    required = Requirement(environment="staging", check="regression.brier_vs_anchor", role="prove")
    asked = plan().model_copy(update={"requirements": (required,)})
    measured = RegressionGate().measure(Given(asked, {}, found.scored, version(1)))
    assert [m.reason for m in measured.measurements if m.check.endswith("_vs_anchor")] == [Reason.NOT_PROVIDED]


def test_figures_name_the_anchor(tmp_path: Path) -> None:
    found, _, _ = run(tmp_path, (4, 3))
    given = Given(plan(), {}, found.scored, version(1), anchor=found.anchor)
    [figure] = [m for m in RegressionGate().measure(given).measurements if m.check == "regression.brier_vs_anchor"]
    named = {param.name: param.value for param in figure.params}
    assert (named["anchor"], named["anchor_best_of"], named["anchor_served"]) == ("models:/m/3", 2, 2)
    rows = OUTCOMES.astype(float)
    expected = np.mean((0.5 - rows) ** 2) / np.mean((0.25 + 0.25 * rows - rows) ** 2)
    assert figure.estimate == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("task", ["multiclass", "numeric"])
def test_other_tasks_have_the_anchors_predictions_beside(tmp_path: Path, task: str) -> None:
    """Numbers are brought to the scale of all, which the anchor's 900 sets."""
    (tmp_path / "tables").mkdir()
    names = ["p_0", "p_1"] if task == "multiclass" else ["p"]
    said = {"p": [[0.3, 0.7], [0.2, 0.8]], "anchor": [[0.6, 0.4], [0.5, 0.5]]}
    if task == "numeric":
        said = {"p": [[3.0], [5.0]], "anchor": [[900.0], [7.0]]}
    with Tables(threads=1) as tables:
        world = scored_world.World(tables, tmp_path / "tables").add("holdout", {"a": [1.0, 2.0], "y": [0, 1]})
        asked = plan(task=task, score=None, features=("a",), classes=("0", "1") if task == "multiclass" else ())
        holdout = world.opened["holdout"]
        scored_features.write_features(tables, holdout, asked, tmp_path / "f.parquet")
        order = pd.read_parquet(tmp_path / "f.parquet")
        for whose, values in said.items():
            answer = pd.DataFrame([values[int(a) - 1] for a in order["a"]], columns=names)
            answer.assign(row_id=order["row_id"]).to_parquet(tmp_path / f"{whose}.parquet")
        found = scored_by_scorer(tables, asked, holdout, tmp_path / "p.parquet", None, tmp_path / "anchor.parquet")
        assert isinstance(found, Scored)
        rows = found.table.to_pandas().sort_values("y")
    assert found.scale == (1024.0 if task == "numeric" else 1.0)
    for whose, values in said.items():
        columns = [name.replace("p", whose, 1) for name in names]
        assert (rows[columns].to_numpy() * found.scale).tolist() == values
    assert not found.champion


def test_scores_that_are_none_leave_a_version_out() -> None:
    failures: list[str] = []
    assert choose(version(2), [version(1)], 12, lambda _: Reason.NAN_SCORES, failures) is None
    assert failures == ["models:/m/1 cannot be the anchor: nan_scores"]


def test_who_alone_served_is_its_own_anchor() -> None:
    """A release of what serves already, with another image say, loses nothing against itself."""
    assert choose(version(2), [version(2)], 12, lambda _: 0.1, []) == Anchor(version(2), 1, 1)
    assert choose(version(2), [version(2), version(1)], 12, lambda _: 0.1, []) == Anchor(version(1), 1, 1)


def test_where_nothing_can_be_run_the_champion_is_left(tmp_path: Path) -> None:
    """Its predictions were supplied with the candidate's; those of who served before it were not."""
    project: Any = SimpleNamespace(failures=[])
    rows = {"id": range(40), "y": [0, 1, 0, 0] * 10, "s": [0.2, 0.7, 0.1, 0.3] * 10, "c": [0.25] * 40}
    (tmp_path / "tables").mkdir()
    with Tables(threads=1) as tables:
        world = scored_world.World(tables, tmp_path / "tables").add("predictions", rows)
        asked = plan(score="s", champion_score="c", key=("id",))
        served = (version(4), version(1))
        found = score_tables(project, asked, (version(2), version(1)), tables, world.opened, tmp_path, served)
        assert isinstance(found.scored, Scored)
        anchored = found.scored.table.to_pandas()
    assert (anchored["anchor"] == anchored["q"]).all()
    assert found.anchor == Anchor(version(1), 1, 2)
    assert project.failures == ["models:/m/4 cannot be the anchor: not_provided"]


def test_without_a_champion_there_is_no_anchor() -> None:
    required = Requirement(environment="staging", check="regression.brier_vs_anchor", role="prove")
    asked = plan().model_copy(update={"requirements": (required,)})
    alone = Scored(ibis.memtable({"y": [0.0, 1.0], "p": [0.2, 0.7]}), 2, False, False, "scored")
    measured = RegressionGate().measure(Given(asked, {}, alone, None)).measurements
    assert [m.reason for m in measured if m.check.endswith("_vs_anchor")] == [Reason.NO_CHAMPION]
