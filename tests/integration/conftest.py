"""The world that tests of the audit and of forgeries start from."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gates.decide import opa_binary

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
