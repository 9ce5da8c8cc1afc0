"""Runs of a world: each cell has random numbers of its own, so that neither workers nor other cells change them."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from oracles.worlds import Floats

SEED = 20261121
CHUNK = 50

One = Callable[..., Sequence[float]]
Cell = tuple[Any, ...]


def _chunk(one: One, cell: Cell, number: int, runs: int) -> Floats:
    key = f"{one.__module__.rpartition('.')[2]}.{one.__name__}{cell!r}"
    rng = np.random.default_rng([SEED, zlib.crc32(key.encode()), number])
    return np.array([one(rng, *cell) for _ in range(runs)], dtype=float)


@dataclass
class Runner:
    """Runs studies at a scale.

    Attributes
    ----------
    scale: the share of the full number of runs. least: runs at least. executor: where chunks of runs go; None runs them here.
    """

    scale: float = 1.0
    least: int = 20
    executor: Executor | None = None
    say: Callable[[str], None] = field(default=lambda _: None)

    def runs(self, full: int) -> int:
        return max(self.least, round(full * self.scale))

    def simulate(self, one: One, cells: Iterable[Cell], full: int) -> dict[Cell, Floats]:
        """Run `one(rng, *cell)` for each cell; return its answers, shape (runs, answers), by cell."""
        begin, wanted, runs = time.monotonic(), list(dict.fromkeys(cells)), self.runs(full)
        sizes = [min(CHUNK, runs - first) for first in range(0, runs, CHUNK)]
        jobs = [(one, cell, number, size) for cell in wanted for number, size in enumerate(sizes)]
        columns = list(zip(*jobs, strict=True))
        done = map(_chunk, *columns) if self.executor is None else self.executor.map(_chunk, *columns)
        chunks = iter(done)
        found = {cell: np.concatenate([next(chunks) for _ in sizes]) for cell in wanted}
        self.say(f"  {one.__name__}: {len(wanted)} worlds x {runs} runs in {time.monotonic() - begin:.0f} s")
        return found
