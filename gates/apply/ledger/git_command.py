"""Git as the ledger runs it: none of the machine's configuration, hooks or signing; credentials in headers only."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from gates.errors import EngineError, UsageError

TOKEN_VARIABLE = "GATES_LEDGER_TOKEN"  # noqa: S105 (the name of a variable, not its value)
_SECONDS = 120
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!/)[^-].*")

# Proxies, certificates and ssh belong to the network; every other word of the machine's Git could change what is done.
_KEPT = frozenset(
    {"PATH", "HOME", "TMPDIR", "LANG", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    | {"GIT_SSL_CAINFO", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "SSH_ASKPASS"}
    | {name for each in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY") for name in (each, each.lower())}
)
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "commit.gpgSign": "false",
    "push.gpgSign": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "transfer.fsckObjects": "true",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
}


@dataclass(frozen=True)
class Remote:
    """Where the branch lies.

    Attributes
    ----------
    url: without credentials, as it may stand in arguments and messages.
    headers: (configuration key, HTTP header) that carry them.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def remote_at(url: str, environ: Mapping[str, str], *, headers: tuple[tuple[str, str], ...] = ()) -> Remote:
    """Take the credentials out of an address; a token comes from `GATES_LEDGER_TOKEN`, else from the address.

    Raises
    ------
    UsageError: no address that Git is asked for here, or a token that would travel in the clear.
    """
    if _SCP.fullmatch(url):
        return Remote(url)
    if url.startswith("/"):
        return Remote(Path(url).as_uri())
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http", "ssh", "file") or not (parts.netloc or parts.scheme == "file"):
        raise UsageError("not an address of a Git repository", code="ledger.uri", remedy="write git+https://HOST/PATH")
    if parts.scheme in ("ssh", "file"):
        return Remote(url)
    netloc = parts.netloc.rpartition("@")[2]
    token = environ.get(TOKEN_VARIABLE, "")
    secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else ""
    if token:
        secret = f"x-access-token:{token}"
    if secret:
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise UsageError("a token over http is anybody's", code="ledger.uri", where=netloc, remedy="write https")
        header = f"Authorization: Basic {base64.b64encode(secret.encode()).decode()}"
        headers = ((f"http.{parts.scheme}://{netloc}/.extraheader", header),)
    return Remote(urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), headers)


def remote_named(name: str, environ: Mapping[str, str], folder: Path) -> Remote:
    """Find a remote of the checkout around `folder`, with the HTTP header that a CI checkout has left for it.

    Raises
    ------
    UsageError: no checkout, or no such remote. EngineError: no Git here.
    """
    if not re.fullmatch(r"\w[\w./-]*", name):
        raise UsageError("not the name of a remote", code="ledger.uri", where=name)
    try:
        found = _asked(["remote", "get-url", "--push", name], environ, folder)
        listed = _asked(["config", "--null", "--get-regexp", r"^http\..*\.extraheader$"], environ, folder)
    except OSError as error:
        raise _missing(error) from error
    if found.returncode:
        raise UsageError(
            f"the checkout has no remote {name}",
            code="ledger.uri",
            where=str(folder),
            remedy="write git+https://HOST/PATH#BRANCH",
        )
    pairs = (item.partition("\n") for item in listed.stdout.decode().split("\0") if item)
    return remote_at(found.stdout.decode().strip(), environ, headers=tuple((key, value) for key, _, value in pairs))


def _asked(arguments: list[str], environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=folder, env=dict(environ), capture_output=True, check=False)  # noqa: S603, S607


@dataclass(frozen=True)
class Git:
    """Runs Git in one bare repository.

    Attributes
    ----------
    held: a descriptor that Git inherits, so that a lock holds as long as a Git does whose caller was killed.
    """

    folder: Path
    environ: Mapping[str, str]
    remote: Remote
    held: int

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command and return what it said, whatever its exit code.

        Raises
        ------
        EngineError: no Git here, or it hangs.
        """
        try:
            return subprocess.run(  # noqa: S603
                ["git", f"--git-dir={self.folder}", *arguments],  # noqa: S607
                input=stdin,
                env=self._environment(),
                capture_output=True,
                check=False,
                timeout=_SECONDS,
                pass_fds=(self.held,),
            )
        except subprocess.TimeoutExpired as error:
            raise unavailable(f"git {arguments[0]} took more than {_SECONDS} s", self.remote.url) from error
        except OSError as error:
            raise _missing(error) from error

    def ask(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a command that must succeed, and return its output.

        Raises
        ------
        EngineError: it did not.
        """
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            raise unavailable(f"git {arguments[0]}: {last_line(done)}", self.remote.url)
        return done.stdout

    def _environment(self) -> dict[str, str]:
        config = {**_CONFIG, **dict(self.remote.headers)}
        kept = {name: value for name, value in self.environ.items() if name in _KEPT}
        kept.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
        for number, (key, value) in enumerate(config.items()):
            kept[f"GIT_CONFIG_KEY_{number}"], kept[f"GIT_CONFIG_VALUE_{number}"] = key, value
        return {
            **kept,
            "GIT_CONFIG_COUNT": str(len(config)),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }


def last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """What Git said last that is not about progress."""
    lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    return (fatal or lines or [f"ended with {done.returncode}"])[-1][:300]


def unavailable(message: str, where: str) -> EngineError:
    return EngineError(
        f"cannot be reached: {message}",
        code="ledger.unavailable",
        where=where,
        remedy=f"look at its address, your rights there (a token goes into {TOKEN_VARIABLE}) and the free space",
    )


def _missing(error: OSError) -> EngineError:
    return EngineError(
        f"git does not run here: {error.strerror}", code="ledger.unavailable", remedy="install Git 2.31 or later"
    )
