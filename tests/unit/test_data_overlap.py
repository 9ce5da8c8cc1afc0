"""Rows of the holdout that a model has learned from: by key, by features, by what its training run says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import ibis
import numpy as np
import pandas as pd
import pytest

from gates.flow.lineage import learned_by
from gates.inputs.opened import OpenTable
from gates.inputs.registry import RunInput
from gates.inputs.tables import Tables
from gates.measure.data.overlap import overlaps
from gates.measure.interface import Given, Learned, Scored
from gates.records import Columns, Measurement, ModelVersion, Plan, Reason, Table, TableIdentity

DIGEST = "sha256:" + "0" * 64
VERSION = ModelVersion(name="m", version="1", digest=DIGEST)


def table(frame: dict[str, Any], role: Any = "training") -> OpenTable:
    content = pd.DataFrame(frame)
    identity = TableIdentity(role=role, uri=role, digest=DIGEST, rows=len(content))
    return OpenTable(identity, ibis.memtable(content))


def given(*, champion: bool = False, learned: Any = None, columns: Any = None, **tables: OpenTable) -> Given:
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        tables=(),
        columns=Columns(**(columns or {"label": "y", "key": ("k",), "features": ("x", "z")})),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )
    return Given(plan, tables, Reason.NOT_PROVIDED, VERSION if champion else None, learned or {})


def figures(asked: Given, holdout: OpenTable) -> dict[tuple[str, str | None], Measurement]:
    found = list(overlaps(asked, holdout))
    return {(one.check.removeprefix("data."), one.item.name if one.item else None): one for one in found}


def overlap(holdout: dict[str, Any], context: str = "training", **learned: Any) -> Any:
    tables = {"training": table({"k": [-1], "x": [0.0], "z": [""]})}
    tables[context] = table(learned)
    found = figures(given(**tables), table(holdout))["holdout_overlap", context]
    return found.reason or found.estimate


def rows(k: Any) -> dict[str, Any]:
    """Rows of these keys, each key with features of its own."""
    return {"k": k, "x": [crc32(repr(one).encode()) / 7 for one in k], "z": [f"r{one!r}" for one in k]}


def test_by_key_null_being_one() -> None:
    assert overlap(rows(range(10)), **rows(range(8, 18))) == 2
    assert overlap(rows([0, 0, 0, *range(1, 8)]), **rows([0] * 10)) == 3
    assert overlap(rows([None, "b", *"cdefghij"]), **rows([None, "b", *"qrstuvwx"])) == 2
    assert overlap(rows(range(10)), "calibration", **rows(range(9, 19))) == 1
    assert overlap(rows(range(10)), **rows(list("0123456789"))) is Reason.COLUMN_MISSING


class TestByFeatures:
    def test_the_same_rows_under_no_key(self) -> None:
        rng = np.random.default_rng(1)
        x, z = rng.normal(size=300), rng.choice(["a", "b"], 300)
        x[:3], z[5] = np.nan, "None"
        holdout = {"k": range(300), "x": x, "z": [None if i == 7 else str(v) for i, v in enumerate(z)]}
        seen = pd.DataFrame(holdout).drop(columns="k").iloc[[0, 7, 20, 21]]
        fresh = pd.DataFrame({"x": rng.normal(size=500), "z": "a"})
        learned = pd.concat([fresh, seen])
        # row 0 has no x, as rows 1 and 2 have none: what they share, all of them share
        same = (pd.isna(x[:3]) & (z[:3] == z[0])).sum()
        assert overlap(holdout, **learned.to_dict("list")) == 3 + same

    def test_a_narrower_float_is_the_same_row(self) -> None:
        x = np.random.default_rng(2).normal(size=200)
        holdout = {"k": range(200), "x": x, "z": ["a"] * 200}
        assert overlap(holdout, x=x[:50].astype("float32"), z=["a"] * 50) == 50

    def test_features_that_name_no_row_say_so(self) -> None:
        holdout = {"k": range(200), "x": np.arange(200) // 2, "z": ["a"] * 200}
        assert overlap(holdout, x=[500.0], z=["a"]) is Reason.KEYS_NOT_UNIQUE

    def test_other_kinds_and_no_common_feature(self) -> None:
        holdout = rows(range(10))
        assert overlap(holdout, x=list("0123456789"), z=["a"] * 10) is Reason.COLUMN_MISSING
        assert overlap(holdout, w=[1.0]) is Reason.COLUMN_MISSING
        nothing = given(columns={"label": "y"}, training=table(rows([1])))
        assert figures(nothing, table(holdout))["holdout_overlap", "training"].reason is Reason.NOT_PROVIDED

    def test_no_key_in_the_plan(self) -> None:
        asked = given(columns={"features": ("x", "z")}, training=table(rows([7, 8])))
        found = figures(asked, table(rows(range(10))))["holdout_overlap", "training"]
        assert found.estimate == 2
        assert [(p.name, p.value) for p in found.params] == [("by", "features"), ("named_by", "spec")]


class TestUnderAnotherKey:
    """Both tables have the key, and still a row may stand in the other under another one."""

    N = 2_000

    def holdout(self, seed: int = 1, **changes: Any) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        coarse = rng.choice(["a", "b"], self.N)
        return {"k": range(self.N), "x": rng.normal(size=self.N), "z": coarse, **changes}

    def training(self, seed: int = 2, **changes: Any) -> dict[str, Any]:
        return self.holdout(seed, **{"k": range(10_000, 10_000 + self.N), **changes})

    def beside(self, first: dict[str, Any], second: dict[str, Any], copied: int) -> dict[str, Any]:
        """The second table with so many rows of the first one besides, under keys of their own."""
        copies = pd.DataFrame(first).head(copied).assign(k=lambda t: t.k + 50_000)
        return pd.concat([pd.DataFrame(second), copies]).to_dict("list")

    @pytest.mark.parametrize("copied", [0, 20, 2_000])
    def test_copies_are_counted(self, copied: int) -> None:
        holdout = self.holdout()
        assert overlap(holdout, **self.beside(holdout, self.training(), copied)) == copied

    def test_copied_twice_or_beside_the_same_keys(self) -> None:
        holdout = self.holdout()
        twice = self.beside(holdout, self.beside(holdout, self.training(), 2_000), 2_000)
        assert overlap(holdout, **twice) == 2_000
        assert overlap(holdout, **self.beside(holdout, self.training(k=range(1_990, 3_990)), 300)) == 300
        assert overlap(holdout, **self.training(k=range(1_990, 3_990))) == 10

    def test_the_figure_says_what_it_is_by(self) -> None:
        holdout = self.holdout()
        for copied, by in ((0, "key"), (500, "features")):
            asked = given(training=table(self.beside(holdout, self.training(), copied)))
            found = figures(asked, table(holdout))["holdout_overlap", "training"]
            assert found.params[0].value == by

    @pytest.mark.parametrize("values", [2, 50, 5_000, 100_000, 1_000_000, 10_000_000])
    @pytest.mark.parametrize("times", [0.1, 1, 20])
    def test_what_is_alike_by_chance_is_no_overlap(self, values: int, times: float) -> None:
        """Features that take few values, also where training is much larger than the holdout."""
        rng = np.random.default_rng(values)
        holdout = self.holdout(x=rng.integers(0, values, self.N).astype(float))
        m = int(times * self.N)
        x = rng.integers(0, values, m).astype(float)
        learned = {"k": range(10_000, 10_000 + m), "x": x, "z": rng.choice(["a", "b"], m)}
        assert overlap(holdout, **learned) == 0

    def test_all_of_a_holdout_is_more_than_chance_though_some_rows_are_alike(self) -> None:
        rng = np.random.default_rng(7)
        holdout = self.holdout(x=rng.integers(0, 20_000, self.N).astype(float))
        training = self.training(x=rng.integers(0, 20_000, self.N).astype(float))
        assert overlap(holdout, **training) == 0
        assert overlap(holdout, **self.beside(holdout, training, self.N)) == self.N

    def test_one_value_that_half_the_rows_have_is_one_coincidence(self) -> None:
        holdout = self.holdout()
        holdout["x"][:1_000], holdout["z"][:1_000] = 0.0, "a"
        learned = self.training()
        learned["x"][0], learned["z"][0] = 0.0, "a"
        assert overlap(holdout, **learned) == 0

    def test_rows_that_training_repeats_under_one_key_are_no_chance(self) -> None:
        """Rare classes are often repeated on purpose."""
        holdout, learned = self.holdout(), pd.DataFrame(self.training())
        learned = pd.concat([learned] * 10)
        assert overlap(holdout, **self.beside(holdout, learned.to_dict("list"), 300)) == 300

    @pytest.mark.parametrize("named", ["key", "cluster"])
    def test_an_entity_may_be_as_it_was(self, named: str) -> None:
        """Customers whose features did not change since a month ago; and the same rows under another customer."""
        plain = self.holdout(at=pd.Timestamp("2026-02-01"))
        before = pd.DataFrame({**plain, "at": pd.Timestamp("2026-01-01")})
        holdout = pd.DataFrame(plain).assign(row=np.arange(self.N) + 10**6)
        learned = before.assign(row=np.arange(self.N))
        columns = {"key": ("k", "at")} if named == "key" else {"key": ("row",)}
        columns |= {"label": "y", "time": "at", "features": ("x", "z")}
        asked = given(columns=columns, training=table(learned.to_dict("list")))
        if named == "cluster":
            parameters = asked.plan.parameters.model_copy(update={"cluster": "k"})
            asked = replace(asked, plan=asked.plan.model_copy(update={"parameters": parameters}))
        for changed, expected in (
            (learned, 0),
            (learned.assign(k=lambda t: t.k + 10_000), self.N),
            (learned.assign(at=pd.Timestamp("2026-02-01")), self.N),
        ):
            again = replace(asked, tables={"training": table(changed.to_dict("list"))})
            found = figures(again, table(holdout.to_dict("list")))["holdout_overlap", "training"]
            assert found.estimate == expected


def test_the_champions_rows_are_a_check_of_their_own() -> None:
    asked = given(champion=True, training=table(rows([50])), champion_training=table(rows([1, 2, 77])))
    found = figures(asked, table(rows(range(10))))
    assert {key: one.estimate for key, one in found.items()} == {
        ("holdout_overlap", "training"): 0,
        ("champion_overlap", "training"): 2,
    }
    without = figures(given(training=table(rows([50]))), table(rows(range(10))))
    assert without["champion_overlap", None].reason is Reason.NO_CHAMPION
    unknown = figures(given(champion=True, training=table(rows([50]))), table(rows(range(10))))
    assert unknown["champion_overlap", "training"].reason is Reason.TABLE_MISSING


def test_every_step_is_looked_at_and_one_without_rows_is_no_answer() -> None:
    learned = {
        "candidate": (
            Learned("early_stopping", table(rows([3])), by_run=True),
            Learned("training", Reason.TABLE_CHANGED, by_run=True),
            Learned("selection", table({"k": [], "x": [], "z": []}), by_run=True),
        )
    }
    found = figures(given(learned=learned), table(rows(range(10))))
    assert found["holdout_overlap", "early_stopping"].estimate == 1
    assert found["holdout_overlap", "training"].reason is Reason.TABLE_CHANGED
    assert found["holdout_overlap", "selection"].reason is Reason.EMPTY_TABLE


def conformal(rows: int = 10, **said: Any) -> Scored:
    """What a model answered that has sets."""
    return Scored(ibis.memtable({"y": [0.0]}), rows, True, False, "scored", levels=(0.9,), **said)


class TestCalibrated:
    """Sets and intervals were calibrated on some rows: which ones, somebody must say."""

    def contexts(self, asked: Given, check: str = "data.holdout_overlap") -> dict[str | None, Any]:
        found = figures(asked, table(rows(range(10))))
        return {name: one.reason or one.estimate for (_, name), one in found.items() if one.check == check}

    def test_rows_that_nobody_names(self) -> None:
        asked = given(training=table(rows([50])))
        assert self.contexts(asked) == {"training": 0}
        assert self.contexts(replace(asked, scored=conformal())) == {"training": 0, "calibration": Reason.TABLE_MISSING}

    @pytest.mark.parametrize("context", ["calibration", "conformal", "conformal_calibration"])
    def test_rows_that_the_run_names(self, context: str) -> None:
        learned = {
            "candidate": (
                Learned(context, table(rows([9, 10])), by_run=True),
                Learned("training", table(rows([50])), by_run=True),
            )
        }
        asked = replace(given(learned=learned), scored=conformal())
        assert self.contexts(asked) == {context: 1, "training": 0}

    def test_a_table_of_the_spec(self) -> None:
        asked = given(training=table(rows([50])), calibration=table(rows([60])))
        assert self.contexts(replace(asked, scored=conformal())) == {"training": 0, "calibration": 0}

    def test_the_champions(self) -> None:
        asked = given(champion=True, training=table(rows([50])), champion_training=table(rows([51])))
        check = "data.champion_overlap"
        assert self.contexts(replace(asked, scored=conformal()), check) == {"training": 0}
        both = replace(asked, scored=conformal(champion_levels=True))
        assert self.contexts(both, check) == {"training": 0, "calibration": Reason.TABLE_MISSING}

    def test_by_the_columns_of_a_model_that_did_not_answer(self) -> None:
        columns = {"key": ("k",), "features": ("x",), "set_columns": ("a", "b")}
        asked = given(columns=columns, training=table(rows([50])))
        assert self.contexts(asked) == {"training": 0, "calibration": Reason.TABLE_MISSING}


class Runs:
    """A registry that knows what a run logged."""

    def __init__(self, *logged: RunInput) -> None:
        self.logged = logged

    def run_inputs(self, version: ModelVersion) -> tuple[RunInput, ...]:
        assert version is VERSION
        return self.logged


def write(folder: Path, name: str, k: Any) -> OpenTable:
    pd.DataFrame(rows(k)).to_parquet(folder / f"{name}.parquet")
    return table(rows(k))


class TestLineage:
    def known(self, tables: Tables, folder: Path, lineage: dict[str, str], *logged: RunInput) -> dict[str, Any]:
        write(folder, "training", [1, 2, 3])
        write(folder, "stopping", [4, 5])
        opened = {"training": tables.open(Table(role="training", uri="training.parquet"), base=folder)}
        found = learned_by("candidate", VERSION, lineage, Runs(*logged), tables, opened, folder)  # type: ignore[arg-type]
        return {one.context: one.table if isinstance(one.table, Reason) else one.table.identity.rows for one in found}

    def test_the_specs_table_where_the_run_says_nothing(self, tables: Tables, tmp_path: Path) -> None:
        assert self.known(tables, tmp_path, {}) == {"training": 3}

    def test_a_spec_that_names_another_table_does_not_answer(self, tables: Tables, tmp_path: Path) -> None:
        said = {"training_digest": "sha256:" + "a" * 64, "environment_digest": DIGEST, "holdout_digest": DIGEST}
        assert self.known(tables, tmp_path, said) == {"training": Reason.TABLE_MISSING}

    def test_the_digest_of_the_specs_table(self, tables: Tables, tmp_path: Path) -> None:
        write(tmp_path, "training", [1, 2, 3])
        digest = tables.open(Table(role="training", uri="training.parquet"), base=tmp_path).identity.digest
        assert self.known(tables, tmp_path, {"training_digest": digest, "code_revision": "x"}) == {"training": 3}

    def test_what_the_run_logged(self, tables: Tables, tmp_path: Path) -> None:
        logged = (
            RunInput("train", str(tmp_path / "training.parquet"), 3),
            RunInput("early stopping", (tmp_path / "stopping.parquet").as_uri(), None),
            RunInput("test", "s3://nowhere/x.parquet", None),
            RunInput("selection", "s3://nowhere/y.parquet", 9),
            RunInput("tuning", "stopping.parquet", 9),
            RunInput("warm_up", "", 9),
        )
        assert self.known(tables, tmp_path, {}, *logged) == {
            "training": 3,
            "early_stopping": 2,
            "selection": Reason.TABLE_MISSING,
            "tuning": Reason.TABLE_CHANGED,
            "warm_up": Reason.TABLE_MISSING,
        }

    def test_every_table_of_a_step(self, tables: Tables, tmp_path: Path) -> None:
        """The second file that a model was fitted on is as much in its memory as the first."""
        first, second = (
            RunInput("train", name, rows) for name, rows in (("stopping.parquet", 2), ("training.parquet", 3))
        )
        both = {"training": 2, "training 2": 3}
        assert self.known(tables, tmp_path, {}, first, second) == both
        assert self.known(tables, tmp_path, {}, second, first, replace(first, digest="ab"), second) == both
        away = replace(first, uri="s3://nowhere/x.parquet")
        assert self.known(tables, tmp_path, {}, second, away) == {"training": Reason.TABLE_MISSING, "training 2": 3}

    def test_a_tag_does_not_hide_what_the_run_logged_besides(self, tables: Tables, tmp_path: Path) -> None:
        write(tmp_path, "training", [1, 2, 3])
        said = {"training_digest": tables.open_file("training", tmp_path / "training.parquet").identity.digest}
        first, second = (RunInput("train", name, None) for name in ("training.parquet", "stopping.parquet"))
        assert self.known(tables, tmp_path, said, first) == {"training": 3}
        assert self.known(tables, tmp_path, said, first, second) == {"training": 3, "training 2": 2}
        stopped = {"early_stopping_digest": tables.open_file("training", tmp_path / "stopping.parquet").identity.digest}
        assert self.known(tables, tmp_path, stopped, second) == {"early_stopping": 2, "training": 2}

    def test_the_sets_that_boosting_was_stopped_by(self, tables: Tables, tmp_path: Path) -> None:
        """MLflow's autologging logs them as `eval`, and often from memory."""
        stopped = RunInput("eval", "stopping.parquet", 2)
        assert self.known(tables, tmp_path, {}, stopped) == {"eval": 2, "training": 3}
        assert self.known(tables, tmp_path, {}, replace(stopped, uri="")) == {
            "eval": Reason.TABLE_MISSING,
            "training": 3,
        }
        assert self.known(tables, tmp_path, {}, replace(stopped, context="test_")) == {"training": 3}

    def test_one_from_memory_is_the_one_that_is_here_and_as_long(self, tables: Tables, tmp_path: Path) -> None:
        here, memory = RunInput("training", "training.parquet", 3), RunInput("train", "", 3, "ab")
        assert self.known(tables, tmp_path, {}, memory, here) == {"training": 3}
        missing = {"training": 3, "training 2": Reason.TABLE_MISSING}
        assert self.known(tables, tmp_path, {}, memory, replace(memory, digest="cd"), here) == missing
        assert self.known(tables, tmp_path, {}, replace(memory, rows=4), here) == missing


