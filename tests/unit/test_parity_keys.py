"""Causes of a pair of tables whose keys do not pair, or pair with others; and none where nothing is wrong."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates.decide.causes import read_causes
from gates.inputs.tables import Tables
from gates.measure.interface import Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(tables: Tables, tmp_path: Path) -> Measure:
    def run(offline: pd.DataFrame, online: pd.DataFrame, key: tuple[str, ...] = ("k",)) -> dict[str, Any]:
        offline.to_parquet(tmp_path / "offline.parquet")
        online.to_parquet(tmp_path / "online.parquet")
        opened = {
            role: tables.open(Table(role=role, uri=f"{role}.parquet"), base=tmp_path)  # type: ignore[arg-type]
            for role in ("offline", "online")
        }
        features = tuple(name for name in online.columns if name.startswith("x"))
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            tables=(),
            columns=Columns(key=key, features=features),
            policy_digest=DIGEST,
            spec_digest=DIGEST,
        )
        found = ParityGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
        (note,) = found.notes
        document: dict[str, Any] = json.loads(note.content)
        assert not [text for text in ("@example.org", "secret") if text in note.content.decode()]
        document["hints"] = [cause.hint for cause in read_causes(note.content, ())]
        return document

    return run


def people(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "k": [f"C{number:06d}" for number in rng.permutation(n)],
            "mail": [f"secret{number}@example.org" for number in rng.permutation(n)],
            "x": rng.normal(size=n),
            "x2": rng.gamma(2, 3, n),
        }
    )


def test_a_key_that_is_another_column_is_of_another_kind(measure: Measure) -> None:
    offline = people()
    found = measure(offline, offline.drop(columns="k").rename(columns={"mail": "k"}))
    assert [(cause["code"], cause["detail"]) for cause in found["causes"]] == [
        ("key_of_another_kind", {"column": "mail"})
    ]
    assert found["hints"] == [
        "another offline column, named in parity.json, holds 600 of 600 online keys without a partner: key of another kind"
    ]


def test_keys_that_look_otherwise_are_of_another_kind(measure: Measure) -> None:
    offline = people().drop(columns="mail")
    online = offline.assign(k=[str(uuid.UUID(int=number**9)) for number in range(1, 601)])
    found = measure(offline, online)
    assert [(cause["code"], cause["detail"]) for cause in found["causes"]] == [
        ("key_of_another_kind", {"offline_like": "other texts", "online_like": "UUIDs"})
    ]


@pytest.mark.parametrize("change", [str.lower, lambda key: f" {{{key}}}"])
def test_keys_that_are_written_otherwise_are_an_encoding(measure: Measure, change: Callable[[str], str]) -> None:
    offline = people()
    [cause] = measure(offline, offline.assign(k=offline["k"].map(change)))["causes"]
    assert (cause["code"], cause["rows"], cause["explained"]) == ("type_or_encoding", 600, 600)


def test_a_key_of_whole_numbers_beside_one_of_texts_is_an_encoding(measure: Measure) -> None:
    offline = people().assign(k=range(600))
    found = measure(offline, offline.assign(k=[f"{number:09d}" for number in range(600)]))
    assert [cause["code"] for cause in found["causes"]] == ["type_or_encoding"]


def test_a_time_in_the_key_that_is_hours_away_is_a_time_zone(measure: Measure) -> None:
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(600) * 31, "min")
    offline = people().assign(k=times)
    found = measure(offline, offline.assign(k=times + pd.Timedelta("5h")))
    assert [(cause["code"], cause["detail"]) for cause in found["causes"]] == [("time_zone", {"hours": 5.0})]
    assert "- 5 hours away: time zone" in found["hints"][0]


def test_keys_that_occur_twice_are_counted(measure: Measure) -> None:
    offline = people()
    found = measure(offline, pd.concat([offline, offline.head(7), offline.head(2)]))
    assert [(cause["code"], cause["detail"]) for cause in found["causes"]] == [
        ("duplicated_key", {"side": "online", "keys": 7, "rows": 16})
    ]
    assert found["hints"] == ["7 keys occur more than once online, in 16 rows: duplicated key"]


def test_rows_that_stand_elsewhere_are_named_for_the_tables(measure: Measure) -> None:
    offline = people()
    moved = offline.assign(k=offline["k"].to_numpy()[::-1])
    found = measure(offline, moved)
    assert [feature["cause"]["code"] for feature in found["features"]] == ["sort_order", "sort_order"]
    assert [cause["code"] for cause in found["causes"]] == ["sort_order"]


def test_other_customers_have_no_cause(measure: Measure) -> None:
    offline = people()
    other = offline.assign(k=[f"C{number:06d}" for number in range(5_000, 5_600)])
    assert measure(offline, other)["causes"] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.sample(frac=1, random_state=1),
        lambda frame: frame.astype({"x2": "float32"}),
        lambda frame: frame.head(550),
    ],
)
def test_equal_tables_have_no_cause(measure: Measure, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    offline = people()
    found = measure(offline, change(offline))
    assert found["causes"] == []
    assert [feature.get("cause") for feature in found["features"]] == [None, None]
