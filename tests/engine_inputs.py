"""Decision inputs that both engines see: golden ones, and what comes of them by a few changes that policies care about."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from simulators.policy_world import (
    DAY,
    ENVIRONMENTS,
    MODEL,
    NOW,
    WHOLE,
    Document,
    figure,
    golden,
    key_of,
    measurements,
    name_of,
    plan_request,
    policy_set,
    unmeasured,
    value_of,
    with_facts,
)

from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import PLAN
from gates.decide.policies import PolicySet
from gates.records import LADDER, DecisionInput

_OTHER_OWNERS = """
tier: medium
cluster: day
slices: [carrier]
required:
  - {check: calibration.ece, slice: {kind: value, column: carrier, value: UA}, role: prove}
  - {check: own.wait}
own:
  wait: {sense: at_most, limits: {production: {limit: 0.2, inclusive: true, ceiling: 0.3}, staging: {limit: 0.2, inclusive: false, point: true}, development: {limit: 0.2, inclusive: true}}}
"""
_OTHER_LIMITS = """
limits:
  calibration.ece:
    medium: {limit: 0.012, inclusive: true, ceiling: 0.03}
"""


@functools.cache
def worlds() -> tuple[PolicySet, ...]:
    """Two owners' policies: tier high with nothing of its own; tier medium with overrides, own checks and a named slice."""
    return policy_set(), with_facts(_OTHER_OWNERS, overrides={"production": _OTHER_LIMITS})


@functools.cache
def _plan(world: int) -> Document:
    with EmbeddedEngine(worlds()[world]) as engine:
        return engine.evaluate(PLAN, plan_request())


@functools.cache
def _golden(world: int, environment: str) -> Document:
    document = golden(environment, _plan(world), worlds()[world])
    if world == 1:
        document["evidence"][2]["measurements"] += _of_other_owners(document)
    return document


def _of_other_owners(document: Document) -> list[Document]:
    """What they require besides: a figure of their own, and the rows in no slice that is proven by name."""
    own = figure("own.wait", "candidate", 0.1, 0.05, 0.15, predictions="scored")
    sliced = {m["check"] for m in measurements(document) if m["slice"] != WHOLE}
    whole = [m for m in measurements(document) if m["check"] in sliced and m["slice"] == WHOLE]
    return [own, *({**m, "slice": {"kind": "rest"}} for m in whole)]


def golden_inputs() -> list[tuple[int, Document]]:
    """Each world's good candidate in each environment."""
    return [(world, copy.deepcopy(_golden(world, name))) for world in range(len(worlds())) for name in ENVIRONMENTS]


@functools.cache
def numbers(world: int) -> tuple[float, ...]:
    """Every limit and ceiling of a world, its neighbours one unit in the last place away, and the ends of what floats are."""
    found: set[float] = set()

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            for value in node.values():
                collect(value)
        elif isinstance(node, int | float) and not isinstance(node, bool):
            found.add(float(node))

    data = worlds()[world].data
    collect(data["thresholds"])
    collect(data.get("overrides", {}))
    near = {math.nextafter(limit, way) for limit in found for way in (math.inf, -math.inf)}
    ends = {0.0, -0.0, 5e-324, -5e-324, 1.0, 1e308, -1e308, 1.7976931348623157e308, 2.0**53 - 1, 0.1 + 0.2, 1e-7, 1e21}
    return tuple(sorted(found | near | ends))


def limits_of(world: int, check: str) -> tuple[float, ...]:
    """The limits of one check, with their neighbours."""
    data = worlds()[world].data
    own: set[float] = set()
    for environment in ENVIRONMENTS:
        for limit in data["thresholds"][environment]["limits"].get(check, {}).values():
            own |= {limit["limit"], limit.get("ceiling", limit["limit"])}
            own |= {limit["mirror"]["limit"]} if "mirror" in limit else set()
    return tuple(sorted({math.nextafter(v, way) for v in own for way in (math.inf, -math.inf)} | own))


Draw = Callable[[Any], Any]


def _one(draw: Draw, document: Document) -> Document:
    found: Document = draw(st.sampled_from([m for m in measurements(document) if m["status"] == "measured"] or [{}]))
    return found


def _near_limit(draw: Draw, document: Document, world: int) -> None:
    figure = _one(draw, document)
    near = limits_of(world, figure.get("check", "")) or numbers(world)
    lower, upper = sorted((draw(st.sampled_from(near)), draw(st.sampled_from(near))))
    figure.update(bounds=[{"confidence": rung, "lower": lower, "upper": upper} for rung in LADDER], estimate=upper)
    if draw(st.booleans()):
        figure.update(estimate=lower, debiased=draw(st.sampled_from(near)))


