"""Scores of candidate, champion and anchor: from their own processes, or from a table; and the times of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gates.errors import GatesError, UsageError
from gates.flow.anchor import choose
from gates.inputs.opened import Latency, OpenTable
from gates.measure.interface import Anchor, Rescored, Scored, Whose
from gates.project import Project
from gates.records import ModelVersion, Plan, Reason
from gates.records.evidence import Isolation

if TYPE_CHECKING:
    from gates.inputs.scorer import Asked
    from gates.inputs.tables import Tables

SCORER_TIMEOUT_S = 900.0
"""Wall-clock seconds that a model may take for a whole table, or for all its timed calls."""

TIMED = frozenset({"regression.latency", "regression.latency_vs_champion"})
"""Checks that need calls to be timed."""

AGAIN = "again"
"""What that sample's files are called, as those of tables are by their role."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Scores:
    """What the models said.

    Attributes
    ----------
    scored, gold: of the holdout and of the table `gold`. isolation: of the weakest run; `none` where nothing ran.
    """

    scored: Scored | Reason
    isolation: Isolation = "none"
    gold: Scored | Reason = Reason.NOT_PROVIDED
    latency: Latency | Reason = Reason.NOT_PROVIDED
    anchor: Anchor | None = None
    rescored: Mapping[Whose, Rescored | Reason] = field(default_factory=dict)


def score_tables(
    project: Project,
    plan: Plan,
    versions: tuple[ModelVersion, ModelVersion | None],
    tables: Tables,
    opened: dict[str, OpenTable],
    folder: Path,
    served: tuple[ModelVersion, ...] = (),
) -> Scores:
    """Give candidate and champion, in this order, the features of each table; or join predictions that were supplied.

    A table `predictions` stands for the candidate, and nothing is run but, where the plan asks for it, both on a sample of
    the rows, whose answers are beside what was supplied. A table `champion_predictions` alone stands for
    a champion that cannot score these rows: the candidate is scored from its bytes, and the champion joined by key to
    the holdout, not to `gold`.

    Parameters
    ----------
    served: of whom the best is the anchor, which is scored on the holdout too.

    Raises
    ------
    UsageError: a column that is not there, scores that the task does not have.
    """
    from gates.measure.package.gate import MISMATCH
    from gates.measure.scored import scored_by_tables

    candidate, champion = versions
    room = _Room(project, plan, tables, folder)
    if "predictions" in opened:
        given = scored_by_tables(tables, plan, opened)
        scored, anchor = _anchored(project, plan, versions, given, served, lambda *_: Reason.NOT_PROVIDED)
        asked = any(requirement.check == MISMATCH for requirement in plan.requirements)
        rescored = room.rescore(opened, candidate, champion) if asked else {}
        return Scores(scored, room.isolation, anchor=anchor, rescored=rescored)
    supplied = opened.get("champion_predictions") if champion else None
    own = None if supplied else champion
    holdout = opened.get("holdout")

    def score(version: ModelVersion, anchor: ModelVersion | None) -> Scored | Reason:
        # Alone to be ranked; the candidate's rows are those that gates read.
        beside = (own, supplied) if anchor else (None, None)
        return room.score("holdout", holdout, version, *beside, anchor)

    given = room.score("holdout", holdout, candidate, own, supplied)
    scored, anchor = _anchored(project, plan, versions, given, served, score)
    gold = room.score("gold", opened["gold"], candidate, own, None) if "gold" in opened else Reason.NOT_PROVIDED
    latency = room.time(candidate, champion) if _timed(plan) else Reason.NOT_PROVIDED
    return Scores(scored, room.isolation, gold, latency, anchor)


def _anchored(
    project: Project,
    plan: Plan,
    versions: tuple[ModelVersion, ModelVersion | None],
    scored: Scored | Reason,
    served: tuple[ModelVersion, ...],
    score: Callable[[ModelVersion, ModelVersion | None], Scored | Reason],
) -> tuple[Scored | Reason, Anchor | None]:
    """Find the anchor among those who served, and put its predictions beside those of candidate and champion.

    Parameters
    ----------
    score: a version, with an anchor beside it or, without one, alone.
    """
    from gates.measure.anchor import champion_as_anchor, mean_loss

    if not served or isinstance(scored, Reason):
        return scored, None
    candidate, champion = versions

    def loss(version: ModelVersion) -> float | Reason:
        if version == champion and scored.champion:
            return mean_loss(scored, "q")
        found = score(version, None)
        return mean_loss(found) if isinstance(found, Scored) else found

    anchor = choose(candidate, served, plan.parameters.anchors, loss, project.failures)
    if anchor is None:
        return scored, None
    if anchor.version == champion and scored.champion:
        return champion_as_anchor(scored), anchor
    return score(candidate, anchor.version), anchor


def _timed(plan: Plan) -> bool:
    return any(requirement.check in TIMED for requirement in plan.requirements)


