"""Causes of a mismatch: named where the attachment shows one, silent where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decision_samples import skewed

from gates.decide.causes import read_causes
from gates.render.text import text


def attachment(**fields: Any) -> bytes:
    feature = {"name": "wind", "offline_kind": "number", "online_kind": "number", "mismatches": 1000, **fields}
    return json.dumps({"schema_version": "v1", "features": [feature]}).encode()


def pattern(median: float, explains: float = 0.998) -> dict[str, float]:
    return {"median": median, "spread": 0.0, "explains": explains}


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        (
            {"ratio": pattern(0.44704)},
            "online = 0.447 × offline in 99.8 % of the mismatches, as with miles per hour served as metres per second",
        ),
        ({"ratio": pattern(1 / 1.609344)}, "miles served as kilometres, the other way round"),
        ({"ratio": pattern(0.77)}, "online = 0.77 × offline"),
        ({"ratio": pattern(0.44704), "offset": pattern(-3.1, 0.2)}, "metres per second"),
        ({"offset": pattern(5.0), "ratio": pattern(1.4, 0.1)}, "online = offline + 5 in"),
        ({"offset": pattern(-18_000.0), "offline_kind": "time"}, "online = offline - 5 hours in 99.8 %"),
        ({"offset": pattern(90.0), "offline_kind": "time"}, "online = offline + 90 seconds in"),
        ({"absent_online": 990}, "the value is missing online"),
        ({"absent_offline": 1000}, "the value is missing offline"),
        ({"offline_kind": "text", "online_kind": "integer"}, "text offline and integer online"),
        ({"offline_kind": "[x](y)", "online_kind": "integer"}, "another type offline and integer online"),
    ],
)
def test_a_cause_is_named(fields: dict[str, Any], hint: str) -> None:
    [cause] = read_causes(attachment(**fields), {"wind"})

    assert hint in cause.hint


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"\xff",
        b"[]",
        b'{"features": 3}',
        b'{"features": [{"name": 3}]}',
        attachment(ratio=pattern(0.447, 0.5)),
        attachment(),
        attachment(mismatches=0, ratio=pattern(0.447)),
        attachment(mismatches=-1),
        b'{"features": [{"name": "wind", "mismatches": 1, "ratio": {"median": NaN, "explains": 1}}]}',
    ],
)
def test_nothing_is_named_where_nothing_is_shown(raw: bytes | None) -> None:
    assert read_causes(raw, {"wind"}) == ()


def test_only_what_was_proven_bad_gets_a_cause() -> None:
    assert read_causes(attachment(ratio=pattern(0.447)), {"temp"}) == ()


def test_a_ratio_of_zero_has_no_reciprocal() -> None:
    [cause] = read_causes(attachment(ratio=pattern(0.0)), {"wind"})

    assert cause.hint.startswith("online = 0 × offline")


def test_the_cause_stands_on_the_screen() -> None:
    raw = attachment(name="wind_speed", ratio=pattern(0.44704))

    shown = " ".join(text(skewed().view({"parity.json": raw})).split())
    assert "wind_speed: online = 0.447 × offline in 99.8 % of the mismatches" in shown
