"""Batch scores in a folder: a run for each pair of model and input, kept for ever, and a word that says which run counts.

`PARTITION/run=ID/scores.parquet` and `manifest.json` are written once, in a folder that gets its name when it is whole;
`PARTITION/current.json` is replaced at once. So a job that is killed anywhere leaves what counted before, and going
back to an earlier model is the earlier run's name in `current.json` again.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.bundle.canonical import digest_document, digest_file, parse_json
from gates.bundle.files import write_atomically
from gates.errors import EvidenceError, UsageError
from gates.records.base import Digest, ModelVersion

SCORES, MANIFEST, CURRENT = "scores.parquet", "manifest.json", "current.json"
_RUN, _PARTIAL = "run=", ".partial-"
_STALE_S = 86_400


@dataclass(frozen=True)
class Run:
    """Scores of one input by one model.

    Attributes
    ----------
    model: the version that scored. input_digest: of the input's bytes. scores_digest: of the scores' bytes.
    """

    id: str
    model: ModelVersion
    input_digest: Digest
    scores_digest: Digest
    rows: int


class Partition:
    """One partition's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def runs(self) -> tuple[Run, ...]:
        """Return the runs that are whole, by id.

        Raises
        ------
        EvidenceError: `batch.malformed`.
        """
        found = sorted(self.path.glob(f"{_RUN}*/{MANIFEST}")) if self.path.is_dir() else []
        return tuple(self._run(path) for path in found)

    def current(self) -> Run | None:
        """Return the run that counts; None before the first.

        Raises
        ------
        EvidenceError: `batch.malformed`, or `batch.changed`: its scores are other bytes now.
        """
        path = self.path / CURRENT
        if not path.exists():
            return None
        named = _document(path).get("run")
        if not isinstance(named, str) or not (self.path / f"{_RUN}{named}" / MANIFEST).is_file():
            raise EvidenceError("names no run that is there", code="batch.malformed", where=str(path))
        run = self._run(self.path / f"{_RUN}{named}" / MANIFEST)
        self.check(run)
        return run

    def check(self, run: Run) -> None:
        """Hash a run's scores again.

        Raises
        ------
        EvidenceError: `batch.changed`.
        """
        scores = self.scores(run)
        if not scores.is_file() or digest_file(scores) != run.scores_digest:
            raise EvidenceError(
                "the scores are not what was written",
                code="batch.changed",
                where=str(scores),
                remedy="remove this run's folder, and score again",
            )

    def scores(self, run: Run) -> Path:
        """Return where a run's scores are."""
        return self.path / f"{_RUN}{run.id}" / SCORES

    def keep(self, model: ModelVersion, input_digest: Digest, score: Callable[[Path], int]) -> Run:
        """Return the run of a model on an input; where there is none, score it first.

        Parameters
        ----------
        score: writes Parquet to the path that it is given, and returns the number of rows.
        """
        name = run_id(model, input_digest)
        for known in self.runs():
            if known.id == name:
                self.check(known)
                return known
        with self._scratch() as scratch:
            rows = score(scratch / SCORES)
            document = {
                "schema_version": "v1",
                "model": model.document(),
                "input_digest": input_digest,
                "scores_digest": digest_file(scratch / SCORES),
                "rows": rows,
            }
            write_atomically(scratch / MANIFEST, _bytes(document))
            self._name(scratch, self.path / f"{_RUN}{name}")
        return self._run(self.path / f"{_RUN}{name}" / MANIFEST)

    def point(self, run: Run) -> None:
        """Make a run count from now on."""
        document = {
            "schema_version": "v1",
            "run": run.id,
            "scores": f"{_RUN}{run.id}/{SCORES}",
            "model": run.model.document(),
        }
        if (self.path / CURRENT).exists() and (self.path / CURRENT).read_bytes() == _bytes(document):
            return
        write_atomically(self.path / CURRENT, _bytes(document))

    def _run(self, manifest: Path) -> Run:
        document = _document(manifest)
        try:
            run = Run(
                manifest.parent.name.removeprefix(_RUN),
                ModelVersion.parse(document["model"]),
                document["input_digest"],
                document["scores_digest"],
                int(document["rows"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise EvidenceError("not a run of batch scores", code="batch.malformed", where=str(manifest)) from error
        if run.id != run_id(run.model, run.input_digest):
            raise EvidenceError("is another run's", code="batch.malformed", where=str(manifest))
        return run

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Give a folder beside the runs; what killed jobs left a day ago is removed."""
        self.path.mkdir(parents=True, exist_ok=True)
        for left in self.path.glob(f"{_PARTIAL}*"):
            if left.is_dir() and time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.path))
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    @staticmethod
    def _name(scratch: Path, run: Path) -> None:
        try:
            scratch.chmod(0o755)
            scratch.rename(run)
        except OSError:
            if not (run / MANIFEST).is_file():  # else another job was first, with the same model on the same input
                raise


def run_id(model: ModelVersion, input_digest: Digest) -> str:
    """Return the name of the run of a model on an input."""
    return digest_document({"model": model.document(), "input": input_digest})[7:23]


def partitions(output: Path) -> tuple[Partition, ...]:
    """Return the partitions that have scores, by name."""
    found = sorted(path.parent for path in output.glob(f"*/{CURRENT}")) if output.is_dir() else []
    return tuple(Partition(path) for path in found)


def restore(output: Path, model: ModelVersion) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Let the runs of a model count wherever there are ones of the input that counts now.

    Returns
    -------
    names of the partitions that it changed, and of those that this model has yet to score.

    Raises
    ------
    EvidenceError: scores or manifests that are not what was written.
    """
    changed: list[str] = []
    left: list[str] = []
    for partition in partitions(output):
        present = partition.current()
        if present is None or present.model.digest == model.digest:
            continue
        wanted = run_id(model, present.input_digest)
        earlier = next((run for run in partition.runs() if run.id == wanted), None)
        if earlier is None:
            left.append(partition.path.name)
            continue
        partition.check(earlier)
        partition.point(earlier)
        changed.append(partition.path.name)
    return tuple(changed), tuple(left)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = parse_json(path.read_bytes(), where=str(path))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", code="path", where=str(path)) from error
    if not isinstance(document, dict):
        raise EvidenceError("not a document of batch scores", code="batch.malformed", where=str(path))
    return document


def _bytes(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