def test_what_mlflow_keeps_of_a_logged_dataset(tmp_path: Path) -> None:
    import mlflow
    from mlflow import MlflowClient

    from gates.inputs.mlflow_registry import MlflowRegistry

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    frame = pd.DataFrame(rows(range(5)))
    frame.to_parquet(tmp_path / "t.parquet")
    run = client.create_run(client.create_experiment("e", artifact_location=(tmp_path / "a").as_uri()))
    for context, source in (("training", str(tmp_path / "t.parquet")), ("tuning", None)):
        dataset = mlflow.data.from_pandas(frame, source=source, name=context)
        client.log_inputs(
            run.info.run_id,
            [
                mlflow.entities.DatasetInput(
                    mlflow.entities.Dataset(
                        context,
                        dataset.digest,
                        dataset.source._get_source_type(),
                        dataset.source.to_json(),
                        profile=json.dumps(dataset.profile),
                    ),
                    [mlflow.entities.InputTag("mlflow.data.context", context)],
                )
            ],
        )
    client.create_registered_model("m")
    for run_id in (run.info.run_id, None):
        client.create_model_version("m", (tmp_path / "a").as_uri(), run_id=run_id)
    registry = MlflowRegistry(uri)
    training, tuning = sorted(registry.run_inputs(VERSION), key=lambda found: found.context)
    assert replace(training, digest="") == RunInput("training", str(tmp_path / "t.parquet"), 5)
    assert training.digest
    assert (tuning.context, tuning.rows) == ("tuning", 5)
    assert not tuning.uri.endswith("t.parquet")
    assert registry.run_inputs(VERSION.model_copy(update={"version": "2"})) == ()
    client.delete_run(run.info.run_id)
    assert len(registry.run_inputs(VERSION)) == 2
