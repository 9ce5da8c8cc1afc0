"""`gates check FILE`: guess, plan, measure and decide on a bare predictions file. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.flow.answer import view_of
from gates.flow.check import failed_gates
from gates.flow.decision import Decided, decide_on
from gates.flow.stages import gather, unsealed
from gates.inputs.opened import OpenTable
from gates.inputs.profile import normalise, profile
from gates.measure.interface import Given
from gates.measure.run import run_gates
from gates.plan.build import builtin_plan
from gates.plan.guess import Guess, Option, flag, guess, guess_champion_file
from gates.project import DEVELOPMENT, Engines, now_us
from gates.records import Columns, ModelVersion, Plan, Table
from gates.records.decision import Request

if TYPE_CHECKING:
    from gates.inputs.tables import Tables
    from gates.render.view import View

_LAST_RUNG = "production"


@dataclass(frozen=True)
class FileAnswer:
    """The answer, what was guessed, and what it does not say."""

    decided: Decided
    view: View
    said: tuple[str, ...]
    besides: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    """The file, and the champion's where it is another one, as tables with labels 0 and 1 and scores in [0, 1]."""

    guess: Guess
    opened: dict[str, OpenTable]
    champion_score: str | None
    reasons: tuple[str, ...]


def judge_file(
    path: Path,
    *,
    label: str | None,
    score: str | None,
    champion: str | Path | None,
    by: tuple[str, ...],
    cluster: str | None,
    key: tuple[str, ...],
    positive: str | None,
    uri: str | None,
    champion_uri: str | None = None,
    option: Option = flag,
) -> FileAnswer:
    """Judge a predictions file by the rules of development.

    Parameters
    ----------
    option: how the caller gives a part by name, for remedies.

    Raises
    ------
    UsageError: no such file or column, scores outside [0, 1], a guess that is not certain, a part that has another.
    """
    from gates.inputs.tables import Tables, column
    from gates.measure.scored import scored_by_tables

    engines = Engines()
    with Tables() as tables:
        read = _read(
            tables,
            path,
            label=label,
            score=score,
            champion=champion,
            cluster=cluster,
            key=key,
            positive=positive,
            uri=uri,
            champion_uri=champion_uri,
            option=option,
        )
        _refuse_taken(read, by, cluster, option)
        for name in by:
            column(read.opened["predictions"].table, name, where=read.opened["predictions"].identity.uri)
        plan = _plan(engines, read, by)
        scored = scored_by_tables(tables, plan, read.opened)
        rival = _version(read.opened.get("champion_predictions") or read.opened["predictions"], "champion")
        versus = rival if read.champion_score else None
        given = Given(plan=plan, tables=read.opened, scored=scored, champion=versus)
        runs = list(run_gates(given, lambda _: None))
        tables.unchanged()
    candidate = _version(read.opened["predictions"], "candidate")
    measured = gather(plan, candidate, versus, list(read.opened.values()), runs, isolation="none")
    at_us = now_us()
    request = Request(
        environment=DEVELOPMENT,
        action="promote",
        model=plan.model,
        candidate=candidate,
        champion=versus,
        actor="gates.check",
        effective_time_us=at_us,
    )
    decided = decide_on(engines, request, unsealed(measured, at_us))
    notes = {note.name: note.content for note in measured.notes}
    return FileAnswer(
        decided=decided,
        view=view_of(engines.policies, decided, notes),
        said=read.reasons,
        besides=(*_besides(engines, plan, option), *failed_gates(measured.notes)),
    )


