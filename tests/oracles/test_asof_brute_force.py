"""Point-in-time correctness against a loop over rows and events, written from the definition alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from gates.inputs.tables import Tables
from gates.measure.interface import Findings, Given
from gates.measure.parity import ParityGate
from gates.records import LADDER, Columns, Measurement, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
FEATURES = ("balance", "member", "grade", "request")
DAY = pd.Timedelta("1D")


def plan(*, ingested: bool, **parameters: Any) -> Plan:
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=(),
        parameters=Parameters(**parameters),
        tables=(),
        columns=Columns(
            key=("customer", "branch", "visit"),
            time="at",
            ingested="seen_at" if ingested else None,
            features=FEATURES,
        ),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def measure(
    tables: Tables, folder: Path, rows: pd.DataFrame, events: pd.DataFrame, *, ingested: bool = True, **parameters: Any
) -> Findings:
    opened = {}
    for role, frame in (("training", rows), ("events", events)):
        frame.to_parquet(folder / f"{role}.parquet", index=False)
        opened[role] = tables.open(Table(role=role, uri=f"{role}.parquet"), base=folder)  # type: ignore[arg-type]
    asked = plan(ingested=ingested, **parameters)
    return ParityGate().measure(Given(plan=asked, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))


def figures(found: Findings, check: str) -> dict[str, Measurement]:
    return {m.item.name: m for m in found.measurements if m.check == check and m.item}


def note(found: Findings) -> dict[str, Any]:
    (content,) = [note.content for note in found.notes if note.name == "asof.json"]
    document: dict[str, Any] = json.loads(content)
    return document


def world(seed: int, events: int = 200, rows: int = 150) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Few customers and hours, so that times tie; values of any event of the customer, or of none; nulls and NaN."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2025-03-01", tz="UTC")

    def base(n: int) -> pd.DataFrame:
        hours = pd.to_timedelta(rng.integers(0, 60, n), unit="h")
        frame = pd.DataFrame({"customer": rng.choice(["a", "ü", "../b", ""], n), "branch": rng.integers(0, 3, n)})
        return frame.assign(at=start + hours)

    log = base(events)
    log["seen_at"] = log["at"] + pd.to_timedelta(rng.choice([0, 0, 1, 5, 40], events), unit="h")
    log["balance"] = np.where(rng.random(events) < 0.1, np.nan, np.round(rng.normal(0, 9, events), 1))
    log["member"] = pd.array(rng.random(events) < 0.5, dtype="boolean")
    log["grade"] = rng.choice(np.array(["x", "y", "z", None], dtype=object), events)
    log.loc[rng.random(events) < 0.05, "at"] = pd.NaT
    log.loc[rng.random(events) < 0.05, "seen_at"] = pd.NaT
    log.loc[rng.random(events) < 0.03, "customer"] = None
    table = base(rows).assign(visit=np.arange(rows), request=1.0)
    table.loc[rng.random(rows) < 0.05, "at"] = pd.NaT
    table.loc[rng.random(rows) < 0.03, "customer"] = None
    for name in FEATURES[:3]:
        table[name] = [
            pick(log, row, name, rng) for row in table[["customer", "branch"]].itertuples(index=False, name=None)
        ]
    table["member"] = table["member"].astype("boolean")
    table["balance"] = table["balance"].astype("float64")
    return table, log


def pick(log: pd.DataFrame, entity: tuple[Any, Any], name: str, rng: np.random.Generator) -> Any:
    own = log[(log.customer == entity[0]) & (log.branch == entity[1])]
    if len(own) == 0 or rng.random() < 0.1:
        return {"balance": 777.7, "member": None, "grade": "never"}[name]
    return own[name].iloc[rng.integers(len(own))]


def same(left: Any, right: Any) -> bool:
    """Null and NaN are one here: the world's numbers have no nulls."""
    return bool(pd.isna(left) and pd.isna(right)) or (not pd.isna(left) and not pd.isna(right) and left == right)


def brute_force(table: pd.DataFrame, log: pd.DataFrame, name: str, *, ingested: bool) -> dict[str, int]:
    counts = dict.fromkeys(("mismatches", "earlier", "happened_later", "ingested_later", "nothing_known", ""), 0)
    columns = ["customer", "branch", "at", *(["seen_at"] if ingested else []), name]
    events = list(log[columns].itertuples(index=False, name=None))
    for customer, branch, at, mine in table[["customer", "branch", "at", name]].itertuples(index=False, name=None):
        own = [] if pd.isna(customer) else [rest for of, where, *rest in events if (of, where) == (customer, branch)]
        known = [(moments, value) for *moments, value in own if all(by(moment, at) for moment in moments)]
        later = [(moments, value) for *moments, value in own if not all(by(moment, at) for moment in moments)]
        newest = max((moments for moments, _ in known), default=None)
        counts["nothing_known"] += not known
        right = [value for moments, value in known if moments == newest] or [None]
        if not any(same(mine, value) for value in right):
            counts["mismatches"] += 1
            counts[whence(mine, known, later, at)] += 1
    return {word: n for word, n in counts.items() if word}


