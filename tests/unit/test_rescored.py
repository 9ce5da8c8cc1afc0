"""Supplied predictions beside those of the registered bytes: rows drawn, scored again, compared, and the figure of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta
from scored_world import World, plan
from scorer_models import probabilities, write_model

from gates.flow.scoring import score_tables
from gates.inputs.sandbox import isolation
from gates.inputs.tables import Tables
from gates.measure.interface import Given
from gates.measure.package import PackageGate
from gates.measure.rescored import Drawn, draw
from gates.records import Measurement, ModelVersion, Parameters, Reason
from gates.records.plan import Interval, Quantile, Requirement

pytestmark = pytest.mark.usefixtures("scored_here")

CANDIDATE = ModelVersion(name="m", version="2", digest="sha256:" + "2" * 64)
CHAMPION = ModelVersion(name="m", version="1", digest="sha256:" + "1" * 64)
BROKEN = "class Model:\n    def predict_proba(self, X): raise RuntimeError('gone')\n"
N = 3_000


@pytest.fixture
def world(tables: Tables, tmp_path: Path) -> World:
    (tmp_path / "tables").mkdir()
    return World(tables, tmp_path / "tables").add("holdout", rows())


def rows(n: int = N) -> pd.DataFrame:
    return pd.DataFrame({"id": range(n), "a": (np.arange(n) + 0.5) / n, "y": np.arange(n) % 2})


def said(n: int = N) -> pd.DataFrame:
    """What the candidate says of these rows, and the champion, in another order than the holdout's."""
    a = rows(n)["a"]
    return pd.DataFrame({"id": range(n), "p": a, "q": 1 - a}).sample(frac=1, random_state=1)


def measure(
    world: World, folder: Path, champion: ModelVersion | None = None, models: dict[str, str] | None = None, **asked: Any
) -> tuple[dict[str, Measurement], SimpleNamespace, str]:
    """The figures by item, the project, and how the models ran."""
    parameters = Parameters(**asked.pop("parameters", {}))
    columns = {"features": ("a",), "key": ("id",), **asked}
    wanted = (Requirement(environment="production", check="package.mismatch", role="prove"),)
    the_plan = plan(**columns).model_copy(update={"requirements": wanted, "parameters": parameters})
    sources = {"2": probabilities("X['a']"), "1": probabilities("1 - X['a']"), **(models or {})}
    folder = folder / f"run{len(list(folder.iterdir()))}"
    folders = {number: write_model(folder / number, source) for number, source in sources.items()}
    registry = SimpleNamespace(
        fetch=lambda version, into: Path(shutil.copytree(folders[version.version], into)),
    )
    project: Any = SimpleNamespace(registry=registry, failures=[], spec=SimpleNamespace(packages="ours"))
    (folder / "room").mkdir()
    found = score_tables(project, the_plan, (CANDIDATE, champion), world.tables, world.opened, folder / "room")
    given = Given(the_plan, world.opened, found.scored, champion, rescored=found.rescored)
    figures = PackageGate().measure(given).measurements
    return {figure.item.name: figure for figure in figures if figure.item}, project, found.isolation


def only(world: World, folder: Path, **asked: Any) -> Measurement:
    figures, _, _ = measure(world, folder, **asked)
    assert set(figures) == {"predictions"}
    return figures["predictions"]


def counted(figure: Measurement) -> tuple[int, int]:
    assert figure.estimate is not None
    return round(figure.estimate * figure.n), figure.n


@pytest.mark.usefixtures("own_process")
def test_a_table_of_the_registered_model_agrees(world: World, tmp_path: Path) -> None:
    world.add("predictions", said())
    figures, project, ran = measure(world, tmp_path)
    figure = figures["predictions"]
    assert counted(figure) == (0, 1000)
    assert figure.bounds is not None
    assert [bound.lower for bound in figure.bounds] == [0.0] * 9
    assert [bound.upper for bound in figure.bounds] == pytest.approx(
        [1 - (1 - bound.confidence) ** (1 / 1000) for bound in figure.bounds]
    )
    assert (figure.subject, figure.predictions, figure.scope) == ("candidate", "scored", "sample")
    assert {param.name: param.value for param in figure.params} == {"seed": 0, "tolerance": 1e-6}
    assert (ran, project.failures) == (isolation()[0], [])


