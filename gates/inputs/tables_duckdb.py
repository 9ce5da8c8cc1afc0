"""The table engine DuckDB: in this process, spilling to the scratch folder. The default adapter of `tables`.

A Parquet file is read where it lies, only the columns that are asked for; a CSV file is copied into the engine once.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.engines import distinct, usable_cores
from gates.inputs.ibis_dialects import use_few_dialects
from gates.inputs.tables import keep
from gates.records import Digest

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY_LIMIT = "60%"  # the rest is for Python and the scorer process
MEMORY_VARIABLE = "GATES_MEMORY"

FILE_BELIEVERS = (
    "statistics_propagation",
    "row_group_pruner",
    "partial_aggregate_pushdown",
    "filter_pushdown",
    "join_filter_pushdown",
    "top_n",
    "type_pushdown",
    "scalar_fn_pushdown",
)
"""Steps of the engine's optimizer that take the minimum and maximum that a Parquet file states for the truth. A file may
lie, and honest ones leave NaN out (duckdb issue 25521): a check of every value must look at every value."""

EVERY_LINE = {"skip": 0, "comment": "", "quote": '"', "escape": '"'}
"""What the engine would otherwise guess from the file: it passes over all lines above the first that fits the last, takes
lines that begin with `#` for remarks, and joins lines between two apostrophes. The rows that it lost would be in no figure,
and the rest would be called all of them. The rest of the dialect (RFC 4180's, with another separator) it may guess."""


class DuckdbEngine:
    """DuckDB with a bound on its memory.

    Parameters
    ----------
    scratch: folder to spill to.
    memory_limit: share or size in DuckDB's words (`60%`, `4GB`); default: $GATES_MEMORY. threads: default: one for each core
        of this process.

    Raises
    ------
    UsageError: `engine.memory`: no such limit.
    """

    ordered = True

    def __init__(self, scratch: Path, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        use_few_dialects()
        # Not by `ibis.duckdb`, which looks through all installed packages for backends.
        from ibis.backends.duckdb import Backend

        limit = memory_limit or os.environ.get(MEMORY_VARIABLE) or MEMORY_LIMIT
        with _limited(limit):
            self._connection = Backend().connect(
                memory_limit=limit,
                threads=threads or usable_cores(),
                temp_directory=str(scratch / "spill"),
                TimeZone="UTC",
                autoinstall_known_extensions=False,  # the engine fetches nothing from a network
                disabled_optimizers=",".join(FILE_BELIEVERS),
            )
        self._connection.compiler = _compiler()

    def read_parquet(self, path: Path, where: str) -> ir.Table:
        """Read a Parquet file, all of its rows.

        Raises
        ------
        UsageError: column names that differ in case only.
        """
        elements = self._connection.con.execute(
            "SELECT name, num_children FROM parquet_schema(?)", [str(path)]
        ).fetchall()
        distinct(_top_level(elements), where)
        return _instants(self._connection.read_parquet(str(path), can_have_nan=True))

    def read_csv(self, path: Path, where: str) -> ir.Table:
        """Read a CSV file, plain, gzip or zstd; as `read_parquet`."""
        _begins_with_names(path, where)
        first = self._connection.read_csv(str(path), header=False, all_varchar=True, **EVERY_LINE)
        values = first.limit(1).to_pyarrow().to_pylist()
        names = ["" if name is None else str(name) for name in values[0].values()] if values else []
        distinct(names, where)
        # the whole file is sampled: a type that changes in the last row is no surprise later
        table = self._connection.read_csv(str(path), header=True, sample_size=-1, **EVERY_LINE)
        if len(table.columns) != len(names) or (len(names) == 1 and re.search(r"[,;\t|]", names[0])):
            raise _other_lines("lines have different numbers of columns", where)
        return keep(table)

    def read_dataset(self, dataset: Any, where: str) -> ir.Table:
        """Read a pyarrow dataset, batch by batch: nothing is copied."""
        import ibis.util

        name = ibis.util.gen_name("dataset")
        self._connection.con.register(name, dataset)
        return self._connection.table(name)

    def read_named(self, name: str, where: str) -> ir.Table:
        """Refuse: there is no catalog here, only files."""
        raise _no_catalog(where)

    def digest(self, table: ir.Table) -> Digest:
        """Refuse, as `read_named` does: no table here goes by a name."""
        raise _no_catalog(table.get_name())

    def close(self) -> None:
        """Let go of the connection and its memory."""
        self._connection.disconnect()


@contextmanager
def _limited(limit: str) -> Iterator[None]:
    from duckdb import Error

    try:
        yield
    except Error as error:
        raise UsageError(
            f"{limit!r} is no limit of memory: {str(error).splitlines()[0]}",
            code="engine.memory",
            where=MEMORY_VARIABLE,
            remedy="such as 4GB or 60%",
        ) from error


def _begins_with_names(path: Path, where: str) -> None:
    """Refuse an empty first line: the engine would read the names below it as a row too."""
    import pyarrow as pa

    with suppress(OSError), pa.input_stream(str(path)) as file:  # what is damaged the engine says
        if file.read(4).removeprefix(codecs.BOM_UTF8)[:1] in (b"\n", b"\r"):
            raise _other_lines("the first line is empty", where)


def _other_lines(message: str, where: str) -> UsageError:
    return UsageError(
        message,
        code="table.unreadable",
        where=where,
        remedy='the first line has the names of the columns, each other one as many values, quoted by " where need be',
    )


def _compiler() -> Any:
    """Ibis' words of the engine, which counts truth values itself in half of the time that it takes to make numbers of them."""
    from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

    class Compiler(DuckDBCompiler):  # type: ignore[misc]
        __slots__ = ()

        def visit_Sum(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802 (Ibis' name and words)
            return self.agg.sum(arg, where=where)

    return Compiler()


def _instants(table: ir.Table) -> ir.Table:
    """Return the table with its times of nanoseconds and a zone, a type that Ibis does not know, as those to the microsecond."""
    unknown = [name for name in table.columns if "TIMESTAMPTZ_NS" in str(table[name].type())]
    return table.mutate(**{name: table[name].cast("timestamp('UTC')") for name in unknown}) if unknown else table


def _no_catalog(where: str) -> UsageError:
    return UsageError(
        "is a table of a catalog, and no file", code="uri.unsupported", where=where, remedy="engine: spark"
    )


def _top_level(elements: list[tuple[str, int | None]]) -> list[str]:
    """Names of the columns in a Parquet schema, which lists root, columns and their parts depth first."""
    names: list[str] = []
    parts = 0
    for name, children in elements[1:]:
        if parts:
            parts -= 1
        else:
            names.append(name)
        parts += children or 0
    return names
