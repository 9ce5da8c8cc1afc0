"""The embedded engine: pure, of exactly these sources, within limits; whatever goes wrong with it is no decision."""

from __future__ import annotations

import dataclasses
import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from simulators.policy_world import golden, plan_request, policy_set

from gates.bundle.canonical import canonical_bytes, digest_bytes
from gates.decide.engines import compiled, embedded
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN, answered
from gates.decide.evaluate import evaluate
from gates.errors import EngineError, EvidenceError, UsageError


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(policy_set()) as made:
        yield made


@pytest.fixture(scope="module")
def plan(engine: EmbeddedEngine) -> dict[str, Any]:
    return engine.evaluate(PLAN, plan_request())


def test_the_module_asks_its_host_for_nothing_but_memory_and_an_end(engine: EmbeddedEngine) -> None:
    assert engine._policy.builtins == {}
    # What OPA's binary interface names for every module; a builtin would have to be listed above to be called.
    imports = {(item.module, item.name) for item in engine._policy._factory.module.imports}
    abi = {"memory", "opa_abort", *(f"opa_builtin{n}" for n in range(5))}
    assert imports <= {("env", name) for name in abi}


def test_a_module_that_asks_its_host_for_a_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import opapywasm

    monkeypatch.setattr(opapywasm.OpaWasmPolicy, "builtins", property(lambda _: {"time.now_ns": 0}))
    with pytest.raises(EngineError, match=r"time\.now_ns") as caught:
        EmbeddedEngine(policy_set())
    assert caught.value.code == "module.impure"


def test_a_module_of_other_sources_is_refused() -> None:
    policies = policy_set()
    rule = b"package gates.release.mine\n\nresults := set()\n"
    other = dataclasses.replace(policies, files={**policies.files, "release/mine/mine.rego": rule})
    one_rule_less = {path: content for path, content in policies.files.items() if path != "main.rego"}
    for changed in (
        other,
        dataclasses.replace(policies, files=one_rule_less),
        dataclasses.replace(policies, module=policies.module + b"\0"),
    ):
        with pytest.raises(EngineError) as caught:
            EmbeddedEngine(changed)
        assert (caught.value.code, caught.value.exit_code) == ("module.stale", 4)


def test_broken_bytes_under_a_true_record_do_not_load() -> None:
    policies = policy_set()
    record = policies.sidecar.model_copy(update={"module_digest": digest_bytes(b"\0asm no")})
    files = {**policies.files, "module.json": canonical_bytes(record.document())}
    with pytest.raises(EngineError) as caught:
        EmbeddedEngine(dataclasses.replace(policies, files=files, module=b"\0asm no"))
    assert (caught.value.code, caught.value.exit_code) == ("engine.failed", 4)


@pytest.mark.parametrize("limit", ["_INPUT_BYTES", "_RESULT_BYTES", "_SECONDS", "_MEMORY_PAGES"])
def test_above_a_limit_there_is_no_decision(
    limit: str, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, limit, {"_SECONDS": 0.001, "_MEMORY_PAGES": 96}.get(limit, 2_000))
    if limit == "_SECONDS":
        embedded._prepare_library()
        # The clock's usual half a second is longer than this takes.
        monkeypatch.setattr("opapywasm.runtime.EpochTicker.tick_seconds", 0.005)
    document = golden("production", plan)
    if limit in {"_MEMORY_PAGES", "_SECONDS"}:
        document["evidence"][0]["measurements"] *= 300
    with caplog.at_level(logging.ERROR), EmbeddedEngine(policy_set()) as small, pytest.raises(EngineError) as caught:
        small.evaluate(DECISION, document)
    assert (caught.value.code, caught.value.exit_code) == ("engine.failed", 4)