def test_a_table_that_is_drawn_whole_is_a_census_and_shows_one_row_of_a_thousand(world: World, tmp_path: Path) -> None:
    table = said(1000)
    table.loc[table["id"] == 17, "p"] += 2e-6
    world.add("holdout", rows(1000)).add("predictions", table)
    figure = only(world, tmp_path)
    assert (counted(figure), figure.scope) == ((1, 1000), "census")
    assert figure.bounds is not None
    assert {(bound.lower, bound.upper) for bound in figure.bounds} == {(0.001, 0.001)}


def test_limits_of_a_sample_are_exact(world: World, tmp_path: Path) -> None:
    table = said()
    table.loc[table["id"] % 10 == 0, "p"] *= 0.9
    figure = only(world.add("predictions", table), tmp_path)
    differ, n = counted(figure)
    assert n == 1000
    assert 60 < differ < 145
    assert figure.bounds is not None
    for bound in figure.bounds:
        assert bound.lower == pytest.approx(beta.ppf(1 - bound.confidence, differ, n - differ + 1), rel=1e-6)
        assert bound.upper == pytest.approx(beta.ppf(bound.confidence, differ + 1, n - differ), rel=1e-6)


@pytest.mark.parametrize(("shift", "differ"), [(1e-3, 1000), (1.5e-6, 1000), (5e-7, 0), (0.0, 0)])
def test_a_shift_of_all_rows_is_seen_beyond_the_tolerance(
    world: World, tmp_path: Path, shift: float, differ: int
) -> None:
    table = said()
    table["p"] += np.where(table["p"] < 0.5, shift, -shift)
    assert counted(only(world.add("predictions", table), tmp_path)) == (differ, 1000)


def test_the_policy_says_how_many_rows_and_how_far_apart(world: World, tmp_path: Path) -> None:
    table = said()
    table["p"] += np.where(table["p"] < 0.5, 1e-3, -1e-3)
    world.add("predictions", table)
    parameters = {"rescored_rows": 50, "rescored_tolerance": 2e-3, "seed": 7}
    figure = only(world, tmp_path, parameters=parameters)
    assert counted(figure) == (0, 50)
    assert {param.name: param.value for param in figure.params} == {"seed": 7, "tolerance": 2e-3}


@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_what_is_no_number_agrees_with_nothing(world: World, tmp_path: Path, value: float | None) -> None:
    table = said(40)
    table.loc[table["id"] < 3, "p"] = value
    world.add("holdout", rows(40)).add("predictions", table)
    if value == np.inf:  # no probability: refused before anything is compared
        with pytest.raises(Exception, match="outside"):
            only(world, tmp_path)
        return
    assert counted(only(world, tmp_path)) == (3, 40)


def test_nan_beside_nan_is_no_agreement(world: World, tmp_path: Path) -> None:
    table = said(40)
    table.loc[table["id"] < 3, "p"] = np.nan
    world.add("holdout", rows(40)).add("predictions", table)
    models = {"2": probabilities("X['a'].where(X['a'] > 3 / 40)")}
    assert counted(only(world, tmp_path, models=models)) == (3, 40)


def test_rows_that_the_table_lacks_are_no_agreement(world: World, tmp_path: Path) -> None:
    world.add("holdout", rows(40)).add("predictions", said(40).query("id >= 3"))
    assert counted(only(world, tmp_path)) == (3, 40)


def test_a_key_that_repeats_says_nothing(world: World, tmp_path: Path) -> None:
    table = said(40)
    world.add("holdout", rows(40)).add("predictions", pd.concat([table, table.head(1)]))
    assert only(world, tmp_path).reason is Reason.KEYS_NOT_UNIQUE


def test_an_empty_sample_is_none(world: World, tmp_path: Path) -> None:
    world.add("holdout", rows(40).head(0)).add("predictions", said(40).head(0))
    figure = only(world, tmp_path)
    assert (figure.status, figure.reason) == ("unmeasured", Reason.EMPTY_TABLE)


