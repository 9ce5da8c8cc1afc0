"""Serving by nginx: a file of `split_clients`, so that one key always meets the same version, and a reload.

The file belongs to nginx's `http` block and is ours alone: `$model_gates_upstream` is where a request goes, by
`proxy_pass http://$model_gates_upstream`, and `$model_gates_release` names the release, for a `location` that returns it
(https://nginx.org/en/docs/http/ngx_http_split_clients_module.html). Only that answer shows what nginx runs with.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from gates.apply.serving.interface import (
    Followed,
    Following,
    Observed,
    Serves,
    ServesNothing,
    Traffic,
    Unreadable,
    Unseen,
)
from gates.apply.serving.live import read_live
from gates.apply.serving.statement import release_in, statement_of
from gates.apply.serving.target_file import TargetFile, unavailable
from gates.errors import EngineError, EvidenceError, Refused
from gates.records.base import ModelVersion
from gates.records.release import Release

_SECONDS = 60
_LOOK_S = 0.02
_STATEMENT = "# release: "


@dataclass(frozen=True)
class NginxWords:
    """What the spec says of it.

    Attributes
    ----------
    key: the nginx variable whose value chooses the version. upstream: `{version}` is filled in.
    test, reload: commands; run without a shell. status: address that answers `$model_gates_release`.
    patience_s: how long the traffic is looked at before it is said not to follow. steady_s: how long all answers must
        agree before it is said to follow.
    """

    key: str
    upstream: str
    test: str
    reload: str
    status: str | None = None
    patience_s: float = 5
    steady_s: float = 0.3


class NginxServing(TargetFile):
    """One file of nginx's configuration for one slot."""

    def __init__(self, path: Path, words: NginxWords) -> None:
        super().__init__(path)
        self.words = words

    def read(self) -> Observed:
        content = self.bytes_now()
        if content is None or content == self._render(None):
            return ServesNothing()
        try:
            lines = [line for line in content.decode().splitlines() if line.startswith(_STATEMENT)]
            release = release_in(lines[0].removeprefix(_STATEMENT) if lines else None)
        except (EvidenceError, UnicodeDecodeError) as error:
            return Unreadable(str(error))
        if content != self._render(release):
            return Unreadable("it is not what its own statement is written as")
        return Serves(release, statement_of(release)[1])

    def traffic(self) -> Traffic:
        if self.words.status is None:
            return Unseen("gates.yaml names no serving.nginx.status: nobody sees what nginx runs with")
        observed = self.read()
        stated = observed.stated if isinstance(observed, Serves) else "nothing"
        until = time.monotonic() + self.words.patience_s
        since: float | None = None
        # A reload returns before the new workers answer, and for 100 ms the old ones answer beside them.
        while True:
            found = self._runs_with(self.words.status)
            now = time.monotonic()
            since = (since or now) if found == stated else None
            if since is not None and now - since >= self.words.steady_s:
                return Followed()
            if now > until:
                return Following(f"nginx runs with {found[:80]}")
            time.sleep(_LOOK_S)

    def _runs_with(self, status: str) -> str:
        return read_live(status, "serving.nginx.status").decode(errors="replace").strip()

    def check(self, release: Release) -> None:
        for route in release.routes:
            upstream_of(self.words, route.version, self.name)

    def write(self, release: Release) -> Release:
        self.check(release)
        self._load(release)
        return release

    def clear(self) -> None:
        """Every request meets an upstream that is not there."""
        if self.bytes_now() is not None:
            self._load(None)

    def _load(self, release: Release | None) -> None:
        load(self, self._render(release), self.words)

    def _render(self, release: Release | None) -> bytes:
        statement, digest = statement_of(release) if release else ("", "nothing")
        routes = [route for route in (release.routes if release else ()) if route.percent > 0]
        names = [self.words.upstream.replace("{version}", route.version.version) for route in routes]
        shares = [f"    {route.percent}% {name};" for route, name in zip(routes[:-1], names, strict=False)]
        lines = [
            "# Written by gates; an edit is found and refused.",
            *([_STATEMENT + statement] if release else []),
            f'map "" $model_gates_release {{ default "{digest}"; }}',
            f'split_clients "{self.words.key}" $model_gates_upstream {{',
            *shares,
            f"    * {names[-1] if names else 'model_gates_nothing'};",
            "}",
        ]
        return ("\n".join(lines) + "\n").encode()


def upstream_of(words: NginxWords, version: ModelVersion, where: str) -> str:
    """Return the upstream of a version.

    Raises
    ------
    Refused: `nginx.upstream`: a version that is no part of a name.
    """
    if not re.fullmatch(r"[\w.-]+", version.version):
        raise Refused(f"version {version.version} is no part of an upstream's name", code="nginx.upstream", where=where)
    return words.upstream.replace("{version}", version.version)


def load(file: TargetFile, content: bytes, words: NginxWords) -> None:
    """Replace a file of nginx's configuration, and reload; what nginx refuses is not left there.

    Raises
    ------
    EngineError: `serving.unavailable`.
    """
    before = file.bytes_now()
    if content != before:
        file.put(content)
        try:
            _run(words.test, file.name)
        except (EngineError, ValueError):
            # A file that nginx refuses would stop its next start.
            file.put(before) if before is not None else file.remove()
            raise
    _run(words.reload, file.name)


def _run(command: str, where: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            shlex.split(command), capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise unavailable(where, f"{command}: {error}", "look at nginx") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise unavailable(where, f"{command}: {said[-1] if said else 'failed'}", "look at nginx's configuration")
