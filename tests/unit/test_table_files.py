"""The digest of a table's file, computed beside the start of its engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gates.errors import EvidenceError, UsageError
from gates.inputs import files
from gates.inputs.engines import Engine
from gates.inputs.files import Hashing
from gates.inputs.tables import Tables
from gates.inputs.tables_duckdb import DuckdbEngine
from gates.records import Table


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 5000])
def test_a_digest_is_of_all_bytes_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(files, "_PIECE", 1000)
    path = tmp_path / "a"
    path.write_bytes(bytes(i * 7 % 251 for i in range(size)))
    assert Hashing(path, "a").digest() == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file") as caught:
        Hashing(tmp_path / "none", "none")
    assert caught.value.code == "table.unreadable"
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        Hashing(tmp_path, "folder").digest()


def test_files_are_hashed_before_the_engine_starts_and_each_role_has_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"x\n{name}\n")
    begun: list[set[str]] = []

    def engine(folder: Path) -> Engine:
        begun.append({path.name for path in tables._begun})
        return DuckdbEngine(folder, threads=1)

    roles = {"offline": "a.csv", "online": "b.csv", "live": "a.csv"}
    with Tables(engine) as tables:
        opened = tables.open_all([Table(role=role, uri=uri) for role, uri in roles.items()], base=tmp_path)  # type: ignore[arg-type]
        assert begun == [{"b.csv"}]  # that of the first is being waited for
        for role, uri in roles.items():
            wanted = hashlib.sha256((tmp_path / uri).read_bytes()).hexdigest()
            assert opened[role].identity.digest == f"sha256:{wanted}"
        tables.unchanged()
        (tmp_path / "b.csv").write_text("x\nc\n")
        with pytest.raises(EvidenceError, match="changed while it was measured"):
            tables.unchanged()


def test_a_table_that_is_not_there_is_said_where_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    with Tables(threads=1) as tables, pytest.raises(UsageError, match="no such file") as caught:
        tables.open_all([Table(role="offline", uri="a.csv"), Table(role="online", uri="b.csv")], base=tmp_path)
    assert caught.value.where == "b.csv"
