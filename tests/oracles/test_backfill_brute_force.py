"""The backfill gate against loops over rows in plain Python, on rewrites with random defects of all kinds at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from backfill_world import FROM, FULL, TO, Bench, log, rewrite

from gates.inputs.tables import Tables

SKIPPED = "run_at"


def spoilt(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Live, shadow, rerun and training; a few rows of each kind of defect, some rows with several."""
    rng = np.random.default_rng(seed)
    live = log(400, seed)

    def some(frame: pd.DataFrame, n: int) -> np.ndarray:
        return rng.choice(len(frame), n, replace=False)

    shadow = rewrite(live)
    shadow = shadow.drop(index=some(shadow, 12)).reset_index(drop=True)
    shadow.loc[some(shadow, 9), "x"] = 7.5
    shadow.loc[some(shadow, 3), "s"] = None
    shadow.loc[some(shadow, 4), "at"] += pd.Timedelta("48h")
    shadow.loc[some(shadow, 3), "day"] = "2024-03-02"
    shadow.loc[some(shadow, 3), "day"] = None
    shadow.loc[some(shadow, 3), "at"] = pd.NaT
    shadow.loc[some(shadow, 5), "arrived"] += pd.Timedelta("9h")
    shadow.loc[some(shadow, 2), "arrived"] = pd.NaT
    shadow.loc[some(shadow, 5), "joined"] += pd.Timedelta("30h")
    shadow.loc[some(shadow, 2), "seen"] = pd.NaT
    shadow.loc[some(shadow, 6), "joined"] -= pd.Timedelta("7h")
    extra = shadow.iloc[some(shadow, 6)].assign(id=lambda frame: frame["id"] + 10_000)
    shadow = pd.concat([shadow, shadow.iloc[some(shadow, 10)], extra], ignore_index=True)
    live = pd.concat([live, live.iloc[some(live, 5)]], ignore_index=True)
    rerun = shadow.sample(frac=1, random_state=seed, ignore_index=True)
    rerun.loc[some(rerun, 2), "n"] += 1
    mixed = live.iloc[some(live, 150)], shadow.iloc[some(shadow, 120)]
    training = pd.concat(mixed, ignore_index=True).drop(columns=["arrived", "day"])
    training.loc[some(training, 5), "n"] += 100
    return live, shadow, rerun, training


def rows_of(frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Each row as a tuple in which what is absent is None, so that equal means equal."""
    values = frame[columns].astype(object)
    return [tuple(row) for row in values.where(frame[columns].notna(), None).itertuples(index=False)]


def by_key(rows: list[tuple[Any, ...]], names: list[str]) -> dict[Any, list[tuple[Any, ...]]]:
    places = names.index("id"), names.index("part")
    found: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(tuple(row[place] for place in places), []).append(row)
    return found


def outside(row: tuple[Any, ...], names: list[str]) -> bool:
    at = row[names.index("at")]
    return at is None or not FROM <= at < TO


def expected(live: pd.DataFrame, shadow: pd.DataFrame, rerun: pd.DataFrame, training: pd.DataFrame) -> dict[str, float]:
    names = [name for name in live.columns if name != SKIPPED]
    old, new, again = (rows_of(frame, names) for frame in (live, shadow, rerun))
    day = names.index("day")
    days = [Counter(row[day] for row in rows) for rows in (old, new)]
    keyed = [by_key(rows, names) for rows in (old, new)]
    every = set(keyed[0]) | set(keyed[1])
    changed = 0
    for key in every:
        sides = [Counter(row for row in side.get(key, []) if outside(row, names)) for side in keyed]
        changed += max((sides[0] - sides[1]).total(), (sides[1] - sides[0]).total())
    contents = [
        {d: Counter(row for row in rows if row[day] == d) for d in {r[day] for r in new + again}}
        for rows in (new, again)
    ]
    return {
        "columns": 0,
        "row_difference": sum(abs(days[0][d] - days[1][d]) for d in set(days[0]) | set(days[1])),
        "keys_missing": len(set(keyed[0]) - set(keyed[1])),
        "keys_added": len(set(keyed[1]) - set(keyed[0])),
        "keys_repeated": sum(max(len(keyed[1].get(k, [])) - max(len(keyed[0].get(k, [])), 1), 0) for k in every),
        "changed_outside_window": changed,
        "rerun_difference": sum(contents[0][d] != contents[1][d] for d in contents[0]),
        **times(shadow),
        "mixed_training": mixed(live, shadow, training),
    }


def times(shadow: pd.DataFrame) -> dict[str, float]:
    late = later = expired = 0
    for row in shadow.itertuples(index=False):
        late += not row.arrived <= row.at + pd.Timedelta(seconds=7_200)
        later += not (row.seen <= row.at and row.joined <= row.at)
        expired += any(row.at - known > pd.Timedelta(seconds=6 * 3_600) for known in (row.seen, row.joined))
    return {"late_rows": late, "known_later": later, "expired_rows": expired}


def mixed(live: pd.DataFrame, shadow: pd.DataFrame, training: pd.DataFrame) -> float:
    names = [name for name in live.columns if name in training.columns and name != SKIPPED]
    old, new, learned = (
        set(rows_of(f, names)) if i < 2 else rows_of(f, names) for i, f in enumerate((live, shadow, training))
    )
    assert isinstance(old, set)
    assert isinstance(new, set)
    places = names.index("id"), names.index("part")

    def key(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row[place] for place in places)

    # A row whose partition alone changed differs in the whole tables, and not in what training has of them.
    changed = {key(row) for row in old ^ new}
    kinds: Counter[str] = Counter()
    for row in learned:
        if key(row) in changed and not (row in old and row in new):
            kinds["old" if row in old else "new" if row in new else "other"] += 1
    return kinds.total() - max(kinds.values(), default=0)


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_what_loops_count(tmp_path: Path, seed: int) -> None:
    live, shadow, rerun, training = spoilt(seed)
    with Tables(threads=2) as tables:
        bench = Bench(tables, tmp_path)
        found = bench.measure({"live": live, "shadow": shadow, "rerun": rerun, "training": training})
    wanted = expected(live, shadow, rerun, training)
    assert found == wanted
    assert all(value > 0 for name, value in wanted.items() if name != "columns"), "the world plants every defect"
    declared = bench.note["declared"]
    assert (declared["lateness_s"], declared["ttl_s"]) == (FULL.lateness_s, FULL.ttl_s)
    for name, figure in bench.found.items():
        listed = [line["n"] for line in bench.note["worst"].get(name, [])]
        assert listed == sorted(listed, reverse=True)
        # Fewer partitions than are listed at most: what is listed is all there is.
        assert name == "columns" or sum(listed) == figure.estimate
        assert list(bench.parts.get(name, {}).values()) == listed[:3]