def _any_bounds(draw: Draw, document: Document, world: int) -> None:
    figure = _one(draw, document)
    value = st.one_of(
        st.sampled_from(numbers(world)), st.just("unbounded"), st.floats(allow_nan=False, allow_infinity=False)
    )
    figure["bounds"] = [{"confidence": rung, "lower": draw(value), "upper": draw(value)} for rung in LADDER]


def _widening(draw: Draw, document: Document, world: int) -> None:
    """Bounds that cross a limit somewhere up the ladder, for some family and look."""
    figure = _one(draw, document)
    near = limits_of(world, figure.get("check", "")) or numbers(world)
    pivot, turn = draw(st.sampled_from(near)), draw(st.integers(0, len(LADDER)))
    figure["bounds"] = [
        {"confidence": rung, "lower": pivot if i < turn else -1e9, "upper": 1e9 if i < turn else pivot}
        for i, rung in enumerate(LADDER)
    ]
    figure["family"] = {"name": "f", "size": draw(st.sampled_from([1, 2, 3, 5, 6, 10, 50, 51, 50_000, 50_001]))}


def _unmeasure(draw: Draw, document: Document, _: int) -> None:
    reasons = ["empty_table", "one_class", "few_clusters", "no_champion", "no_rest", "gate_failed", "not_provided"]
    figure = _one(draw, document)
    if figure:
        changed = unmeasured(figure, draw(st.sampled_from(reasons)))
        figure.clear()
        figure.update(changed)


def _drop(draw: Draw, document: Document, _: int) -> None:
    evidence = draw(st.sampled_from(document["evidence"]))
    if evidence["measurements"]:
        del evidence["measurements"][draw(st.integers(0, len(evidence["measurements"]) - 1))]


def _copy(draw: Draw, document: Document, world: int) -> None:
    """An identical copy elsewhere, or a second figure under one identity."""
    figure = copy.deepcopy(_one(draw, document))
    if figure:
        draw(st.sampled_from(document["evidence"]))["measurements"].append(figure)
        if draw(st.booleans()):
            figure["estimate"] = draw(st.sampled_from(numbers(world)))


def _elsewhere(draw: Draw, document: Document, _: int) -> None:
    """The figure stands for another slice, item or subject."""
    figure = _one(draw, document)
    names = st.sampled_from(["UA", "OO", "é", "é", "../x", "\U0001f6e9", "", "ＵＡ", "a b"]).filter(bool)
    slices = [WHOLE, {"kind": "rest"}, value_of("carrier", draw(names)), value_of("origin", draw(names))]
    if figure:
        figure["slice"] = draw(st.sampled_from(slices))
        figure["subject"] = draw(st.sampled_from([figure["subject"], "data", "pair", "candidate"]))


def _predictions(draw: Draw, document: Document, _: int) -> None:
    _one(draw, document)["predictions"] = draw(st.sampled_from(["supplied", "scored"]))
    draw(st.sampled_from(document["evidence"]))["isolation"] = draw(st.sampled_from(["none", "process", "namespace"]))


def _times(draw: Draw, document: Document, _: int) -> None:
    moments = [NOW, NOW - 1, NOW + 1, NOW - 30 * DAY, NOW - 30 * DAY - 1, 0, 2**53 - 1, NOW - 7 * DAY, NOW - DAY]
    time = draw(st.sampled_from(moments))
    evidence = draw(st.sampled_from(document["evidence"]))
    place: tuple[Document, str] = draw(
        st.sampled_from(
            [
                (document["request"], "effective_time_us"),
                (document["bundle"], "created_us"),
                (evidence, "started_us"),
                (evidence, "finished_us"),
                *((item["statement"], key) for item in document["approvals"] for key in ("time_us", "expires_us")),
                *(
                    [(document["ledger"]["rung_below"], "time_us")]
                    if "rung_below" in document.get("ledger", {})
                    else []
                ),
            ]
        )
    )
    place[0][place[1]] = time


def _digests(draw: Draw, document: Document, _: int) -> None:
    evidence = draw(st.sampled_from(document["evidence"]))
    holders: list[tuple[Document, str]] = [
        (document["bundle"], "plan_digest"),
        (document["bundle"], "candidate_digest"),
        (document["plan"], "digest"),
        (document["policy"], "digest"),
        (document["policy"], "trust_digest"),
        (evidence, "subject_digest"),
        (evidence, "champion_digest"),
        (evidence, "plan_digest"),
        *((document["request"][side], "digest") for side in ("candidate", "champion") if side in document["request"]),
        *((item["statement"], "bundle_digest") for item in document["approvals"]),
        *((document["ledger"], key) for key in ("policy_digest", "release_digest") if "ledger" in document),
    ]
    place = draw(st.sampled_from(holders))
    place[0][place[1]] = name_of(draw(st.sampled_from(["policy", "plan", "candidate", "champion", "other"])))


