"""The same code on DuckDB and on a local Spark: the same figures from the same files."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from contract_world import AS_OF, broken, contract, found
from contract_world import column as declared
from spark_world import agree, measured, plan, scores, world

from gates.inputs.tables import Tables
from gates.measure.backfill import BackfillGate
from gates.measure.calibration import CalibrationGate
from gates.measure.data import DataGate
from gates.measure.data.gate import measurer
from gates.measure.drift import DriftGate
from gates.measure.fairness import FairnessGate
from gates.measure.interface import Gate, Given
from gates.measure.parity import ParityGate
from gates.measure.regression import RegressionGate
from gates.records import (
    Backfill,
    Columns,
    Reason,
    Requirement,
    Table,
)
from gates.records.plan import Interval, Quantile, TableRole

PEOPLE = (("ann", 9), ("bo", 11), ("cy", 13))
ASKED_FOR = ("near_duplicates", "krippendorff_alpha", "label_delay")
OF_SCORES: tuple[Gate, ...] = (CalibrationGate(), RegressionGate(), FairnessGate())


class TestFigures:
    """Everything that rests on scores, once for each task; with and without weights, clusters and levels."""

    def test_binary(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame = world(2_000)
        frame.assign(region=frame.segment.isin(["a", "B"]).map({True: "north", False: "ü"})).to_parquet(
            tmp_path / "p.parquet", row_group_size=700
        )
        columns = Columns(
            label="y", score="p", champion_score="q", key=("id",), weight="weight", groups=("region", "segment")
        )
        asked = plan(columns=columns, slices=("segment",), cluster="day")
        anchor = {"anchor": lambda t: (t.p + t.q) / 2}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        assert {m["slice"].get("value") for m in found} >= {"a", "ü", "😀", "\ufffd", "(null)"}
        assert len(measured(found, "calibration.")) > 20
        assert len(measured(found, "regression.")) > 60
        assert measured(found, "fairness.selection_rate_ratio", "fairness.ece")
        assert measured(found, "regression.brier_vs_anchor")
        assert measured(found, "regression.gold_log_loss")

    @pytest.mark.long
    def test_classes(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(1_500), np.random.default_rng(4)
        names = [f"{whose}_{k}" for whose in "pq" for k in range(3)]
        said = np.hstack([rng.dirichlet((2, 1, 1), len(frame)), rng.dirichlet((1, 1, 1), len(frame))])
        drawn = (said[:, :3].cumsum(axis=1) < rng.random((len(frame), 1))).sum(axis=1)
        sets = {f"set_{k}": said[:, k] > 0.2 for k in range(3)}
        frame = frame[["id", "day", "segment"]].assign(
            **dict(zip(names, said.T, strict=True)), **sets, y=np.array(["mid", "Ö", "low"])[drawn]
        )
        frame.to_parquet(tmp_path / "p.parquet")
        columns = Columns(
            label="y",
            classes=("mid", "Ö", "low"),
            class_scores=tuple(names[:3]),
            champion_class_scores=tuple(names[3:]),
            set_columns=tuple(sets),
        )
        asked = plan(columns=columns).model_copy(update={"task": "multiclass"})
        anchor = {f"anchor_{k}": lambda t, k=k: (t[f"p_{k}"] + t[f"q_{k}"]) / 2 for k in range(3)}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        assert measured(found, "calibration.ece")
        assert measured(found, "calibration.under_coverage")
        assert measured(found, "regression.log_loss_vs_champion")
        assert measured(found, "regression.brier_vs_anchor")

    @pytest.mark.long
    def test_numbers(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(2_000), np.random.default_rng(9)
        frame["p"], frame["q"] = 300 * frame.p, 300 * frame.q
        frame["y"] = frame.p + rng.normal(0, 10, len(frame))
        # Half of them tie: one stratum of width and several of prediction.
        half = np.where(rng.random(len(frame)) < 0.5, 15.0, rng.gamma(4, 4, len(frame)))
        frame = frame.assign(lower=frame.p - half, upper=frame.p + half, inner=frame.p + half / 3, median=frame.p + 1)
        frame = frame.assign(theirs=frame.q - 2)
        frame.to_parquet(tmp_path / "p.parquet", row_group_size=500)
        frame.sample(frac=0.7, random_state=2).to_parquet(tmp_path / "training.parquet")
        columns = Columns(
            label="y",
            score="p",
            champion_score="q",
            key=("id",),
            weight="weight",
            intervals=(
                Interval(level=0.9, lower="lower", upper="upper"),
                Interval(level=0.5, lower="lower", upper="inner"),
            ),
            quantiles=(Quantile(level=0.5, column="median"),),
            champion_quantiles=(Quantile(level=0.5, column="theirs"),),
        )
        asked = plan(columns=columns, cluster="day").model_copy(update={"task": "numeric"})
        anchor = {"anchor": lambda t: (t.p + t.q) / 2}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        seen = {(m["check"], (m.get("item") or {}).get("name")) for m in found if m["status"] == "measured"}
        assert seen >= {
            ("calibration.level_coverage", "0.5"),
            ("calibration.stratum_under_coverage", "prediction 5"),
            ("calibration.width_vs_baseline", None),
            ("calibration.quantile", "0.5"),
            ("calibration.pit", None),
        }
        assert measured(found, "regression.pinball_vs_champion")
        assert measured(found, "regression.mae_vs_anchor")

    @pytest.mark.long
    def test_backfill(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        live = world(600)
        live["day"] = live["at"].dt.date
        live = live.assign(arrived=live["at"] + pd.Timedelta("1h"), seen=live["at"] - pd.Timedelta("1h"))
        live["segment"] = live["segment"].where(live["id"] % 9 > 0, "|")
        shadow = live.drop(index=live.index[:5]).reset_index(drop=True)
        shadow.loc[10:40, "age"] += 1e-9
        shadow.loc[50:52, "p"] = [np.inf, np.nan, -0.0]
        shadow.loc[60:69, ["arrived", "seen"]] += pd.Timedelta("90min")
        shadow.loc[70:71, "day"] = None
        shadow = pd.concat([shadow, shadow[100:107]])
        rerun = shadow.sample(frac=1, random_state=1, ignore_index=True)
        rerun.loc[3, "weight"] *= 1 + 2**-52
        training = pd.concat([live[:30], shadow[30:]])
        given_tables = {"live": live, "shadow": shadow.astype({"y": "float64"}), "rerun": rerun, "training": training}
        for role, frame in given_tables.items():
            frame.to_parquet(tmp_path / f"{role}.parquet", row_group_size=100, index=False)
        backfill = Backfill(
            partition="day",
            from_us=1_704_240_000_000_000,
            to_us=1_704_672_000_000_000,
            lateness_s=7_200,
            known=("seen",),
            ttl_s=3_599,
        )
        asked = plan(columns=Columns(label="y", key=("id",), time="at", ingested="arrived")).model_copy(
            update={"backfill": backfill}
        )

        def given(tables: Tables) -> Given:
            roles = [Table(role=role, uri=f"{role}.parquet") for role in given_tables]  # type: ignore[arg-type]
            return Given(asked, tables.open_all(roles, base=tmp_path), Reason.NOT_PROVIDED, None)

        found = agree((BackfillGate(),), given, spark, duckdb)
        seen = {m["check"].removeprefix("backfill."): m.get("estimate") for m in found if "item" not in m}
        assert (seen["keys_missing"], seen["keys_repeated"], seen["late_rows"], seen["known_later"]) == (5, 7, 10, 10)
        assert seen["rerun_difference"] == 1
        assert {name for name, value in seen.items() if value == 0} == {"columns", "keys_added"}
        assert all(value is not None for value in seen.values())

    def test_data(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        holdout = world(2_000)
        training = world(1_500, seed=8)
        training["age"] = training.age.clip(25, 60)
        training["segment"] = training.segment.replace("Z", "a")
        holdout.to_parquet(tmp_path / "holdout.parquet", row_group_size=500)
        training.to_parquet(tmp_path / "training.parquet")
        asked = plan(columns=Columns(label="y", key=("day", "segment"), time="at", features=("age", "segment", "at")))

        def given(tables: Tables) -> Given:
            opened = {
                "holdout": tables.open_file("holdout", tmp_path / "holdout.parquet", as_of_us=1_705_000_000_000_000),
                "training": tables.open_file("training", tmp_path / "training.parquet"),
            }
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((DataGate(),), given, spark, duckdb)
        seen = {(m["check"], (m.get("item") or {}).get("name")): m.get("estimate") for m in found}
        assert seen["data.null_rate_difference", "age"] == 60 / 2_000 - 60 / 1_500
        assert seen["data.out_of_range", "age"] > 0
        assert seen["data.out_of_range", "segment"] > 0
        assert seen["data.duplicate_keys", None] > 0
        assert seen["data.holdout_overlap", "training"] > 0

        renamed = pd.concat([training, holdout]).assign(day=lambda t: "x" + t["day"])
        renamed.to_parquet(tmp_path / "training.parquet")
        found = agree((DataGate(),), given, spark, duckdb)
        copied = next(m for m in found if m["check"] == "data.holdout_overlap")
        assert (copied["estimate"], copied["params"][0]["value"]) == (2_000, "features")

    def test_drift(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        for role, seed, rows in (("holdout", 7, 1_000), ("training", 8, 1_500)):
            frame = world(rows, seed).assign(few=lambda t: t.id % 3, flag=lambda t: t.y == 1)
            frame.loc[frame.id < 20, "p"] = [math.inf, -math.inf, math.nan, -0.0] * 5
            frame.to_parquet(tmp_path / f"{role}.parquet", row_group_size=400)
        features = ("age", "p", "few", "segment", "flag", "at", "id", "gone")
        asked = plan(columns=Columns(label="y", features=features), cluster="day")
        wanted = [Requirement(environment="development", check=f"drift.{c}", role="prove") for c in ("psi", "js", "ks")]
        asked = asked.model_copy(update={"requirements": tuple(wanted)})

        def given(tables: Tables) -> Given:
            roles: tuple[TableRole, ...] = ("holdout", "training")
            opened = {role: tables.open_file(role, tmp_path / f"{role}.parquet") for role in roles}
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((DriftGate(),), given, spark, duckdb)
        seen = {(m["check"].removeprefix("drift."), m["item"]["name"]) for m in found if m["status"] == "measured"}
        ordered = {"age", "p", "few", "at", "id"}
        levels = {"segment", "flag"}
        assert seen == {("ks", name) for name in ordered} | {(c, n) for c in ("psi", "js") for n in ordered | levels}
        assert {m["clusters"] for m in measured(found, "drift.")} == {40}

    @pytest.mark.long
    def test_data_that_is_asked_for(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        holdout = world(1_500).drop_duplicates("id").assign(label=lambda t: t.y)
        holdout["came"] = holdout["at"] + pd.to_timedelta(holdout["id"] % 7 - 1, "D")
        training = holdout.sample(700, random_state=1)
        training["age"] *= 1 + np.tile([1e-9, 0.5], 350)
        people = [
            holdout[["id", "y"]].assign(who=who, y=lambda t, k=k: (t.y + (t.id % k == 0)) % 2) for who, k in PEOPLE
        ]
        for role, table in (("holdout", holdout), ("training", training), ("annotations", pd.concat(people))):
            table.to_parquet(tmp_path / f"{role}.parquet")
        columns = Columns(
            label="y", key=("id",), time="at", labelled="came", annotator="who", features=("age", "weight")
        )
        asked = plan(columns=columns, maturation_seconds=3 * 86_400)

        def given(tables: Tables) -> Given:
            as_of_us = int(holdout["at"].max().timestamp()) * 1_000_000
            opened = {
                role: tables.open_file(role, tmp_path / f"{role}.parquet", as_of_us=as_of_us)
                for role in ("holdout", "training", "annotations")
            }
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        on_both = [
            [figure for check in ASKED_FOR for figure in measurer(f"data.{check}")(given(tables))]
            for tables in (duckdb, spark)
        ]
        for ours, theirs in zip(*on_both, strict=True):
            assert ours == theirs
            assert ours.estimate not in (None, 0, 1), ours.check

    def test_contracts(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        sql = {"type": "sql", "mustBe": 0}
        missing = {"metric": "missingValues", "arguments": {"missingValues": [None, ""]}, "mustBe": 0}
        nulls = {"metric": "nullValues", "mustBe": 0, "arguments": {"slices": ["text"]}}
        said = contract(
            declared("id", "integer", required=True, unique=True, primaryKey=True, physicalType="SMALLINT"),
            declared("number", "number", options={"minimum": -1, "exclusiveMaximum": 2.5, "multipleOf": 0.01}),
            declared("text", "string", options={"pattern": "^[A-Z]{1,2}$", "maxLength": 2}, quality=[missing]),
            declared("at", "timestamp", options={"minimum": "2024-01-01T12:00:00+02:00"}),
            declared("half", "integer", quality=[nulls], enum=[{"value": 1}, {"value": 2}]),
            declared("written", "integer", physicalType="VARCHAR(9)"),
            declared("real", "number", physicalType="VARCHAR(9)"),
            declared("letter", "string"),
            quality=[
                {**sql, "query": "number / half > 1 or text like 'U%' and at >= '2024-01-01'"},
                {**sql, "query": "SELECT COUNT(DISTINCT text) FROM {object} WHERE abs(number) < 1"},
                {**sql, "query": "SELECT MAX(coalesce(half, 0) % 3) FROM flights"},
                {**sql, "query": "number >= -1 and not number > 1"},
                {**sql, "query": "cast(number as int) = 1"},
                {**sql, "query": "cast(letter as int) is null and cast(real as double) > 0"},
                {**sql, "query": "length(upper(letter)) = 1"},
                {**sql, "query": "lower(letter) in ('a', 'é', 'i', 'σ')"},
                {**sql, "query": "SELECT AVG(number) FROM flights"},
            ],
            top={"slaProperties": [{"property": "latency", "value": 1, "unit": "min", "element": "at"}]},
        )
        rng = np.random.default_rng(3)
        n = 400
        table = pa.table(
            {
                "id": pa.array([None, *rng.integers(0, 70_000, n - 1)], pa.int64()),
                "number": pa.array(
                    [math.nan, math.inf, -math.inf, None, *rng.normal(0, 2, n - 4).round(2)], pa.float64()
                ),
                "text": pa.array(rng.choice(["UA", "A\n", "ua", "", "Ü", "ABC"], n).tolist(), pa.string()),
                "at": pa.array(AS_OF - rng.integers(10**8, 10**11, n), pa.timestamp("us", "UTC")),
                "half": pa.array([None, *rng.integers(0, 6, n - 1) / 2], pa.float64()),
                "written": pa.array(rng.choice(["7", "-7", "+7", " 7", "1.5", "1e3", "7d", "x", "9" * 20], n).tolist()),
                "real": pa.array(rng.choice(["7", ".5", "1e3", "1e999", " 7", "7d", "NaN", "inf"], n).tolist()),
                "letter": pa.array(rng.choice(["a", "É", "ß", "ŉ", "İ", "Σ", "ς", "3", "3.5"], n).tolist()),
            }
        )
        here, there = (found(tmp_path, table, said, tables=tables) for tables in (duckdb, spark))
        assert broken(here) == broken(there)
        assert len(broken(here)) > 15

    def test_parity(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        offline = world(2_000)
        online = offline.sample(frac=0.9, random_state=3)
        online["age"] *= 1.25
        online.iloc[:30, online.columns.get_loc("weight")] = [np.inf, -np.inf, np.nan] * 10
        online.iloc[40:55, online.columns.get_loc("segment")] = "else"
        online.iloc[:20, online.columns.get_loc("at")] += pd.Timedelta(1, "h")
        offline.to_parquet(tmp_path / "offline.parquet")
        online.to_parquet(tmp_path / "online.parquet")
        asked = plan(columns=Columns(key=("id",), features=("age", "segment", "at", "weight", "p")))

        def given(tables: Tables) -> Given:
            opened = {role: tables.open_file(role, tmp_path / f"{role}.parquet") for role in ("offline", "online")}
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((ParityGate(),), given, spark, duckdb)
        wrong = {m["item"]["name"]: m["estimate"] * m["n"] for m in found if m["check"] == "parity.mismatch"}
        assert wrong["p"] == 0
        assert wrong["weight"] == 30
        assert round(wrong["at"]) == 20
        assert wrong["age"] > 1_500

    def test_what_was_known_at_a_rows_time(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(2_000), np.random.default_rng(3)
        events = frame.sample(n=1_500, random_state=1)
        events["seen_at"] = events["at"] + pd.to_timedelta(rng.integers(0, 10**5, 1_500), unit="s")
        events["at"] = events["at"].where(rng.random(1_500) < 0.95)
        training = frame.assign(at=frame["at"] + pd.to_timedelta(rng.integers(-(10**4), 10**5, 2_000), unit="s"))
        training.to_parquet(tmp_path / "training.parquet", row_group_size=100)
        events.to_parquet(tmp_path / "events.parquet")
        asked = plan(
            columns=Columns(key=("day", "id"), time="at", ingested="seen_at", features=("segment", "age")),
            max_rows=1_000,
        )

        def given(tables: Tables) -> Given:
            names: list[TableRole] = ["training", "events"]
            opened = {role: tables.open_file(role, tmp_path / f"{role}.parquet") for role in names}
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((ParityGate(),), given, spark, duckdb)
        past = [m for m in found if m["check"] in {"parity.asof_mismatch", "parity.known_later"}]
        assert {m["scope"] for m in past} == {"sample"}
        assert all(m["estimate"] > 0.01 for m in past if m["item"]["name"] == "age")
