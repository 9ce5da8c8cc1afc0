"""Times ways to do the same work as whole processes, interleaved, imports included, and prints them as ratios.

A way is a function of a benchmark's module: `python benchmarks/X.py NAME ARGUMENTS...` runs it, and what it prints last
is its answer, shown beside its time. Seconds of the processor, of all threads, say less of what else the machine did
than those on the clock. ROWS sets how many rows, ROUNDS how often; BENCH_OUT=docs/bench keeps the table.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "3"))
PEERS = str(Path(os.environ["PEERS"]) / "bin" / "python") if "PEERS" in os.environ else ""
"""The Python of an environment with other people's tools (`peers.txt`); empty without one."""
OURS = "gates"
"""The way that is a part of a command, and begins and ends as commands do."""
SPREAD = "fastest / median / slowest"
MACHINE = f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores; whole processes, imports included."


@dataclass(frozen=True)
class Run:
    seconds: float
    processor: float
    peak_mb: float
    answer: str


def run(script: str, way: str, arguments: Sequence[str], python: str = sys.executable) -> Run:
    """Run one way as a process of its own; peak is the largest resident set that the kernel saw."""
    with tempfile.TemporaryFile("w+") as out:
        begin = time.perf_counter()
        process = subprocess.Popen([python, script, way, *arguments], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{way} ended with {process.returncode}")
        out.seek(0)
        lines = out.read().strip().splitlines()
    processor = usage.ru_utime + usage.ru_stime
    return Run(seconds, processor, usage.ru_maxrss / 1024, lines[-1] if lines else "")


def compile_ours() -> None:
    """Compile the package, as its installation does: a working copy may be without, and each run would do it anew."""
    import compileall
    from importlib.util import find_spec

    spec = find_spec(OURS)
    for folder in (spec and spec.submodule_search_locations) or ():
        compileall.compile_dir(folder, quiet=1)


def spread(values: Sequence[float]) -> str:
    """Return the fastest, the median and the slowest."""
    return " / ".join(f"{value:.2f}" for value in (min(values), statistics.median(values), max(values)))


def show(script: str, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; where $BENCH_OUT names a folder, write it there too, as <script>.md."""
    # Here, since each way is a process that imports this module, and would take .1 s longer.
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None)
    for name in head:
        table.add_column(name, justify="left" if name in {"", "answer"} else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=130).print(table)
    folder = os.environ.get("BENCH_OUT")
    if folder:
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
        page = Path(folder) / f"{Path(script).stem}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("\n".join([f"# {title}", "", *lines, "", MACHINE, ""]), encoding="utf-8")


def compare(title: str, script: str, ways: dict[str, str], bare: str, arguments: Sequence[str]) -> None:
    """Run all ways in turn, ROUNDS times, and show a table with ratios to the bare one of the same round.

    Parameters
    ----------
    ways: the Python that runs each.
    """
    rounds = [{way: run(script, way, arguments, python) for way, python in ways.items()} for _ in range(ROUNDS)]
    head = ("", f"processor s ({SPREAD})", f"times {bare}'s", f"seconds ({SPREAD})", "peak MB", "answer")
    rows = []
    for way in ways:
        seconds = [each[way].seconds for each in rounds]
        processor = [each[way].processor for each in rounds]
        ratios = [each[way].processor / each[bare].processor for each in rounds]
        peak = max(each[way].peak_mb for each in rounds)
        rows.append((way, spread(processor), spread(ratios), spread(seconds), f"{peak:,.0f}", rounds[-1][way].answer))
    show(script, title, head, rows)


def main(
    script: str,
    ways: dict[str, Callable[..., object]],
    bare: str,
    make: Callable[[int, Path], str],
    rows: int,
    peers: Collection[str] = (),
) -> None:
    """Be one way where it is named; else make the table of `rows` rows (or $ROWS) and compare all ways.

    Parameters
    ----------
    peers: ways that run in the environment $PEERS, and not at all without one.
    """
    if len(sys.argv) > 1:
        if sys.argv[1] == OURS:
            from gates.cli.starting import prepare

            prepare()
        print(ways[sys.argv[1]](*sys.argv[2:]))
        if sys.argv[1] == OURS:
            from gates.cli.ending import leave

            leave(0)
        return
    compile_ours()
    rows = int(float(os.environ.get("ROWS", rows)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        title = make(rows, path)
        pythons = {way: PEERS if way in peers else sys.executable for way in ways}
        compare(title, script, {way: python for way, python in pythons.items() if python}, bare, [str(path)])
