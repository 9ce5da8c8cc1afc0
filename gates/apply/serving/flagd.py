"""Feature flags in a flagd file, moved with the target: a release pins each flag's variant.

Ours in the file (https://flagd.dev/schema/v0/flags.json) are the `defaultVariant` of the pinned flags and one word of
`metadata`; which flags and variants there are is the team's. The file and the target cannot change in one instant, so
the file says first which release is on its way, and that it has come last: killed in between, the target alone says
what serves, and the same write goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gates.apply.serving.interface import Following, Observed, Serves, Serving, Traffic, Unreadable
from gates.apply.serving.statement import release_in, statement_of
from gates.apply.serving.target_file import TargetFile
from gates.bundle.canonical import parse_json
from gates.errors import EvidenceError, Refused
from gates.records.release import Release

PENDING = "model-gates/pending"


class WithFlags:
    """Another target, and the flags that move with it."""

    def __init__(self, target: Serving, file: TargetFile) -> None:
        self.target, self.file = target, file

    @property
    def name(self) -> str:
        return self.target.name

    def read(self) -> Observed:
        observed = self.target.read()
        if not isinstance(observed, Serves):
            return observed
        try:
            document = self._document()
            pending = _pending(document)
            wrong = _differs(document, pending or observed.release)
        except EvidenceError as error:
            return Unreadable(f"{self.file.name}: {error.message}")
        return Unreadable(f"{self.file.name}: {wrong}") if wrong else observed

    def traffic(self) -> Traffic:
        try:
            pending = _pending(self._document())
        except EvidenceError as error:
            return Following(f"{self.file.name}: {error.message}")
        return Following("flags are on their way") if pending else self.target.traffic()

    def check(self, release: Release) -> None:
        self.target.check(release)
        try:
            flags = _flags(self._document())
        except EvidenceError as error:
            raise _refused(error.message, self.file) from error
        for pin in release.flags:
            flag = flags.get(pin.name)
            if not isinstance(flag, dict) or pin.value not in (flag.get("variants") or {}):
                raise _refused(f"there is no variant {pin.value} of flag {pin.name}", self.file)
            if flag.get("state") != "ENABLED" or flag.get("targeting"):
                raise _refused(f"flag {pin.name} is not the same for everybody: disabled, or by targeting", self.file)

    def write(self, release: Release) -> Release:
        self._put(release, pending=True)
        accepted = self.target.write(release)
        self._put(release, pending=False)
        return accepted

    def clear(self) -> None:
        """Nothing serves, so no flag matters: they stay as they are."""
        self.target.clear()
        document = self._document()
        if _pending(document):
            self._store(document, None)

    def keep_pack(self, pack: bytes) -> None:
        self.target.keep_pack(pack)

    def pack(self) -> bytes | None:
        return self.target.pack()

    def heads(self) -> tuple[str, ...]:
        return self.target.heads()

    def keep_journal(self, journal: Sequence[bytes]) -> None:
        self.target.keep_journal(journal)

    def journal(self) -> tuple[bytes, ...]:
        return self.target.journal()

    def _put(self, release: Release, *, pending: bool) -> None:
        document = self._document()
        flags = _flags(document)
        for pin in release.flags:
            if pin.name not in flags:
                raise _refused(f"there is no flag {pin.name}", self.file)
            flags[pin.name]["defaultVariant"] = pin.value
        self._store(document, statement_of(release)[0] if pending else None)

    def _store(self, document: dict[str, Any], pending: str | None) -> None:
        metadata = {name: value for name, value in (document.get("metadata") or {}).items() if name != PENDING}
        if pending:
            metadata[PENDING] = pending
        document["metadata"] = metadata
        if not metadata:
            del document["metadata"]
        content = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
        if content != self.file.bytes_now():
            self.file.put(content)

    def _document(self) -> dict[str, Any]:
        content = self.file.bytes_now()
        if content is None:
            raise EvidenceError("there is no file of flags", code="flags.file", where=self.file.name)
        document = parse_json(content, where=self.file.name)
        _flags(document)
        return document  # type: ignore[no-any-return]


def _flags(document: Any) -> dict[str, Any]:
    flags = document.get("flags") if isinstance(document, dict) else None
    if not isinstance(flags, dict) or not all(isinstance(flag, dict) for flag in flags.values()):
        raise EvidenceError("not a flagd document", code="flags.file")
    return flags


def _pending(document: dict[str, Any]) -> Release | None:
    metadata = document.get("metadata")
    text = metadata.get(PENDING) if isinstance(metadata, dict) else None
    return None if text is None else release_in(text)


def _differs(document: dict[str, Any], release: Release) -> str | None:
    flags = _flags(document)
    for pin in release.flags:
        found = flags.get(pin.name, {})
        if found.get("defaultVariant") != pin.value or found.get("state") != "ENABLED" or found.get("targeting"):
            return f"flag {pin.name} is {found.get('defaultVariant')} for everybody, by its release {pin.value}"
    return None


def _refused(message: str, file: TargetFile) -> Refused:
    return Refused(message, code="flags.unknown", where=file.name, remedy="mend the flagd file, or `release.flags`")
