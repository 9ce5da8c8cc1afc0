"""Whether a thing named by its digest is still there and still itself, and what a server answers to a golden request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from simulators.answering import Request, answering

from gates.bundle.canonical import digest_bytes
from gates.flow.readiness import _answers
from gates.inputs.resolving import resolve
from gates.plan.spec_rollback import GoldenSpec
from gates.records import ModelVersion

MANIFEST = b'{"layers": []}'
DIGEST = digest_bytes(MANIFEST)
VERSION = ModelVersion(name="m", version="3", digest=DIGEST)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    def answer(asked: Request) -> tuple[int, bytes]:
        if asked.method == "GET":
            return 200 if asked.path == f"/v2/app/manifests/{DIGEST}" else 404, MANIFEST
        predictions = [row * 2 for row in json.loads(asked.body)["inputs"]]
        return 200 if asked.path == "/3/invocations" else 503, json.dumps({"predictions": predictions}).encode()

    with answering(answer) as address:
        yield address


def test_a_file_is_there_gone_or_another(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(MANIFEST)
    assert resolve("manifest", DIGEST, base=tmp_path).state == "there"
    assert resolve("manifest", digest_bytes(b""), base=tmp_path).state == "changed"
    assert resolve("no/manifest", DIGEST, base=tmp_path).state == "gone"
    assert resolve(".", base=tmp_path).state == "there"


def test_an_image_in_a_registry_is_there_gone_or_another(server: str, tmp_path: Path) -> None:
    place = f"{server}/v2/app/manifests/{DIGEST}"
    assert resolve(place, DIGEST, base=tmp_path).state == "there"
    assert resolve(place, digest_bytes(b""), base=tmp_path).state == "changed"
    assert "404" in resolve(place + "0", DIGEST, base=tmp_path).why
    assert resolve("http://127.0.0.1:1/v2", DIGEST, base=tmp_path).state == "gone"


def test_a_server_answers_a_golden_request(server: str, tmp_path: Path) -> None:
    project: Any = SimpleNamespace(spec=SimpleNamespace(path=lambda text: tmp_path / text))
    (tmp_path / "request.json").write_text('{"inputs": [1, 2]}')
    (tmp_path / "answer-3.json").write_text('{"predictions": [2, 4]}')
    url = f"{server}/{{version}}/invocations"
    asked = GoldenSpec(url=url, request="request.json", answer="answer-{version}.json")
    assert _answers(project, asked, VERSION) == ""
    (tmp_path / "answer-3.json").write_text('{"predictions": [2, 5]}')
    assert "another" in _answers(project, asked, VERSION)
    assert _answers(project, GoldenSpec(url=url, request="request.json"), VERSION) == ""
    with pytest.raises(OSError, match="503"):
        _answers(project, asked, VERSION.model_copy(update={"version": "4"}))
    with pytest.raises(ValueError, match="either rows"):
        GoldenSpec(url=url, request="request.json", rows="x.parquet")
