"""A command's process ends at once, with all that was to be done at the end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import atexit, sys, threading, time
from gates.cli import ending
class Last:
    def __del__(self): print("taken apart")
kept = Last()
atexit.register(print, "called")
def work():
    time.sleep(0.05)
    print("worked")
if sys.argv[1] == "thread":
    threading.Thread(target=work).start()
print("said", end=" ")
ending.leave(3)
"""


@pytest.mark.parametrize(
    ("how", "said"), [("alone", "said called\n"), ("thread", "said worked\ncalled\ntaken apart\n")]
)
def test_what_was_to_be_done_is_done_and_nothing_is_taken_apart(how: str, said: str) -> None:
    ended = subprocess.run([sys.executable, "-c", PROBE, how], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, said, "")


def test_nobody_reads_on() -> None:
    command = f'"{sys.executable}" -c \'from gates.cli.ending import leave; print("x" * 100000); leave(0)\' | true'
    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert "Exception ignored" not in ended.stderr
