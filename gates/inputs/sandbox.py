"""Starts a scorer process, watches it, and ends it: the caller's side of gates/inputs/sandbox_entry.py.

Place in the flow: gates/inputs/scorer.py asks for one run; what comes back is bytes that model code wrote, to be
checked by whoever asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from gates.records.evidence import Isolation

_ENTRY = Path(__file__).with_name("sandbox_entry.py")
_STDERR_TAIL = 16_384
_GRACE_S = 2.0
_LEAST_MEMORY = 4 * 2**30
_LEAST_FILE = 256 * 2**20


@dataclass(frozen=True)
class Job:
    """What to run: a script that imports installed packages only, on a model and its features.

    Attributes
    ----------
    output_bytes: what it may answer at most; more is cut off.
    timeout_s: wall-clock seconds.
    modules: files that lie beside the script. arguments: passed on after the model and the output's descriptor.
    rival: a second model's folder, passed as last argument. python: the interpreter; default: this one.
    """

    script: Path
    model: Path
    features: Path
    output_bytes: int
    timeout_s: float
    modules: tuple[Path, ...] = ()
    arguments: tuple[str, ...] = ()
    rival: Path | None = None
    python: Path | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes
    ----------
    output: what was written to the output file descriptor; untrusted.
    code: exit code of the model's process, 128 + signal where one ended it; absent when it ran out of time.
    errors: the last 16 KiB of its stderr; untrusted.
    open_because: why there are no namespaces; empty when isolation is `namespace`.
    """

    isolation: Isolation
    output: bytes
    code: int | None
    errors: str
    open_because: str = ""


def run(job: Job) -> Ended:
    """Run in namespaces of its own, or, where the system gives none, as a bare process.

    The choice is made before any model code runs, by the entry program, and is not the model's to influence.
    """
    ended = _attempt(job, "namespace")
    if ended.open_because and ended.code is not None:
        return replace(_attempt(job, "process"), open_because=ended.open_because)
    return ended


def _attempt(job: Job, mode: Isolation) -> Ended:
    with contextlib.ExitStack() as stack:
        scratch = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="gates-scorer-", ignore_cleanup_errors=True))
        )
        output = stack.enter_context(tempfile.TemporaryFile(dir=scratch))
        status_read, status_write = stack.enter_context(_pipe())
        config = _config(job, mode, scratch, output.fileno(), status_write)
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_ENTRY), json.dumps(config)],
            env={},
            cwd=scratch / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(output.fileno(), status_write),
            start_new_session=True,
        )
        try:
            errors, in_time = _watch(process, started + job.timeout_s)
        finally:
            _end(process)
        status = os.read(status_read, 1024).decode(errors="replace")
        code = process.returncode if in_time else None
        if status != "ready":
            return Ended(mode, b"", code, errors, status or last_line(errors))
        output.seek(0)
        return Ended(mode, output.read(job.output_bytes + 1), code, errors)


def _config(job: Job, mode: Isolation, scratch: Path, out: int, status: int) -> dict[str, object]:
    work, root = scratch / "work", scratch / "root"
    work.mkdir()
    root.mkdir()
    script, model = job.script, job.model.resolve(strict=True)
    rival = None if job.rival is None else job.rival.resolve(strict=True)
    if mode == "process":
        # Nothing makes the originals read-only here: the model gets copies.
        shutil.copyfile(job.features, work / "features.parquet")
        model = Path(shutil.copytree(model, scratch / "model"))
        rival = None if rival is None else Path(shutil.copytree(rival, scratch / "rival"))
        (scratch / "program").mkdir()
        script, *_ = (
            Path(shutil.copyfile(path, scratch / "program" / path.name)) for path in (job.script, *job.modules)
        )
    return {
        "mode": mode,
        "caller": os.getpid(),
        "python": _seen(str(job.python or sys.executable)),
        "interpreter": _interpreter(job.python),
        "script": str(script),
        "modules": list(map(str, job.modules)),
        "arguments": list(job.arguments),
        "model": str(model),
        "rival": None if rival is None else str(rival),
        "features": str(job.features.resolve(strict=True)),
        "work": str(work),
        "root": str(root),
        "out": out,
        "status": status,
        "memory": _memory(),
        "file_bytes": max(_LEAST_FILE, 2 * job.output_bytes),
    }


def _interpreter(python: Path | None = None) -> list[str]:
    """Return the paths that Python needs; parts of a prefix only, since a virtual environment may be a checkout."""
    given = [os.path.normpath(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.base_exec_prefix)]
    folders = [str(Path(sys.executable).resolve().parent)]
    if python is not None:
        own = python.resolve().parent
        given = [os.path.normpath(python.parent.parent), str(own.parent)]
        folders = [str(own)]
    prefixes = dict.fromkeys([*given, *map(os.path.realpath, given)])
    parts = [f"{prefix}/{part}" for prefix in prefixes for part in ("bin", "lib", "lib64", "pyvenv.cfg")]
    return [*parts, *folders]


def _seen(executable: str) -> str:
    """Return the path without its `..`, whose folders the room does not have; a link at its end makes the environment."""
    path = Path(executable)
    return str(path.parent.resolve() / path.name)


def _memory() -> int:
    """Address space for the model: three quarters of the machine's memory, at least 4 GiB."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return _LEAST_MEMORY
    return max(_LEAST_MEMORY, physical * 3 // 4)


def _watch(process: subprocess.Popen[bytes], deadline: float) -> tuple[str, bool]:
    """Read stderr, keeping its end, until the process ends or its time is up.

    Not until the end of the stream: a process that the model left behind may hold it open.
    """
    stream: IO[bytes] = process.stderr  # type: ignore[assignment]
    os.set_blocking(stream.fileno(), False)
    tail = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while process.poll() is None and time.monotonic() < deadline:
            if selector.get_map() and selector.select(0.02):
                chunk = _read(stream)
                tail = (tail + chunk)[-_STDERR_TAIL:]
                if not chunk:
                    selector.unregister(stream)
            elif not selector.get_map():
                time.sleep(0.02)
    in_time = process.poll() is not None
    if in_time:
        tail = (tail + _read(stream, 2**20))[-_STDERR_TAIL:]
    return tail.decode(errors="replace"), in_time


def _read(stream: IO[bytes], size: int = 65_536) -> bytes:
    try:
        return os.read(stream.fileno(), size)
    except BlockingIOError:
        return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the entry program to end everything, then kill its process group; it is the leader of its session."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    try:
        yield read, write
    finally:
        os.close(read)
        os.close(write)


def last_line(errors: str) -> str:
    """Return the last line that is not blank."""
    lines = errors.strip().splitlines()
    return lines[-1] if lines else "it ended without a word"


def isolation() -> tuple[Isolation, str]:
    """Return what this system gives a scorer process, and why it is not `namespace`."""
    with tempfile.TemporaryDirectory(prefix="gates-scorer-") as folder:
        script, model = Path(folder, "nothing.py"), Path(folder, "model")
        script.touch()
        model.mkdir()
        ended = run(Job(script, model, script, 0, 30))
    return ended.isolation, ended.open_because
