"""Serving by a JSON or YAML file, which a proxy or a GitOps job follows. The suffix says which; moves are atomic.

The document: `{schema_version, model, environment, routes: [{version, digest, percent}], approved: {version, digest},
pins: {...}, release_digest}`. `pins` holds the rest of the release (flags, feature views, threshold, digests) under
the release's own field names, so that the release can be read back whole; `release_digest` gives an edit away.
"""

from __future__ import annotations

import io
from typing import Any

from gates.apply.serving.interface import Followed, Observed, Serves, ServesNothing, Traffic, Unreadable
from gates.apply.serving.target_file import TargetFile
from gates.bundle.canonical import canonical_bytes, digest_document, parse_json
from gates.bundle.plain_yaml import parse_yaml
from gates.errors import EngineError, EvidenceError
from gates.records.release import Release

_YAML = frozenset({".yaml", ".yml"})
_OWN_PLACE = frozenset({"schema_version", "model", "environment", "routes", "approved"})


class FileServing(TargetFile):
    """A file for one model in one environment; beside it `<file>.rollback-pack.json` and `<file>.journal.json`."""

    def read(self) -> Observed:
        content = self.bytes_now()
        return ServesNothing() if content is None else self._observe(content)

    def traffic(self) -> Traffic:
        """Whoever routes reads this file: what it states is all that there is to see."""
        return Followed()

    def check(self, release: Release) -> None:
        """A file can state every release."""

    def write(self, release: Release) -> Release:
        content = self._content(release)
        accepted = self._observe(content)
        if not isinstance(accepted, Serves):
            raise EngineError("a release that the file cannot hold", code="serving.unwritable", where=self.name)
        self.put(content)
        return accepted.release

    def clear(self) -> None:
        self.remove()

    def _content(self, release: Release) -> bytes:
        import json

        document = _document_of(release)
        if self.path.suffix in _YAML:
            from ruamel.yaml import YAML

            text = io.StringIO()
            yaml = YAML()
            yaml.default_flow_style = False
            yaml.width = 120
            yaml.dump(document, text)
            return text.getvalue().encode()
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

    def _observe(self, content: bytes) -> Observed:
        try:
            document = self._parse(content)
            release = _release_of(document)
            canonical_bytes(release.document())
        except EvidenceError as error:
            return Unreadable(error.message)
        if document != {**_document_of(release), "release_digest": document.get("release_digest")}:
            # Whoever reads the file may act on a key that no release states.
            return Unreadable("it holds more than a release")
        return Serves(release, str(document.get("release_digest")))

    def _parse(self, content: bytes) -> dict[str, Any]:
        if self.path.suffix in _YAML:
            try:
                document = parse_yaml(content)
            except ValueError as error:
                raise EvidenceError("not YAML") from error
        else:
            document = parse_json(content)
        if not isinstance(document, dict):
            raise EvidenceError("not a serving document")
        return document


def _document_of(release: Release) -> dict[str, Any]:
    whole = release.document()
    return {
        "schema_version": release.schema_version,
        "model": release.model,
        "environment": release.environment,
        "routes": [
            {"version": route.version.version, "digest": route.version.digest, "percent": route.percent}
            for route in release.routes
        ],
        "approved": {"version": release.approved.version, "digest": release.approved.digest},
        "pins": {name: value for name, value in whole.items() if name not in _OWN_PLACE},
        "release_digest": digest_document(whole),
    }


def _release_of(document: dict[str, Any]) -> Release:
    def named(version: Any) -> dict[str, Any]:
        if not isinstance(version, dict):
            raise EvidenceError("a version that is no mapping")
        return {"name": document.get("model"), "version": version.get("version"), "digest": version.get("digest")}

    routes, pins = document.get("routes"), document.get("pins")
    if not isinstance(routes, list) or not isinstance(pins, dict) or _OWN_PLACE & pins.keys():
        raise EvidenceError("not a serving document: routes or pins are missing")
    return Release.parse(
        {
            **pins,
            **{name: document.get(name) for name in ("schema_version", "model", "environment")},
            "routes": [{"version": named(route), "percent": route.get("percent")} for route in routes],
            "approved": named(document.get("approved")),
        }
    )
