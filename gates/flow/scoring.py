"""Scores of candidate and champion on the holdout: from their own processes, or from a table of predictions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import GatesError
from gates.measure.interface import OpenTable, Scored
from gates.project import Project
from gates.records import ModelVersion, Plan, Reason
from gates.records.evidence import Isolation

if TYPE_CHECKING:
    from gates.inputs.tables import Tables

SCORER_TIMEOUT_S = 900.0
"""Wall-clock seconds that a model may take for the whole holdout."""


def score_holdout(
    project: Project,
    plan: Plan,
    versions: tuple[ModelVersion, ModelVersion | None],
    tables: Tables,
    opened: dict[str, OpenTable],
    folder: Path,
) -> tuple[Scored | Reason, Isolation]:
    """Give candidate and champion, in this order, the holdout's features; or join the predictions that were supplied.

    Raises
    ------
    UsageError: a column that is not there, scores outside [0, 1].
    """
    from gates.inputs.scorer import ScorerFailed
    from gates.measure.scored import scored_by_scorer, scored_by_tables
    from gates.measure.scored_features import write_features

    if "predictions" in opened:
        return scored_by_tables(tables, plan, opened), "none"
    holdout = opened.get("holdout")
    if holdout is None:
        return Reason.TABLE_MISSING, "none"
    if holdout.identity.rows == 0:
        return Reason.EMPTY_TABLE, "none"
    features = folder / "features.parquet"
    write_features(tables, holdout, plan, features)
    candidate, champion = versions
    # One run where the candidate is the champion.
    each = {version.digest: version for version in versions if version}
    try:
        with ThreadPoolExecutor(len(each)) as pool:
            scoring = pool.map(lambda version: _score_one(project, plan, version, features, folder), each.values())
            runs = dict(zip(each, scoring, strict=True))
    except ScorerFailed as error:
        project.failures.append(str(error))
        return Reason.SCORER_FAILED, "none"
    isolation: Isolation = "namespace" if all(run[1] == "namespace" for run in runs.values()) else "process"
    theirs = runs[champion.digest][0] if champion else None
    return scored_by_scorer(tables, plan, holdout, runs[candidate.digest][0], theirs), isolation


def _score_one(
    project: Project, plan: Plan, version: ModelVersion, features: Path, folder: Path
) -> tuple[Path, Isolation]:
    from gates.inputs.scorer import score

    place = folder / version.digest.removeprefix("sha256:")
    place.mkdir()
    model = project.registry.fetch(version, place / "model")
    out = place / "scores.parquet"
    try:
        run = score(
            model,
            features,
            out,
            task=plan.task,
            timeout_s=SCORER_TIMEOUT_S,
            classes=plan.columns.classes,
            level=plan.parameters.coverage_level,
            quantiles=tuple(quantile.level for quantile in plan.columns.quantiles),
        )
    except GatesError as error:
        # The reader knows the version, and not the folder that its bytes were copied to.
        error.where = version.uri
        raise
    return out, run.isolation
