"""What serves, as people read it."""

from __future__ import annotations

from gates.records import Release
from gates.records.release import PARTS, Pin
from gates.render.names import visible


def traffic_text(release: Release | None) -> str:
    """Return the traffic split in words, the largest share first: `version 1 95 %, version 5 5 %`."""
    if release is None:
        return "nothing serves"
    routes = sorted(release.routes, key=lambda route: -route.percent)
    return ", ".join(f"version {visible(route.version.version)} {route.percent} %" for route in routes)


def parts_text(release: Release) -> str:
    """Return what serves besides the model version, what the model is said to lack, and what nobody said."""
    held = {part: value for part in PARTS if (value := getattr(release, part)) not in (None, ())}
    lacks = release.lacks or ()
    unsaid = [part for part in PARTS if part not in held and part not in lacks]
    texts = [f"{part} {_value(value)}" for part, value in held.items()]
    texts += [f"none: {', '.join(lacks)}"] if lacks else []
    texts += [f"not said: {', '.join(unsaid)}"] if unsaid else []
    return "; ".join(texts)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{visible(pin.name)}={visible(str(pin.value))}" for pin in value if isinstance(pin, Pin))
    text = str(value)
    return text[7:19] if text.startswith("sha256:") else visible(text)
