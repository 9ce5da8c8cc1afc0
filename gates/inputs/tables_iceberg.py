"""Iceberg tables: the rows of one snapshot, through the package pyiceberg. Extra `iceberg`; part of `tables`.

Rows are read by pyiceberg, which knows of deleted rows and of columns that changed, batch by batch into one Parquet file
of the run. The identity is the snapshot, and a digest of the bytes of its data and delete files and of its schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from gates.errors import UsageError, without_values
from gates.records import Digest

if TYPE_CHECKING:
    from pyiceberg.table import StaticTable

METADATA = ".metadata.json"
UNREADABLE = "table.unreadable"


@dataclass(frozen=True)
class IcebergSnapshot:
    """One snapshot of an Iceberg table.

    Attributes
    ----------
    snapshot: its id; None of a table that never had one. path: its rows, Parquet.
    files: that hold its rows and deletions, each with its state when its bytes were read.
    digest: of these files and the schema.
    """

    snapshot: int | None
    path: Path
    files: tuple[tuple[Path, os.stat_result], ...]
    digest: Digest


def is_iceberg(path: Path) -> bool:
    """Whether a folder is an Iceberg table, or a file its metadata."""
    return path.name.endswith(METADATA) or any((path / "metadata").glob(f"*{METADATA}"))


def read_iceberg(path: Path, snapshot: int | None, out: Path, where: str) -> IcebergSnapshot:
    """Read a snapshot of a table into a file.

    Parameters
    ----------
    path: the table's folder, or a file of its metadata. snapshot: default: the current one. out: is written.

    Raises
    ------
    UsageError: pyiceberg is not installed, no such snapshot, metadata of which none is the newest, a file outside of the
        table's folder or gone.
    """
    try:
        import pyiceberg.exceptions  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "is an Iceberg table", code="table.extra", where=where, remedy="pip install 'model-gates[iceberg]'"
        ) from error
    metadata = path if path.is_file() else _newest(path, where)
    root = metadata.parent.parent
    try:
        return _read(metadata, root, snapshot, out, where)
    except UsageError:
        raise
    except Exception as error:
        text = without_values(f"{type(error).__name__}: {error}")[:200]
        raise UsageError(f"cannot be read as Iceberg: {text}", code=UNREADABLE, where=where) from error


def _newest(path: Path, where: str) -> Path:
    """The metadata with the highest number, as catalogs of files name them: v3.metadata.json, 00003-uuid.metadata.json."""
    numbered: dict[int, list[Path]] = {}
    for file in sorted((path / "metadata").glob(f"*{METADATA}")):
        if found := re.match(r"v?(\d+)", file.name):
            numbered.setdefault(int(found[1]), []).append(file)
    newest = numbered[max(numbered)] if numbered else []
    if len(newest) != 1:
        raise UsageError(
            "none of its metadata is the newest", code=UNREADABLE, where=where, remedy="name the file of its metadata"
        )
    return newest[0]


def _read(metadata: Path, root: Path, snapshot: int | None, out: Path, where: str) -> IcebergSnapshot:
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]
    from pyiceberg.io.pyarrow import schema_to_pyarrow
    from pyiceberg.table import StaticTable

    table = StaticTable.from_metadata(metadata.as_uri())
    chosen = table.current_snapshot() if snapshot is None else table.snapshot_by_id(snapshot)
    if chosen is None and snapshot is not None:
        raise UsageError(f"has no snapshot {snapshot}", code="table.snapshot", where=where)
    schema = table.schema() if chosen is None else table.scan(snapshot_id=chosen.snapshot_id).projection()
    told = json.dumps([[field.name, str(field.field_type), field.required] for field in schema.fields])
    with pq.ParquetWriter(out, schema_to_pyarrow(schema, include_field_ids=False)) as writer:
        files = [] if chosen is None else _files(table, chosen.snapshot_id, root, where)
        if chosen is not None:
            for batch in table.scan(snapshot_id=chosen.snapshot_id).to_arrow_batch_reader().cast(writer.schema):
                writer.write_batch(batch)
    parts = sorted(({"path": name, **part} for name, part, _ in files), key=lambda part: str(part["path"]))
    whole = hashlib.sha256(json.dumps([told, parts], sort_keys=True).encode()).hexdigest()
    states = tuple((root / name, state) for name, _, state in files)
    return IcebergSnapshot(None if chosen is None else chosen.snapshot_id, out, states, f"sha256:{whole}")


def _files(
    table: StaticTable, snapshot: int, root: Path, where: str
) -> list[tuple[str, dict[str, str], os.stat_result]]:
    """Data and delete files, each inside the folder: name, digest and content, and the state of the file."""
    chosen = table.snapshot_by_id(snapshot)
    manifests = [] if chosen is None else [chosen.manifest_list]
    for place in manifests:
        _inside(place, root, where)
    if chosen is not None:
        for manifest in chosen.manifests(table.io):
            _inside(manifest.manifest_path, root, where)
    found: dict[str, tuple[str, dict[str, str], os.stat_result]] = {}
    for task in table.scan(snapshot_id=snapshot).plan_files():
        for content, file in (("data", task.file), *(("deletes", deletes) for deletes in task.delete_files)):
            name = _inside(file.file_path, root, where)
            if name not in found:
                found[name] = (name, *_hashed(root / name, content, where))
    return list(found.values())


def _inside(uri: str, root: Path, where: str) -> str:
    parts = urlsplit(uri)
    path = Path(unquote(parts.path) if parts.scheme == "file" else uri)
    if parts.scheme not in ("", "file") or not path.resolve().is_relative_to(root.resolve()):
        raise UsageError("a file of the snapshot is outside of the table's folder", code=UNREADABLE, where=where)
    return str(path.resolve().relative_to(root.resolve()))


def _hashed(file: Path, content: str, where: str) -> tuple[dict[str, str], os.stat_result]:
    try:
        with file.open("rb") as opened:
            state = os.fstat(opened.fileno())
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"a file of the snapshot cannot be read: {error.strerror}",
            code=UNREADABLE,
            where=where,
            remedy="name a snapshot that did not expire",
        ) from error
    return {"content": content, "sha256": digest}, state
