"""The three ledgers, each as real as it gets: a file, a server with a branch, a Postgres of the session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.ledger_places import GitPlace, Place, PostgresPlace, PostgresServer, SqlitePlace

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "git", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return SqlitePlace(tmp_path)
    if request.param == "git":
        return GitPlace(tmp_path)
    return PostgresPlace(request.getfixturevalue("postgres"), f"ledger_{next(_NUMBERS)}")
