"""What the scorer sees and how its answers find their labels again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.measure.interface import Scored
from gates.measure.scored import scored_by_scorer
from gates.measure.scored_features import write_features
from gates.records import Columns, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64


def plan(**columns: Any) -> Plan:
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(cluster="day", slices=("day",)),
        tables=(),
        columns=Columns(**{"label": "y", "features": ("x", "größe"), **columns}),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def holdout(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": np.arange(n, dtype=float), "y": np.sort(rng.integers(0, 2, n)), "day": np.arange(n) % 7})
    return frame.assign(größe=[None if i % 3 else "ü" for i in range(n)])


def opened(tables: Tables, folder: Path, frame: pd.DataFrame) -> Any:
    frame.to_parquet(folder / "h.parquet", row_group_size=max(1, len(frame) // 20))
    return tables.open(Table(role="holdout", uri="h.parquet"), base=folder)


def test_the_way_to_the_scorer_and_back_pairs_every_row(tables: Tables, tmp_path: Path) -> None:
    n = 100_000
    frame = holdout(n)
    table = opened(tables, tmp_path, frame)
    assert write_features(tables, table, plan(), tmp_path / "features.parquet") == n
    seen = pd.read_parquet(tmp_path / "features.parquet")
    assert list(seen.columns) == ["row_id", "x", "größe"]
    assert sorted(seen["row_id"]) == list(range(n))
    # the answer names the row that it was given for: a score that is a function of x must come back beside its label
    answer = pd.DataFrame({"row_id": seen["row_id"], "p": seen["x"] / n, "set_0": seen["x"] % 2 == 0, "set_1": True})
    answer.sample(frac=1, random_state=1).to_parquet(tmp_path / "p.parquet")
    answer[["row_id"]].assign(p=1 - seen["x"] / n).to_parquet(tmp_path / "q.parquet")
    scored = scored_by_scorer(tables, plan(), table, tmp_path / "p.parquet", tmp_path / "q.parquet")
    assert isinstance(scored, Scored)
    assert (scored.rows, scored.champion, bool(scored.levels), scored.clustered, scored.predictions) == (
        n,
        True,
        True,
        True,
        "scored",
    )
    found = scored.table.to_pandas().sort_values("p").reset_index(drop=True)
    assert found["y"].tolist() == frame["y"].tolist()
    assert found["cluster"].tolist() == frame["day"].astype(str).tolist()
    assert np.allclose(found["q"], 1 - found["p"])
    assert found["covered_0"].tolist() == ((frame["y"] == 1) | (frame["x"] % 2 == 0)).tolist()


def test_the_order_of_the_rows_tells_no_answers(tables: Tables, tmp_path: Path) -> None:
    """A holdout sorted by its label would give it away by position or by number."""
    frame = holdout(4_000)
    write_features(tables, opened(tables, tmp_path, frame), plan(), tmp_path / "f.parquet")
    seen = pd.read_parquet(tmp_path / "f.parquet")
    labels = frame["y"].to_numpy()[seen["x"].astype(int)]
    assert abs(np.corrcoef(np.arange(len(labels)), labels)[0, 1]) < 0.06
    assert abs(np.corrcoef(seen["row_id"], labels)[0, 1]) < 0.06


def test_the_numbers_are_the_same_for_every_engine(tmp_path: Path) -> None:
    frame = holdout(30_000)
    found = []
    for threads in (1, 2, 4):
        with Tables(threads=threads) as tables:
            write_features(tables, opened(tables, tmp_path, frame), plan(), tmp_path / "f.parquet")
        found.append(pd.read_parquet(tmp_path / "f.parquet"))
    pd.testing.assert_frame_equal(found[0], found[1])
    pd.testing.assert_frame_equal(found[0], found[2])


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (("x", "y"), "is the label"),
        (("row_id",), "is the row's number"),
        (("x", "grosse"), 'no column "grosse"; did you mean "größe"'),
        ((), "no features are named"),
    ],
)
def test_the_label_never_goes_to_the_scorer(
    tables: Tables, tmp_path: Path, features: tuple[str, ...], message: str
) -> None:
    table = opened(tables, tmp_path, holdout(10).assign(row_id=1))
    with pytest.raises(UsageError, match=message):
        write_features(tables, table, plan(features=features), tmp_path / "f.parquet")
    assert not (tmp_path / "f.parquet").exists()


def test_a_column_called_row_id_does_not_mislead(tables: Tables, tmp_path: Path) -> None:
    table = opened(tables, tmp_path, holdout(10).assign(row_id=0))
    assert write_features(tables, table, plan(), tmp_path / "f.parquet") == 10
    assert sorted(pd.read_parquet(tmp_path / "f.parquet")["row_id"]) == list(range(10))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.iloc[1:], Reason.ROWS_UNPAIRED),
        (lambda p: pd.concat([p, p.iloc[:1]]), Reason.KEYS_NOT_UNIQUE),
        (lambda p: p.assign(row_id=p["row_id"] + 1), Reason.ROWS_UNPAIRED),
        (lambda p: p.assign(p=p["p"].where(p.index > 0)), Reason.NAN_SCORES),
        (lambda p: p.iloc[:0], Reason.ROWS_UNPAIRED),
    ],
)
def test_an_answer_that_does_not_fit_is_a_reason(tables: Tables, tmp_path: Path, change: Any, reason: Reason) -> None:
    table = opened(tables, tmp_path, holdout(10))
    change(pd.DataFrame({"row_id": range(10), "p": 0.5})).to_parquet(tmp_path / "p.parquet")
    assert scored_by_scorer(tables, plan(), table, tmp_path / "p.parquet") is reason


def test_an_empty_holdout_is_a_reason(tables: Tables, tmp_path: Path) -> None:
    table = opened(tables, tmp_path, holdout(0))
    assert write_features(tables, table, plan(), tmp_path / "f.parquet") == 0
    pd.DataFrame({"row_id": pd.Series([], dtype=int), "p": pd.Series([], dtype=float)}).to_parquet(
        tmp_path / "p.parquet"
    )
    assert scored_by_scorer(tables, plan(), table, tmp_path / "p.parquet") is Reason.EMPTY_TABLE
