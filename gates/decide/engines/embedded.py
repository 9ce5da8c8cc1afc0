"""The embedded engine: the policies as OPA compiled them to WebAssembly, in this process (opa-py-wasm on wasmtime)."""

from __future__ import annotations

import functools
import logging
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Self

from gates.decide.engines.compiled import load_module
from gates.decide.engines.interface import answered, check_input, defined, prepared, uncollected
from gates.decide.policies import PolicySet
from gates.errors import EngineError

_INPUT_BYTES = 128_000_000
_RESULT_BYTES = 64_000_000
_MEMORY_PAGES = 32_768
_FIRST_PAGES = 64
_SECONDS = 60.0
"""Some 100,000 measurements with nine bounds each, for which 1.5 GiB are too little; 2 GiB of memory at most, beyond which
the library takes an address for a negative number. Beyond any of these there is no decision (exit 4)."""
_TICK_SECONDS = 0.5


class EmbeddedEngine:
    """Evaluates in process; needs nothing of the machine. Not to be shared between threads.

    Raises
    ------
    EngineError: the module was built from other sources (`module.stale`), asks its host for functions
    (`module.impure`), or does not load (`engine.failed`).
    """

    name = "embedded"

    def __init__(self, policies: PolicySet) -> None:
        from opapywasm import OpaWasmPolicy, PolicyConfig

        _prepare_library()
        _close_left()
        policies.check_module()
        self.version = f"opa {policies.sidecar.opa_version}, wasm"
        self.source = policies.manifest.module
        config = PolicyConfig(
            pool_size=1,
            max_input_bytes=_INPUT_BYTES,
            max_result_bytes=_RESULT_BYTES,
            max_cstring_scan_bytes=_RESULT_BYTES,
            max_memory_pages=_MEMORY_PAGES,
            eval_timeout_seconds=_SECONDS,
            # What it is given was written here, from a document that was checked.
            parse_raw_json_input=False,
        )
        try:
            self._policy = OpaWasmPolicy.from_wasm_bytes(policies.module, config)
            self._policy.set_data(policies.data)
        except Exception as error:
            raise EngineError(f"the compiled policies do not load: {error}", code="engine.failed") from error
        if self._policy.builtins:
            self.close()
            raise EngineError(
                f"the compiled policies ask their host for {', '.join(sorted(self._policy.builtins))}",
                code="module.impure",
                where=self.source,
            )

        weakref.finalize(self, _LEFT.append, self._policy).atexit = False

    def evaluate(self, entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        with uncollected():
            answer = self._evaluate(prepared(entry_point, document), entry_point)
            return answered(answer, engine="the embedded engine", entry_point=entry_point)

    def evaluate_stored(self, entry_point: str, content: bytes) -> dict[str, Any]:
        """Evaluate the canonical bytes of a past input, for figures over many; the answer's lists are in no order.

        Raises
        ------
        EvidenceError: the bytes are not a valid input (`input.invalid`). EngineError: as `evaluate`.
        """
        check_input(entry_point, content)
        answer = self._evaluate(content, entry_point)
        return defined(answer, engine="the embedded engine", entry_point=entry_point)

    def _evaluate(self, content: bytes, entry_point: str) -> object:
        try:
            return self._policy.evaluate(content, entry_point)
        except Exception as error:
            raise EngineError(
                f"the embedded engine failed: {error}",
                code="engine.failed",
                where=entry_point,
                remedy="an input this large needs OPA" if len(content) > _INPUT_BYTES else None,
            ) from error

    def close(self) -> None:
        self._policy.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_LEFT: deque[Any] = deque()
"""Policies of engines that nobody closed: their clocks, a thread each, would tick on. They are closed when the next
engine is made, since garbage is found at any time, the library's own locks held, and closing takes those."""


def _close_left() -> None:
    while True:
        try:
            policy = _LEFT.popleft()
        except IndexError:
            return
        policy.close()


@functools.cache
def _prepare_library() -> None:
    """What opa-py-wasm has no words for: memory to begin with, silence, and machine code that is kept."""
    import wasmtime
    from opapywasm import runtime

    # It begins with 2 pages; a module that declares 3 cannot be linked then.
    runtime._DEFAULT_MEMORY_PAGES = _FIRST_PAGES  # noqa: SLF001
    # A limit of a minute needs no clock that wakes a hundred times a second and asks for the interpreter each time.
    runtime.EpochTicker.tick_seconds = _TICK_SECONDS
    # It finds the memory that the module needs by trying, and warns of it each time.
    logging.getLogger("opapywasm.runtime").setLevel(logging.ERROR)

    class Wasmtime:
        """The library's view of wasmtime, in which making a module looks at what was kept."""

        class Module:
            """Makes modules; nothing is validated apart, since compiling does so, and only what was compiled is kept."""

            def __new__(cls, engine: wasmtime.Engine, wasm: bytes) -> Any:
                return load_module(engine, wasm)

            @staticmethod
            def validate(_engine: wasmtime.Engine, _wasm: bytes) -> None:
                return

        def __getattr__(self, name: str) -> Any:
            return getattr(wasmtime, name)

    setattr(runtime, "wasmtime", Wasmtime())  # noqa: B010 - to a type checker it is no part of that module
