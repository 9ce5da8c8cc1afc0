"""How long `gates --help` takes, as a whole process, beside a Python that does nothing.

The target is a median under 150 ms; it is printed, not enforced, since it says as much about the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import processes

RUNS = 20
TARGET_MS = 150


def _milliseconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1_000


def main() -> None:
    processes.compile_ours()
    commands = {
        "gates --help": [str(Path(sys.executable).with_name("gates")), "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    for command in commands.values():
        _milliseconds(command)
    # Interleaved, so that a busy second falls on both.
    rounds = [{name: _milliseconds(command) for name, command in commands.items()} for _ in range(RUNS)]
    bare = "python -c pass"
    rows = [
        (
            name,
            processes.spread([each[name] for each in rounds]),
            processes.spread([each[name] / each[bare] for each in rounds]),
        )
        for name in commands
    ]
    median = statistics.median(each["gates --help"] for each in rounds)
    title = f"gates --help, {RUNS} starts; target {TARGET_MS} ms: {'met' if median < TARGET_MS else 'missed'}"
    head = ("", f"milliseconds ({processes.SPREAD})", f"times {bare} ({processes.SPREAD})")
    processes.show(__file__, title, head, rows)


if __name__ == "__main__":
    main()
