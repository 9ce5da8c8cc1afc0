"""`gates --help` is quick because nothing heavy is imported before a command is known."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"mlflow", "sklearn", "scipy", "pandas", "numpy", "ibis", "duckdb", "pyarrow", "mapie", "wasmtime", "rich"}
PROBE = """
import sys
sys.argv = ["gates", "--help"]
from gates.cli.main import main
code = 0
try:
    main()
except SystemExit as done:
    code = done.code
print("exit", code)
print("modules", *sorted({name.split(".")[0] for name in sys.modules}))
"""


def _help() -> list[str]:
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def test_help_imports_nothing_heavy() -> None:
    *_, status, modules = _help()
    assert status == "exit 0"
    assert HEAVY & set(modules.split()[1:]) == set()


def test_help_shows_the_five_first_commands_first() -> None:
    listed = [line.split()[0] for line in _help() if line.startswith("  ") and line.split()]
    commands = [word for word in listed if word.isalpha()]
    first = [commands.index(name) for name in ("init", "check", "promote", "rollback", "status")]
    assert first == sorted(first)
    assert first[-1] < commands.index("doctor")
