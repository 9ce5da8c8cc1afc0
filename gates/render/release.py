"""What serves, as people read it."""

from __future__ import annotations

from gates.records import Release
from gates.render.names import visible


def traffic_text(release: Release | None) -> str:
    """Return the traffic split in words, the largest share first: `version 1 95 %, version 5 5 %`."""
    if release is None:
        return "nothing serves"
    routes = sorted(release.routes, key=lambda route: -route.percent)
    return ", ".join(f"version {visible(route.version.version)} {route.percent} %" for route in routes)
