"""`gates init`: a commented gates.yaml to start from, and the limits to tighten. It never replaces a file unasked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.plan.spec import SPEC_NAME
from gates.records import Columns

if TYPE_CHECKING:
    from jinja2 import Template


def render_spec(
    *,
    model: str = "my-model",
    label: str = "label",
    holdout: str | None = "data/holdout.parquet",
    registry: str = "sqlite:///mlflow.db",
    candidate: str | None = None,
    champion: str | None = None,
    task: str = "binary",
    features: Sequence[str] = (),
    tables: Mapping[str, str] | None = None,
    columns: Columns | None = None,
    cluster: str | None = None,
    slices: Sequence[str] = (),
    notes: Sequence[str] = (),
    policies: bool = False,
    schema: str | None = None,
) -> str:
    """Return the text of a commented gates.yaml; values are quoted so that any name is safe.

    Parameters
    ----------
    champion: its URI; None leaves the line commented out.
    features: the signature's input columns. tables: role -> URI, of the tables besides the holdout.
    columns: whose key and scores are written. cluster, slices: columns.
    notes: lines that say where the values come from. policies: name the policy owners' folder.
    schema: path or URL of gates.v1.json, for editors; without it the line is left out.
    """
    return _template("gates.yaml.j2").render(
        model=model,
        label=label,
        holdout=holdout,
        registry=registry,
        candidate=candidate or f"models:/{model}@challenger",
        champion=champion or f"models:/{model}@champion",
        has_champion=champion is not None,
        task=task,
        features=list(features),
        tables=dict(tables or {}),
        key=list(columns.key) if columns else [],
        score=columns.score if columns else None,
        champion_score=columns.champion_score if columns else None,
        cluster=cluster,
        slices=list(slices),
        notes=[" ".join(note.split()) for note in notes],
        policies=policies,
        schema=" ".join(schema.split()) if schema else None,
    )


def render_workflow(arguments: Sequence[str]) -> str:
    """Return the text of a workflow that runs `gates check` with these arguments on every pull request.

    Parameters
    ----------
    arguments: one line each, none with an expression of the workflow's in it.
    """
    return _template("workflow.yml.j2").render(
        package=f"model-gates=={version('model-gates')}", arguments="\n".join(arguments)
    )


def _template(name: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    # the result is YAML, not HTML: `tojson` writes every value as a quoted scalar
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment.from_string(files("gates.plan").joinpath(name).read_text(encoding="utf-8"))


def render_limits(environment: str, limits: Mapping[str, Any]) -> str:
    """Return the text of overrides/<environment>/data.yaml with every shipped limit commented out.

    Parameters
    ----------
    limits: check -> tier -> limit, as thresholds/<environment>/data.yaml states them.
    """
    lines = [
        f"# Limits of your own in {environment}. Take the # from the lines of a check and write tighter ones: that needs",
        "# nobody's leave. Looser ones deny, unless the policy owners put them in force with `gates policy activate`.",
        "limits:",
    ]
    for check, tiers in limits.items():
        lines.append(f"#  {check}:")
        lines += [f"#    {tier}: {_flow(limit)}" for tier, limit in tiers.items()]
    return "\n".join(lines) + "\n"


def _flow(limit: Mapping[str, Any]) -> str:
    shown = {name: _flow(value) if isinstance(value, Mapping) else json.dumps(value) for name, value in limit.items()}
    return "{" + ", ".join(f"{name}: {value}" for name, value in shown.items()) + "}"


def write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet; whether it was written.

    Raises
    ------
    UsageError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", code="spec.unwritable", where=str(path)) from error
    return True


def write_spec(folder: Path, text: str, *, force: bool = False) -> Path:
    """Write gates.yaml into a folder and return its path.

    Raises
    ------
    UsageError: there is one already and `force` is not given, or the folder cannot be written.
    """
    path = folder / SPEC_NAME
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise UsageError("exists already", code="spec.exists", where=str(path), remedy="--force replaces it") from error
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", code="spec.unwritable", where=str(path)) from error
    return path
