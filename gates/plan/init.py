"""`gates init`: a commented gates.yaml to start from. It never replaces a file unasked."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from gates.errors import UsageError
from gates.plan.spec import SPEC_NAME


def render_spec(
    *,
    model: str = "my-model",
    label: str = "label",
    holdout: str = "data/holdout.parquet",
    registry: str = "sqlite:///mlflow.db",
    candidate: str | None = None,
    schema: str | None = None,
) -> str:
    """Return the text of a commented gates.yaml; values are quoted so that any name is safe.

    Parameters
    ----------
    schema: path or URL of gates.v1.json, for editors; without it the line is left out.
    """
    from jinja2 import Environment, StrictUndefined

    template = files("gates.plan").joinpath("gates.yaml.j2").read_text(encoding="utf-8")
    # the result is YAML, not HTML: `tojson` writes every value as a quoted scalar
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment.from_string(template).render(
        model=model,
        label=label,
        holdout=holdout,
        registry=registry,
        candidate=candidate or f"models:/{model}@challenger",
        champion=f"models:/{model}@champion",
        schema=" ".join(schema.split()) if schema else None,
    )


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