@dataclass
class _Room:
    """The runs of one measurement: each version is fetched once."""

    project: Project
    plan: Plan
    tables: Tables
    folder: Path
    models: dict[str, Path] = field(default_factory=dict)
    runs: set[Isolation] = field(default_factory=set)
    answered: set[Path] = field(default_factory=set)

    @property
    def isolation(self) -> Isolation:
        if not self.runs:
            return "none"
        return "namespace" if self.runs == {"namespace"} else "process"

    def score(
        self,
        role: str,
        table: OpenTable | None,
        candidate: ModelVersion,
        champion: ModelVersion | None,
        supplied: OpenTable | None,
        anchor: ModelVersion | None = None,
    ) -> Scored | Reason:
        """Score a table's rows with every version, each once and at the same time, and join its labels."""
        from gates.measure.scored import scored_by_scorer
        from gates.measure.scored_features import write_features

        if table is None:
            return Reason.TABLE_MISSING
        if table.identity.rows == 0:
            return Reason.EMPTY_TABLE
        features = self._features(role)
        if not features.exists():
            write_features(self.tables, table, self.plan, features)
        # One run where the candidate is the champion.
        each = {version.digest: version for version in (candidate, champion, anchor) if version}
        for version in each.values():
            self._model(version)

        def run() -> dict[str, Path]:
            with ThreadPoolExecutor(len(each)) as pool:
                return dict(zip(each, pool.map(lambda version: self._run(role, version), each.values()), strict=True))

        answers = self._tried(run)
        if isinstance(answers, Reason):
            return answers
        theirs = supplied or (answers[champion.digest] if champion else None)
        stands = answers[anchor.digest] if anchor else None
        return scored_by_scorer(self.tables, self.plan, table, answers[candidate.digest], theirs, stands)

    def rescore(
        self, opened: dict[str, OpenTable], candidate: ModelVersion, champion: ModelVersion | None
    ) -> Mapping[Whose, Rescored | Reason]:
        """Score a sample of the rows whose predictions were supplied, and compare."""
        from gates.measure.rescored import compare, draw

        versions: dict[Whose, ModelVersion] = {"candidate": candidate}
        versions |= {"champion": champion} if champion else {}
        drawn = draw(self.tables, self.plan, opened)
        if isinstance(drawn, Reason):
            return dict.fromkeys(versions, drawn)
        # One run where the candidate is the champion.
        answers = {version.digest: self._again(drawn.rows, version) for version in versions.values()}
        by_model = {whose: answers[version.digest] for whose, version in versions.items()}
        return compare(self.tables, self.plan, opened, drawn, by_model)

    def _again(self, rows: OpenTable, version: ModelVersion) -> Path | Reason:
        from gates.inputs.scorer import ScorerFailed
        from gates.measure.scored_features import write_features

        # That a model cannot score these rows is why predictions are supplied; only the last rung has to mind.
        try:
            if not self._features(AGAIN).exists():
                write_features(self.tables, rows, self.plan, self._features(AGAIN))
            return self._run(AGAIN, version)
        except (ScorerFailed, UsageError) as error:
            self.project.failures.append(str(error))
            return Reason.SCORER_FAILED

    def time(self, candidate: ModelVersion, champion: ModelVersion | None) -> Latency | Reason:
        """Time both versions on rows of the holdout."""
        from gates.inputs.latency import time_calls

        features = self._features("holdout")
        if not features.exists():
            return Reason.TABLE_MISSING
        own, rival = self._model(candidate), self._model(champion) if champion else None
        pairs = self.plan.parameters.latency_pairs

        def run() -> Latency | Reason:
            pythons = {self._python(model) for model in (own, rival) if model}
            if len(pythons) > 1:  # one process has the packages of one
                return Reason.NOT_PROVIDED
            return time_calls(
                own,
                rival,
                features,
                asked=self._asked(),
                pairs=pairs,
                timeout_s=SCORER_TIMEOUT_S,
                python=pythons.pop(),
            )

        found = self._tried(lambda: self._named(candidate, run))
        if isinstance(found, Latency):
            self.runs.add(found.isolation)
        return found

    def _run(self, role: str, version: ModelVersion) -> Path:
        from gates.inputs.scorer import score

        model = self._model(version)
        out = self._place(version) / f"{role}.parquet"
        if out in self.answered:
            return out
        asked, features = self._asked(), self._features(role)
        run = self._named(
            version,
            lambda: score(model, features, out, asked=asked, timeout_s=SCORER_TIMEOUT_S, python=self._python(model)),
        )
        self.runs.add(run.isolation)
        self.answered.add(out)
        return out

    def _python(self, model: Path) -> Path | None:
        """The interpreter with the model's own packages, where the spec wants that."""
        from gates.inputs.packages import own_python

        return own_python(model) if self.project.spec.packages == "own" else None

    def _asked(self) -> Asked:
        from gates.inputs.scorer import Asked

        columns = self.plan.columns
        quantiles = tuple(quantile.level for quantile in columns.quantiles)
        return Asked(self.plan.task, columns.classes, self.plan.parameters.coverage_level, quantiles)

    def _tried(self, call: Callable[[], Found]) -> Found | Reason:
        from gates.inputs.scorer import ScorerFailed

        try:
            return call()
        except ScorerFailed as error:
            self.project.failures.append(str(error))
            return Reason.SCORER_FAILED

    @staticmethod
    def _named(version: ModelVersion, call: Callable[[], Found]) -> Found:
        try:
            return call()
        except GatesError as error:
            # The reader knows the version, and not the folder that its bytes were copied to.
            error.where = version.uri
            raise

    def _features(self, role: str) -> Path:
        return self.folder / f"{role}.parquet"

    def _model(self, version: ModelVersion) -> Path:
        if version.digest not in self.models:
            place = self._place(version)
            place.mkdir()
            self.models[version.digest] = self.project.registry.fetch(version, place / "model")
        return self.models[version.digest]

    def _place(self, version: ModelVersion) -> Path:
        return self.folder / version.digest.removeprefix("sha256:")
