"""OPA as a server: by URL with token and TLS, or started for the call and gone after it; believed in nothing."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from simulators.answering import Request, answering
from simulators.policy_world import golden, plan_request, policy_set, with_facts

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.engines.opa_server import OpaServerEngine, started
from gates.decide.evaluate import evaluate
from gates.decide.opa_binary import OpaBinary, find_opa
from gates.errors import EngineError, UsageError
from gates.project import Engines
from gates.records import DecisionInput

Document = dict[str, Any]
TRUTH: Document = {}


@pytest.fixture(scope="module")
def document() -> Document:
    with EmbeddedEngine(policy_set()) as engine:
        made = golden("production", engine.evaluate(PLAN, plan_request()))
        TRUTH.update(engine.evaluate(DECISION, made))
    return made


@pytest.fixture(scope="module")
def opa() -> OpaBinary:
    found = find_opa()
    assert found is not None
    return found


# A server that says what it is told to.


def saying(answer: Callable[[Document], tuple[int, bytes]]) -> AbstractContextManager[str]:
    def answered(asked: Request) -> tuple[int, bytes]:
        assert "strict-builtin-errors=true" in asked.path
        return answer(json.loads(asked.body)["input"])

    return answering(answered)


def _decide(url: str, document: Document, monkeypatch: pytest.MonkeyPatch) -> tuple[Document, Any]:
    monkeypatch.setenv("GATES_OPA_URL", url)
    engines = Engines()
    engines.policies = policy_set()
    return engines.decide(DecisionInput.parse(document))


def test_an_honest_server_is_confirmed(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    with saying(lambda _: (200, json.dumps({"result": TRUTH}).encode())) as url:
        answer, evaluation = _decide(url, document, monkeypatch)
    assert canonical_bytes(answer) == canonical_bytes(TRUTH)
    assert evaluation.engine == "opa"
    assert evaluation.source == url
    assert evaluation.confirmed_by.startswith("embedded (")


@pytest.mark.parametrize(
    "lie",
    [
        lambda truth: {**truth, "allow": not truth["allow"]},
        lambda truth: {**truth, "basis": "provisional"},
        lambda truth: {**truth, "results": truth["results"][:-1]},
        lambda truth: {**truth, "valid_until_us": truth["valid_until_us"] + 1},
        lambda truth: {**truth, "more": True},
        lambda truth: {"allow": True},
    ],
)
def test_a_lying_server_decides_nothing(
    lie: Callable[[Document], Document], document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saying(lambda _: (200, json.dumps({"result": lie(TRUTH)}).encode())) as url, pytest.raises(EngineError) as no:
        _decide(url, document, monkeypatch)
    assert (no.value.code, no.value.exit_code) == ("engine.disagree", 4)


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (200, b"{}", "engine.undefined"),
        (200, b'{"result": null}', "engine.undefined"),
        (200, b"[]", "engine.undefined"),
        (200, b'{"result": {"allow": true, "allow": true}', "engine.unavailable"),
        (200, b"<html>", "engine.unavailable"),
        (500, b'{"code": "internal_error", "message": "eval_type_error"}', "engine.failed"),
        (401, b"{}", "engine.failed"),
    ],
)
def test_a_server_that_does_not_answer_is_no_decision(
    status: int, content: bytes, code: str, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    with saying(lambda _: (status, content)) as url, pytest.raises(EngineError) as no:
        _decide(url, document, monkeypatch)
    assert (no.value.code, no.value.exit_code) == (code, 4)


def test_nobody_there_is_no_decision(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineError) as no:
            _decide(url, document, monkeypatch)
    assert no.value.code == "engine.unavailable"


@pytest.mark.parametrize(
    "url", ["", "opa", "ftp://opa", "http://", "http://opa/v1", "http://me:pw@opa", "http://opa:port", "http://[::1"]
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as no:
        OpaServerEngine(url)
    assert no.value.code == "opa.url"


def test_a_token_travels_by_tls_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as no:
        OpaServerEngine("http://opa.example.com:8181", token="secret")
    assert no.value.code == "opa.token"
    with pytest.raises(UsageError):
        OpaServerEngine("https://opa.example.com", authority=tmp_path / "none.pem")
    for url in ("https://opa.example.com", "http://localhost:1", "http://[::1]:1"):
        OpaServerEngine(url, token="secret").close()


# OPA itself.


def _addresses(pid: int) -> list[str]:
    listening = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [row.split() for row in listening]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


def _children(parent: int) -> set[int]:
    """Processes of OPA that a process started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if line.split()[1].startswith("opa")}