def _read(
    tables: Tables,
    path: Path,
    *,
    label: str | None,
    score: str | None,
    champion: str | Path | None,
    cluster: str | None,
    key: tuple[str, ...],
    positive: str | None,
    uri: str | None,
    champion_uri: str | None,
    option: Option,
) -> _Read:
    own = tables.open_file("predictions", path, uri=uri)
    profiles = profile(own)
    in_file = champion is not None and str(champion) in {column.name for column in profiles}
    other = None if champion is None or in_file else Path(champion)
    found = guess(
        profiles,
        where=own.identity.uri,
        label=label,
        score=score,
        champion=str(champion) if in_file else None,
        positive=positive,
        cluster=cluster,
        key=key,
        elsewhere=other is not None,
        option=option,
    )
    opened = {"predictions": normalise(own, found.recipe)}
    if other is None:
        return _Read(found, opened, found.columns.champion_score, found.reasons)
    rival = _open_champion(
        tables, other, profiles_of={column.name for column in profiles}, where=own.identity.uri, uri=champion_uri
    )
    chosen, recipe, reasons = guess_champion_file(profile(rival), found, where=rival.identity.uri, option=option)
    opened["champion_predictions"] = normalise(rival, recipe)
    return _Read(found, opened, chosen, (*found.reasons, *reasons))


def _refuse_taken(read: _Read, by: tuple[str, ...], cluster: str | None, option: Option) -> None:
    """Rows of one outcome are no slice of like rows: of those where it happened, every honest score is too low.

    Slices of one score, and rows that hang together by either, are no better.
    """
    columns = read.guess.columns
    scores = (columns.score, columns.champion_score)
    parts = {name: "score" for name in scores if name} | {columns.label: "label"}
    for part, names in (("by", by), ("cluster", (cluster,))):
        for name in names:
            if name in parts:
                raise UsageError(
                    f'{part}: "{name}" is the {parts[name]}, and cannot be both',
                    code=f"check.{part}",
                    where=read.opened["predictions"].identity.uri,
                    remedy=f"name a column that is known before the outcome, or the {parts[name]}: "
                    f"{option(parts[name], None)}",
                )


def _open_champion(tables: Tables, path: Path, *, profiles_of: set[str], where: str, uri: str | None) -> OpenTable:
    try:
        return tables.open_file("champion_predictions", path, uri=uri)
    except UsageError as error:
        if path.exists() or path.suffix:
            raise
        from gates.plan.nearest import did_you_mean

        raise UsageError(
            f'champion: "{path}" is neither a column nor a file',
            code="column.unknown",
            where=where,
            remedy=did_you_mean(str(path), profiles_of),
        ) from error


def _plan(engines: Engines, read: _Read, by: tuple[str, ...]) -> Plan:
    roles = [Table(role=table.identity.role, uri=table.identity.uri) for table in read.opened.values()]
    return builtin_plan(
        engines.engine.evaluate,
        engines.policies.digest,
        tables=roles,
        columns=read.guess.columns.model_copy(update={"champion_score": read.champion_score}),
        has_champion=read.champion_score is not None,
        slices=by,
        cluster=read.guess.cluster,
        basis=read.guess.document(),
        model=_name(read.opened["predictions"]),
    )


def _version(table: OpenTable, role: str) -> ModelVersion:
    return ModelVersion(name=_name(table), version=role, digest=table.identity.digest)


def _name(table: OpenTable) -> str:
    """The file's name on one printable line; it stands in place of a model's."""
    name = "".join(char if char.isprintable() else "?" for char in Path(table.identity.uri).name)[:200]
    return name or "predictions"


def _besides(engines: Engines, plan: Plan, option: Option) -> tuple[str, ...]:
    """What the answer rests on without saying so, and what a promotion would ask besides."""
    from gates.plan.build import PLAN_ENTRY_POINT, plan_request

    request = plan_request(plan.model, plan.task, (_LAST_RUNG,), (), Columns(), (), has_champion=True, has_sets=True)
    asked = engines.engine.evaluate(PLAN_ENTRY_POINT, request)
    here = {requirement.check for requirement in plan.requirements}
    gates: dict[str, list[str]] = {}
    for check in sorted({item["check"] for item in asked["requirements"]} - here):
        gate, _, metric = check.partition(".")
        gates.setdefault(gate, []).append(metric)
    lines = [f"{gate} ({', '.join(metrics)})" for gate, metrics in gates.items()]
    notes = [f"a promotion would require besides: {'; '.join(lines)}; `gates init` begins"] if lines else []
    if plan.parameters.cluster is None:
        notes.insert(0, f"rows of one user or day hang together? then name their column: {option('cluster', None)}")
    return tuple(notes)
