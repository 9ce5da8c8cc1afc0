"""Pictures of a decision: calibration, coverage and the comparison with the champion, for pages (SVG) and files (PNG).

Views on the bundle's attachments and on the decision's rows. Each shape reads without colour and has its words beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gates.decide.attachments import Coverage, Reliability
from gates.decide.limits import Limit
from gates.render.pictures.canvas import Picture
from gates.render.pictures.champion import against_champion
from gates.render.pictures.coverage import by_level, by_quantile, by_stratum
from gates.render.pictures.reliability import diagram, gaps
from gates.render.view import View

__all__ = ["Picture", "pictures"]


def pictures(view: View, attachments: Mapping[str, bytes]) -> tuple[Picture, ...]:
    """Return every picture that the decision has data for.

    Parameters
    ----------
    attachments: the bundle's, by name; what is absent or not of its form gives no picture.
    """
    found: list[Picture | None] = []
    reliability = Reliability.read(attachments.get("reliability.json"))
    if reliability is not None:
        found += [diagram(reliability), gaps(reliability, _limit(view, "calibration.bin"), _statuses(view, "bin"))]
    coverage = Coverage.read(attachments.get("coverage.json"))
    if coverage is not None:
        under = _limit(view, "calibration.stratum_under_coverage") or _limit(view, "calibration.under_coverage")
        found += [by_stratum(coverage, under, _statuses(view, "stratum")), by_level(coverage), by_quantile(coverage)]
    found.append(against_champion(view.rows))
    return tuple(picture for picture in found if picture is not None)


def _limit(view: View, check: str) -> Limit | None:
    return next((row.limit for row in view.rows if row.check == check and row.limit), None)


def _statuses(view: View, kind: str) -> dict[str, str]:
    """What became of each item of the whole, by its name; the most severe where it has several rows."""
    return _first((row.item.name, row.status) for row in view.rows if row.item and row.item.kind == kind and row.whole)


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, status in pairs:
        found.setdefault(name, status)
    return found
