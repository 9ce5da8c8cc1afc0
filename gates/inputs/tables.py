"""Tables: CSV and Parquet files opened in DuckDB through Ibis, and the identity of their bytes. Inputs of measuring.

One `Tables` a run: one connection, one scratch folder, gone at the end. A file's rows are copied into the engine once,
and every figure of the run is of that copy. Files are opened under a link of a plain name,
so that no character of a path (quote, bracket, star) reaches the engine as anything but a file.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gates.errors import EvidenceError, UsageError
from gates.measure.interface import OpenTable
from gates.plan.nearest import did_you_mean, nearest
from gates.plan.spec import fill, resolve_path
from gates.records import Digest, Table, TableIdentity
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY_LIMIT = "60%"  # the rest is for Python and the scorer process
PARQUET_MAGIC = b"PAR1"


class Tables:
    """The table engine of one run.

    Parameters
    ----------
    memory_limit: share or size in DuckDB's words (`60%`, `4GB`); beyond it the engine spills to the scratch folder.
    threads: default: one for each core that this process may use.
    """

    def __init__(self, *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None) -> None:
        import ibis

        self._scratch = tempfile.TemporaryDirectory(prefix="gates-tables-")
        self._opened: list[tuple[str, Path, tuple[int, ...]]] = []
        self._links = 0
        self._connection = ibis.duckdb.connect(
            memory_limit=memory_limit,
            threads=threads or _cores(),
            temp_directory=str(Path(self._scratch.name) / "spill"),
            TimeZone="UTC",
            autoinstall_known_extensions=False,  # the engine fetches nothing from a network
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection and the scratch folder; tables of this run cannot be read afterwards."""
        self._connection.disconnect()
        self._scratch.cleanup()

    def open(self, table: Table, *, base: Path, version: str | None = None) -> OpenTable:
        """Open a table of the plan. An empty table is not an error here.

        Parameters
        ----------
        base: the folder that relative paths count from. version: what `{version}` stands for.

        Raises
        ------
        UsageError (exit 2): no such file (with the nearest that exists), not CSV or Parquet, corrupt, columns whose
            names differ in case only.
        """
        uri = table.uri
        if "{version}" in uri:
            if version is None:
                raise UsageError("needs a model version", code="spec.placeholder", where=uri)
            uri = fill(uri, version=version)
        return self.open_file(table.role, resolve_path(uri, base), uri=uri, as_of_us=table.as_of_us)

    def open_all(self, tables: Iterable[Table], *, base: Path, version: str | None = None) -> dict[str, OpenTable]:
        """Open every table of a plan, by role. Raises as `open`."""
        return {table.role: self.open(table, base=base, version=version) for table in tables}

    def open_file(
        self, role: TableRole, path: Path, *, uri: str | None = None, as_of_us: int | None = None
    ) -> OpenTable:
        """Open a file as a table; `uri` is how its identity names it. Raises as `open`."""
        where = _printable(uri or str(path))
        _must_exist(path, where)
        try:
            with path.open("rb") as file:
                state = _state(os.fstat(file.fileno()))
                digest: Digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", code="table.unreadable", where=where) from error
        self._opened.append((where, path, state))
        expression = self.read(path, where=where)
        with reading(where):
            rows = int(expression.count().to_pyarrow().as_py())
        identity = TableIdentity(role=role, uri=where, digest=digest, rows=rows, as_of_us=as_of_us)
        return OpenTable(identity=identity, table=expression)

    def read(self, path: Path, *, where: str | None = None) -> ir.Table:
        """Read a CSV or Parquet file as an expression, without an identity (the scorer's output).

        Raises
        ------
        UsageError: no such file, or not a table.
        """
        name = where or str(path)
        _must_exist(path, name)
        with path.open("rb") as file:
            parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        if path.stat().st_size == 0:
            raise UsageError("is empty: not even a header", code="table.unreadable", where=name)
        return self._parquet(path, name) if parquet else self._csv(path, name)

    def keep(self, expression: ir.Table) -> ir.Table:
        """Compute an expression once, in this engine; see the function of the same name."""
        return keep(expression)

    def unchanged(self) -> None:
        """Check that no opened file was written or replaced since its digest was taken.

        Raises
        ------
        EvidenceError (exit 3): the figures may not be of the bytes that the evidence names.
        """
        for where, path, state in self._opened:
            try:
                now = _state(path.stat())
            except OSError as error:
                raise EvidenceError("vanished while it was measured", code="table.changed", where=where) from error
            if now != state:
                raise EvidenceError("changed while it was measured", code="table.changed", where=where)

    def _parquet(self, path: Path, where: str) -> ir.Table:
        link = self._link(path, ".parquet")
        with reading(where):
            elements = self._connection.con.execute(
                "SELECT name, num_children FROM parquet_schema(?)", [link]
            ).fetchall()
            _distinct(_top_level(elements), where)
            # The minimum and maximum that a Parquet file states leave NaN out, and DuckDB 2.0 believes them: on a view
            # of the file `isnan` can be false in every row (duckdb issue 25521). So the rows are copied, unfiltered.
            return keep(self._connection.read_parquet(link))

    def _csv(self, path: Path, where: str) -> ir.Table:
        link = self._link(path, "".join(path.suffixes[-1:]) if path.suffix in {".gz", ".zst"} else ".csv")
        with reading(where):
            # the whole file is sampled: a type that changes in the last row is no surprise later
            first = self._connection.read_csv(link, header=False, all_varchar=True).limit(1).to_pyarrow().to_pylist()
            names = ["" if name is None else str(name) for name in first[0].values()] if first else []
            _distinct(names, where)
            if len(names) == 1 and re.search(r"[,;\t|]", names[0]):
                raise UsageError("lines have different numbers of columns", code="table.unreadable", where=where)
            return keep(self._connection.read_csv(link, header=True, sample_size=-1))

    def _link(self, path: Path, suffix: str) -> str:
        self._links += 1
        link = Path(self._scratch.name) / f"t{self._links}{suffix}"
        link.symlink_to(path.resolve())
        return str(link)


