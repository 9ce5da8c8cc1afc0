"""The policies' machine code, kept between commands: wasmtime compiles a module in half a second and loads it in .01 s.

A kept file is native code, so it is run only if this user wrote it here: it carries an HMAC-SHA256 under a key of 32
random bytes that stands in the user's configuration folder and never in the cache, over the version of wasmtime, the
machine, the digest of the module and the code. A file that was damaged, restored from another machine's cache, or put
there by somebody else does not verify; it is compiled anew and replaced. File and folder are the owner's alone
(mode 600 and 700), and links are not followed. `GATES_MODULE_CACHE` names another folder; empty, nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import platform
import secrets
import stat
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import wasmtime

CACHE_VARIABLE = "GATES_MODULE_CACHE"
_KEY = "module-cache.key"
_KEY_BYTES = 32
_MAC_BYTES = 32
_MOST_BYTES = 256_000_000


def load_module(engine: wasmtime.Engine, wasm: bytes) -> wasmtime.Module:
    """Load a module as wasmtime compiled it before, or compile it and keep what came out.

    Nothing that goes wrong with the cache is an error: then the module is compiled.

    Raises
    ------
    wasmtime.WasmtimeError: the bytes are no valid module.
    """
    import wasmtime

    path, key = _place(wasm), _key()
    if path is None or key is None:
        return wasmtime.Module(engine, wasm)
    kept = _kept(path, key, wasm)
    if kept is not None:
        # Other settings of the engine than those that it was compiled for are wasmtime's own to find.
        with contextlib.suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(engine, kept)
    module = wasmtime.Module(engine, wasm)
    _keep(path, key, wasm, bytes(module.serialize()))
    return module


def _place(wasm: bytes) -> Path | None:
    folder = os.environ.get(CACHE_VARIABLE)
    if folder == "":
        return None
    if folder is None:
        import platformdirs

        folder = str(platformdirs.user_cache_path("model-gates") / "modules")
    return Path(folder) / f"{hashlib.sha256(_about(wasm)).hexdigest()}.cwasm"


def _about(wasm: bytes) -> bytes:
    """What the code was compiled for."""
    digest = hashlib.sha256(wasm).hexdigest()
    return f"{version('wasmtime')}\n{platform.system()} {platform.machine()}\n{digest}\n".encode()


def _key() -> bytes | None:
    import platformdirs

    path = platformdirs.user_config_path("model-gates") / _KEY
    key = _own(path, _KEY_BYTES)
    if key is None:
        with contextlib.suppress(OSError):
            _write(path, secrets.token_bytes(_KEY_BYTES))
            key = _own(path, _KEY_BYTES)
    return key if key is not None and len(key) == _KEY_BYTES else None


def _kept(path: Path, key: bytes, wasm: bytes) -> bytes | None:
    content = _own(path, _MOST_BYTES)
    if content is None:
        return None
    mac, code = content[:_MAC_BYTES], content[_MAC_BYTES:]
    return code if hmac.compare_digest(mac, _mac(key, wasm, code)) else None


def _keep(path: Path, key: bytes, wasm: bytes, code: bytes) -> None:
    with contextlib.suppress(OSError):
        _write(path, _mac(key, wasm, code) + code)


def _mac(key: bytes, wasm: bytes, code: bytes) -> bytes:
    return hmac.new(key, _about(wasm) + code, hashlib.sha256).digest()


def _own(path: Path, most: int) -> bytes | None:
    """Read a regular file of this user's that nobody else can write, in a folder of the same kind; else None."""
    try:
        if not _private(path.parent.stat()):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or not _private(found) or found.st_size > most:
                return None
            return file.read(most)
    except OSError:
        return None


def _private(found: os.stat_result) -> bool:
    if os.name == "nt":
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _write(path: Path, content: bytes) -> None:
    """Put a file in place in one step: two commands that begin together cannot spoil each other's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
