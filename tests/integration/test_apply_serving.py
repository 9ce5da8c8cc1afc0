"""The serving file: whole or not at all, and nothing else is taken for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from simulators.apply_world import World
from simulators.entries import release_of

from gates.apply.ledger.shape import release_digest
from gates.apply.serving.file_serving import FileServing
from gates.apply.serving.interface import Serves, ServesNothing, Unreadable
from gates.errors import EngineError
from gates.records import Release
from gates.records.release import Pin


@pytest.fixture
def release(tmp_path: Path) -> Release:
    world = World(tmp_path / "world")
    return release_of("staging", (world.version(1), 95), (world.version(2), 5))


def rich(release: Release) -> Release:
    pins = (
        Pin(name="no", value="yes"),
        Pin(name="1.5", value="1e3"),
        Pin(name="é ☃ : #", value=" - "),
        Pin(name="on", value=True),
        Pin(name="ratio", value=1e-300),
        Pin(name="count", value=2**52),
    )
    return release.model_copy(update={"flags": pins, "feature_views": pins[:1], "decision_threshold": 1.0})


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_what_is_written_is_read_back_whole(tmp_path: Path, release: Release, suffix: str) -> None:
    target = FileServing(tmp_path / "deep" / f"target.{suffix}")
    assert target.read() == ServesNothing()
    for one in (release, rich(release), release):
        assert target.write(one) == one
        assert target.read() == Serves(one, release_digest(one))
    assert [path.name for path in target.path.parent.iterdir()] == [target.path.name]
    target.clear()
    target.clear()
    assert target.read() == ServesNothing()


def test_the_document_names_versions_digests_and_percentages(tmp_path: Path, release: Release) -> None:
    import json

    target = FileServing(tmp_path / "target.json")
    target.write(release)
    document = json.loads(target.path.read_text())
    assert sorted(document) == [
        "approved",
        "environment",
        "model",
        "pins",
        "release_digest",
        "routes",
        "schema_version",
    ]
    assert [(route["version"], route["percent"]) for route in document["routes"]] == [("1", 95), ("2", 5)]
    assert [route["digest"] for route in document["routes"]] == [route.version.digest for route in release.routes]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"routes": {}, "pins": {}}',
        b'{"routes": [], "pins": {"model": "x"}}',
        b'{"routes": [[]], "pins": {}}',
        b'{"a": 1, "a": 2}',
        b'{"routes": NaN, "pins": {}}',
        b"[" * 500,
    ],
)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_anything_else_is_unreadable(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"target.{suffix}"
    path.write_bytes(content)
    assert isinstance(FileServing(path).read(), Unreadable)


def test_a_number_that_has_no_canonical_form_is_unreadable(tmp_path: Path, release: Release) -> None:
    target = FileServing(tmp_path / "target.json")
    target.write(rich(release))
    target.path.write_text(target.path.read_text().replace(str(2**52), str(2**60)))
    assert isinstance(target.read(), Unreadable)


def test_a_yaml_document_makes_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(f"!!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    assert isinstance(FileServing(path).read(), Unreadable)
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_written_is_exit_4(tmp_path: Path, release: Release) -> None:
    (tmp_path / "file").write_text("")
    target = FileServing(tmp_path / "file" / "target.json")
    for call in (lambda: target.write(release), target.read, target.clear, target.pack, lambda: target.keep_pack(b"x")):
        with pytest.raises(EngineError) as caught:
            call()
        assert (caught.value.code, caught.value.exit_code) == ("serving.unavailable", 4)


def test_a_reader_never_sees_a_part(tmp_path: Path, release: Release) -> None:
    """A child writes two releases in turn while this process reads."""
    target, other = FileServing(tmp_path / "target.json"), rich(release)
    target.write(release)
    child = os.fork()
    if child == 0:
        for _ in range(100):
            target.write(other)
            target.write(release)
        os._exit(0)
    seen = set()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        observed = target.read()
        assert isinstance(observed, Serves)
        seen.add(observed.stated)
    assert seen <= {release_digest(release), release_digest(other)}
