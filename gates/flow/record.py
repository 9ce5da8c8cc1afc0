"""Own measurements beside those of the gates: one evidence file more in the folder that `gates measure` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gates import __version__
from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.files import write_atomically
from gates.decide.schemas import validate_record
from gates.errors import EvidenceError, UsageError
from gates.flow.measured import EVIDENCE, NOTES, read_measured
from gates.flow.stages import Measured
from gates.measure.interface import Note
from gates.measure.own import Result, Unusable, Values, own_measurement
from gates.measure.own.imports import NAME, import_measurements
from gates.project import now_us
from gates.records import Attachment, Code, Evidence, Measurement

SCHEMA = "json"
"""The kind of a file of measurements by evidence/schema/measurement.v1.json."""


@dataclass(frozen=True)
class Recorded:
    """What was written, and which of its checks the plan does not ask for."""

    path: Path
    measurements: tuple[Measurement, ...]
    unasked: tuple[str, ...]


def record_result(folder: Path, name: str, result: Result, *, unit: str = "own") -> Recorded:
    """Write a figure `own.<name>` of counts, sums or rows beside the evidence in a folder.

    Raises
    ------
    UsageError: a name or numbers that mean nothing, no such folder, the figure is there already.
    """
    name = _name(name)
    measured = read_measured(folder)
    minimum = measured.plan.parameters.minimum_clusters
    try:
        figure = own_measurement(name, result, minimum_clusters=minimum, unit=unit, source="gates record")
    except Unusable as error:
        raise UsageError(str(error), code="record.unusable", where=f"own.{name}") from error
    return _write(folder, measured, name, (figure,))


def record_file(folder: Path, kind: str, file: Path, *, name: str | None = None) -> Recorded:
    """Write what another tool measured beside the evidence in a folder; the file goes along as an attachment.

    Raises
    ------
    UsageError: as `record_result`. EvidenceError: not a file of this kind.
    """
    name = None if name is None else _name(name)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", code="file.unreadable", where=str(file)) from error
    read = read_measurements if kind == SCHEMA else partial(import_measurements, kind)
    found = read(content, where=str(file), name=name)
    label = f"{kind}.{digest_bytes(content).removeprefix('sha256:')[:12]}"
    ending = "xml" if kind == "junit" else "json"
    note = Note(f"own.{label}.{ending}", f"application/{ending}", content)
    return _write(folder, read_measured(folder), label, found, note)


def read_measurements(content: bytes, *, where: str, name: str | None = None) -> tuple[Measurement, ...]:
    """Read a JSON list of measurements, or one, by the published schema; with a name only that check.

    Raises
    ------
    EvidenceError: `record.invalid`: not by the schema, a check of another gate, or nothing in it.
    """
    document = parse_json(content, where=where)
    found = []
    for index, item in enumerate(document if isinstance(document, list) else [document]):
        place = f"{where}[{index}]" if isinstance(document, list) else where
        validate_record("measurement.v1", item, where=place)
        measurement = Measurement.parse(item, where=place)
        if not measurement.check.startswith("own."):
            message = f"{measurement.check} is measured by its own gate; a file may hold own.* only"
            raise EvidenceError(message, code="record.invalid", where=place)
        if name in (None, measurement.check.removeprefix("own.")):
            found.append(measurement)
    if not found:
        raise EvidenceError("holds no such measurement", code="record.invalid", where=where)
    return tuple(found)


def read_values(
    file: Path, *, column: str | None, cluster: str | None, limits: tuple[float, float] | None = None
) -> Values:
    """Read a column of values from CSV or Parquet, and where rows hang together the column that says which.

    Memory: 8 bytes a row, and the texts of the clusters.

    Raises
    ------
    UsageError: no such file or column, several columns of which none is named, values that are no numbers.
    """
    from gates.inputs.tables import Tables, arrow
    from gates.inputs.tables import column as column_of

    with Tables() as tables:
        table = tables.read(file, where=str(file))
        others = [name for name in table.columns if name != cluster]
        if column is None and len(others) != 1:
            raise UsageError(
                f"which of {', '.join(others[:20]) or 'no columns'}?",
                code="column.unknown",
                where=str(file),
                remedy="pass --column",
            )
        values = column_of(table, column or others[0], where=str(file))
        kind = values.type()
        if not (kind.is_numeric() or kind.is_boolean()):
            raise UsageError(f'"{column or others[0]}" is of type {kind}', code="record.unusable", where=str(file))
        chosen = {"value": values.cast("float64")}
        if cluster is not None:
            chosen["cluster"] = column_of(table, cluster, where=str(file)).cast("string").fill_null("(null)")
        answer = arrow(table.select(**chosen))
        codes = None
        if cluster is not None:
            codes = answer.column("cluster").combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        return Values(answer.column("value").to_numpy(), codes, range=limits)


def _name(name: str) -> str:
    short = name.removeprefix("own.")
    if not NAME.fullmatch(short):
        raise UsageError(
            f'"{name}" is no name of a check',
            code="record.name",
            remedy="small letters, digits and _, a letter first: policy knows it as own.NAME",
        )
    return short


def _write(
    folder: Path, measured: Measured, label: str, found: Sequence[Measurement], note: Note | None = None
) -> Recorded:
    first, now = measured.evidence[0], now_us()
    path = folder / EVIDENCE / f"own.{label}.json"
    known = {(m.check, m.subject, m.slice, m.item) for item in measured.evidence for m in item.measurements}
    twice = next((m.check for m in found if (m.check, m.subject, m.slice, m.item) in known), None)
    if twice is not None or path.exists():
        raise UsageError(
            f"{twice or label} is recorded here already",
            code="record.exists",
            where=str(folder),
            remedy="two figures of one thing are a contradiction: take the earlier file under evidence/ out",
        )
    attachments = () if note is None else (_attach(folder, note),)
    evidence = Evidence(
        gate="own",
        candidate=first.candidate,
        champion=first.champion,
        plan_digest=first.plan_digest,
        tables=(),
        code=Code(version=__version__),
        isolation="none",
        started_us=now,
        finished_us=now,
        measurements=tuple(found),
        attachments=attachments,
    )
    write_atomically(path, canonical_bytes(evidence.document()))
    asked = {requirement.check for requirement in measured.plan.requirements}
    return Recorded(path, tuple(found), tuple(sorted({m.check for m in found} - asked)))


def _attach(folder: Path, note: Note) -> Attachment:
    digest = digest_bytes(note.content)
    write_atomically(folder / NOTES / digest.removeprefix("sha256:"), note.content)
    return Attachment(name=note.name, digest=digest, media_type=note.media_type)
