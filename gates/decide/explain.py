"""What a code means and what to do about it: titles and remedies, from the METADATA of the rules that yield the codes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from gates.errors import EngineError, UsageError
from gates.resources import module_folder


@dataclass(frozen=True)
class Explanation:
    """A code in words."""

    code: str
    title: str
    description: str = ""
    remedy: str | None = None


def load_annotations() -> dict[str, Explanation]:
    """Read the shipped annotations, generated from METADATA beside the compiled policies.

    Raises
    ------
    EngineError: the package is incomplete.
    """
    path = module_folder() / "annotations.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {code: Explanation(code, **fields) for code, fields in document.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise EngineError(
            "the texts of the policies are not here",
            code="install.incomplete",
            where=str(path),
            remedy="install model-gates again, or run `python -m gates.decide.build_module` in a checkout",
        ) from error


def find(code: str, annotations: Mapping[str, Explanation]) -> Explanation | None:
    """Look a code up; one of an own check, `own.<name>` and what follows, has the texts of `own.name`.

    So has a comparison by a scorer that policy owners may name those of `regression.scorer_vs_champion`.
    """
    gate, _, rest = code.partition(".")
    name, dot, suffix = rest.partition(".")
    if gate == "own" and rest:
        code = f"own.name{dot}{suffix}"
    elif gate == "regression" and code not in annotations and name.removesuffix("_vs_champion") in _scorers():
        code = f"regression.scorer_vs_champion{dot}{suffix}"
    return annotations.get(code)


@cache
def _scorers() -> frozenset[str]:
    from gates.decide.policies import shipped_data
    from gates.decide.scorers import named

    return named(shipped_data("release/data.yaml"))


def explain(code: str, annotations: Mapping[str, Explanation]) -> Explanation:
    """Look a code up.

    Raises
    ------
    UsageError: no rule yields this code; names the nearest ones.
    """
    found = find(code, annotations)
    if found is not None:
        return replace(found, code=code)
    near = difflib.get_close_matches(code, annotations, n=3, cutoff=0.5)
    raise UsageError(
        f"no rule yields the code {code!r}",
        code="explain.unknown",
        remedy=f"did you mean {' or '.join(near)}?" if near else "`gates explain` without a code lists all",
    )
