"""Delta tables: the files of one version, through the package deltalake. Extra `delta`; part of `tables`.

The identity is the version, and a digest of the bytes of its files with the partition values that each stands for: the
same rows in another version's files are another digest, and a version that only changed the table's properties is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gates.errors import UsageError
from gates.records import Digest

if TYPE_CHECKING:
    import pyarrow.dataset as ds  # type: ignore[import-untyped, unused-ignore]

LOG = "_delta_log"


@dataclass(frozen=True)
class DeltaVersion:
    """One version of a Delta table.

    Attributes
    ----------
    files: that hold its rows, each with its state when its bytes were read.
    digest: of the files and what the log says of them.
    """

    version: int
    dataset: ds.Dataset
    files: tuple[tuple[Path, os.stat_result], ...]
    digest: Digest


def is_delta(path: Path) -> bool:
    """Whether a folder is a Delta table."""
    return (path / LOG).is_dir()


def read_delta(path: Path, version: int | None, where: str) -> DeltaVersion:
    """Read what a version of a table consists of.

    Parameters
    ----------
    version: default: the newest.

    Raises
    ------
    UsageError: deltalake is not installed, no such version, a table with deletion vectors or mapped columns (which Arrow
        does not read), a file outside of the table's folder or gone.
    """
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise UsageError(
            "is a Delta table", code="table.extra", where=where, remedy="pip install 'model-gates[delta]'"
        ) from error
    try:
        table = DeltaTable(path, version=version)
        dataset = table.to_pyarrow_dataset()
        actions: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    except (DeltaError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise UsageError(f"cannot be read as Delta: {text}", code="table.unreadable", where=where) from error
    read = [_read(path, action, where) for action in actions]
    parts = sorted((part for part, _ in read), key=lambda part: str(part["path"]))
    digest: Digest = f"sha256:{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()}"
    return DeltaVersion(
        table.version(), dataset, tuple((path / str(part["path"]), state) for part, state in read), digest
    )


def _read(root: Path, action: dict[str, Any], where: str) -> tuple[dict[str, object], os.stat_result]:
    """A file of the version: its path, the digest of its bytes and its partition values as text; and its state."""
    name = unquote(str(action["path"]))
    file = root / name
    if not file.resolve().is_relative_to(root.resolve()):
        raise UsageError("a file of the version is outside of the table's folder", code="table.unreadable", where=where)
    try:
        with file.open("rb") as content:
            state = os.fstat(content.fileno())
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"a file of the version cannot be read: {error.strerror}",
            code="table.unreadable",
            where=where,
            remedy="name a version whose files were not vacuumed",
        ) from error
    partition = {key: str(value) for key, value in action.items() if key.startswith("partition.")}
    return {"path": name, "sha256": digest, "partition": partition}, state
