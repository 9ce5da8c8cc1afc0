"""The anchor: the best version that was champion in the last 12 months, so that many small losses do not add up.

(1) From the ledger, who was champion there (apply/ledger/served); the present champion is one of them, the candidate is
    none. Of more than the plan's `anchors` the oldest, the newest and some evenly between are taken: slow erosion makes
    the oldest the best, and the newest few alone would hide it.
(2) Each is scored on today's holdout in a process of its own. Evidence of its day is about other rows, and ranks nobody.
    The champion's predictions are there already, scored or supplied; where nothing can be run, it alone is left.
(3) The one with the lowest mean loss is the anchor (measure/anchor). Being the best by these very rows flatters it, so
    the comparison errs towards denying the candidate.

A version that cannot be scored any more is left out, and said; figures tell of how many the anchor is the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gates.errors import EvidenceError, UsageError
from gates.measure.interface import Anchor
from gates.project import now_us
from gates.records import ModelVersion, Plan, Reason
from gates.records.release import Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain

SUFFIX = "_vs_anchor"
"""Ends the names of the checks that need an anchor."""


def served_in(chain: Chain | None, slot: Slot, plan: Plan) -> tuple[ModelVersion, ...]:
    """Return who was champion in the last 12 months, the oldest first; nobody where no check asks, or without a ledger.

    A champion that was found wanting still stands where nobody else did.
    """
    from gates.apply.ledger.served import YEAR_US, champions_since

    if chain is None or not any(wanted.check.endswith(SUFFIX) for wanted in plan.requirements):
        return ()
    release = chain.release(slot)
    return champions_since(chain, slot, now_us() - YEAR_US) or ((release.champion,) if release else ())


def spread(served: Sequence[ModelVersion], most: int) -> tuple[ModelVersion, ...]:
    """Return at most so many: the first, the last, and others evenly between."""
    if len(served) <= most:
        return tuple(served)
    steps = max(most - 1, 1)
    return tuple(served[place * (len(served) - 1) // steps] for place in range(most))


def choose(
    candidate: ModelVersion,
    served: Sequence[ModelVersion],
    most: int,
    loss: Callable[[ModelVersion], float | Reason],
    failures: list[str],
) -> Anchor | None:
    """Return the best of those who served, by the mean loss of each; None where nobody can be scored.

    Where nobody else served, the candidate is its own anchor: a release of what serves loses nothing.

    Parameters
    ----------
    failures: what went wrong is added to it.
    """
    others = [version for version in served if version.digest != candidate.digest] or list(served)
    losses: list[tuple[float, ModelVersion]] = []
    for version in spread(others, most):
        try:
            found = loss(version)
        except (UsageError, EvidenceError) as error:
            failures.append(f"{version.uri} cannot be the anchor: {error.message}")
            continue
        if isinstance(found, Reason):
            failures.append(f"{version.uri} cannot be the anchor: {found.value}")
        else:
            losses.append((found, version))
    if not losses:
        return None
    _, best = min(losses, key=lambda each: each[0])
    return Anchor(best, len(losses), len(others))
