"""OPA and the policies that it compiled give the same canonical bytes, whatever they are asked."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from engine_inputs import generated, golden_inputs, worlds
from hypothesis import HealthCheck, given, settings
from simulators.policy_world import Document, plan_request

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN, Engine
from gates.decide.engines.opa_server import started
from gates.decide.opa_binary import find_opa
from gates.resources import policies_folder

pytestmark = pytest.mark.opa

_EXAMPLES = settings().max_examples if settings().max_examples > 100 else 15


@pytest.fixture(scope="module")
def engines() -> Iterator[list[tuple[Engine, Engine]]]:
    """For each world OPA, and what it compiled."""
    opa = find_opa()
    assert opa is not None
    with ExitStack() as stack:
        yield [
            (stack.enter_context(started(world, opa)), stack.enter_context(EmbeddedEngine(world))) for world in worlds()
        ]


def _same(pair: tuple[Engine, Engine], document: Document, entry_point: str = DECISION) -> None:
    one, other = (canonical_bytes(engine.evaluate(entry_point, document)) for engine in pair)
    assert one == other


def test_golden_inputs(engines: list[tuple[Engine, Engine]]) -> None:
    for world, document in golden_inputs():
        _same(engines[world], document)


@given(case=generated())
@settings(max_examples=_EXAMPLES, suppress_health_check=list(HealthCheck))
def test_generated_inputs(engines: list[tuple[Engine, Engine]], case: tuple[int, Document]) -> None:
    world, document = case
    _same(engines[world], document)


@pytest.mark.parametrize("task", ["binary", "multiclass", "numeric"])
def test_plans(engines: list[tuple[Engine, Engine]], task: str) -> None:
    for pair in engines:
        _same(pair, plan_request(task=task), PLAN)
        _same(pair, plan_request(task=task, roles=[], has_champion=False, slices=["x", "a"]), PLAN)


def test_policy_test_cases_hold_in_the_compiled_policies_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`opa test` runs them on OPA; here each is an entry point of a module."""
    opa = find_opa()
    assert opa is not None
    cases = [
        f"{re.search(r'^package (.+)$', text, re.MULTILINE)[1].replace('.', '/')}/{name}"  # type: ignore[index]
        for path in sorted(policies_folder().rglob("*_test.rego"))
        for text in [path.read_text(encoding="utf-8")]
        for name in re.findall(r"^(test_\w+)", text, re.MULTILINE)
    ]
    entries = [word for case in cases for word in ("--entrypoint", case)]
    bundle = tmp_path / "tests.tar.gz"
    # Pruned, or helpers that depend on an entry point would become entry points themselves.
    command = [opa.path, "build", "--target", "wasm", "--prune-unused", "--output", bundle, *entries]
    subprocess.run([*command, "--bundle", policies_folder()], check=True, capture_output=True)
    with tarfile.open(bundle) as archive:
        members = [archive.extractfile(name) for name in ("/policy.wasm", "/data.json")]
        assert all(members)
        module, data = (member.read() for member in members if member)
    from opapywasm import OpaWasmPolicy, PolicyConfig, runtime

    monkeypatch.setattr(runtime, "_DEFAULT_MEMORY_PAGES", 64)
    policy = OpaWasmPolicy.from_wasm_bytes(module, PolicyConfig(pool_size=1, max_memory_pages=None))
    policy.set_data(json.loads(data))
    assert len(cases) > 400
    assert [case for case in cases if policy.evaluate({}, case) is not True] == []
    policy.close()
