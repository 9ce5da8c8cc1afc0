"""How long `gates --help` takes, as a whole process, beside a Python that does nothing.

The target is a median under 150 ms; it is printed, not enforced, since it says as much about the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 20
TARGET_MS = 150


def _milliseconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1_000


def main() -> None:
    commands = {
        "gates --help": [str(Path(sys.executable).with_name("gates")), "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    for command in commands.values():
        _milliseconds(command)
    # Interleaved, so that a busy second falls on both.
    rounds = [{name: _milliseconds(command) for name, command in commands.items()} for _ in range(RUNS)]
    medians = {}
    for name in commands:
        times = sorted(each[name] for each in rounds)
        medians[name] = statistics.median(times)
        print(
            f"{name:<15} median {medians[name]:6.1f} ms   fastest {times[0]:6.1f}   slowest {times[-1]:6.1f}   n {RUNS}"
        )
    ours, bare = medians.values()
    print(f"ratio {ours / bare:.1f}; target {TARGET_MS} ms: {'met' if ours < TARGET_MS else 'missed'}")


if __name__ == "__main__":
    main()
