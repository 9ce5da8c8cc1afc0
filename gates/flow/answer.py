"""Join a decision with what a reader needs beside it: figures, limits, texts and advice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gates.decide.advice import advise
from gates.decide.explain import load_annotations
from gates.decide.limits import limits_of

if TYPE_CHECKING:
    from gates.decide.policies import PolicySet
    from gates.flow.decision import Decided
    from gates.render.view import View


def view_of(policies: PolicySet, decided: Decided, attachments: Mapping[str, bytes]) -> View:
    """Return the decision as every output shows it; advice is computed here, after the decision and outside it."""
    from gates.render.join import build_view

    decision, measurements = decided.decision, decided.bundle.measurements
    limit_of = limits_of(policies.data)
    return build_view(
        decision,
        measurements,
        limit_of=limit_of,
        annotations=load_annotations(),
        ledger=decided.document.ledger,
        waivers=decided.document.waivers,
        advice=advise(decision, measurements, attachments, limit_of=limit_of),
    )
