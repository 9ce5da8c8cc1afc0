"""A decision input in which everything is good, as plain JSON, for the tests of policies and engines to spoil."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gates.bundle.canonical import digest_bytes
from gates.bundle.keys import generate
from gates.bundle.trust import Trust, TrustedKey
from gates.decide.policies import PolicySet
from gates.records import LADDER, DecisionInput

Document = dict[str, Any]

MODEL = "flights-delay"
NOW = 1_790_000_000_000_000
DAY = 86_400_000_000
FEATURES = ("temperature", "wind")
VALUES = {"carrier": ("UA", "OO"), "origin": ("JFK",)}
ENVIRONMENTS = ("development", "staging", "production")
WHOLE = {"kind": "whole"}
PEOPLE = {
    "measurer": ("measure",),
    "mira": ("approve:ml-owner",),
    "rolf": ("approve:risk",),
    "olga": ("apply",),
    "watch": ("monitor",),
    "pia": ("policy",),
}


def name_of(text: str) -> str:
    return digest_bytes(text.encode())


CANDIDATE = {"name": MODEL, "version": "7", "digest": name_of("candidate")}
CHAMPION = {"name": MODEL, "version": "3", "digest": name_of("champion")}


@functools.cache
def trust() -> Trust:
    with TemporaryDirectory() as folder:
        keys = {person: generate(Path(folder) / person, f"{person}@acme").public for person in PEOPLE}
    return Trust(
        keys=tuple(
            TrustedKey(key_id=key.key_id, pem=key.pem, identity=key.identity, person=person, roles=PEOPLE[person])
            for person, key in keys.items()
        )
    )


def key_of(person: str) -> str:
    return next(key.key_id for key in trust().keys if key.person == person)


@functools.cache
def policy_set() -> PolicySet:
    """The shipped policies with the model's facts and the test's keys."""
    with TemporaryDirectory() as folder:
        facts = Path(folder) / "models" / MODEL / "data.yaml"
        facts.parent.mkdir(parents=True)
        facts.write_text("tier: high\ncluster: day\nslices: [carrier, origin]\n", encoding="utf-8")
        return PolicySet.load(Path(folder), trust())


def with_facts(text: str, *, overrides: dict[str, str] | None = None) -> PolicySet:
    """A policy set whose owners wrote other facts about the model, or overrides."""
    with TemporaryDirectory() as folder:
        files = {f"models/{MODEL}/data.yaml": text}
        files |= {f"overrides/{name}/data.yaml": content for name, content in (overrides or {}).items()}
        for path, content in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(content, encoding="utf-8")
        return PolicySet.load(Path(folder), trust())


def bounds(lower: float | str, upper: float | str) -> list[Document]:
    return [{"confidence": rung, "lower": lower, "upper": upper} for rung in LADDER]


def figure(check: str, subject: str, estimate: float, lower: float | str, upper: float | str, **rest: Any) -> Document:
    """A measured figure; its family is of four claims unless said."""
    return {
        "check": check,
        "subject": subject,
        "slice": WHOLE,
        "share_ppm": 1_000_000,
        "status": "measured",
        "estimate": estimate,
        "bounds": bounds(lower, upper),
        "scope": "sample",
        "family": {"name": check, "size": 4},
        "n": 20_000,
        "unit": "ratio",
        "method": "test",
        "params": [],
        **rest,
    }


def counted(figures: list[Document]) -> list[Document]:
    """The figures, each with the number of the items that its check has on its slice, as a gate's run says it."""
    items: dict[str, set[str]] = {}
    for one in figures:
        items.setdefault(_claim(one), set()).add(str(one.get("item")))
    return [one if items[_claim(one)] == {"None"} else {**one, "items": len(items[_claim(one)])} for one in figures]


def _claim(one: Document) -> str:
    return str([one[word] for word in ("check", "subject", "slice")])


def unmeasured(measurement: Document, reason: str) -> Document:
    kept = {key: value for key, value in measurement.items() if key not in {"estimate", "bounds", "debiased"}}
    return {**kept, "status": "unmeasured", "reason": reason}


