"""Tables: CSV and Parquet files opened in a table engine through Ibis, and the identity of their bytes.

One `Tables` a run: one connection, one scratch folder, gone at the end. Files are opened under a link of a plain name,
so that no character of a path (quote, bracket, star) reaches the engine as anything but a file. The engines are
`tables_duckdb` (default) and `tables_spark`; what measures knows neither, and gives the same figures on both.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from gates.errors import EvidenceError, GatesError, UsageError, without_values
from gates.inputs.tables_delta import is_delta, read_delta
from gates.inputs.tables_iceberg import is_iceberg, read_iceberg
from gates.measure.interface import OpenTable
from gates.plan.nearest import did_you_mean, nearest
from gates.plan.placeholders import fill, resolve_path
from gates.records import Digest, Table, TableIdentity
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.types as ir

PARQUET_MAGIC = b"PAR1"
NAMED = "table:"
"""Begins the URI of a table that has a name in the engine's catalog, and no file."""

SCRATCH = "gates-tables-"


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


class Tables:
    """The tables of one run, in one engine.

    Parameters
    ----------
    engine: called with the scratch folder; default: DuckDB.
    memory_limit, threads: DuckDB's, see `DuckdbEngine`.
    """

    def __init__(
        self,
        engine: Callable[[Path], Engine] | None = None,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix=SCRATCH)
        self._opened: list[tuple[str, Path, tuple[int, ...]]] = []
        self._named: list[tuple[str, ir.Table, Digest]] = []
        self._links = 0
        folder = Path(self._scratch.name)
        if engine is None:
            from gates.inputs.tables_duckdb import DuckdbEngine

            self._engine: Engine = DuckdbEngine(folder, memory_limit=memory_limit, threads=threads)
        else:
            self._engine = engine(folder)

    @property
    def ordered(self) -> bool:
        """Whether rows keep the order of their file, so that a position means something."""
        return self._engine.ordered

    @property
    def scratch(self) -> Path:
        """The folder of what a run makes; it is gone at the end."""
        return Path(self._scratch.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection and the scratch folder; tables of this run cannot be read afterwards."""
        self._engine.close()
        self._scratch.cleanup()

    def open(self, table: Table, *, base: Path, version: str | None = None) -> OpenTable:
        """Open a table of the plan: a file, or with `table:NAME` one of the engine's catalog. An empty one is no error here.

        Parameters
        ----------
        base: the folder that relative paths count from. version: what `{version}` stands for.

        Raises
        ------
        UsageError (exit 2): no such file (with the nearest that exists), not CSV or Parquet, corrupt, columns whose
            names differ in case only.
        """
        if table.feast or table.log or table.reads:
            from gates.inputs.sources import open_source

            return open_source(self, table, base=base, version=version)
        uri = table.uri
        if "{version}" in uri:
            if version is None:
                raise UsageError("needs a model version", code="spec.placeholder", where=uri)
            uri = fill(uri, version=version)
        if uri.startswith(NAMED):
            return self._open_named(table, uri)
        path = resolve_path(uri, base)
        if is_delta(path):
            return self._open_delta(table, path, uri)
        if is_iceberg(path):
            return self._open_iceberg(table, path, uri)
        if table.snapshot is not None:
            raise UsageError(
                "has no versions: only a Delta or Iceberg table has",
                code="table.snapshot",
                where=uri,
                remedy="leave out snapshot",
            )
        return self.open_file(table.role, path, uri=uri, as_of_us=table.as_of_us)

    def _open_delta(self, table: Table, path: Path, uri: str) -> OpenTable:
        where = _printable(uri)
        found = read_delta(path, None if table.snapshot is None else int(table.snapshot), where)
        self._opened += [(where, file, _state(state)) for file, state in found.files]
        distinct(list(found.dataset.schema.names), where)
        with reading(where):
            expression = self._engine.read_dataset(found.dataset, where)
            rows = int(scalar(expression.count()))
        identity = TableIdentity(
            role=table.role,
            uri=where,
            digest=found.digest,
            rows=rows,
            as_of_us=table.as_of_us,
            snapshot=f"delta:{found.version}",
        )
        return OpenTable(identity=identity, table=expression)

    def _open_iceberg(self, table: Table, path: Path, uri: str) -> OpenTable:
        where = _printable(uri)
        self._links += 1
        out = self.scratch / f"iceberg-{self._links}.parquet"
        found = read_iceberg(path, None if table.snapshot is None else int(table.snapshot), out, where)
        self._opened += [(where, file, _state(state)) for file, state in found.files]
        expression = self.read(found.path, where=where)
        identity = TableIdentity(
            role=table.role,
            uri=where,
            digest=found.digest,
            rows=int(scalar(expression.count())),
            as_of_us=table.as_of_us,
            snapshot=f"iceberg:{'none' if found.snapshot is None else found.snapshot}",
        )
        return OpenTable(identity=identity, table=expression)

    def _open_named(self, table: Table, uri: str) -> OpenTable:
        where = _printable(uri)
        with reading(where):
            expression = self._engine.read_named(uri.removeprefix(NAMED), where)
            distinct(list(expression.columns), where)
            digest, rows = self._engine.digest(expression), int(scalar(expression.count()))
        self._named.append((where, expression, digest))
        identity = TableIdentity(role=table.role, uri=where, digest=digest, rows=rows, as_of_us=table.as_of_us)
        return OpenTable(identity=identity, table=expression)

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
            rows = int(scalar(expression.count()))
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
        zipped = path.suffix in {".gz", ".zst"}
        link = self._link(path, ".parquet" if parquet else path.suffix if zipped else ".csv")
        with reading(name):
            return self._engine.read_parquet(link, name) if parquet else self._engine.read_csv(link, name)

    def keep(self, expression: ir.Table) -> ir.Table:
        """Compute an expression once, in this engine; see the function of the same name."""
        return keep(expression)

    def unchanged(self) -> None:
        """Check that no opened table was written or replaced since its digest was taken; named ones are read again.

        Raises
        ------
        EvidenceError (exit 3): the figures may not be of the bytes that the evidence names.
        """
        for where, path, state in self._opened:
            try:
                found = _state(path.stat())
            except OSError as error:
                raise EvidenceError("vanished while it was measured", code="table.changed", where=where) from error
            if found != state:
                raise EvidenceError("changed while it was measured", code="table.changed", where=where)
        for where, table, digest in self._named:
            with reading(where):
                now = self._engine.digest(table)
            if now != digest:
                raise EvidenceError("changed while it was measured", code="table.changed", where=where)

    def _link(self, path: Path, suffix: str) -> Path:
        self._links += 1
        link = Path(self._scratch.name) / f"t{self._links}{suffix}"
        link.symlink_to(path.resolve())
        return link


def usable_cores() -> int:
    """Return how many of the machine's processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep(expression: ir.Table) -> ir.Table:
    """Compute an expression once and return the table that holds its rows until the run ends; it may spill to disk."""
    import ibis.util

    return expression.get_backend().create_table(ibis.util.gen_name("kept"), expression, temp=True)


def forget(kept: ir.Table) -> None:
    """Let go of the rows that `keep` returned; engines other than DuckDB do so when they need the room."""
    engine = kept.get_backend()
    if engine.name == "duckdb":
        # Ibis 12 drops nothing with sqlglot 30: its statement has no name.
        engine.raw_sql(f'DROP TABLE temp.main."{kept.op().name}"')


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


def scalar(expression: ir.Scalar) -> Any:
    """Compute one value."""
    return next(iter(row(expression.as_table()).values()))


def row(expression: ir.Table) -> dict[str, Any]:
    """Compute the only row of an aggregate."""
    import pyarrow as pa

    found, wanted = _answer(expression), expression.schema().to_pyarrow()
    whole = [field.name for field in wanted if pa.types.is_integer(field.type)]
    said = [pa.field(f.name, wanted.field(f.name).type) if pa.types.is_decimal(f.type) else f for f in found.schema]
    if not pa.schema(said).equals(wanted):
        return dict(found.cast(wanted, safe=False).to_pylist()[0])
    # A cast of the engine's sums, of 128 bits, imports a module of pyarrow that takes longer than one row is worth.
    one: dict[str, Any] = found.to_pylist()[0]
    return one | {name: int(one[name]) for name in whole if one[name] is not None}


def arrow(expression: ir.Table) -> Any:
    """Compute an expression as a pyarrow.Table of the types that it says."""
    found, wanted = _answer(expression), expression.schema().to_pyarrow()
    return found if found.schema.equals(wanted) else found.cast(wanted, safe=False)


def _answer(expression: ir.Table) -> Any:
    """Compute an expression in types near those that it says."""
    from ibis.expr.operations import InMemoryTable

    engine = expression.get_backend()
    if engine.name != "duckdb" or expression.op().find(InMemoryTable):
        return expression.to_pyarrow()
    # The same as `to_pyarrow`, which imports pandas first: a fifth of what the whole command takes to start.
    return engine.con.sql(engine.compile(expression)).to_arrow_table()


def whole_sum(value: ir.IntegerValue) -> ir.FloatingScalar:
    """Sum whole numbers of 64 bits, to the nearest double, whatever the order of rows; up to 2^73 in magnitude."""
    low_bits = 20
    if value.get_backend().name == "duckdb":
        total = value.sum()  # of 128 bits, of which a cast to double would round twice
        high, low = total >> low_bits, total & (2**low_bits - 1)
    else:
        # A sum of whole numbers ends at 2^63.
        high, low = (value >> low_bits).sum(), (value & (2**low_bits - 1)).sum()
    return high.cast("float64") * 2.0**low_bits + low.cast("float64")


def _state(stat: os.stat_result) -> tuple[int, ...]:
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _printable(name: str) -> str:
    """A name for records and errors: one line, and the end of one that is too long."""
    return "".join(char if char.isprintable() else "?" for char in name)[-256:]


def _must_exist(path: Path, where: str) -> None:
    if path.is_file():
        return
    if path.is_dir():
        raise UsageError(
            "is a folder; a table is one file, or a Delta or Iceberg table", code="table.missing", where=where
        )
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
