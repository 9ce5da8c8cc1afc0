"""`gates init` from a registry: what a registered version says of itself becomes the first spec."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.plan import words
from gates.plan.init import render_limits, render_spec, render_workflow, write_new, write_spec
from gates.plan.spec import SPEC_NAME

if TYPE_CHECKING:
    from gates.inputs.registry import RunInput
    from gates.records import Plan

_ROLES = {
    "training": ("train", "training", "fit"),
    "calibration": ("calibration", "conformal", "recalibration"),
    "holdout": ("holdout", "test", "testing", "evaluation"),
}
_OF_NUMBERS = ("mean_absolute", "mean_squared", "root_mean", "mae", "mse", "rmse", "r2", "mape", "max_error")
_OF_SEVERAL = ("macro", "micro", "weighted", "ovr", "ovo", "top_k")
_OF_TWO = ("roc_auc", "auc", "brier", "log_loss", "precision", "recall", "f1", "pr_auc", "average_precision")


@dataclass(frozen=True)
class Draft:
    """What a registered version says of itself, and what of it was guessed."""

    model: str
    candidate: str
    champion: str | None
    features: tuple[str, ...]
    task: str = "binary"
    label: str = "label"
    tables: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def draft(registry_uri: str, uri: str) -> Draft:
    """Read a registered version.

    Parameters
    ----------
    uri: `models:/NAME`, `models:/NAME/VERSION` or `models:/NAME@ALIAS`. Without a version: the alias `challenger` where
        there is one, else the newest.

    Raises
    ------
    UsageError, EngineError: as the registry has them.
    """
    from gates.inputs.mlflow_registry import MlflowRegistry

    registry = MlflowRegistry(registry_uri)
    name = uri.removeprefix("models:/").partition("/")[0].partition("@")[0]
    aliases = registry.aliases(name)
    candidate = uri
    if uri == f"models:/{name}":
        candidate = f"{uri}@challenger" if "challenger" in aliases else f"{uri}/{registry.newest(name)}"
    found = registry.resolve(candidate)
    inputs = registry.run_inputs(found.version)
    task, by = _task(registry.metrics(found.version))
    tables = _tables(inputs)
    label, whence = _label(inputs, found.features)
    notes = (
        f"Read from {found.version.uri}: features by its signature; task by {by}; label by {whence}.",
        *(("Tables are those that its training run logged.",) if tables else ()),
    )
    champion = f"models:/{name}@champion" if "champion" in aliases else None
    return Draft(name, candidate, champion, found.features, task, label, tables, notes)


def begin(folder: Path, registry_uri: str, uri: str, *, force: bool = False) -> tuple[Path, ...]:
    """Write gates.yaml, and the shipped limits to tighten where there are none yet; return what was written.

    Raises
    ------
    UsageError: there is a gates.yaml already; and as `draft`.
    """
    from gates.decide.policies import PolicySet

    found = draft(registry_uri, uri)
    rest = {role: where for role, where in found.tables.items() if role != "holdout"}
    text = render_spec(
        model=found.model,
        label=found.label,
        holdout=found.tables.get("holdout", "data/holdout.parquet"),
        registry=registry_uri,
        candidate=found.candidate,
        champion=found.champion,
        task=found.task,
        features=found.features,
        tables=rest,
        notes=found.notes,
        policies=True,
    )
    written = [write_spec(folder, text, force=force)]
    for environment, thresholds in PolicySet.load().data["thresholds"].items():
        path = folder / "policies" / "overrides" / environment / "data.yaml"
        if write_new(path, render_limits(environment, thresholds["limits"])):
            written.append(path)
    return tuple(written)


WORKFLOW = Path(".github/workflows/gates.yml")


def savable(folder: Path, file: Path | None, arguments: Sequence[str]) -> None:
    """Refuse before anything is measured what `save` could not write.

    Raises
    ------
    UsageError: a file is there already, the table is not of this folder, or a value cannot stand in a workflow.
    """
    there = [path for path in (*([folder / SPEC_NAME] if file else []), folder / WORKFLOW) if path.exists()]
    if there:
        raise UsageError("exists already", code="save.exists", where=str(there[0]), remedy="move it away, or edit it")
    outside = [word for word in arguments if Path(word).is_absolute() or ".." in Path(word).parts]
    if outside:
        raise UsageError("a workflow reads files of its repository only", code="save.outside", where=outside[0])
    for word in arguments:
        if "${{" in word or not word.isprintable():
            raise UsageError("cannot stand in a workflow", code="save.word", where=repr(word))


def save(
    folder: Path, arguments: Sequence[str], plan: Plan | None = None, notes: Sequence[str] = ()
) -> tuple[Path, ...]:
    """Write the workflow that asks the same of each pull request, and the spec of what was asked of a file.

    Parameters
    ----------
    arguments: of `gates check`. plan: of the file that was judged; None where there is a spec already.
    notes: what was guessed of the file, in words.
    """
    written = []
    if plan is not None:
        tables: dict[str, str] = {
            table.role: os.path.relpath(Path(table.uri).resolve(), folder.resolve()) for table in plan.tables
        }
        text = render_spec(
            model=Path(plan.model).stem or plan.model,
            label=plan.columns.label or "label",
            holdout=None,
            task=plan.task,
            tables=tables,
            columns=plan.columns,
            cluster=plan.parameters.cluster,
            slices=plan.parameters.slices,
            notes=("Written by `gates check --save`. Name the registered model, its registry and its holdout.", *notes),
        )
        written.append(write_spec(folder, text))
    write_new(folder / WORKFLOW, render_workflow(arguments))
    return (*written, folder / WORKFLOW)


def _task(metrics: Sequence[str]) -> tuple[str, str]:
    names = [name.lower() for name in metrics]
    for task, words_of in (("numeric", _OF_NUMBERS), ("multiclass", _OF_SEVERAL), ("binary", _OF_TWO)):
        for name in names:
            if any(word in name.split("_") or ("_" in word and word in name) for word in words_of):
                return task, f"its metric {name}"
    return "binary", "guess: its run logged no metric that tells"


def _tables(inputs: Sequence[RunInput]) -> dict[str, str]:
    """Role -> URI, the first of each."""
    found: dict[str, str] = {}
    for given in inputs:
        role = next((role for role, contexts in _ROLES.items() if given.context.lower() in contexts), None)
        if role is not None and given.uri:
            found.setdefault(role, given.uri)
    return found


def _label(inputs: Sequence[RunInput], features: Sequence[str]) -> tuple[str, str]:
    """The logged column that is no feature; where there are several, the one with a label's name."""
    for given in inputs:
        rest = [name for name in given.columns if name not in features]
        named = [name for name in rest if words.is_label(name)]
        for fitting, whence in ((rest, "being the one logged column that is no feature"), (named, "its name")):
            if features and len(fitting) == 1:
                return fitting[0], whence
    return "label", "guess: no logged table tells"
