"""Keys of two tables are counted as a brute force counts them, be they close to each other or far apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.inputs.tables import Tables
from gates.measure.parity import match as module
from gates.measure.parity.match import Matched, match


def matched(tables: Tables, folder: Path, offline: pa.Array, online: pa.Array) -> Matched:
    read = []
    for name, keys in (("offline", offline), ("online", online)):
        pq.write_table(pa.table({"k": keys}), folder / f"{name}.parquet")
        read.append(tables.read(folder / f"{name}.parquet"))
    return match(*read, ("k",))


def wanted(offline: list[int | None], online: list[int | None]) -> Matched:
    sides = [Counter(key for key in keys if key is not None) for keys in (offline, online)]
    return Matched(any(max(side.values(), default=0) > 1 for side in sides), len(sides[0].keys() & sides[1].keys()))


LEAST, MOST = -(2**63), 2**63 - 1
RANGES = [(0, 40), (-25, 25), (1, 700), (LEAST, LEAST + 90), (MOST - 90, MOST), (0, 10**6), (LEAST, MOST)]


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("once", [True, False])
def test_keys_are_counted_as_by_brute_force(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, low: int, high: int, *, once: bool
) -> None:
    in_blocks: list[bool] = []
    look = module._seen_in_blocks
    monkeypatch.setattr(
        module, "_seen_in_blocks", lambda both: in_blocks.append((found := look(both)) is not None) or found
    )
    generator = np.random.default_rng([once, high % 1000])
    sides: list[list[int | None]] = []
    for size in (45, 60):
        drawn = [int(key) for key in generator.integers(low, high, size, endpoint=True)]
        sides.append([*(dict.fromkeys(drawn) if once else drawn), None, None])
    found = matched(tables, tmp_path, *(pa.array(side, pa.int64()) for side in sides))
    right = wanted(*sides)
    assert found.repeat == right.repeat
    assert found.repeat or found.paired == right.paired
    assert in_blocks == [high - low < 16 * 90]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint8(), pa.uint64()])
def test_each_width_of_whole_numbers_counts_at_its_ends(tables: Tables, tmp_path: Path, kind: pa.DataType) -> None:
    low = -128 if kind == pa.int8() else 0
    high = {pa.int8(): 127, pa.uint8(): 255, pa.uint64(): 2**64 - 1}[kind]
    offline, online = [low, low + 1, high - 1, high], [low, high, high - 2]
    found = matched(tables, tmp_path, pa.array(offline, kind), pa.array(online, kind))
    assert found == Matched(repeat=False, paired=2)
    assert matched(tables, tmp_path, pa.array(offline, kind), pa.array([high, high], kind)).repeat


def test_no_key_pairs_with_nothing(tables: Tables, tmp_path: Path) -> None:
    none = pa.array([None, None], pa.int64())
    assert matched(tables, tmp_path, none, none) == Matched(repeat=False, paired=0)
    assert matched(tables, tmp_path, none, pa.array([3], pa.int64())) == Matched(repeat=False, paired=0)