def _gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.opa
def test_opa_started_for_the_call_is_on_loopback_behind_its_token_and_gone_after_it(
    document: Document, opa: OpaBinary
) -> None:
    before = _children(os.getpid())
    with started(policy_set(), opa) as engine:
        [pid] = _children(os.getpid()) - before
        assert {address.split(":")[0] for address in _addresses(pid)} == {"0100007F"}
        assert canonical_bytes(engine.evaluate(DECISION, document)) == canonical_bytes(TRUTH)
        port = int(_addresses(pid)[0].split(":")[1], 16)
        for token in (None, "guess"):
            stranger = OpaServerEngine(f"http://127.0.0.1:{port}", token=token)
            with pytest.raises(EngineError) as no:
                stranger.evaluate(DECISION, document)
            assert no.value.code == "engine.failed"
            stranger.close()
    assert _gone(pid)


@pytest.mark.opa
def test_a_server_with_another_limit_is_found_out(document: Document, opa: OpaBinary) -> None:
    """The same Rego under a limit that the owners did not write: it says yes where we say no."""
    tight = "limits:\n  calibration.ece:\n    high: {limit: 0.0001, inclusive: true}\n"
    ours = with_facts("tier: high\ncluster: day\nslices: [carrier, origin]\n", overrides={"production": tight})
    engines = Engines()
    engines.policies = ours
    with started(policy_set(), opa) as server, pytest.raises(EngineError) as no:
        evaluate(server, DECISION, document, confirming=engines.engine)
    assert no.value.code == "engine.disagree"


@pytest.mark.opa
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel that ends a child with its parent")
def test_no_opa_outlives_a_killed_parent(opa: OpaBinary, tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from gates.decide.engines.opa_server import started\n"
        "from gates.decide.opa_binary import find_opa\n"
        "from gates.decide.policies import PolicySet\n"
        "with started(PolicySet.load(), find_opa()):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "GATES_OPA": str(opa.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        [child] = _children(parent.pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert _gone(child)


@pytest.mark.opa
def test_a_server_at_a_url_by_tls(document: Document, opa: OpaBinary, tmp_path: Path) -> None:
    _certificate(tmp_path)
    policy_set().write_bundle(tmp_path / "policies")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [opa.path, "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error", "--bundle"]
    tls = ["--tls-cert-file", "cert.pem", "--tls-private-key-file", "key.pem", "--skip-version-check", "policies"]
    process = subprocess.Popen([*command, *tls], cwd=tmp_path, stderr=subprocess.DEVNULL)
    url = f"https://127.0.0.1:{port}"
    try:
        known = OpaServerEngine(url, authority=tmp_path / "cert.pem")
        deadline = time.monotonic() + 15
        while not known.healthy() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert canonical_bytes(known.evaluate(DECISION, document)) == canonical_bytes(TRUTH)
        unknown = OpaServerEngine(url)
        with pytest.raises(EngineError, match="CERTIFICATE_VERIFY_FAILED"):
            unknown.evaluate(DECISION, document)
        known.close()
        unknown.close()
    finally:
        process.kill()
        process.wait()


def _certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "opa")])
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour)
    cert = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)


@pytest.mark.opa
def test_a_builtin_that_fails_is_an_error_and_not_a_rule_that_is_silent(opa: OpaBinary, tmp_path: Path) -> None:
    """`deny if` with a failing built-in never fires in OPA by default; strict errors make it no answer at all."""
    import dataclasses

    policies = policy_set()
    rule = b'package gates.main\n\ndecision := {"allow": true} if not late\n\nlate if count(input.schema_version.x) > 0\n\nlate if floor(input.schema_version) > 0\n'
    # OPA types literals; what comes from the input it must find out when it runs.
    broken = dataclasses.replace(policies, files={**policies.files, "main.rego": rule})
    with EmbeddedEngine(policies) as engine:
        document = golden("development", engine.evaluate(PLAN, plan_request()))
    with started(broken, opa) as server, pytest.raises(EngineError, match="floor") as no:
        server.evaluate(DECISION, document)
    assert no.value.code == "engine.failed"


@pytest.mark.opa
def test_policies_that_opa_refuses_do_not_start(opa: OpaBinary) -> None:
    import dataclasses

    policies = policy_set()
    broken = dataclasses.replace(policies, files={**policies.files, "main.rego": b"package gates.main\n\nx := \n"})
    with pytest.raises(EngineError) as no, started(broken, opa):
        pass
    assert no.value.code == "engine.start"
    assert "main.rego" in no.value.message