def keep(expression: ir.Table) -> ir.Table:
    """Compute an expression once and return the table that holds its rows until the run ends; it may spill to disk."""
    import ibis.util

    return expression.get_backend().create_table(ibis.util.gen_name("kept"), expression, temp=True)


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what the engine says about unreadable bytes into one line.

    Raises
    ------
    UsageError: the file is not a table, or is damaged.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise _corrupt(where, error) from error


def column(table: ir.Table, name: str, *, where: str) -> ir.Column:
    """Return a column by its exact name.

    Raises
    ------
    UsageError: there is none, with the nearest name.
    """
    if name not in table.columns:
        raise UsageError(
            f'no column "{name}"',
            code="column.unknown",
            where=where,
            remedy=did_you_mean(name, table.columns) or "the table has no columns",
        )
    return table[name]


def scalar(expression: Any) -> Any:
    """Compute one value, without pandas."""
    return expression.to_pyarrow().as_py()


def row(expression: ir.Table) -> dict[str, Any]:
    """Compute the only row of an aggregate, without pandas."""
    found: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
    return found[0]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _state(stat: os.stat_result) -> tuple[int, ...]:
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _printable(name: str) -> str:
    """A name for records and errors: one line, and the end of one that is too long."""
    return "".join(char if char.isprintable() else "?" for char in name)[-256:]


def _must_exist(path: Path, where: str) -> None:
    if path.is_file():
        return
    if path.is_dir():
        raise UsageError("is a folder; a table is one file", code="table.missing", where=where)
    near = _nearest_file(path)
    raise UsageError(
        "no such file", code="table.missing", where=where, remedy=f'did you mean "{near}"?' if near else None
    )


def _nearest_file(path: Path) -> Path | None:
    """Find the nearest existing file: the first part of the path that is wrong is replaced by its nearest neighbour."""
    known = path.parent
    while not known.is_dir() and known != known.parent:
        known = known.parent
    rest = path.relative_to(known).parts
    try:
        best = nearest(rest[0], sorted(entry.name for entry in known.iterdir()))
    except OSError:
        return None
    if best is None:
        return None
    mended = known.joinpath(best, *rest[1:])
    return mended if mended.exists() else known / best


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


def _distinct(names: list[str], where: str) -> None:
    """Refuse names that the engine, which folds case, would rename behind the reader's back."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.get(name.casefold())
        if twin is None:
            seen[name.casefold()] = name
        else:
            text = f'two columns are called "{name}"' if twin == name else f'"{twin}" and "{name}" differ in case only'
            raise UsageError(text, code="column.ambiguous", where=where, remedy="rename one")


def _corrupt(where: str, error: BaseException) -> UsageError:
    text = re.sub(
        r"(?:[Ff]ile )?'?\"?/[^'\" ]*gates-tables-[^'\" ]*['\"]?", "the file", str(error).strip().splitlines()[0]
    )
    return UsageError(f"cannot be read as a table: {text}", code="table.unreadable", where=where)
