"""A shadow behind nginx: a version that gets a copy of each request (`mirror`) and answers nobody.

The file is one variable, `$model_gates_shadow`, the upstream of the version or empty; the locations that copy the
request and store both answers under one request id are in examples/canary/nginx.conf
(https://nginx.org/en/docs/http/ngx_http_mirror_module.html). A shadow takes no traffic, so no decision lets it and the
ledger does not hold it.
"""

from __future__ import annotations

import re
from pathlib import Path

from gates.apply.serving.nginx import NginxWords, load, upstream_of
from gates.apply.serving.target_file import TargetFile
from gates.errors import EvidenceError
from gates.records.base import ModelVersion

_SHADOW = re.compile(r"^# shadow: models:/(.+)/(\S+) (sha256:[0-9a-f]{64})$", re.MULTILINE)


class NginxShadow(TargetFile):
    """One file of nginx's `http` block, ours alone."""

    def __init__(self, path: Path, words: NginxWords) -> None:
        super().__init__(path)
        self.words = words

    def read(self) -> ModelVersion | None:
        """Return the shadow; None where there is none.

        Raises
        ------
        EvidenceError: `nginx.shadow`: it was edited by hand.
        """
        content = self.bytes_now()
        if content is None:
            return None
        found = _SHADOW.search(content.decode(errors="replace"))
        name, version, digest = found.groups() if found else ("", "", "")
        shadow = ModelVersion(name=name, version=version, digest=digest) if found else None
        if content != self._render(shadow):
            raise EvidenceError(
                "it is not what was written",
                code="nginx.shadow",
                where=self.name,
                remedy="name the shadow again, or end it: `gates shadow --off`",
            )
        return shadow

    def write(self, shadow: ModelVersion | None) -> None:
        """Copy requests to a version from now on, or to none.

        Raises
        ------
        Refused: a version that is no part of an upstream's name. EngineError: nginx refuses; the file is as before.
        """
        load(self, self._render(shadow), self.words)

    def _render(self, shadow: ModelVersion | None) -> bytes:
        lines = ["# Written by gates shadow; an edit is found."]
        if shadow is not None:
            lines.append(f"# shadow: {shadow.uri} {shadow.digest}")
        upstream = upstream_of(self.words, shadow, self.name) if shadow else '""'
        return "\n".join([*lines, f'map "" $model_gates_shadow {{ default {upstream}; }}', ""]).encode()
