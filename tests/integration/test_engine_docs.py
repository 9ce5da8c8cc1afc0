"""What docs/engines.md shows, done: the policies in a real conftest, and in an OPA that gets them from a bundle server."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from simulators.policy_world import golden, plan_request, policy_set

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.engines.opa_server import OpaServerEngine
from gates.decide.go_install import go_install
from gates.decide.opa_binary import get_opa
from gates.decide.policy_bundle import write_bundle

pytestmark = [pytest.mark.opa, pytest.mark.long]

EXAMPLE = Path(__file__).parents[2] / "examples" / "conftest"
CONFTEST = "github.com/open-policy-agent/conftest@v0.71.1"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with EmbeddedEngine(policy_set()) as engine:
        return golden("production", engine.evaluate(PLAN, plan_request()))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The wrapper's function on a bundle of these policies, with a real conftest (built once, two minutes)."""
    found = os.environ.get("CONFTEST") or shutil.which("conftest")
    if found is None:
        path = platformdirs.user_cache_path("model-gates") / "conftest-0.71.1" / "conftest"
        if not path.is_file():
            go_install(CONFTEST, path)
        found = str(path)
    bundle = tmp_path_factory.mktemp("conftest") / "bundle"
    policy_set().write_bundle(bundle)
    spec = importlib.util.spec_from_file_location("gates_conftest", EXAMPLE / "gates_conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONFTEST", found)
        yield functools.partial(module.decide, str(bundle))


def _write(folder: Path, content: str) -> str:
    path = folder / "input.json"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_conftest_decides_as_we_do(asked: Any, document: dict[str, Any], tmp_path: Path) -> None:
    assert asked(_write(tmp_path, json.dumps(document))) == (0, "allowed")
    unapproved = json.dumps({**document, "approvals": []})
    assert asked(_write(tmp_path, unapproved)) == (1, "denied: approval.missing")


@pytest.mark.parametrize("content", ["[]", "{}", "null", "[{}, {}]", "{", "true", '"allow"', '{"evidence": []}'])
def test_what_is_no_input_is_no_decision(content: str, asked: Any, tmp_path: Path) -> None:
    code, said = asked(_write(tmp_path, content))
    # A document with nothing in it is judged, and denied; one that is none is no decision. Neither is a yes.
    assert code in (1, 4), said


def test_a_wrong_namespace_or_no_rule_is_no_decision(asked: Any, document: dict[str, Any], tmp_path: Path) -> None:
    good = _write(tmp_path, json.dumps(document))
    empty = tmp_path / "none"
    empty.mkdir()
    for code, said in (
        asked(good, namespace="conftest_gate"),
        asked(good, wrapper=str(empty)),
        asked(str(tmp_path / "no.json")),
    ):
        assert code == 4, said


def test_an_opa_with_a_bundle_server_answers_alike(document: dict[str, Any], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    opa, key, other = get_opa(), *(ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    private = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    write_bundle(policy_set(), tmp_path / "out", opa=opa, key=tmp_path / "key.pem")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "out"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            answers = [_served(opa.path, server.server_port, one, tmp_path, document) for one in (key, other)]
        finally:
            server.shutdown()
            thread.join()
    with EmbeddedEngine(policy_set()) as engine:
        assert answers == [canonical_bytes(engine.evaluate(DECISION, document)), None]


def _served(opa: Path, server: int, key: Any, folder: Path, document: dict[str, Any]) -> bytes | None:
    """What an OPA that trusts this key answers; None where it never has the policies."""
    from cryptography.hazmat.primitives import serialization

    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    config = {
        "services": {"policies": {"url": f"http://127.0.0.1:{server}"}},
        "bundles": {"gates": {"service": "policies", "resource": "bundle.tar.gz", "signing": {"keyid": "default"}}},
        "keys": {"default": {"algorithm": "ES256", "key": public.decode()}},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [opa, "run", "--server", "--addr", f"127.0.0.1:{port}", "--config-file", folder / "config.json"]
    process = subprocess.Popen([*command, "--skip-version-check"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    engine = OpaServerEngine(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if engine.healthy() and engine._client.check_health({"bundles": True}):
                return canonical_bytes(engine.evaluate(DECISION, document))
            time.sleep(0.1)
        return None
    finally:
        engine.close()
        process.kill()
        process.wait()
