"""Where sources add: OPA and its compiled form differ on fractions (.237 + .694 <= .931 holds in one and not in the other).

A capabilities file can forbid a built-in everywhere or nowhere, so adding is looked for in the syntax tree, and stands in
`lib/integers.rego` alone, which asks each number whether it is whole.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from gates.decide.opa_binary import OpaBinary
from gates.errors import EngineError

ALLOWED = "lib/integers.rego"
_ADDS = {"plus", "sum"}
_PERHAPS = re.compile(rb"\+|\bplus\b|\bsum\b")
_SECONDS = 60.0


def additions(opa: OpaBinary, rego: Mapping[str, bytes]) -> Iterator[str]:
    """Say where sources other than `lib/integers.rego` add: one line each, with the place.

    Parameters
    ----------
    rego: path -> source.

    Raises
    ------
    EngineError: `module.build`: a source that OPA cannot parse.
    """
    for path, source in sorted(rego.items()):
        if path != ALLOWED and _PERHAPS.search(source):
            for row, name in sorted(set(_calls(syntax_tree(opa, path, source)))):
                yield f"{path}:{row}: {name}; add whole numbers by data.gates.lib.integers, and have fractions measured"


def syntax_tree(opa: OpaBinary, path: str, source: bytes) -> Any:
    """A source as OPA parses it, with places.

    Raises
    ------
    EngineError: `module.build`: OPA cannot parse it.
    """
    command = [str(opa.path), "parse", "--format", "json", "--json-include", "locations", "/dev/stdin"]
    try:
        done = subprocess.run(  # noqa: S603 - OPA itself, no shell
            command, input=source, capture_output=True, timeout=_SECONDS, check=True
        )
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        raise EngineError(f"opa parse: {said.decode(errors='replace')}", code="module.build", where=path) from error


def _calls(node: Any) -> Iterator[tuple[int, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _calls(item)
    elif isinstance(node, dict):
        # A reference of one word; of `data.x.sum` the word is a string behind `data`.
        words = node.get("value") if node.get("type") == "ref" else None
        if isinstance(words, list) and len(words) == 1 and words[0].get("value") in _ADDS:
            yield node["location"]["row"], words[0]["value"]
        for value in node.values():
            yield from _calls(value)