def _ledger(draw: Draw, document: Document, _: int) -> None:
    ledger = document.get("ledger")
    if ledger is None:
        return
    if draw(st.booleans()):
        ledger["looks"] = draw(st.sampled_from([1, 2, 3, 4, 7, 8, 10, 22, 23, 71, 224, 225, 10**6]))
        return
    word = draw(
        st.sampled_from(["release", "release_digest", "rung_below", "policy_digest", "trust_digest", "adopted"])
    )
    if word == "adopted":
        ledger.update(adopted=False, known_releases=[])
    else:
        ledger.pop(word, None)


def _request(draw: Draw, document: Document, _: int) -> None:
    request = document["request"]
    words = ["environment", "percent", "champion", "actor", "actor_key_id", "triggered_by", "model", "aliases"]
    word = draw(st.sampled_from(words))
    if word == "environment":
        request["environment"] = draw(st.sampled_from([*ENVIRONMENTS, "moon"]))
    elif word == "percent":
        request["percent"] = draw(st.integers(1, 100))
    elif word == "champion":
        request.pop("champion", None)
    elif word == "actor":
        request["actor"] = draw(st.sampled_from(["mira", "mira@acme", "rolf", MODEL, "ﬁ"]))
    elif word == "actor_key_id":
        request["actor_key_id"] = key_of(draw(st.sampled_from(["mira", "rolf", "measurer"])))
    elif word == "triggered_by":
        request["triggered_by"] = draw(st.lists(st.sampled_from(["mira", "mira@acme", "rolf", "octo"]), max_size=2))
    elif word == "model":
        request["model"] = draw(st.sampled_from([MODEL, "another", "../models"]))
    else:
        document["registry"]["aliases"] = draw(
            st.sampled_from([[], [{"alias": "deployed-production", "version": "9"}]])
        )


def _keys(draw: Draw, document: Document, _: int) -> None:
    keys = draw(st.lists(st.sampled_from([key_of("measurer"), key_of("mira"), key_of("rolf"), "0" * 64]), max_size=3))
    place = draw(st.sampled_from([document["bundle"], *document["evidence"], *document["approvals"]]))
    place["key_ids"] = keys


def _approvals(draw: Draw, document: Document, _: int) -> None:
    held = document["approvals"]
    if held and draw(st.booleans()):
        del held[draw(st.integers(0, len(held) - 1))]
    elif held:
        held.append(copy.deepcopy(draw(st.sampled_from(held))))
        held[-1]["statement"]["role"] = draw(st.sampled_from(["ml-owner", "risk"]))


def _plan_body(draw: Draw, document: Document, _: int) -> None:
    body = document["plan"]["body"]
    word = draw(st.sampled_from(["requirements", "features", "task", "independent_rows", "tables", "slices"]))
    if word == "requirements":
        keep = draw(st.integers(0, len(body["requirements"])))
        body["requirements"] = body["requirements"][:keep]
    elif word == "features":
        body["columns"]["features"] = draw(st.sampled_from([[], ["wind"], ["wind", "temperature", "gone"]]))
    elif word == "task":
        body["task"] = draw(st.sampled_from(["binary", "multiclass", "numeric"]))
    elif word == "independent_rows":
        body["independent_rows"] = True
    elif word == "tables":
        body["tables"] = body["tables"][: draw(st.integers(0, len(body["tables"])))]
    else:
        body["parameters"]["slices"] = draw(st.sampled_from([[], ["carrier"], ["carrier", "origin", "month"]]))


CHANGES = (
    _near_limit,
    _near_limit,
    _widening,
    _any_bounds,
    _unmeasure,
    _drop,
    _copy,
    _elsewhere,
    _predictions,
    _times,
    _digests,
    _ledger,
    _request,
    _keys,
    _approvals,
    _plan_body,
)


@st.composite
def generated(draw: Draw) -> tuple[int, Document]:
    """A world, and a golden input of it after up to five changes; always one that the product could write."""
    world = draw(st.integers(0, len(worlds()) - 1))
    document = copy.deepcopy(_golden(world, draw(st.sampled_from(ENVIRONMENTS))))
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=5)):
        change(draw, document, world)
    # A figure that was changed into none of the record's is no input; what is left is as a record writes it.
    try:
        return world, DecisionInput.model_validate(document).document()
    except ValueError:
        return world, copy.deepcopy(_golden(world, "production"))
