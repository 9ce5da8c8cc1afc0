"""What sets two releases apart, part by part, in words."""

from __future__ import annotations

from typing import Any

from gates.records.base import Record
from gates.records.release import Pin, Release, Route


def differences(wanted: Release | None, found: Release | None) -> tuple[str, ...]:
    """Name every part in which two releases differ: `flags.ranking: wanted new, found old`; none where they are equal."""
    if wanted is None or found is None:
        return () if wanted is found else (f"release: wanted {_whether(wanted)}, found {_whether(found)}",)
    left, right = _parts(wanted), _parts(found)
    names = [*left, *(name for name in right if name not in left)]
    return tuple(
        f"{name}: wanted {_text(left.get(name))}, found {_text(right.get(name))}"
        for name in names
        if left.get(name) != right.get(name)
    )


def changes(before: Release | None, after: Release | None) -> tuple[str, ...]:
    """Name every part that a move would change: `flags.ranking: old -> new`; the decision's own digest aside."""
    left, right = (_parts(release) if release else {} for release in (before, after))
    names = [name for name in {**left, **right} if name not in ("decision_digest", "schema_version")]
    return tuple(
        f"{name}: {_text(left.get(name))} -> {_text(right.get(name))}"
        for name in names
        if left.get(name) != right.get(name)
    )


def _parts(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in release:
        if name == "lacks":
            found |= dict.fromkeys(value or (), "none")
        elif isinstance(value, tuple):
            found |= {f"{name}.{key}": said for key, said in map(_entry, value)}
        elif value is not None:
            found[name] = value
    return found


def _entry(item: Pin | Route) -> tuple[str, Any]:
    if isinstance(item, Pin):
        return item.name, item.value
    return f"{item.version.version}@{item.version.digest[7:19]}", f"{item.percent} %"


def _whether(release: Release | None) -> str:
    return "nothing" if release is None else f"version {release.approved.version}"


def _text(value: Any) -> str:
    if isinstance(value, Record):
        document = value.document()
        return f"{document.get('version', document)} ({str(document.get('digest', ''))[7:19]})"
    return "nothing" if value is None else str(value)
