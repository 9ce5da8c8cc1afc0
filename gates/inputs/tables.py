"""Tables: CSV and Parquet files opened in a table engine through Ibis, and the identity of their bytes.

One `Tables` a run: one connection, one scratch folder, gone at the end. Files are opened under a link of a plain name,
so that no character of a path (quote, bracket, star) reaches the engine as anything but a file. The engines are
`tables_duckdb` (default) and `tables_spark`; what measures knows neither, and gives the same figures on both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gates.errors import EvidenceError, UsageError
from gates.inputs.engines import Engine, distinct, reading
from gates.inputs.files import Hashing, State, must_exist, printable, state_of
from gates.inputs.opened import OpenTable
from gates.inputs.tables_delta import is_delta, read_delta
from gates.inputs.tables_iceberg import is_iceberg, read_iceberg
from gates.plan.nearest import did_you_mean
from gates.plan.placeholders import fill, resolve_path
from gates.records import Digest, Table, TableIdentity
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

PARQUET_MAGIC = b"PAR1"
NAMED = "table:"
"""Begins the URI of a table that has a name in the engine's catalog, and no file."""

SCRATCH = "gates-tables-"


class Tables:
    """The tables of one run, in one engine.

    Parameters
    ----------
    engine: called with the scratch folder, when a table is first asked for; default: DuckDB.
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
        self._opened: list[tuple[str, Path, State]] = []
        self._named: list[tuple[str, ir.Table, Digest]] = []
        self._begun: dict[Path, Hashing] = {}
        self._links = 0
        if engine is None:
            from gates.inputs.tables_duckdb import DuckdbEngine

            engine = partial(DuckdbEngine, memory_limit=memory_limit, threads=threads)
        self._start = engine

    @cached_property
    def _engine(self) -> Engine:
        return self._start(self.scratch)

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
        if "_engine" in vars(self):
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
        uri = _filled(table.uri, version)
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
        where = printable(uri)
        found = read_delta(path, None if table.snapshot is None else int(table.snapshot), where)
        self._opened += [(where, file, state_of(state)) for file, state in found.files]
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
        where = printable(uri)
        self._links += 1
        out = self.scratch / f"iceberg-{self._links}.parquet"
        found = read_iceberg(path, None if table.snapshot is None else int(table.snapshot), out, where)
        self._opened += [(where, file, state_of(state)) for file, state in found.files]
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
        where = printable(uri)
        with reading(where):
            expression = self._engine.read_named(uri.removeprefix(NAMED), where)
            distinct(list(expression.columns), where)
            digest, rows = self._engine.digest(expression), int(scalar(expression.count()))
        self._named.append((where, expression, digest))
        identity = TableIdentity(role=table.role, uri=where, digest=digest, rows=rows, as_of_us=table.as_of_us)
        return OpenTable(identity=identity, table=expression)

    def open_all(self, tables: Iterable[Table], *, base: Path, version: str | None = None) -> dict[str, OpenTable]:
        """Open every table of a plan, by role. Raises as `open`."""
        wanted = list(tables)
        for table in wanted:
            self._begin(table, base, version)
        return {table.role: self.open(table, base=base, version=version) for table in wanted}

    def _begin(self, table: Table, base: Path, version: str | None) -> None:
        """Begin to hash a table's file; what is wrong with it is said where it is opened."""
        if table.reads or table.uri.startswith(NAMED):
            return
        with suppress(UsageError):
            path = resolve_path(_filled(table.uri, version), base)
            if path not in self._begun and path.is_file():
                self._begun[path] = Hashing(path, printable(table.uri))

    def open_file(
        self, role: TableRole, path: Path, *, uri: str | None = None, as_of_us: int | None = None
    ) -> OpenTable:
        """Open a file as a table; `uri` is how its identity names it. Raises as `open`."""
        where = printable(uri or str(path))
        must_exist(path, where)
        hashing = self._begun.pop(path, None) or Hashing(path, where)
        self._opened.append((where, path, hashing.state))
        expression = self.read(path, where=where)
        with reading(where):
            rows = int(scalar(expression.count()))
        identity = TableIdentity(role=role, uri=where, digest=hashing.digest(), rows=rows, as_of_us=as_of_us)
        return OpenTable(identity=identity, table=expression)

    def read(self, path: Path, *, where: str | None = None) -> ir.Table:
        """Read a CSV or Parquet file as an expression, without an identity (the scorer's output).

        Raises
        ------
        UsageError: no such file, or not a table.
        """
        name = where or str(path)
        must_exist(path, name)
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
                found = state_of(path.stat())
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


def keep(expression: ir.Table) -> ir.Table:
    """Compute an expression once and return the table that holds its rows until the run ends; it may spill to disk."""
    import ibis.util

    typed = {name: held for name, kind in expression.schema().items() if (held := _with_types(kind)) != kind}
    expression = expression.cast(typed) if typed else expression
    return expression.get_backend().create_table(ibis.util.gen_name("kept"), expression, temp=True)


def _with_types(kind: dt.DataType) -> dt.DataType:
    """The same type, with texts where there is nothing but nulls: no engine makes a column of these."""
    import ibis.expr.datatypes as dt

    if isinstance(kind, dt.Null):
        return dt.string
    if isinstance(kind, dt.Struct):
        return kind.copy(fields={name: _with_types(part) for name, part in kind.fields.items()})
    if isinstance(kind, dt.Array):
        return kind.copy(value_type=_with_types(kind.value_type))
    if isinstance(kind, dt.Map):
        return kind.copy(key_type=_with_types(kind.key_type), value_type=_with_types(kind.value_type))
    return kind


def forget(kept: ir.Table) -> None:
    """Let go of the rows that `keep` returned; engines other than DuckDB do so when they need the room."""
    engine = kept.get_backend()
    if engine.name == "duckdb":
        # Ibis 12 drops nothing with sqlglot 30: its statement has no name.
        engine.raw_sql(f'DROP TABLE temp.main."{kept.op().name}"')


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


def _filled(uri: str, version: str | None) -> str:
    if "{version}" not in uri:
        return uri
    if version is None:
        raise UsageError("needs a model version", code="spec.placeholder", where=uri)
    return fill(uri, version=version)