def test_a_model_that_cannot_score_is_a_reason_and_a_word(world: World, tmp_path: Path) -> None:
    figures, project, _ = measure(world.add("predictions", said()), tmp_path, models={"2": BROKEN})
    assert figures["predictions"].reason is Reason.SCORER_FAILED
    assert "RuntimeError: gone" in project.failures[0]


def test_without_the_features_nothing_can_be_scored(world: World, tmp_path: Path) -> None:
    world.add("predictions", said())
    for features in ((), ("b",), ("y",)):
        figures, project, _ = measure(world, tmp_path, features=features)
        assert figures["predictions"].reason is Reason.SCORER_FAILED
        assert len(project.failures) == 1


def test_both_models_are_compared_in_a_table_of_both(world: World, tmp_path: Path) -> None:
    world.add("predictions", said())
    figures, _, _ = measure(world, tmp_path, CHAMPION, champion_score="q")
    assert {name: counted(figure) for name, figure in figures.items()} == {
        "predictions": (0, 1000),
        "champion_predictions": (0, 1000),
    }
    assert {figure.family.size for figure in figures.values()} == {2}


def test_a_champion_of_its_own_table(world: World, tmp_path: Path) -> None:
    theirs = said()[["id", "q"]]
    theirs.loc[theirs["id"] % 2 == 0, "q"] /= 2
    world.add("predictions", said()[["id", "p"]]).add("champion_predictions", theirs)
    figures, _, _ = measure(world, tmp_path, CHAMPION, champion_score="q")
    assert counted(figures["predictions"]) == (0, 1000)
    assert 400 < counted(figures["champion_predictions"])[0] < 600
    figures, _, _ = measure(world, tmp_path, CHAMPION, {"1": BROKEN}, champion_score="q")
    assert counted(figures["predictions"]) == (0, 1000)
    assert figures["champion_predictions"].reason is Reason.SCORER_FAILED


def test_a_champion_that_nobody_supplied_is_compared_with_nothing(world: World, tmp_path: Path) -> None:
    figures, _, _ = measure(world.add("predictions", said()), tmp_path, CHAMPION)
    assert figures["champion_predictions"].reason is Reason.NOT_PROVIDED


