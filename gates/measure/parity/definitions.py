"""Are features still computed as the champion's were, and in serving as in training? Called by `gate`.

A definition is a version, the digest of the code, a window, a default and keys. One that changed must have another version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gates.inputs.opened import Definition
from gates.measure.census import asked_for, census, unmeasured
from gates.measure.interface import DEFINITIONS_NOTE, Findings, Given, Note
from gates.measure.parity.figures import items
from gates.records import Measurement, Reason

CHANGED, DIFFERS = "parity.definition_changed", "parity.definition_differs"
METHODS = {
    CHANGED: "1 where code, window, default or keys changed since the champion under one name and version",
    DIFFERS: "1 where serving has another version, code, window, default or keys than training, or none",
}
OTHER = {CHANGED: "champion_definitions", DIFFERS: "serving_definitions"}


def definitions(given: Given) -> Findings:
    """Compare definitions feature by feature; nothing where nobody gave any or asked."""
    asked = asked_for(given)
    own = given.definitions.get("definitions")
    checks = [check for check in METHODS if check in asked or OTHER[check] in given.definitions]
    measurements = [figure for check in checks for figure in _figures(given, check, own)]
    return Findings(tuple(measurements), () if own is None else (_note(own),))


def _figures(given: Given, check: str, own: Mapping[str, Definition] | None) -> Iterator[Measurement]:
    other, features = given.definitions.get(OTHER[check]), items(given)
    for item in features:
        mine = own.get(item.name) if own is not None and item is not None else None
        if item is None or mine is None or other is None:
            yield unmeasured(
                check, Reason.NOT_PROVIDED, unit="definitions", method=METHODS[check], item=item, family=len(features)
            )
            continue
        theirs = other.get(item.name)
        hit = _changed(mine, theirs) if check == CHANGED else theirs is None or _said(mine) != _said(theirs)
        yield census(check, hit, n=1, unit="definitions", method=METHODS[check], item=item, family=len(features))


def _changed(mine: Definition, theirs: Definition | None) -> bool:
    return theirs is not None and mine.version == theirs.version and _said(mine) != _said(theirs)


def _said(definition: Definition) -> str:
    """As text: 0, 0.0 and false are three defaults."""
    return json.dumps(definition.document(), sort_keys=True)


def _note(own: Mapping[str, Definition]) -> Note:
    """What the next candidate's definitions are compared with: the same form, with digests for code."""
    document = {"features": [own[name].document() for name in sorted(own)]}
    return Note.of(DEFINITIONS_NOTE, document)