def _census(check: str, value: float, **rest: Any) -> Document:
    return figure(check, "data", value, value, value, scope="census", **rest)


def _item(kind: str, name: str) -> Document:
    return {"kind": kind, "name": name}


def data_figures() -> list[Document]:
    by_feature = [
        _census(check, 0, item=_item("feature", feature))
        for check in ("data.null_rate_difference", "data.out_of_range")
        for feature in FEATURES
    ]
    table = _item("table", "holdout")
    counts = {"data.schema": 0, "data.rows": 20_000, "data.duplicate_keys": 0, "data.staleness": 60}
    seen = _census("data.holdout_overlap", 0, item=_item("table", "training"))
    return [*by_feature, *(_census(c, v, item=table) for c, v in counts.items()), seen, _census("data.label_nulls", 0)]


def parity_figures() -> list[Document]:
    return [
        *(_census("parity.mismatch", 0, item=_item("feature", feature)) for feature in FEATURES),
        *(_census("parity.missing", 0, item=_item("table", side)) for side in ("offline", "online")),
        _census("parity.pairs", 20_000),
        _census("parity.one_table", 0),
    ]


def _slices() -> Iterator[Document]:
    """A figure's slice and its share of the rows; the values of a column share them equally."""
    yield {"slice": WHOLE, "share_ppm": 1_000_000}
    for column, values in VALUES.items():
        for value in values:
            yield {"slice": value_of(column, value), "share_ppm": 1_000_000 // len(values)}


def calibration_figures() -> list[Document]:
    scored = {"predictions": "scored", "clusters": 365}
    level = _item("level", "0.9")
    found = []
    for where in _slices():
        found += [
            figure("calibration.ece", "candidate", 0.005, 0, 0.01, debiased=0.003, **where, **scored),
            figure("calibration.under_coverage", "candidate", 0, -0.01, 0.01, **where, item=level, **scored),
            figure("calibration.over_coverage", "candidate", 0, -0.01, 0.01, **where, item=level, **scored),
        ]
    bins = [
        figure("calibration.bin", "candidate", 0, -0.01, 0.01, item=_item("bin", name), **scored)
        for name in ("1", "2", "decision")
    ]
    return found + bins


def regression_figures() -> list[Document]:
    scored = {"predictions": "scored", "clusters": 365}
    found = []
    for where in _slices():
        found += [
            figure("regression.auc_vs_champion", "pair", 0.01, 0.005, 0.015, **where, **scored),
            figure("regression.log_loss_vs_champion", "pair", 0.98, 0.97, 0.99, **where, **scored),
            figure("regression.brier_vs_champion", "pair", 0.98, 0.97, 0.99, **where, **scored),
            figure("regression.brier_vs_baseline", "pair", 0.8, 0.7, 0.9, **where, **scored),
        ]
    return [
        *found,
        figure("regression.auc_vs_anchor", "pair", 0.01, 0.005, 0.015, **scored),
        figure("regression.log_loss_vs_anchor", "pair", 0.98, 0.97, 0.99, **scored),
        figure("regression.brier_vs_anchor", "pair", 0.98, 0.97, 0.99, **scored),
    ]


GATES = {
    "data": data_figures,
    "parity": parity_figures,
    "calibration": calibration_figures,
    "regression": regression_figures,
}


def plan_request(**changes: Any) -> Document:
    return {
        "model": MODEL,
        "task": "binary",
        "environments": list(ENVIRONMENTS),
        "built_in": False,
        "has_champion": True,
        "has_sets": True,
        "roles": ["holdout", "offline", "online", "training"],
        "columns": ["features", "key", "label"],
        "documents": [],
        "slices": [],
        "cluster": "day",
        "extra": [],
        **changes,
    }


def plan_of(answer: Document, **changes: Any) -> Document:
    """The plan document that an answer of the `plan` entry point makes."""
    return {
        "schema_version": "v1",
        "model": MODEL,
        "task": "binary",
        "environments": list(ENVIRONMENTS),
        "independent_rows": False,
        "tables": [{"role": role, "uri": f"{role}.parquet"} for role in ("holdout", "offline", "online", "training")],
        "columns": {"label": "late", "key": ["flight_id"], "set_columns": [], "features": list(FEATURES)},
        "policy_digest": name_of("policy"),
        "spec_digest": name_of("spec"),
        "built_in": False,
        **answer,
        **changes,
    }


METADATA = {
    "training_snapshot": name_of("training"),
    "validation_snapshot": name_of("validation"),
    "query_digest": name_of("query"),
    "as_of_us": NOW - 2 * DAY,
    "feature_definitions": name_of("features"),
    "label_definition": "arrived more than 15 minutes late",
    "parameters": name_of("parameters"),
    "environment": name_of("environment"),
    "code_revision": "0123456789",
    "tags": [{"name": "owner", "value": "delays"}],
    "changelog": {"what": "more trees", "why": "drift", "impact": "fewer misses"},
    "vulnerability_scan": name_of("scan"),
    "authors": ["tina@acme"],
    "since_revision": "abcdef0123",
}
SERVING = {
    "target": "serving/production.json",
    "configuration": {
        "digest": name_of("configuration"),
        "minimum_replicas": 2,
        "size": "small",
        "capture_percent": 100,
        "variables": [{"name": "LEVEL", "kind": "plain"}],
    },
}

READY = {
    "release_digest": name_of("release"),
    "parts": [
        {"part": part, "state": "there"} for part in ("artifact", "image", "feature_views", "data_snapshot", "golden")
    ],
    "kept_s": 86_400,
}


def _evidence(gate: str) -> Document:
    isolated = gate in {"calibration", "regression"}
    return {
        "digest": name_of(f"evidence {gate}"),
        "gate": gate,
        "subject_digest": CANDIDATE["digest"],
        "champion_digest": CHAMPION["digest"],
        "plan_digest": name_of("plan"),
        "key_ids": [key_of("measurer")],
        "tables": [{"role": "holdout", "uri": "holdout.parquet", "digest": name_of("holdout"), "rows": 20_000}],
        "code": {"distribution": "model-gates", "version": "0.1.0"},
        "isolation": "namespace" if isolated else "none",
        "started_us": NOW - DAY - 60_000_000,
        "finished_us": NOW - DAY,
        "measurements": counted(GATES[gate]()),
    }


def approval(person: str, role: str, environment: str, policies: PolicySet, **changes: Any) -> Document:
    statement = {
        "schema_version": "v1",
        "model": MODEL,
        "environment": environment,
        "action": "promote",
        "role": role,
        "candidate_digest": CANDIDATE["digest"],
        "bundle_digest": name_of("bundle"),
        "plan_digest": name_of("plan"),
        "policy_digest": policies.digest,
        "current_release_digest": name_of("release"),
        "time_us": NOW - 60_000_000,
        "expires_us": NOW + DAY,
        **changes,
    }
    return {"digest": name_of(f"{person} {role} {environment}"), "key_ids": [key_of(person)], "statement": statement}


def _ledger(environment: str, policies: PolicySet) -> Document:
    below = {"environment": "staging", "candidate_digest": CANDIDATE["digest"], "time_us": NOW - 60_000_000}
    return {
        "head": name_of("head"),
        "sequence": 12,
        "policy_digest": policies.digest,
        "trust_digest": policies.trust_digest,
        "release": {
            "schema_version": "v1",
            "model": MODEL,
            "environment": environment,
            "routes": [{"version": CHAMPION, "percent": 100}],
            "approved": CHAMPION,
            "feature_views": [],
            "flags": [],
        },
        "release_digest": name_of("release"),
        "adopted": True,
        **({"rung_below": below} if environment == "production" else {}),
        "known_releases": [
            {
                "digest": name_of("release"),
                "state": "done",
                "candidate_digest": CHAMPION["digest"],
                "time_us": NOW - 30 * DAY,
            }
        ],
        "sealed": True,
        "looks": 1,
        "attempts": 1,
        "candidates_judged": 1,
        "expected_aliases": [{"alias": f"deployed-{environment}", "version": "3"}],
    }


def golden(environment: str, plan: Document, policies: PolicySet | None = None) -> Document:
    """A good candidate's decision input. plan: the answer of the `plan` entry point, or a whole plan document."""
    policies = policies or policy_set()
    approvals = [("mira", "ml-owner"), ("rolf", "risk")] if environment == "production" else []
    document = {
        "schema_version": "v1",
        "request": {
            "environment": environment,
            "action": "promote",
            "model": MODEL,
            "candidate": CANDIDATE,
            "champion": CHAMPION,
            "percent": 5,
            "actor": "applier@acme",
            "triggered_by": ["octo"],
            "effective_time_us": NOW,
        },
        "policy": {"digest": policies.digest, "trust_digest": policies.trust_digest},
        "plan": {"digest": name_of("plan"), "body": plan if "model" in plan else plan_of(plan)},
        "bundle": {
            "digest": name_of("bundle"),
            "plan_digest": name_of("plan"),
            "candidate_digest": CANDIDATE["digest"],
            "champion_digest": CHAMPION["digest"],
            "holdout_digest": name_of("holdout"),
            "holdout_sketch_digest": name_of("sketch"),
            "metadata": METADATA,
            "created_us": NOW - DAY + 60_000_000,
            "key_ids": [key_of("measurer")],
        },
        "evidence": [_evidence(gate) for gate in GATES],
        "registry": {"aliases": [{"alias": f"deployed-{environment}", "version": "3"}]},
        "serving": SERVING,
        "approvals": [approval(person, role, environment, policies) for person, role in approvals],
        "waivers": [],
    }
    if environment == "production":
        document["rollback"] = READY
    if environment != "development":
        document["ledger"] = _ledger(environment, policies)
    # A record made of it proves that the document is one that the product could write.
    return copy.deepcopy(DecisionInput.parse(document).document())


def measurements(document: Document) -> Iterator[Document]:
    for evidence in document["evidence"]:
        yield from evidence["measurements"]


def find(document: Document, check: str, where: Document | None = None, item: str | None = None) -> Document:
    """The one measurement of a check, to be changed in place."""
    found = [
        m
        for m in measurements(document)
        if m["check"] == check
        and m["slice"] == (where or WHOLE)
        and (item is None or m.get("item", {})["name"] == item)
    ]
    return found[0]


def value_of(column: str, value: str) -> Document:
    return {"kind": "value", "column": column, "value": value}


def codes(answer: Document, *dispositions: str) -> set[str]:
    """Codes of the results with these dispositions (all that deny, unless said)."""
    wanted = dispositions or ("denies",)
    return {result["code"] for result in answer["results"] if result["disposition"] in wanted}


def waiver(check: str, where: Document, environment: str, *, limit: float, ceiling: float) -> Document:
    """A waiver that the measurer asked for and rolf approved, of a figure of the candidate."""
    digest = name_of(f"waiver {check}")
    about = {"schema_version": "v1", "model": MODEL, "environment": environment, "time_us": NOW - 60_000_000}
    statement = {
        **about,
        "kind": "waiver",
        "candidate": CANDIDATE,
        "bundle_digest": name_of("bundle"),
        "accepted": [
            {"check": check, "slice": where, "accepts": {"limit": limit, "ceiling": ceiling, "inclusive": True}}
        ],
        "reason": "mended in the next version",
        "ticket": "T-1",
        "from_us": NOW - 60_000_000,
        "until_us": NOW + DAY,
    }
    approval_ = {
        "digest": name_of(f"approval of {digest}"),
        "key_ids": [key_of("rolf")],
        "statement": {**about, "waiver_digest": digest},
    }
    return {"digest": digest, "key_ids": [key_of("measurer")], "statement": statement, "approvals": [approval_]}
