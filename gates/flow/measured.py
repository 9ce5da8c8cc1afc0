"""Measured evidence on disk, between MEASURE and SEAL: canonical JSON, unsigned, in a folder."""

from __future__ import annotations

from pathlib import Path

from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.files import write_atomically
from gates.errors import EvidenceError, UsageError
from gates.flow.stages import Measured
from gates.measure.interface import Note
from gates.records import Evidence, Plan
from gates.records.base import Record, RowDigest
from gates.records.evidence import Metadata

PLAN = "plan.json"
METADATA = "metadata.json"
SKETCH = "sketch.json"
EVIDENCE = "evidence"
NOTES = "notes"


class _Sketch(Record):
    rows: tuple[RowDigest, ...]


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises
    ------
    UsageError: no such file. EvidenceError: not a plan.
    """
    return Plan.parse(parse_json(_read(path), where=str(path)), where=str(path))


def write_measured(measured: Measured, folder: Path) -> None:
    """Write plan, evidence and notes into a new folder.

    Raises
    ------
    UsageError: the folder holds something already, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("is not empty", where=str(folder), code="measured.exists", remedy="name a new folder")
    try:
        write_atomically(folder / PLAN, canonical_bytes(measured.plan.document()))
        if measured.metadata is not None:
            write_atomically(folder / METADATA, canonical_bytes(measured.metadata.document()))
        if measured.holdout_sketch is not None:
            write_atomically(folder / SKETCH, canonical_bytes(_Sketch(rows=measured.holdout_sketch).document()))
        for note in measured.notes:
            write_atomically(folder / NOTES / digest_bytes(note.content).removeprefix("sha256:"), note.content)
        for item in measured.evidence:
            write_atomically(folder / EVIDENCE / f"{item.gate}.json", canonical_bytes(item.document()))
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}", where=str(folder), code="measured.unwritable"
        ) from error


def read_measured(folder: Path) -> Measured:
    """Read what `write_measured` wrote; each note is checked against the digest by which evidence names it.

    Raises
    ------
    UsageError: no such folder. EvidenceError: not evidence, or bytes that changed.
    """
    plan = read_plan(folder / PLAN)
    files = sorted((folder / EVIDENCE).glob("*.json")) if (folder / EVIDENCE).is_dir() else []
    if not files:
        raise UsageError(
            "holds no evidence", where=str(folder), code="measured.missing", remedy="gates measure --out writes it"
        )
    evidence = tuple(Evidence.parse(parse_json(_read(file), where=str(file)), where=str(file)) for file in files)
    notes = tuple(
        Note(attachment.name, attachment.media_type, _read_note(folder, attachment.digest))
        for item in evidence
        for attachment in item.attachments
    )
    holdouts = {t.digest for item in evidence for t in item.tables if t.role == "holdout"}
    holdouts = holdouts or {t.digest for item in evidence for t in item.tables if t.role == "predictions"}
    if len(holdouts) > 1:
        raise EvidenceError("evidence on different holdouts", code="bundle.mixed", where=str(folder))
    return Measured(
        plan,
        evidence,
        notes,
        next(iter(holdouts), None),
        _read_metadata(folder / METADATA),
        _read_sketch(folder / SKETCH),
    )


def _read_metadata(path: Path) -> Metadata | None:
    return Metadata.parse(parse_json(_read(path), where=str(path)), where=str(path)) if path.exists() else None


def _read_sketch(path: Path) -> tuple[RowDigest, ...] | None:
    return _Sketch.parse(parse_json(_read(path), where=str(path)), where=str(path)).rows if path.exists() else None


def _read_note(folder: Path, digest: str) -> bytes:
    path = folder / NOTES / digest.removeprefix("sha256:")
    content = _read(path)
    if digest_bytes(content) != digest:
        raise EvidenceError("the bytes are not what the evidence names", code="measured.changed", where=str(path))
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), code="measured.missing") from error
