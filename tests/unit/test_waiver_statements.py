"""Waivers in the store: what was signed is what is read, and an approval approves one thing only."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gates.bundle.canonical import digest_bytes
from gates.bundle.keys import generate
from gates.bundle.store import Store
from gates.bundle.waivers import REPORTED_US, load_waiver, load_waivers, put_waiver, put_waiver_approval
from gates.errors import EvidenceError
from gates.records import ModelVersion, Slice
from gates.records.waiver import Accepted, Level, Waiver, WaiverApproval

VERSION = ModelVersion(name="m", version="7", digest=digest_bytes(b"model"))
LEVEL = Level(limit=0.03, ceiling=0.04)
DAY = 86_400_000_000
ONE = Accepted(check="calibration.ece", accepts=LEVEL)


def waiver(**changes: object) -> Waiver:
    said = {
        "kind": "waiver",
        "model": "m",
        "environment": "staging",
        "candidate": VERSION,
        "bundle_digest": digest_bytes(b"bundle"),
        "accepted": (ONE,),
        "reason": "r",
        "ticket": "T-1",
        "time_us": DAY,
        "from_us": DAY,
        "until_us": 2 * DAY,
    }
    return Waiver.model_validate({key: value for key, value in {**said, **changes}.items() if value is not None})


def approval(digest: str) -> WaiverApproval:
    return WaiverApproval(waiver_digest=digest, model="m", environment="staging", time_us=DAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"until_us": DAY},
        {"accepted": ()},
        {"accepted": (ONE, ONE)},
        {"accepted": (ONE, Accepted(check="calibration.ece", slice=Slice(kind="rest"), accepts=LEVEL))},
        {"candidate": None},
        {"kind": "baseline"},
        {"reason": "two\nlines"},
        {"ticket": ""},
    ],
)
def test_what_is_no_waiver(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        waiver(**changes)


def test_approvals_belong_to_one_waiver(tmp_path: Path) -> None:
    store, signer = Store(tmp_path / "store"), generate(tmp_path / "key", "ada")
    first = put_waiver(store, signer, waiver())
    second = put_waiver(store, signer, waiver(ticket="T-2"))
    yes = put_waiver_approval(store, signer, approval(first))
    assert [item.digest for item in load_waiver(store, first).approvals] == [yes]
    assert load_waiver(store, second).approvals == ()
    assert load_waiver(store, first, []).approvals == ()
    store.link("waiver-approval", second, yes)
    with pytest.raises(EvidenceError, match="another waiver"):
        load_waiver(store, second)


def test_a_decision_sees_its_version_its_environment_and_what_ended_lately(tmp_path: Path) -> None:
    store, signer = Store(tmp_path / "store"), generate(tmp_path / "key", "ada")
    ours = put_waiver(store, signer, waiver())
    base = put_waiver(store, signer, waiver(kind="baseline", candidate=None))
    put_waiver(store, signer, waiver(environment="production"))
    put_waiver(store, signer, waiver(kind="baseline", candidate=None, model="n"))
    put_waiver(store, signer, waiver(candidate=VERSION.model_copy(update={"digest": digest_bytes(b"other")})))
    for at_us in (0, 2 * DAY + REPORTED_US - 1):
        seen = load_waivers(store, VERSION, "staging", at_us=at_us)
        assert [item.digest for item in seen] == sorted([ours, base])
    assert load_waivers(store, VERSION, "staging", at_us=2 * DAY + REPORTED_US) == ()


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    store, signer = Store(tmp_path / "store"), generate(tmp_path / "key", "ada")
    digest = put_waiver(store, signer, waiver())
    raw = store.get(digest)
    forged = store.put(raw.replace(b'"keyid":"', b'"keyid":"0', 1))
    with pytest.raises(EvidenceError):
        load_waiver(store, forged)
