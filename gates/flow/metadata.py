"""Where a candidate comes from: what its version's tags, its training run and the plan's definitions say. Before SEAL."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gates.bundle.canonical import digest_bytes, digest_document
from gates.errors import UsageError
from gates.records import Digest, ModelVersion, TableIdentity
from gates.records.base import is_digest, micros
from gates.records.evidence import Changelog, Metadata, Tag
from gates.records.names import as_called

if TYPE_CHECKING:
    from gates.inputs.registry import RegisteredModel, RunInput, TrainingRun
    from gates.project import Project
    from gates.records import Plan

CHANGELOG_PREFIX = "gates.changelog."
"""Version tags with this prefix say `what` was changed, `why`, and the `impact` that is expected."""

_OWN_PREFIXES = ("gates.", "mlflow.")
_LONGEST = 256
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_VALIDATION = ("validation", "calibration", "early_stopping", "eval", "selection")
_SECONDS = 10.0


def metadata_of(
    project: Project,
    plan: Plan,
    candidate: RegisteredModel,
    since: str | None,
    tables: Iterable[TableIdentity],
) -> Metadata:
    """Collect what is said of a candidate; what nobody said stays absent, and policy asks for it.

    Parameters
    ----------
    since: the revision of the champion's code, after which who committed is an author.
    tables: as they were read; a training table that is a query answers for the query.
    """
    registry, said = project.registry, candidate.lineage
    run, inputs = registry.training_run(candidate.version), registry.run_inputs(candidate.version)
    revision = _revision(said, run)
    committers = _committers(project.spec.base, since, revision)
    queried = _queried(plan, tables)
    as_of = _as_of(said.get("as_of"))
    return Metadata(
        training_snapshot=_snapshot(said, inputs, ("training",)),
        validation_snapshot=_snapshot(said, inputs, _VALIDATION),
        query_digest=_name(said.get("query_digest")) or (queried.digest if queried else None),
        as_of_us=as_of if as_of is not None or queried is None else queried.as_of_us,
        feature_definitions=_first(said, "feature_definitions_digest", "feature_definitions")
        or _definitions(plan, project.spec.base),
        label_definition=_first(said, "label_definition_digest", "label_definition"),
        parameters=_parameters(said.get("parameters"), run),
        environment=_first(said, "image_digest", "environment_digest"),
        code_revision=revision,
        tags=_tags(candidate.tags),
        changelog=Changelog(
            what=_name(candidate.tags.get(f"{CHANGELOG_PREFIX}what")),
            why=_name(candidate.tags.get(f"{CHANGELOG_PREFIX}why")),
            impact=_name(candidate.tags.get(f"{CHANGELOG_PREFIX}impact")),
        ),
        vulnerability_scan=_scan(_first(said, "vulnerability_scan_digest", "vulnerability_scan")),
        authors=_authors([run.user if run else "", *project.accounts, *(committers or ())]),
        since_revision=since if committers is not None else None,
    )


def revision_of(project: Project, version: ModelVersion | None) -> str | None:
    """Return the revision of a version's code, as the registry says."""
    if version is None:
        return None
    return _revision(project.registry.lineage(version), project.registry.training_run(version))


def _revision(said: Mapping[str, str], run: TrainingRun | None) -> str | None:
    return _name(said.get("code_revision")) or _name(run.revision if run else None)


def _name(text: str | None) -> str | None:
    """The text on one line, as records hold it; None where nothing is left."""
    if text is None:
        return None
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line[:_LONGEST] or None


def _first(said: Mapping[str, str], *words: str) -> str | None:
    return next((name for word in words if (name := _name(said.get(word)))), None)


def _scan(text: str | None) -> Digest | None:
    """A report by its digest; `none` or `passed` names no report."""
    return text if text is not None and is_digest(text) else None


def _snapshot(said: Mapping[str, str], inputs: Iterable[RunInput], contexts: tuple[str, ...]) -> str | None:
    """A digest or a version that a tag names, else the digest of a dataset that the run logged."""
    named = _first(said, *(f"{context}{end}" for context in contexts for end in ("_digest", "_snapshot")))
    words = {*contexts, *(("train",) if "training" in contexts else ())}
    logged = (one.digest for one in inputs if "_".join(one.context.lower().split()) in words and one.digest)
    return named or _name(next(logged, None))


def _queried(plan: Plan, tables: Iterable[TableIdentity]) -> TableIdentity | None:
    if not any(table.role == "training" and table.reads for table in plan.tables):
        return None
    return next((table for table in tables if table.role == "training"), None)


def _as_of(text: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    found = micros(moment) if moment is not None and moment.tzinfo is not None else -1
    return found if 0 <= found < 2**53 else None


def _definitions(plan: Plan, base: Path) -> Digest | None:
    from gates.plan.placeholders import resolve_path

    for table in plan.tables:
        if table.definitions is not None:
            try:
                return digest_bytes(resolve_path(table.definitions, base).read_bytes())
            except (OSError, UsageError):
                return None
    return None


def _parameters(text: str | None, run: TrainingRun | None) -> Digest | None:
    if text and text.strip():
        return digest_bytes(text.encode())
    return digest_document(run.parameters) if run and run.parameters else None


def _tags(tags: Mapping[str, str]) -> tuple[Tag, ...]:
    named = ((_name(key), value) for key, value in sorted(tags.items()) if not key.startswith(_OWN_PREFIXES))
    return tuple(Tag(name=name, value=_name(value) or "") for name, value in named if name)


def _authors(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(as_called(name for text in names if (name := _name(text)))))


def _committers(folder: Path, since: str | None, until: str | None) -> tuple[str, ...] | None:
    """Names and addresses of who wrote, entered or helped with commits after one revision up to another, or up to what
    is checked out.

    Who wrote a commit is whatever `git commit --author` says; who entered it is another word of it, and so are helpers.

    The revision that a candidate names is its author's word; what is checked out is the job's.

    Returns
    -------
    None where the history cannot be read, or is cut off (`git clone --depth`) within what was asked for.
    """
    if not all(revision and _REVISION.fullmatch(revision) for revision in (since, until)):
        return None
    said = _git(folder, "log", f"--format={_PEOPLE}", str(until), "HEAD", f"^{since}", "--")
    # What is cut off in an empty range is before it.
    if said and _git(folder, "rev-parse", "--is-shallow-repository") != "false\n":
        return None
    return None if said is None else tuple(sorted({name for line in said.splitlines() for name in _called(line)}))


_PEOPLE = "%ae%n%an%n%ce%n%cn%n%(trailers:key=Co-authored-by,valueonly,unfold)"
_ADDRESSED = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


def _called(line: str) -> tuple[str, ...]:
    """A line of the history as it stands, and where it is `NAME <ADDRESS>` each of the two; nothing of an empty one."""
    found = _ADDRESSED.fullmatch(line)
    return tuple(name for name in (line, *(found.groups() if found else ())) if name.strip())


def _git(folder: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        ran = subprocess.run(  # noqa: S603 - git itself, no shell, and revisions that are hexadecimal
            [git, "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return ran.stdout
