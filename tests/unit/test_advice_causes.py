"""Causes of a mismatch: said where the attachment names one, silent where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decision_samples import skewed

from gates.decide.causes import read_causes
from gates.render.text import text


def attachment(code: str | None = None, detail: dict[str, Any] | None = None, **fields: Any) -> bytes:
    feature = {"name": "wind", "offline_kind": "number", "online_kind": "number", "mismatches": 1000}
    names = {"name", "offline_kind", "online_kind", "mismatches"}
    feature |= {name: value for name, value in fields.items() if name in names}
    if code is not None:
        told = {name: value for name, value in fields.items() if name not in names}
        feature["cause"] = {"code": code, "rows": 1000, "explained": 998, "detail": detail or {}, **told}
    return json.dumps({"schema_version": "v1", "features": [feature]}).encode()


@pytest.mark.parametrize(
    ("code", "detail", "hint"),
    [
        (
            "scale_or_unit",
            {"factor": 0.44704},
            "online = 0.44704 × offline (miles per hour served as metres per second?) in 99.8 % of 1,000 mismatches: scale or unit",
        ),
        (
            "rounding_or_precision",
            {"step": 0.1},
            "both sides are whole steps of 0.1, rounded to the nearest on one and",
        ),
        (
            "type_or_encoding",
            {"as": "day and month exchanged"},
            "the same but for day and month, which are exchanged in",
        ),
        ("scale_or_unit", {"factor": 1 / 1.609344}, "(miles served as kilometres, the other way round?)"),
        ("scale_or_unit", {"factor": 0.77}, "online = 0.77 × offline in 99.8 %"),
        ("scale_or_unit", {"factor": 1.8, "offset": -32.0}, "online = 1.8 × offline - 32 in"),
        ("offset", {"offset": 5.0}, "online = offline + 5 in"),
        ("offset", {"seconds": 90.0}, "online is 1.5 minutes after offline in"),
        ("time_zone", {"hours": -5.0, "or_hours": -4.0}, "online = offline - 5 hours or - 4 hours in 99.8 %"),
        ("time_zone", {"hours": 1.0, "side": "online"}, "the online value is that of + 1 hour from the row's time in"),
        (
            "stale",
            {"side": "online", "events": 1, "lag_seconds": 86400.0},
            "the online value is that of 1 day earlier in 99.8 % of 1,000 mismatches: stale",
        ),
        ("stale", {"side": "online"}, "an earlier one of the same entity"),
        ("future_value", {"side": "offline", "lag_seconds": -5400.0}, "the offline value is that of 1.5 hours later"),
        ("late_backfill", {"side": "offline"}, "late backfill"),
        ("default_instead_of_null", {"side": "online", "default": "-1"}, "online has -1 where offline has nothing in"),
        ("absent", {"side": "online"}, "the value is missing online"),
        (
            "rounding_or_precision",
            {"side": "online", "decimals": 2},
            "online = offline rounded or cut to 2 decimals in",
        ),
        ("rounding_or_precision", {"side": "offline", "decimals": -2}, "cut to steps of 100 in"),
        ("rounding_or_precision", {"side": "online", "unit": "day"}, "cut to a whole day in"),
        ("type_or_encoding", {"as": "case and spaces"}, "the two are the same but for case and spaces in"),
        ("type_or_encoding", {"as": "number"}, "the same when read as number in"),
        ("category_mapping", {}, "category mapping"),
        ("sort_order", {}, "the online values are the offline values of other rows in"),
        ("current_status_join", {"side": "offline"}, "the offline value is the entity's last in"),
        ("ingestion_time", {"side": "offline"}, "ingestion time taken as feature time"),
    ],
)
def test_a_cause_is_named(code: str, detail: dict[str, Any], hint: str) -> None:
    [cause] = read_causes(attachment(code, detail), {"wind"})

    assert hint in cause.hint


def test_the_share_is_whole_only_where_it_is() -> None:
    def hint(**fields: Any) -> str:
        [cause] = read_causes(attachment("offset", {"offset": 1.0}, **fields), {"wind"})
        return cause.hint

    assert hint(explained=1000) == "online = offline + 1 in all 1,000 mismatches: offset"
    assert "in 99.9 % of 10,000 mismatches looked at" in hint(mismatches=9_999_999, rows=10_000, explained=9_999)


def test_an_unknown_cause_says_why() -> None:
    [cause] = read_causes(
        attachment("unknown", why="ambiguous", candidates=["future_value", "stale", "[x](y)"]), {"wind"}
    )
    assert cause.hint == "cause unknown: future value, which leaks and stale explain its mismatches alike"
    lost = attachment("unknown", why="ambiguous", candidates=["scale_or_unit"], detail={"as": "absolute value"})
    assert read_causes(lost, {"wind"})[0].hint == (
        "cause unknown: scale or unit and a lost sign explain its mismatches alike"
    )
    [cause] = read_causes(attachment("unknown", why="nothing", offline_kind="[x](y)"), {"wind"})
    assert cause.hint == (
        "cause unknown: nothing known explains nine in ten of its 1,000 mismatches (another type offline, number online)"
    )


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"\xff",
        b"[]",
        b'{"features": 3}',
        b'{"features": [{"name": 3}]}',
        attachment(),
        attachment("scale_or_unit"),
        attachment("scale_or_unit", {"factor": 2.0}, mismatches=0),
        attachment("scale_or_unit", {"factor": 2.0}, mismatches=-1),
        attachment("scale_or_unit", {"factor": 2.0}, rows=0),
        attachment("a new code", {"factor": 2.0}),
        attachment("unknown", why="few"),
        attachment("default_instead_of_null", {"default": "[x](y)"}),
        b'{"features": [{"name": "wind", "mismatches": 1, "cause": {"code": "offset", "rows": NaN}}]}',
    ],
)
def test_nothing_is_named_where_nothing_is_shown(raw: bytes | None) -> None:
    assert read_causes(raw, {"wind"}) == ()


def test_only_what_was_proven_bad_gets_a_cause() -> None:
    assert read_causes(attachment("scale_or_unit", {"factor": 0.447}), {"temp"}) == ()


def test_a_ratio_of_zero_has_no_reciprocal() -> None:
    [cause] = read_causes(attachment("scale_or_unit", {"factor": 0.0}), {"wind"})

    assert cause.hint.startswith("online = 0 × offline")


def test_the_cause_stands_on_the_screen() -> None:
    raw = attachment("scale_or_unit", {"factor": 0.44704}, name="wind_speed")

    shown = " ".join(text(skewed().view({"parity.json": raw})).split())
    assert "wind_speed: online = 0.44704 × offline (miles per hour served as metres per second?) in 99.8 %" in shown


def test_an_engine_without_histories_is_named() -> None:
    [cause] = read_causes(attachment("unknown", why="engine", explained=0), {"wind"})
    assert "stale, late and future values are looked for on DuckDB alone" in cause.hint
