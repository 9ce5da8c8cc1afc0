"""Tables whose rows are not those of a file: a feature store's, a request log's, a query's. Part of `tables`.

Each becomes a Parquet file in the run's scratch folder, or an expression on the table that it is read from, and a
document of where it is from: what was asked of whom, and the digests of what it was answered from. The document's digest
is the table's, and the document an attachment of the evidence.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.bundle.canonical import digest_document, digest_file
from gates.inputs.engines import distinct, reading
from gates.inputs.opened import OpenTable, Source
from gates.inputs.tables import arrow, scalar
from gates.plan.placeholders import fill, resolve_path
from gates.records import Table, TableIdentity
from gates.records.sources import Feast

if TYPE_CHECKING:
    from gates.inputs.tables import Tables


def open_source(tables: Tables, table: Table, *, base: Path, version: str | None) -> OpenTable:
    """Open a table of the plan that has a word of its source.

    Parameters
    ----------
    base, version: as of `Tables.open`, which also says what is raised.
    """
    if table.reads:
        return _query(tables, table, base, version)
    plain = table.model_copy(update={"feast": None, "log": None, "reads": None})
    opened = tables.open(plain, base=base, version=version)
    return _log(tables, table, opened) if table.log else _feast(tables, table, opened, base)


def _log(tables: Tables, table: Table, log: OpenTable) -> OpenTable:
    from gates.inputs.inference_log import read_log

    with reading(log.identity.uri):
        rows, seen = read_log(table, log.table, tables.scratch)
        if isinstance(rows, Path):
            rows = tables.read(rows, where=log.identity.uri)
    source = Source({"source": "log", "asked": table.log.document(), "log": _of(log), **seen})  # type: ignore[union-attr]
    return made(table, log.identity.uri, rows, source, f"log:{seen['format']}:{seen['generation']}")


def _query(tables: Tables, table: Table, base: Path, version: str | None) -> OpenTable:
    from gates.inputs.query import canonical, read_text, run

    uri = table.uri if version is None else fill(table.uri, version=version)
    names = [read.name for read in table.reads or ()]
    sql = canonical(read_text(resolve_path(uri, base), uri), names, uri, as_of_us=table.as_of_us)
    opened = {
        read.name: tables.open(Table(role=table.role, uri=read.uri, snapshot=read.snapshot), base=base, version=version)
        for read in table.reads or ()
    }
    with reading(uri):
        rows = run(sql, {name: each.table for name, each in opened.items()}, uri)
        distinct(list(rows.columns), uri)
    document: dict[str, Any] = {
        "source": "query",
        "sql": sql,
        "reads": {name: _of(each) for name, each in opened.items()},
    }
    if table.as_of_us is not None:
        document["as_of_us"] = table.as_of_us
    return made(table, uri, rows, Source(document), "query")


def _feast(tables: Tables, table: Table, rows: OpenTable, base: Path) -> OpenTable:
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    from gates.inputs.feast import ask

    feast: Feast = table.feast  # type: ignore[assignment]
    asked = tables.scratch / f"rows-{table.role}.parquet"
    pq.write_table(arrow(rows.table), asked)
    answer = ask(table, feast, resolve_path(feast.repo, base), asked, tables.scratch)
    document = {"source": "feast", "rows": _of(rows), **answer.document, "answer": digest_file(answer.path)}
    source = Source(document, answer.statuses, answer.written, answer.definitions)
    opened = tables.read(answer.path, where=rows.identity.uri)
    return made(table, rows.identity.uri, opened, source, f"feast:{answer.document['feast']}")


def made(table: Table, uri: str, expression: Any, source: Source, snapshot: str) -> OpenTable:
    """Return a table of a source, by the digest of its document."""
    identity = TableIdentity(
        role=table.role,
        uri=uri,
        digest=digest_document(dict(source.document)),
        rows=int(scalar(expression.count())),
        as_of_us=table.as_of_us,
        snapshot=snapshot,
    )
    return OpenTable(identity=identity, table=expression, source=source)


def _of(opened: OpenTable) -> dict[str, Any]:
    return opened.identity.model_dump(mode="json", include={"uri", "digest", "rows", "snapshot"}, exclude_none=True)