def test_one_table_of_labels_features_and_scores_needs_no_key(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    table = rows().assign(p=rows()["a"])
    table.loc[table["id"] % 2 == 0, "p"] += 1e-4
    world = World(tables, tmp_path / "tables").add("predictions", table)
    differ, n = counted(only(world, tmp_path, key=()))
    assert n == 1000
    assert 400 < differ < 600


def test_what_is_said_of_sets_and_intervals_must_be_the_models(world: World, tmp_path: Path) -> None:
    source = probabilities("X['a']") + "    def predict_set(self, X): return self.predict_proba(X) >= 0.3\n"
    table = said(40).assign(none=lambda t: t["p"] <= 0.7, one=lambda t: t["p"] >= 0.3)
    named: dict[str, Any] = {"set_columns": ("none", "one"), "models": {"2": source}}
    world.add("holdout", rows(40)).add("predictions", table)
    assert counted(only(world, tmp_path, **named)) == (0, 40)
    world.add("predictions", table.assign(one=lambda t: t["one"] ^ (t["id"] == 5)))
    assert counted(only(world, tmp_path, **named)) == (1, 40)
    # The model has no sets at all.
    assert counted(only(world, tmp_path, set_columns=("none", "one"))) == (40, 40)


def test_a_numeric_model(world: World, tmp_path: Path) -> None:
    source = "class Model:\n    def predict(self, X): return 1e6 * X['a'].to_numpy()\n"
    table = said(40).assign(p=lambda t: 1e6 * t["p"], low=0.0, high=1e6, middle=5e5)
    world.add("holdout", rows(40)).add("predictions", table)
    asked: dict[str, Any] = {"task": "numeric", "models": {"2": source}}
    assert counted(only(world, tmp_path, **asked)) == (0, 40)
    interval = Interval(level=0.9, lower="low", upper="high")
    assert counted(only(world, tmp_path, intervals=(interval,), **asked)) == (40, 40)
    assert counted(only(world, tmp_path, quantiles=(Quantile(level=0.5, column="middle"),), **asked)) == (40, 40)


def test_a_multiclass_model(world: World, tmp_path: Path) -> None:
    source = """
class Model:
    def predict_proba(self, X):
        a = X['a'].to_numpy()
        return np.column_stack([a / 2, a / 2, 1 - a])
"""
    table = said(40).assign(u=lambda t: t["p"] / 2, v=lambda t: t["p"] / 2, w=lambda t: 1 - t["p"])
    world.add("holdout", rows(40).assign(y=lambda t: t["id"].mod(3).map({0: "u", 1: "v", 2: "w"})))
    names = ("u", "v", "w")
    asked: dict[str, Any] = {"task": "multiclass", "classes": names, "class_scores": names, "models": {"2": source}}
    assert counted(only(world.add("predictions", table), tmp_path, **asked)) == (0, 40)
    swapped = table.assign(
        u=np.where(table["id"] == 7, table["w"], table["u"]), w=np.where(table["id"] == 7, table["u"], table["w"])
    )
    assert counted(only(world.add("predictions", swapped), tmp_path, **asked)) == (1, 40)


class TestDraw:
    def ids(self, world: World, **parameters: Any) -> list[int]:
        asked = plan(key=("id",)).model_copy(update={"parameters": Parameters(rescored_rows=100, **parameters)})
        drawn = draw(world.tables, asked, world.opened)
        assert isinstance(drawn, Drawn)
        return sorted(drawn.rows.table.to_pandas()["id"])

    def test_the_same_rows_each_time_in_whatever_order_they_stand(self, world: World) -> None:
        first = self.ids(world.add("predictions", said()))
        assert (len(first), self.ids(world)) == (100, first)
        world.add("holdout", rows().sample(frac=1, random_state=3).astype({"id": "int32"}))
        assert self.ids(world) == first

    def test_another_table_or_seed_draws_other_rows(self, world: World) -> None:
        first = set(self.ids(world.add("predictions", said())))
        assert len(first & set(self.ids(world, seed=1))) < 20
        table = said()
        table.loc[table["id"] == 17, "p"] += 1e-9
        assert len(first & set(self.ids(world.add("predictions", table)))) < 20
        second = set(self.ids(world.add("champion_predictions", said()[["id", "q"]])))
        table.loc[table["id"] == 18, "q"] += 1e-9
        assert len(second & set(self.ids(world.add("champion_predictions", table[["id", "q"]])))) < 20

    def test_rows_are_drawn_evenly(self, world: World) -> None:
        world.add("predictions", said())
        times = np.bincount(np.concatenate([self.ids(world, seed=seed) for seed in range(60)]), minlength=N)
        assert times.sum() == 6000
        # Of 60 draws of 1 in 30: mean 2, variance 60 * 29 / 900.
        assert times.var() == pytest.approx(60 * 29 / 900, rel=0.12)
        assert np.corrcoef(times, np.arange(N))[0, 1] == pytest.approx(0, abs=0.06)

    def test_rows_alike_are_drawn_together(self, tables: Tables, tmp_path: Path) -> None:
        (tmp_path / "tables").mkdir()
        table = pd.DataFrame({"id": np.arange(400) // 4, "a": 0.5, "y": 1, "p": 0.5})
        world = World(tables, tmp_path / "tables").add("predictions", table)
        asked = plan().model_copy(update={"parameters": Parameters(rescored_rows=30)})
        drawn = draw(world.tables, asked, world.opened)
        assert isinstance(drawn, Drawn)
        assert (drawn.rows.identity.rows, drawn.every) == (32, False)

    def test_nothing_to_draw_from(self, tables: Tables) -> None:
        assert draw(tables, plan(), {}) is Reason.TABLE_MISSING


def test_nothing_is_run_where_no_policy_asks() -> None:
    given = Given(plan(), {}, Reason.NOT_PROVIDED, None)
    (figure,) = PackageGate().measure(given).measurements
    assert (figure.reason, figure.item and figure.item.name) == (Reason.NOT_PROVIDED, "predictions")
