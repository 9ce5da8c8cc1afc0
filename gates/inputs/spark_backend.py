"""Ibis' backend of Spark with DuckDB's manners: results by Arrow, kept tables cached, one line where the engine fails.

Imports pyspark; only `tables_spark` imports this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibis.backends.pyspark import Backend
from ibis.formats.pyarrow import PyArrowData
from py4j.protocol import Py4JError, Py4JJavaError

from gates.errors import UsageError
from gates.inputs.engines import EngineFailed

if TYPE_CHECKING:
    import ibis.expr.types as ir


class SparkBackend(Backend):  # type: ignore[misc]
    """As Ibis has it, but for what is overridden here."""

    def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:
        """Compute by Arrow: by way of pandas, as Ibis does it, null and NaN become one. The answer is held in memory."""
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        with one_line():
            answer = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
        return expr.__pyarrow_result__(PyArrowData.convert_table(answer, table.schema()))

    def to_parquet(self, expr: ir.Table, /, path: str | Path, **kwargs: Any) -> None:
        """Write one file, not a folder of them; all rows pass through memory."""
        import pyarrow.parquet

        pyarrow.parquet.write_table(self.to_pyarrow(expr, **kwargs), path)

    def create_table(self, name: str, /, obj: Any = None, *, temp: bool | None = None, **kwargs: Any) -> ir.Table:
        """Create a table; a temporary one is a view that Spark caches, spilling to disk."""
        if not temp:
            return super().create_table(name, obj, temp=temp, **kwargs)
        self._run_pre_execute_hooks(obj)
        with one_line():
            return self._create_cached_table(name, obj)

    def raw_sql(self, query: Any, **kwargs: Any) -> Any:
        """Run a query of Ibis' own."""
        with one_line():
            return super().raw_sql(query, **kwargs)

    def forget(self) -> None:
        """Give back what kept tables hold."""
        for name in list(self._cached_dataframes):
            self._drop_cached_table(name)


@contextmanager
def one_line() -> Iterator[None]:
    """Say in one line what Java says in many.

    Raises
    ------
    UsageError: the engine's process is gone. EngineFailed: it could not do what was asked.
    """
    try:
        yield
    except Py4JJavaError as error:
        cause = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        text = (str(cause.getMessage() or cause.getClass().getName()).strip().splitlines() or [""])[0]
        raise EngineFailed(re.sub(r"^\[[A-Z_.]+\] ", "", text)) from error
    except (Py4JError, ConnectionError) as error:
        raise UsageError(
            "Spark ended while it worked",
            code="engine.lost",
            remedy="if it ran out of memory, give the machine more; then measure again",
        ) from error
