"""OPA itself, through opa-python-client: a server at a given URL, or one started for the call and ended with it.

Policies are never uploaded (the client rewrites what a server rejects): a server that we start reads them from files.
What a server at a URL has loaded is its own affair; `gates.decide.evaluate` shows whether it answers like these policies.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gates.decide.engines.interface import answered, prepared
from gates.decide.opa_binary import OpaBinary
from gates.decide.policies import PolicySet
from gates.errors import EngineError, UsageError

if TYPE_CHECKING:
    import requests
    from opa_client.opa import OpaClient

_ANSWER_SECONDS = 60.0
_START_SECONDS = 15.0
_STARTS = 3
_PR_SET_PDEATHSIG = 1
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_STRICT = {"strict-builtin-errors": "true"}

_AUTHORISATION = """package system.authz

default allow := false

allow if input.identity == "{token}"
"""


class OpaServerEngine:
    """A running OPA that holds the policies.

    Parameters
    ----------
    url: `http://host:port` or `https://host:port`. token: bearer token, where the server wants one; sent to another
    machine over TLS only. authority: file of the certificates that the server's is checked by; default: the system's.

    Raises
    ------
    UsageError: `opa.url`, `opa.token`, `opa.authority`.
    """

    name = "opa"

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        authority: Path | None = None,
        version: str = "unknown",
        source: str | None = None,
    ) -> None:
        from opa_client.opa import OpaClient

        host, port, tls = _address(url)
        if token and not tls and host not in _LOOPBACK:
            raise UsageError(
                "the token would be sent in the open", code="opa.token", where=url, remedy="use https, or a sidecar"
            )
        if authority is not None and not authority.is_file():
            raise UsageError("no such file of certificates", code="opa.authority", where=str(authority))
        self.version = version
        self.source = source or url
        # No retries: a failing built-in answers 500, and asking again would only hide it for a while.
        self._client: OpaClient = OpaClient(
            host=f"[{host}]" if ":" in host else host,
            port=port,
            ssl=(str(authority) if authority else True) if tls else False,
            token=token,
            retries=0,
            timeout=_ANSWER_SECONDS,
        )
        if host in _LOOPBACK:
            # What is asked of this machine is no business of a proxy's; the client has no public switch for it.
            self._client._session.trust_env = False  # noqa: SLF001

    def evaluate(self, entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        import json

        import requests

        content = json.loads(prepared(entry_point, document))
        package, rule = entry_point.rsplit("/", 1)
        try:
            answer = self._client.query_rule(content, package, rule, _STRICT)
        except requests.HTTPError as error:
            raise EngineError(
                f"OPA refused the question: {error}{_said(error.response)}",
                code="engine.failed",
                where=self.source,
            ) from error
        except Exception as error:
            raise EngineError(
                f"OPA cannot be asked: {error}",
                code="engine.unavailable",
                where=self.source,
                remedy="start it, or decide with the embedded engine",
            ) from error
        return answered(
            answer.get("result") if isinstance(answer, dict) else None, engine="OPA", entry_point=entry_point
        )

    def healthy(self) -> bool:
        """Whether the server answers."""
        return bool(self._client.check_health())

    def close(self) -> None:
        self._client.close_connection()


def _address(url: str) -> tuple[str, int, bool]:
    """Host, port, and whether it is reached by TLS."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.username:
        raise UsageError("not the URL of an OPA server", code="opa.url", where=url, remedy="give http://host:port")
    tls = parts.scheme == "https"
    return parts.hostname, port or (443 if tls else 8181), tls


def _said(response: requests.Response | None) -> str:
    return f": {response.text[:300]}" if response is not None else ""


@contextlib.contextmanager
def started(policies: PolicySet, opa: OpaBinary) -> Iterator[OpaServerEngine]:
    """Start OPA on these policies, on the loopback interface, at a free port and behind a random token; end it always.

    Raises
    ------
    EngineError: `engine.start`: OPA refuses the policies or does not come up, with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="gates-opa-") as folder:
        root = Path(folder)
        token = secrets.token_hex(32)
        _write(root, policies, token)
        process, url = _launch(opa, root, token)
        engine = OpaServerEngine(url, token=token, version=opa.version, source=str(opa.path))
        try:
            yield engine
        finally:
            engine.close()
            _end(process)


def _write(root: Path, policies: PolicySet, token: str) -> None:
    policies.write_bundle(root / "policies")
    guard = root / "guard"
    guard.mkdir(mode=0o700)
    (guard / ".manifest").write_text('{"rego_version": 1, "roots": ["system"]}', encoding="utf-8")
    (guard / "authz.rego").write_text(_AUTHORISATION.format(token=token), encoding="utf-8")


def _launch(opa: OpaBinary, root: Path, token: str) -> tuple[subprocess.Popen[bytes], str]:
    """A free port may be taken before OPA has it; OPA then ends, and the next port is tried."""
    said = ""
    for _ in range(_STARTS):
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - OPA itself, no shell
                [opa.path, "run", "--server", "--addr", f"127.0.0.1:{port}", *_OPTIONS, "policies", "guard"],
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"HOME": str(root), "PATH": os.defpath},
                preexec_fn=_die_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
            )
        try:
            if _comes_up(process, url, token):
                return process, url
        except BaseException:
            _end(process)
            raise
        _end(process)
        said = (root / "log").read_text(encoding="utf-8", errors="replace").strip()
    raise EngineError(
        f"OPA does not start: {said[-500:] or 'it says nothing'}", code="engine.start", where=str(opa.path)
    )


_OPTIONS = (
    "--bundle",
    "--log-level",
    "error",
    "--authentication",
    "token",
    "--authorization",
    "basic",
    "--skip-version-check",
)


def _comes_up(process: subprocess.Popen[bytes], url: str, token: str) -> bool:
    probe = OpaServerEngine(url, token=token)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if probe.healthy():
                return process.poll() is None
            time.sleep(0.02)
        return False
    finally:
        probe.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with(parent: int) -> Any:
    """Return what the child runs before it becomes OPA: it asks Linux to be killed when this process dies."""
    libc = ctypes.CDLL(None, use_errno=True)

    def before() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return before


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
