"""The port of table engines, and what all of them refuse in the same words. Part of `tables`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gates.errors import GatesError, UsageError, without_values
from gates.records import Digest

if TYPE_CHECKING:
    import ibis.expr.types as ir


class EngineFailed(Exception):
    """What an engine could not do, in one line."""


class Engine(Protocol):
    """The port of table engines: files in, Ibis expressions out.

    Attributes
    ----------
    ordered: rows keep the order of their file, so that a position means something.
    """

    ordered: bool

    def read_parquet(self, path: Path, where: str) -> ir.Table:
        """Read a file of a plain name; column names that differ in case only are refused (`distinct`)."""

    def read_csv(self, path: Path, where: str) -> ir.Table:
        """Read a file of a plain name with a header line; as `read_parquet`."""

    def read_dataset(self, dataset: Any, where: str) -> ir.Table:
        """Read a pyarrow dataset, or refuse where the engine reads files by itself only."""

    def read_named(self, name: str, where: str) -> ir.Table:
        """Read a table of the engine's catalog by its name, or refuse where it has none."""

    def digest(self, table: ir.Table) -> Digest:
        """Return a digest of the rows of a named table, whatever their order."""

    def close(self) -> None:
        """Let go of connection, memory and files."""


def engine_named(name: str) -> Callable[[Path], Engine]:
    """Return the engine of a name in gates.yaml, `duckdb` or `spark`; it is imported here and starts when called.

    Raises
    ------
    UsageError: when called, where what it needs is not installed.
    """
    if name == "spark":
        from gates.inputs.tables_spark import SparkEngine

        return SparkEngine
    from gates.inputs.tables_duckdb import DuckdbEngine

    return DuckdbEngine


def usable_cores() -> int:
    """Return how many of the machine's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what the engine says about unreadable bytes into one line.

    Raises
    ------
    UsageError: the file is not a table, or is damaged.
    """
    try:
        yield
    except GatesError:
        raise
    except Exception as error:
        if not isinstance(error, engine_errors()):
            raise
        raise _corrupt(where, error) from error


def engine_errors() -> tuple[type[BaseException], ...]:
    """What the engines raise; one that nobody imported raised nothing."""
    known = (("duckdb", "Error"), ("pyspark.errors", "PySparkException"), ("pyarrow", "ArrowException"))
    raised = (getattr(sys.modules[module], name) for module, name in known if module in sys.modules)
    return (EngineFailed, *raised)


def distinct(names: list[str], where: str) -> None:
    """Refuse names that the engine, which folds case, would rename behind the reader's back."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.get(name.casefold())
        if twin is None:
            seen[name.casefold()] = name
        else:
            text = f'two columns are called "{name}"' if twin == name else f'"{twin}" and "{name}" differ in case only'
            raise UsageError(text, code="column.ambiguous", where=where, remedy="rename one")


_NAMES_THINGS = ("Binder Error", "Catalog Error", "IO Error", "[TABLE_OR_VIEW_NOT_FOUND]")
"""Begin what engines say of columns, tables and files; everything else may repeat a value."""


def _corrupt(where: str, error: BaseException) -> UsageError:
    text = re.sub(
        r"(?:[Ff]ile )?'?\"?/[^'\" ]*gates-tables-[^'\" ]*['\"]?", "the file", str(error).strip().splitlines()[0]
    )
    text = text if text.startswith(_NAMES_THINGS) else without_values(text)
    return UsageError(f"cannot be read as a table: {text}", code="table.unreadable", where=where)
