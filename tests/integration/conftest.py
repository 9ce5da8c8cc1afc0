"""The world that tests of the audit and of forgeries start from, and the two table engines."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gates.decide import opa_binary
from gates.inputs.tables import Tables
from gates.inputs.tables_spark import SparkEngine

if TYPE_CHECKING:
    from audit_world import Promoted


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Promoted:
    """Version 7 serves in staging, decided on the holdout that its model has; to be read only."""
    from audit_world import promoted

    return promoted(tmp_path_factory.mktemp("world"))


@pytest.fixture
def own(made: Promoted, tmp_path: Path) -> Promoted:
    """A copy of the world that a test may spoil."""
    from audit_world import AuditWorld

    shutil.copytree(made.world.root, tmp_path / "copy")
    return replace(made, world=AuditWorld(tmp_path / "copy"))


@pytest.fixture(scope="module")
def without_opa() -> Generator[None]:
    """Both engines are compared elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opa_binary, "find_opa", lambda: None)
        yield


@pytest.fixture(scope="module")
def spark() -> Iterator[Tables]:
    with pytest.MonkeyPatch.context() as patch:
        # Half the time: what is compiled here runs once. A fifth of the rest goes into proofs that Spark's own bytecode is sound.
        unproven = "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
        patch.setenv("JAVA_TOOL_OPTIONS", f"-XX:TieredStopAtLevel=1 {unproven}")
        with Tables(partial(SparkEngine, memory="1g", cores=2)) as tables:
            yield tables


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Tables]:
    with Tables(threads=2) as tables:
        yield tables
