"""The area of each feature against scikit-learn's, and what becomes of features that know the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gates.inputs.tables import Tables
from gates.measure.data.single_feature import CHECK, single_features
from gates.measure.interface import Given
from gates.records import Columns, Measurement, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
ROWS = 3_000


def frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = (rng.random(ROWS) < 0.3).astype(int)
    weak = np.round(rng.normal(size=ROWS) + 0.7 * y, 1)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "day": rng.integers(0, 60, ROWS),
            "y": y,
            "weak": weak,
            "down": -weak,
            "gaps": np.where(rng.random(ROWS) < 0.4, np.nan, weak),
            "leak": y * 2.0 + rng.random(ROWS),
            "closed": np.where(y == 1, rng.random(ROWS), np.nan),
            "when": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(weak * 3600, "s"),
            "town": np.char.add("t", (rng.integers(0, 5, ROWS) + 3 * y).astype(str)),
            "name": [f"{seed}-{row}" for row in range(ROWS)],
        }
    )


FEATURES = ("weak", "down", "gaps", "leak", "closed", "when", "town", "name")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("single")
    for seed, role in enumerate(("training", "holdout")):
        frame(seed).to_parquet(folder / f"{role}.parquet")
    with Tables(threads=1) as opened:
        yield opened.open_all(
            [Table(role=role, uri=f"{role}.parquet") for role in ("training", "holdout")], base=folder
        )


def measured(tables: Any, task: Any = "binary", roles: tuple[str, ...] = ("training", "holdout"), **said: Any) -> Any:
    columns = {"label": "y", "key": ("id",), "features": FEATURES} | said.pop("columns", {})
    plan = Plan(
        model="m",
        task=task,
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**said),
        tables=(),
        columns=Columns(**columns),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    given = Given(plan, {role: tables[role] for role in roles}, Reason.NOT_PROVIDED, None)
    found: list[Measurement] = list(single_features(given))
    assert {one.check for one in found} == {CHECK}
    return {one.item.name: one for one in found if one.item} or found


def either(y: Any, x: Any) -> float:
    area = float(roc_auc_score(y, x))
    return max(area, 1 - area)


def test_areas_are_those_of_scikit_learn(tables: Any) -> None:
    found, rows = measured(tables), frame(1)
    there = rows.gaps.notna()
    means = frame(0).groupby("town").y.mean()
    theirs = {
        "weak": either(rows.y, rows.weak),
        "down": either(rows.y, rows.weak),
        "gaps": max(either(rows.y[there], rows.gaps[there]), either(rows.y, there)),
        "leak": 1.0,
        "closed": 1.0,
        "when": either(rows.y, rows.weak),
        "town": either(rows.y, rows.town.map(means)),
        "name": 0.5,
    }
    assert {name: one.estimate for name, one in found.items()} == pytest.approx(theirs, abs=1e-12)
    assert {one.family.size for one in found.values()} == {4 * len(FEATURES)}
    for one in found.values():
        assert one.bounds[0].lower <= one.estimate <= one.bounds[0].upper
    assert found["leak"].bounds[0].lower > 0.95
    assert found["weak"].bounds[-1].upper < 0.95


def test_clusters_widen_it(tables: Any) -> None:
    alone, grouped = measured(tables)["weak"], measured(tables, cluster="day")["weak"]
    assert grouped.clusters == 60
    assert grouped.estimate == alone.estimate
    assert grouped.bounds[0].lower < alone.bounds[0].lower


def test_a_larger_table_is_drawn_by_key(tables: Any) -> None:
    found = measured(tables, max_rows=1_000)["weak"]
    assert 700 < found.n < 1_300
    assert {one.name: one.value for one in found.params}["one_in"] == 3
    assert found.estimate == measured(tables, max_rows=1_000)["weak"].estimate


def test_other_tasks(tables: Any) -> None:
    numeric = measured(tables, "numeric", columns={"label": "weak", "features": ("down", "leak", "town")})
    rows, old = frame(1), frame(0)
    above = rows.weak > rows.weak.median()
    assert numeric["down"].estimate == 1
    assert numeric["leak"].estimate == pytest.approx(either(above, rows.leak), abs=1e-12)
    told = rows.town.map(old.groupby("town").weak.mean())
    assert numeric["town"].estimate == pytest.approx(either(above, told), abs=1e-12)
    classes = tuple(sorted(rows.town.unique()))
    many = measured(
        tables, "multiclass", columns={"label": "town", "classes": classes, "features": ("weak", "leak", "town")}
    )
    best = max(either(rows.town == name, rows.leak) for name in classes)
    assert many["leak"].estimate == pytest.approx(best, abs=1e-12)
    assert many["town"].estimate == 1


def test_what_cannot_be_ranked(tables: Any) -> None:
    assert set(measured(tables, roles=("holdout",))) == set(FEATURES) - {"town", "name"}
    for roles, columns, reason in (
        ((), {}, Reason.TABLE_MISSING),
        (("holdout",), {"features": ("gone",)}, Reason.COLUMN_MISSING),
        (("holdout",), {"label": "gone"}, Reason.COLUMN_MISSING),
        (("holdout",), {"label": None}, Reason.NOT_PROVIDED),
        (("holdout",), {"features": ()}, Reason.NOT_PROVIDED),
    ):
        (found,) = measured(tables, roles=roles, columns=columns)
        assert found.reason is reason
