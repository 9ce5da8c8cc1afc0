"""The official OPA is believed by its pinned digest alone, whatever the place that it is fetched from says."""

from __future__ import annotations

import hashlib
import runpy
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from simulators.answering import Request, answering

from gates.decide import opa_binary, opa_release
from gates.decide.opa_binary import OPA_VERSION, get_opa
from gates.decide.opa_release import Asset, asset, here, install
from gates.errors import EngineError

PROGRAM = f"#!/bin/sh\necho 'Version: {OPA_VERSION}'\n".encode()
DIGEST = hashlib.sha256(PROGRAM).hexdigest()
_PIN = runpy.run_path(str(Path(__file__).parents[2] / "tools/pin_opa.py"))


def serving(answer: Callable[[str], bytes | None], *, claims: int = 0) -> AbstractContextManager[str]:
    """A place of releases. `claims`: bytes that it announces besides those that it sends."""

    def answered(asked: Request) -> tuple[int, bytes]:
        content = answer(asked.path)
        return (404, b"") if content is None else (200, content)

    return answering(answered, claims=claims)


def _pins(digest: str | None) -> dict[str, Any]:
    return {"version": OPA_VERSION, "assets": {here(): {"name": "opa_here", "sha256": digest}}}


def test_the_pinned_bytes_are_installed_and_run(tmp_path: Path) -> None:
    asked = []
    with serving(lambda path: asked.append(path) or PROGRAM) as place:
        install(asset(here(), pins=_pins(DIGEST), releases=place), tmp_path / "cache" / "opa")
    assert asked == [f"/v{OPA_VERSION}/opa_here"]
    assert opa_binary.version_of(tmp_path / "cache" / "opa") == OPA_VERSION
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["opa"]


@pytest.mark.parametrize(
    ("content", "claims", "said"),
    [
        (PROGRAM + b"\n", 0, "is not the release"),
        (PROGRAM[:-1], 0, "is not the release"),
        (b"", 0, "is not the release"),
        (PROGRAM[:-1], 1, "was cut short"),
        (None, 0, "could not be fetched"),
    ],
    ids=["one byte more", "one byte less", "nothing", "hung up", "not there"],
)
def test_other_bytes_are_nowhere_and_what_was_there_stays(
    tmp_path: Path, content: bytes | None, claims: int, said: str
) -> None:
    target = tmp_path / "opa"
    target.write_bytes(b"before")
    with serving(lambda _: content, claims=claims) as place, pytest.raises(EngineError, match=said) as error:
        install(Asset(f"{place}/opa", DIGEST), target)
    assert error.value.code == "opa.release"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"opa": b"before"}


def test_nothing_can_be_run_before_its_digest_was_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def fetched(url: str, file: Any) -> str:
        file.write(PROGRAM)
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir())
        return "0" * 64

    monkeypatch.setattr(opa_release, "fetch", fetched)
    with pytest.raises(EngineError, match="is not the release"):
        install(Asset("https://example.org/opa", DIGEST), tmp_path / "opa")
    assert modes == [0o600]


def test_nobody_there_and_too_much_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="could not be fetched"):
        install(Asset("http://127.0.0.1:9/opa", DIGEST), tmp_path / "opa")
    monkeypatch.setattr(opa_release, "MOST_BYTES", 10)
    with serving(lambda _: PROGRAM) as place, pytest.raises(EngineError, match="is longer than 10 bytes"):
        install(Asset(f"{place}/opa", DIGEST), tmp_path / "opa")
    assert list(tmp_path.iterdir()) == []


def test_without_a_pinned_digest_nothing_is_fetched() -> None:
    with pytest.raises(EngineError, match="no digest of the release"):
        asset(here(), pins=_pins(None))
    with pytest.raises(EngineError, match="there is no release of OPA"):
        asset("plan9-mips", pins=_pins(DIGEST))


def test_what_is_pinned_is_one_digest_a_platform() -> None:
    assert opa_release.PINS["version"] == OPA_VERSION
    assert set(opa_release.PINS["assets"]) == {f"{s}-{m}" for s in ("darwin", "linux") for m in ("amd64", "arm64")}
    for found in opa_release.PINS["assets"].values():
        assert found["sha256"] is None or len(bytes.fromhex(found["sha256"])) == 32


@pytest.mark.parametrize(("digest", "built"), [(DIGEST, False), ("0" * 64, True), (None, True)])
def test_the_release_goes_before_building_and_a_false_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str | None, built: bool
) -> None:
    def go_install(module: str, target: Path) -> str:
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(PROGRAM)
        target.chmod(0o755)
        return "the Go of a test"

    monkeypatch.setattr(opa_binary, "find_opa", lambda: None)
    monkeypatch.setattr(opa_binary, "_cached", lambda: tmp_path / "cache" / "opa")
    monkeypatch.setattr(opa_binary, "go_install", go_install)
    with serving(lambda _: PROGRAM) as place:
        monkeypatch.setattr(
            opa_binary.opa_release, "asset", lambda name: asset(name, pins=_pins(digest), releases=place)
        )
        found = get_opa()
    assert found.pinned
    if built:
        assert found.source.startswith("sources built with the Go of a test (the official release: ")
        assert ("is not the release" in found.source) == (digest is not None)
    else:
        assert found.source == "the official release"


def test_where_neither_is_had_both_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> str:
        raise EngineError("no Go", code="go.build")

    monkeypatch.setattr(opa_binary, "find_opa", lambda: None)
    monkeypatch.setattr(opa_binary, "_cached", lambda: tmp_path / "opa")
    monkeypatch.setattr(opa_binary, "go_install", refused)
    monkeypatch.setattr(opa_binary.opa_release, "asset", lambda _: asset(here(), pins=_pins(None)))
    with pytest.raises(EngineError, match=r"no digest of the release .* no Go") as error:
        get_opa()
    assert error.value.code == "opa.unavailable"


def test_a_release_is_pinned_by_what_it_holds_and_says_of_itself() -> None:
    with serving(lambda path: f"{DIGEST}  opa\n".encode() if path.endswith(".sha256") else PROGRAM) as place:
        pins = _PIN["pinned"]("9.9.9", releases=place)
    assert {found["sha256"] for found in pins["assets"].values()} == {DIGEST}
    with (
        serving(lambda path: b"0" * 64 if path.endswith(".sha256") else PROGRAM) as place,
        pytest.raises(EngineError, match="is published"),
    ):
        _PIN["pinned"]("9.9.9", releases=place)
    here_now = Path(opa_release.__file__).with_name("opa_release.json").read_text(encoding="utf-8")
    assert _PIN["written"](opa_release.PINS) == here_now
