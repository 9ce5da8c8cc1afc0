"""Objects, lists and bytes that are written otherwise: the same ones are equal, others are not, and no wrong cause is named."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from parity_world import by_place, measure

from gates.inputs.tables import Tables

ROWS = 300
RNG = np.random.default_rng(30)
X, N = RNG.normal(0, 50, ROWS).round(3), RNG.integers(-100, 100, ROWS).tolist()
AT = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=place) for place in N]  # noqa: DTZ001 - without a zone on purpose
OBJECTS = [{"a": n, "b": str(n)} for n in N]
TURNED = pa.struct([("b", pa.large_string()), ("a", pa.int16())])
UTC = pa.list_(pa.timestamp("us", "UTC"))
EXACT = [{"a": decimal.Decimal(str(x))} for x in X]

ALIKE = {
    "names in another order": (pa.array(OBJECTS), pa.array(OBJECTS, TURNED)),
    "no object": (
        pa.array([None if n % 3 else each for n, each in zip(N, OBJECTS, strict=True)]),
        pa.array([None if n % 3 else each for n, each in zip(N, OBJECTS, strict=True)], TURNED),
    ),
    "decimals in objects": (
        pa.array([{"a": float(x)} for x in X]),
        pa.array(EXACT, pa.struct([("a", pa.decimal128(12, 3))])),
    ),
    "objects in lists": (pa.array([[each] for each in OBJECTS]), pa.array([[each] for each in OBJECTS], pa.list_(TURNED))),
    "times with a zone in lists": (pa.array([[at] for at in AT], pa.list_(pa.timestamp("us"))), pa.array([[at] for at in AT], UTC)),
    "lists of lists": (pa.array([[[n], [1]] for n in N]), pa.array([[[n], [1]] for n in N], pa.large_list(pa.list_(pa.int16(), 1)))),
    "words as a dictionary": (pa.array([str(n) for n in N]), pa.array([str(n) for n in N]).dictionary_encode()),
}  # fmt: skip
OTHERS = {
    "another number": (pa.array(OBJECTS), pa.array([each | {"a": each["a"] + 1} for each in OBJECTS], TURNED)),
    "nothing for the object": (
        pa.array([{"a": n, "b": None} for n in N], TURNED),
        pa.array([None] * ROWS, pa.struct(list(TURNED)[::-1])),
    ),
    "another hour": (pa.array([[at] for at in AT], pa.list_(pa.timestamp("us"))), pa.array([[at + dt.timedelta(hours=1)] for at in AT], UTC)),
    "text for a number": (pa.array([[str(n)] for n in N]), pa.array([[n] for n in N])),
    "one place more": (pa.array([[[n], [1]] for n in N]), pa.array([[[n]] for n in N], pa.list_(pa.list_(pa.int8())))),
    "another name": (pa.array([{"a": n} for n in N]), pa.array([{"c": n} for n in N])),
}  # fmt: skip


def told(tables: Tables, folder: Path, left: pa.Array, right: pa.Array) -> tuple[float | None, str | None]:
    """The mismatch rate and the cause of a feature of which online has the rows in another order."""
    order = np.random.default_rng(1).permutation(len(left))
    online = pa.table({"k": np.arange(len(left), dtype="int32"), "x": right}).take(order)
    found = measure(tables, folder, pa.table({"k": np.arange(len(left)), "x": left}), online)
    [feature] = json.loads(found.notes[0].content)["features"]
    return by_place(found, "parity.mismatch")["x"].estimate, feature.get("cause", {}).get("code")


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_values_in_other_types_are_equal(tables: Tables, tmp_path: Path, name: str) -> None:
    assert told(tables, tmp_path, *ALIKE[name]) == (0.0, None)


@pytest.mark.parametrize("name", OTHERS)
def test_other_values_in_other_types_differ_and_no_cause_is_made_up(tables: Tables, tmp_path: Path, name: str) -> None:
    rate, code = told(tables, tmp_path, *OTHERS[name])
    assert rate == 1.0
    assert code == ("absent" if name == "nothing for the object" else "unknown")


def test_texts_kept_as_bytes_are_one_of_encoding(tables: Tables, tmp_path: Path) -> None:
    words = [f"ü{n}" for n in N]
    bytes_ = pa.array([word.encode() for word in words])
    assert told(tables, tmp_path, pa.array(words), bytes_) == (1.0, "type_or_encoding")
    assert told(tables, tmp_path, bytes_, pa.array([f"{n}ü" for n in N]))[1] != "type_or_encoding"