def test_after_a_failure_it_answers_as_before(plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    document = golden("production", plan)
    with EmbeddedEngine(policy_set()) as one:
        before = one.evaluate(DECISION, document)
        with monkeypatch.context() as patch:
            patch.setattr(one._policy, "evaluate", _fail)
            with pytest.raises(EngineError):
                one.evaluate(DECISION, document)
        assert one.evaluate(DECISION, document) == before


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(engine: EmbeddedEngine, plan: dict[str, Any], *, collecting: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        engine.evaluate(DECISION, golden("production", plan))
        assert gc.isenabled() == collecting
        with pytest.raises(EvidenceError):
            engine.evaluate(DECISION, {})
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()


def _fail(*_: object) -> None:
    raise RuntimeError("the guest trapped")


def test_an_answer_that_is_none_is_no_decision(engine: EmbeddedEngine, plan: dict[str, Any]) -> None:
    from opapywasm import UNDEFINED

    for nothing in (UNDEFINED, None, {}, [], "allow", True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine._policy, "evaluate", lambda *_, answer=nothing: answer)
            with pytest.raises(EngineError) as caught:
                engine.evaluate(DECISION, golden("production", plan))
        assert caught.value.code == "engine.undefined"


def test_no_engine_sees_an_input_that_is_not_one(engine: EmbeddedEngine, plan: dict[str, Any]) -> None:
    document = golden("production", plan)
    for wrong in (
        {},
        {**document, "more": 1},
        {**document, "evidence": None},
        {**document, "evidence": [float("nan")]},
    ):
        with pytest.raises(EvidenceError) as caught:
            engine.evaluate(DECISION, wrong)
        assert (caught.value.code, caught.value.exit_code) == ("input.invalid", 3)
    with pytest.raises(UsageError):
        engine.evaluate("gates/main/results", document)


def test_stored_bytes_are_judged_as_their_document_and_checked_alike(
    engine: EmbeddedEngine, plan: dict[str, Any]
) -> None:
    document = golden("production", plan)
    answer = engine.evaluate_stored(DECISION, canonical_bytes(document))
    assert answered(answer, engine="", entry_point=DECISION) == engine.evaluate(DECISION, document)
    for wrong in (b"{}", b"[", b"\xff", canonical_bytes({**document, "more": 1}), b"[" * 100_000):
        with pytest.raises(EvidenceError) as caught:
            engine.evaluate_stored(DECISION, wrong)
        assert caught.value.code == "input.invalid"


class _Says:
    name, version, source = "opa", "1", "http://127.0.0.1"

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def evaluate(self, _entry_point: str, _document: dict[str, Any]) -> dict[str, Any]:
        return self.answer


def test_other_bytes_from_a_second_engine_are_no_decision(engine: EmbeddedEngine, plan: dict[str, Any]) -> None:
    document = golden("production", plan)
    truth = engine.evaluate(DECISION, document)
    assert evaluate(_Says(truth), DECISION, document, confirming=engine).evaluation.confirmed_by
    for lie in ({**truth, "allow": not truth["allow"]}, {**truth, "results": truth["results"][1:]}, {}):
        with pytest.raises(EngineError) as caught:
            evaluate(_Says(lie), DECISION, document, confirming=engine)
        assert (caught.value.code, caught.value.exit_code) == ("engine.disagree", 4)


# What wasmtime compiled, kept between commands.

WASM = b"\0asm\1\0\0\0"


@pytest.fixture
def compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Counts what is compiled rather than loaded; folders of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv(compiled.CACHE_VARIABLE, str(tmp_path / "modules"))
    seen: list[bytes] = []

    class Module(wasmtime.Module):
        def __init__(self, engine: wasmtime.Engine, wasm: bytes) -> None:
            seen.append(wasm)
            super().__init__(engine, wasm)

    monkeypatch.setattr(wasmtime, "Module", Module)
    return seen


def _load(wasm: bytes = WASM) -> wasmtime.Module:
    return compiled.load_module(wasmtime.Engine(), wasm)


def _kept(tmp_path: Path) -> Path:
    [path] = (tmp_path / "modules").glob("*.cwasm")
    return path


def test_a_module_is_compiled_once_and_its_file_is_the_owners_alone(compiles: list[bytes], tmp_path: Path) -> None:
    _load()
    assert [item.type for item in _load().exports] == []
    assert len(compiles) == 1
    assert _kept(tmp_path).stat().st_mode & 0o777 == 0o600
    assert _kept(tmp_path).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("where", [0, 31, 32, 40, -1])
def test_a_damaged_file_is_refused_and_replaced(compiles: list[bytes], tmp_path: Path, where: int) -> None:
    _load()
    good = _kept(tmp_path).read_bytes()
    bad = bytearray(good)
    bad[where] ^= 1
    _kept(tmp_path).write_bytes(bad)
    _load()
    _load()
    assert len(compiles) == 2
    assert _kept(tmp_path).read_bytes() == good


def test_a_file_of_another_machine_or_user_is_refused(
    compiles: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that a job restored holds code whose key stayed elsewhere: never run, whatever it claims."""
    _load()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    _load()
    assert len(compiles) == 2


def test_the_code_of_another_module_is_refused(compiles: list[bytes], tmp_path: Path) -> None:
    _load()
    mine = _kept(tmp_path)
    other = WASM + b"\0\2\1x"  # a custom section: another module that does the same
    _load(other)
    [theirs] = [path for path in (tmp_path / "modules").glob("*.cwasm") if path != mine]
    mine.write_bytes(theirs.read_bytes())
    _load()
    assert compiles == [WASM, other, WASM]


def test_a_file_that_others_may_write_and_a_link_are_refused(compiles: list[bytes], tmp_path: Path) -> None:
    _load()
    path = _kept(tmp_path)
    path.chmod(0o666)
    _load()
    assert len(compiles) == 2
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    _load()
    assert len(compiles) == 3
    assert not _kept(tmp_path).is_symlink()
    path.parent.chmod(0o777)
    _load()
    assert len(compiles) == 4


def test_settings_of_another_engine_are_refused(compiles: list[bytes]) -> None:
    _load()
    config = wasmtime.Config()
    config.epoch_interruption = True
    compiled.load_module(wasmtime.Engine(config), WASM)
    assert len(compiles) == 2


def test_without_a_place_to_keep_it_a_module_is_compiled(
    compiles: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in ("", str(tmp_path / "file" / "modules")):
        monkeypatch.setenv(compiled.CACHE_VARIABLE, folder)
        _load()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    monkeypatch.setenv(compiled.CACHE_VARIABLE, str(tmp_path / "modules"))
    _load()
    assert len(compiles) == 3
    with pytest.raises(wasmtime.WasmtimeError):
        _load(b"no module")
