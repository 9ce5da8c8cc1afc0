"""Ibis imports the dialects that are asked for, and still has all of them."""

from __future__ import annotations

import json
import subprocess
import sys

CONNECTED = """
import json, sys
from gates.inputs.ibis_dialects import use_few_dialects
use_few_dialects()
import ibis
ibis.duckdb.connect()
name = "ibis.backends.sql.compilers"
loaded = [each for each in sys.modules if each.startswith(name + ".")]
import ibis.backends.sql.compilers as compilers
from ibis.backends.sql.compilers import SnowflakeCompiler
try:
    compilers.NoneSuchCompiler
    missing = "found"
except AttributeError as error:
    missing = str(error)
print(json.dumps([loaded, SnowflakeCompiler.__name__, compilers.MSSQLCompiler.__name__, missing]))
"""


def test_one_engine_needs_its_own_dialect_and_the_others_are_there_when_asked_for() -> None:
    ran = subprocess.run([sys.executable, "-c", CONNECTED], capture_output=True, text=True, check=True)
    loaded, snowflake, mssql, missing = json.loads(ran.stdout)
    assert "ibis.backends.sql.compilers.duckdb" in loaded
    assert not any("snowflake" in name or "bigquery" in name for name in loaded)
    assert (snowflake, mssql, missing) == ("SnowflakeCompiler", "MSSQLCompiler", "NoneSuchCompiler")
