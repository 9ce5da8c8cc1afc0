"""Plan = what the policy asks (its `plan` entry point) and where the spec says it is. The first record of the flow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from gates.errors import EngineError, UsageError
from gates.plan.nearest import did_you_mean
from gates.plan.spec import SPEC_NAME, Spec
from gates.records import Columns, Digest, Environment, Plan, Table
from gates.records.plan import SOURCE_ROLES, Document, Rollout

PLAN_ENTRY_POINT = "gates/main/plan"
BUILT_IN_ENVIRONMENT = "development"
DOCUMENTS: tuple[str, ...] = Document.__args__  # type: ignore[attr-defined]

Evaluate = Callable[[str, dict[str, Any]], dict[str, Any]]
"""A policy engine's call: entry point and input document to answer."""

Beside = Callable[[tuple[Table, ...]], tuple[Table, ...]]


def build_plan(
    spec: Spec,
    evaluate: Evaluate,
    policy_digest: Digest,
    *,
    has_champion: bool,
    has_sets: bool,
    environments: Sequence[Environment],
    features: tuple[str, ...] = (),
    pull_request: bool = False,
    beside: Beside = lambda tables: tables,
) -> Plan:
    """Ask the policy what every rung requires of this spec, and join the answer with the spec's tables and columns.

    Parameters
    ----------
    has_champion, has_sets: whether there is a version to compare with, and whether the candidate gives prediction sets.
    features: the model's signature, used where the spec names no features.
    pull_request: measure on the holdout that the spec names for pull requests.
    beside: puts the documents of the champion beside the tables.

    Raises
    ------
    UsageError: the spec names a rung that is not among `environments`, or leaves a feature of the model out of a backfill.
    EngineError: the policy's answer is not a plan.
    """
    _known_rungs(spec, environments)
    columns = spec.plan_columns(features)
    tables = beside(spec.plan_tables(pull_request=pull_request))
    request = plan_request(
        spec.model, spec.task, environments, tables, columns, spec.slices, has_champion=has_champion, has_sets=has_sets
    )
    request["extra"] = [extra.wish() for extra in spec.extra]
    if spec.cluster is not None:
        request["cluster"] = spec.cluster
    if spec.rows == "independent":
        request["independent_rows"] = True
    if spec.backfill is not None and (said := spec.backfill.left_out(columns)):
        raise UsageError(
            f"backfill: {said}", code="spec.invalid", where=SPEC_NAME, remedy="leave it out of backfill.written"
        )
    backfill = None if spec.backfill is None else spec.backfill.record()
    if backfill is not None:
        request["backfill"] = backfill.document()
    return _plan(
        evaluate(PLAN_ENTRY_POINT, request),
        request,
        tables=tables,
        columns=columns,
        backfill=backfill,
        independent_rows=spec.rows == "independent",
        parity=None if spec.parity is None else spec.parity.plan(),
        release=None if spec.release is None else spec.release.parts(),
        pull_request=pull_request or None,
        rollout=tuple(Rollout(environment=name, steps=steps) for name, steps in sorted(spec.rollout.items())),
        policy_digest=policy_digest,
        spec_digest=spec.digest,
    )


def builtin_plan(
    evaluate: Evaluate,
    policy_digest: Digest,
    *,
    tables: Sequence[Table],
    columns: Columns,
    has_champion: bool,
    has_sets: bool = False,
    slices: Sequence[str] = (),
    cluster: str | None = None,
    basis: Mapping[str, Any],
    model: str = "unregistered",
) -> Plan:
    """Build the plan of `gates check FILE` without a spec: only what the file can answer is required.

    Parameters
    ----------
    basis: the JSON document of what was guessed; its digest stands in place of the spec's.

    Raises
    ------
    EngineError: the policy's answer is not a plan.
    """
    from gates.bundle.canonical import digest_document

    request = plan_request(
        model, "binary", (BUILT_IN_ENVIRONMENT,), tables, columns, slices, has_champion=has_champion, has_sets=has_sets
    )
    request["built_in"] = True
    if cluster is not None:
        request["cluster"] = cluster
    return _plan(
        evaluate(PLAN_ENTRY_POINT, request),
        request,
        tables=tables,
        columns=columns,
        independent_rows=False,
        policy_digest=policy_digest,
        spec_digest=digest_document(dict(basis)),
    )


def _known_rungs(spec: Spec, environments: Sequence[str]) -> None:
    for place, names in (
        ("rollout", tuple(spec.rollout)),
        *((f"extra.{index}.environments", extra.environments or ()) for index, extra in enumerate(spec.extra)),
    ):
        for name in names:
            if name not in environments:
                raise UsageError(
                    f'{place}: no environment "{name}"',
                    code="spec.invalid",
                    where=SPEC_NAME,
                    remedy=did_you_mean(name, environments),
                )


def plan_request(
    model: str,
    task: str,
    environments: Iterable[str],
    tables: Sequence[Table],
    columns: Columns,
    slices: Iterable[str],
    *,
    has_champion: bool,
    has_sets: bool,
) -> dict[str, Any]:
    """Return what the policy is asked: every word of its form, what nobody named as none."""
    return {
        "model": model,
        "task": task,
        "environments": list(environments),
        "built_in": False,
        "has_champion": has_champion,
        "has_sets": has_sets,
        "roles": sorted(table.role for table in tables),
        "columns": sorted(word for word, named in columns.document().items() if named),
        "documents": documents_of(tables),
        "slices": list(slices),
        "extra": [],
    }


def documents_of(tables: Iterable[Table]) -> list[str]:
    """Return the documents that stand beside any of the tables, or that its feature store has."""
    return sorted({word for table in tables for word in DOCUMENTS if _stands(table, word)})


def _stands(table: Table, word: str) -> bool:
    return getattr(table, word) is not None or (table.feast is not None and SOURCE_ROLES.get(word) == table.role)


def _plan(answer: dict[str, Any], request: dict[str, Any], **rest: Any) -> Plan:
    same = ("model", "task", "environments", "built_in")
    try:
        # Rego's sets have no order that two engines must share; the plan's digest needs one
        return Plan.model_validate(
            {
                **{name: request[name] for name in same},
                "tier": answer["tier"],
                "requirements": _sorted(answer["requirements"]),
                "not_applicable": _sorted(answer["not_applicable"]),
                "parameters": _parameters(answer["parameters"], rest["columns"]),
                **rest,
            }
        )
    except (KeyError, TypeError, ValidationError) as error:
        text = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else f"{error} is missing"
        raise EngineError(
            f"the policy's answer is not a plan: {text}", code="plan.invalid", where=PLAN_ENTRY_POINT
        ) from error


def _parameters(answer: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """The policy's parameters; of days it knows the word, and the spec the column."""
    found = {**answer, "slices": sorted(answer.get("slices", ()))}
    return {**found, "cluster": columns.time} if found.get("cluster_by") == "day" else found


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
