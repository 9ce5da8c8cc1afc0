"""Times ways to do the same work as whole processes, interleaved, imports included, and prints them as ratios.

A way is a function of a benchmark's module: `python benchmarks/X.py NAME ARGUMENTS...` runs it, and what it prints last
is its answer, shown beside its time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROUNDS = 3


@dataclass(frozen=True)
class Run:
    seconds: float
    peak_mb: float
    answer: str


def run(script: str, way: str, arguments: Sequence[str]) -> Run:
    """Run one way as a process of its own; peak is the largest resident set that the kernel saw."""
    with tempfile.TemporaryFile("w+") as out:
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, script, way, *arguments], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{way} ended with {process.returncode}")
        out.seek(0)
        lines = out.read().strip().splitlines()
    return Run(seconds, usage.ru_maxrss / 1024, lines[-1] if lines else "")


def compare(title: str, script: str, ways: Sequence[str], bare: str, arguments: Sequence[str]) -> None:
    """Run all ways in turn, ROUNDS times, and print a table with ratios to the bare one."""
    rounds = [{way: run(script, way, arguments) for way in ways} for _ in range(ROUNDS)]
    table = Table(title=title, title_justify="left", box=None)
    for name in ("", "fastest s", "median s", "slowest s", f"times {bare}", "peak MB", "answer"):
        table.add_column(name, justify="left" if name in {"", "answer"} else "right", overflow="fold")
    floor = min(each[bare].seconds for each in rounds)
    for way in ways:
        times = sorted(each[way].seconds for each in rounds)
        row = (times[0], statistics.median(times), times[-1], times[0] / floor)
        peak = max(each[way].peak_mb for each in rounds)
        table.add_row(way, *(f"{value:.2f}" for value in row), f"{peak:,.0f}", rounds[-1][way].answer)
    Console(width=110).print(table)


def main(
    script: str, ways: dict[str, Callable[..., object]], bare: str, make: Callable[[int, Path], str], rows: int
) -> None:
    """Be one way where it is named; else make the table of `rows` rows (or $ROWS) and compare all ways."""
    if len(sys.argv) > 1:
        print(ways[sys.argv[1]](*sys.argv[2:]))
        return
    rows = int(float(os.environ.get("ROWS", rows)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        title = make(rows, path)
        compare(title, script, list(ways), bare, [str(path)])
