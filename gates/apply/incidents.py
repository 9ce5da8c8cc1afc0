"""Which release an incident goes back to: docs/rollback.md has the matrix, this is it. Pure.

What an incident blames must be another in the release that is gone back to; else going back would bring the same again.
Of those that are, one with the same model version is the smallest step, then the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gates.errors import Refused
from gates.records.base import Digest
from gates.records.release import Part, Release

Incident = Literal["model", "feature", "data", "threshold-or-flag", "serving", "upstream-outage", "retrain", "other"]
INCIDENTS: tuple[Incident, ...] = Incident.__args__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class About:
    """What a rollback is about: the kind of incident, and the digest of what was kept of what served."""

    incident: str | None = None
    snapshot: Digest | None = None


BLAMED: dict[Incident, tuple[Part, ...]] = {
    "feature": ("feature_views", "preprocessor_digest", "cache_namespace"),
    "data": ("data_snapshot",),
    "threshold-or-flag": ("decision_threshold", "postprocessing", "flags"),
    "serving": ("image_digest",),
}
"""Parts of which one at least must be another than now."""


def target_of(incident: Incident, present: Release, good: Sequence[Release]) -> Release:
    """Return the release that an incident goes back to.

    Parameters
    ----------
    good: releases that were done here and are known as good, the newest first.

    Raises
    ------
    Refused: `rollback.no_target`: none of them helps. `rollback.retrain`: none ever does.
    """
    if incident == "retrain":
        raise Refused(
            "what a new model is needed for, no earlier one mends",
            code="rollback.retrain",
            remedy="`gates rollback --incident retrain` asks for training, and moves nothing",
        )
    fitting = [release for release in good if _helps(incident, present, release)]
    if not fitting:
        raise Refused(
            f"no earlier good release of {present.model} in {present.environment} {_wanted(incident)}",
            code="rollback.no_target",
            remedy="name a release with --to, or use --incident other for the last good one",
        )
    if incident in BLAMED:
        fitting.sort(key=lambda release: release.approved != present.approved)
    return fitting[0]


def _helps(incident: Incident, present: Release, release: Release) -> bool:
    if incident == "model":
        return release.approved.digest != present.approved.digest
    if incident == "upstream-outage":
        return release.fallback is not None and "feature_views" in (release.lacks or ())
    parts = BLAMED.get(incident, ())
    return not parts or any(getattr(release, part) != getattr(present, part) for part in parts)


def _wanted(incident: Incident) -> str:
    if incident == "model":
        return "serves other model bytes"
    if incident == "upstream-outage":
        return "answers from batch scores and reads no feature view"
    return f"has another {' or '.join(BLAMED.get(incident, ('release',)))}"
