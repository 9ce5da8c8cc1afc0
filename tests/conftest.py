"""What every test starts from: nothing of this machine's settings, and no silent skip where all must run."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from scored_world import World

    from gates.inputs.tables import Tables

# Before any test module imports the libraries that read them. Without CI the product acts alike on every machine.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
# pandera and pyspark.pandas set it where it is not, and pyarrow then drops the zones of times in every later test.
os.environ["PYARROW_IGNORE_TIMEZONE"] = ""
for _name in [name for name in os.environ if name.startswith("GATES_") or name == "CI"]:
    if _name not in {"GATES_OPA", "GATES_REQUIRE_ALL"}:
        del os.environ[_name]

# As the commands and the scorer's process have it.
gc.set_threshold(100_000, 50, 50)

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("study", settings.get_profile("default"), derandomize=False, max_examples=5_000)
settings.load_profile("default")

REQUIRE_ALL = bool(os.environ.get("GATES_REQUIRE_ALL"))


@pytest.fixture(scope="session", autouse=True)
def _no_keys_of_this_user(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """The development key is made and found in a folder of the session, never in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _policies_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Machine code is kept for the session, in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATES_MODULE_CACHE", str(tmp_path_factory.mktemp("modules")))
        yield


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    """An engine for the tables of a module's tests."""
    from gates.inputs.tables import Tables

    with Tables(threads=2) as engine:
        yield engine


@pytest.fixture
def world(tables: Tables, tmp_path: Path) -> World:
    """Tables of a test's own, in that engine, to be scored."""
    from scored_world import World

    return World(tables, tmp_path)


@pytest.fixture
def scored_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models answer in this process: what an answer means does not depend on where the model runs."""
    from model_runs import here

    from gates.inputs import scorer

    monkeypatch.setattr(scorer, "run", here)


@pytest.fixture
def own_process(scored_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models answer from a process of their own all the same."""
    from gates.inputs import sandbox, scorer

    monkeypatch.setattr(scorer, "run", sandbox.run)


@cache
def _has_opa() -> bool:
    from gates.decide.opa_binary import find_opa

    return find_opa() is not None


def pytest_sessionstart() -> None:
    """Look for OPA before tests take it away from the machine."""
    _has_opa()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over modules and tests: a million objects that stay until the end."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, by marker."""
    if item.get_closest_marker("opa") and not _has_opa():
        pytest.skip("no OPA here: `make test` builds one into the user's cache")


def _fail_if_skipped(report: Any) -> None:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (a skip is a failure where GATES_REQUIRE_ALL is set)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