def whence(mine: Any, known: list[Any], later: list[Any], at: Any) -> str:
    after = [value for moments, value in later if not pd.isna(moments[0]) and not pd.isna(at) and moments[0] > at]
    places = {
        "earlier": [value for _, value in known],
        "happened_later": after,
        "ingested_later": [value for _, value in later],
    }
    found = (word for word, values in places.items() if any(same(mine, value) for value in values))
    return "" if pd.isna(mine) else next(found, "")


def by(moment: Any, at: Any) -> bool:
    return not pd.isna(moment) and not pd.isna(at) and moment <= at


@pytest.mark.parametrize(("seed", "ingested"), [(1, True), (2, False)])
def test_counts_are_those_of_a_loop(tables: Tables, tmp_path: Path, seed: int, ingested: bool) -> None:
    table, log = world(seed)
    if seed == 2:
        table = table.assign(at=table["at"].dt.tz_convert("Asia/Kolkata"))
    found = measure(tables, tmp_path, table, log, ingested=ingested)
    document = note(found)
    assert document["not_rebuilt"] == ["request"]
    assert (document["table"], document["rows"], document["entity"]) == ("training", 150, ["customer", "branch"])
    reached = dict.fromkeys(("earlier", "happened_later", "ingested_later"), 0)
    for seen in document["features"]:
        wanted = brute_force(table, log, seen["name"], ingested=ingested)
        assert document["nothing_known"] == wanted.pop("nothing_known") > 0
        assert {word: seen[word] for word in wanted} == wanted
        for check, hits in (
            ("asof_mismatch", wanted["mismatches"]),
            ("known_later", wanted["happened_later"] + wanted["ingested_later"]),
        ):
            figure = figures(found, f"parity.{check}")[seen["name"]]
            assert (figure.estimate, figure.scope, figure.n) == (hits / 150, "census", 150)
        reached = {word: reached[word] + wanted[word] for word in reached}
    assert reached["earlier"] > 20
    assert reached["happened_later"] > 20
    # Without it there are the events and the rows of no known time.
    assert reached["ingested_later"] > (15 if ingested else 3)


def test_a_table_that_was_joined_as_of_has_nothing_to_report(tables: Tables, tmp_path: Path) -> None:
    """The oracle of the join itself is pandas' merge_asof."""
    rng = np.random.default_rng(5)
    n = 3_000
    log = pd.DataFrame({"customer": rng.integers(0, 40, n), "branch": 0, "balance": rng.normal(0, 1, n)})
    log["at"] = pd.Timestamp("2025-03-01") + pd.to_timedelta(rng.permutation(n * 60)[:n], unit="s")
    rows = pd.DataFrame({"customer": rng.integers(0, 45, n), "branch": 0, "visit": np.arange(n)})
    rows["at"] = pd.Timestamp("2025-03-01") + pd.to_timedelta(rng.integers(0, n * 60, n), unit="s")
    joined = pd.merge_asof(rows.sort_values("at"), log.sort_values("at"), on="at", by=["customer", "branch"])
    found = measure(tables, tmp_path, joined, log, ingested=False)
    assert figures(found, "parity.asof_mismatch")["balance"].estimate == 0
    assert figures(found, "parity.known_later")["balance"].estimate == 0
    assert note(found)["nothing_known"] == joined.balance.isna().sum() > 100
    leaked = pd.merge_asof(
        rows.sort_values("at"),
        log.sort_values("at"),
        on="at",
        by=["customer", "branch"],
        direction="forward",
        allow_exact_matches=False,
    )
    both = measure(tables, tmp_path, leaked, log, ingested=False)
    some = leaked.balance.notna().sum()
    assert figures(both, "parity.known_later")["balance"].estimate == some / n > 0.8


def test_of_a_large_table_a_sample_is_rebuilt_with_exact_bounds(tables: Tables, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    n = 5_000
    log = pd.DataFrame({"customer": np.arange(n), "branch": 0, "balance": rng.normal(0, 1, n)})
    log["at"] = pd.Timestamp("2025-03-01") + pd.to_timedelta(rng.integers(0, 9, n), unit="h")
    rows = log.assign(visit=np.arange(n))
    wrong = rng.random(n) < 0.1
    rows.loc[wrong, "at"] -= DAY
    found = measure(tables, tmp_path, rows, log, ingested=False, max_rows=1_000, seed=4)
    again = measure(tables, tmp_path, rows.sample(frac=1, random_state=1), log, ingested=False, max_rows=1_000, seed=4)
    figure = figures(found, "parity.known_later")["balance"]
    assert figures(again, "parity.known_later")["balance"] == figure
    assert (figure.scope, note(found)["table_rows"]) == ("sample", n)
    assert 850 < figure.n < 1_150
    assert figure.estimate is not None
    assert figure.bounds is not None
    hits = round(figure.estimate * figure.n)
    assert hits > 60
    for rung, bound in zip(LADDER, figure.bounds, strict=True):
        assert bound.lower == pytest.approx(beta.ppf(1 - rung, hits, figure.n - hits + 1), abs=1e-12)
        assert bound.upper == pytest.approx(beta.ppf(rung, hits + 1, figure.n - hits), abs=1e-12)
        assert float(bound.lower) < wrong.mean() < float(bound.upper)
