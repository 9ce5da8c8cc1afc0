"""Whether what serves now could be brought back, looked at before something new is let in: `rollback.ready`.

Measured here, judged by policies/release/ready. The parts are those of the release that serves by the ledger: what its
digests and pins name must still resolve, the registered bytes must be the same, and it must answer a golden request.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.bundle.canonical import parse_json
from gates.errors import GatesError
from gates.inputs.resolving import Resolved, resolve
from gates.plan.placeholders import fill
from gates.records import Environment, Release
from gates.records.decision import ReadyInput, ReadyPart, RollbackInput

if TYPE_CHECKING:
    from gates.plan.spec_rollback import GoldenSpec, RollbackSpec
    from gates.project import Project
    from gates.records import ModelVersion

_TIMEOUT_S = 120.0
_ANSWER_S = 10
_MOST_BYTES = 4_000_000
Found = tuple[str, str]


def readiness(
    project: Project, environment: Environment, release: Release | None, digest: str | None
) -> RollbackInput | None:
    """Look at every part of the release that serves; None where nothing does, or the policies do not ask there."""
    wanted = project.policies.data["release"]["environments"][environment].get("rollback")
    if release is None or digest is None or not wanted:
        return None
    said = project.spec.rollback
    parts: dict[ReadyPart, Found] = {
        "artifact": _artifact(project, release),
        "image": _digested(project, release, "image_digest", said.image if said else None),
        "feature_views": _views(project, release, said),
        "data_snapshot": _digested(project, release, "data_snapshot", said.data_snapshot if said else None),
        "golden": _golden(project, release, said),
    }
    return RollbackInput(
        release_digest=digest,
        parts=tuple(ReadyInput(part=part, state=state, why=why[:300] or None) for part, (state, why) in parts.items()),
        kept_s=said.kept_hours * 3600 if said and said.kept_hours else None,
    )


def _serving(release: Release) -> list[ModelVersion]:
    return [route.version for route in release.routes if route.percent > 0]


def _artifact(project: Project, release: Release) -> Found:
    for version in _serving(release):
        try:
            actual = project.registry.digest(version.name, version.version)
        except GatesError as error:
            # A registry that does not answer for the bytes would not in the night either.
            return "gone", f"{version.uri}: {error.message}"
        if actual != version.digest:
            return "changed", f"{version.uri}: the bytes are {actual[7:19]}"
    return "there", ""


def _digested(project: Project, release: Release, part: str, place: str | None) -> Found:
    digest = getattr(release, part)
    if digest is None:
        return ("lacked", "") if part in (release.lacks or ()) else ("unsaid", "the release does not say")
    if place is None:
        return "unsaid", "gates.yaml does not say where it is"
    at = place.replace("{digest}", digest).replace("{hex}", digest.removeprefix("sha256:"))
    return _of(resolve(at, digest, base=project.spec.base))


def _views(project: Project, release: Release, said: RollbackSpec | None) -> Found:
    if not release.feature_views:
        return ("lacked", "") if "feature_views" in (release.lacks or ()) else ("unsaid", "the release does not say")
    if said is None or said.feature_views is None:
        return "unsaid", "gates.yaml does not say where they are"
    for pin in release.feature_views:
        place = fill(said.feature_views, name=pin.name, version=str(pin.value))
        found = resolve(place, base=project.spec.base)
        if found.state != "there":
            return _of(found)
    return "there", ""


def _of(found: Resolved) -> Found:
    return found.state, found.why


def _golden(project: Project, release: Release, said: RollbackSpec | None) -> Found:
    if said is None or said.golden is None:
        return "unsaid", "gates.yaml names no golden request"
    for version in _serving(release):
        try:
            why = _answers(project, said.golden, version)
        except GatesError as error:
            why = error.message
        except (OSError, ValueError) as error:
            why = str(error)
        if why:
            return "gone", f"{version.uri}: {why}"
    return "there", ""


def _answers(project: Project, golden: GoldenSpec, version: ModelVersion) -> str:
    """Say why the version does not answer; empty where it does."""
    if golden.rows is not None:
        return _scores(project, project.spec.path(fill(golden.rows, version=version.version)), version)
    path = project.spec.path(fill(golden.request or "", version=version.version))
    answer = _post(fill(golden.url or "", version=version.version), path.read_bytes())
    if golden.answer is None:
        return "" if answer not in (None, [], {}) else "the answer is empty"
    kept = project.spec.path(fill(golden.answer, version=version.version))
    wanted = parse_json(kept.read_bytes(), where=str(kept))
    return "" if answer == wanted else "the answer is another than the one that is kept"


def _post(url: str, content: bytes) -> Any:
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url}: not an http address")
    asked = urllib.request.Request(url, data=content, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:  # noqa: S310
        return parse_json(answer.read(_MOST_BYTES), where=url)


def _scores(project: Project, rows: Path, version: ModelVersion) -> str:
    """The registered bytes score the rows, shut in as when they are measured."""
    import numpy as np
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    from gates.inputs.packages import own_python
    from gates.inputs.scorer import Asked, score

    table = pq.read_table(rows)
    if table.num_rows == 0:
        return "there are no golden rows"
    asked = Asked(project.spec.task, project.spec.columns.classes)
    with tempfile.TemporaryDirectory(prefix="gates-golden-") as folder:
        model = project.registry.fetch(version, Path(folder, "model"))
        features, out = Path(folder, "golden.parquet"), Path(folder, "answers.parquet")
        named = table.drop_columns([name for name in ("row_id",) if name in table.column_names])
        pq.write_table(named.add_column(0, "row_id", pa.array(np.arange(table.num_rows, dtype=np.int64))), features)
        python = own_python(model) if project.spec.packages == "own" else None
        run = score(model, features, out, asked=asked, timeout_s=_TIMEOUT_S, python=python)
        answered = pq.read_table(out)
    finite = all(bool(np.isfinite(answered[name].to_numpy()).all()) for name in asked.scores)
    return "" if run.rows == table.num_rows and finite else "a row has no finite score"
