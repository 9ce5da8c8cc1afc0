"""A real nginx copies each request to a shadow: both answers are stored under one request id, the user's is as without it."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import World
from simulators.entries import release_of

from gates.apply.serving.interface import Followed, ServesNothing
from gates.apply.serving.nginx import NginxServing, NginxWords
from gates.apply.serving.nginx_shadow import NginxShadow
from gates.errors import EngineError, EvidenceError, Refused

_PATH = Path(__file__).parents[2] / "examples" / "canary" / "proxy.py"
_SPEC = importlib.util.spec_from_file_location("canary_proxy", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
proxy = importlib.util.module_from_spec(_SPEC)
sys.modules["canary_proxy"] = proxy
_SPEC.loader.exec_module(proxy)

NGINX = proxy.find_nginx()
pytestmark = pytest.mark.skipif(NGINX is None and not os.environ.get("GATES_REQUIRE_ALL"), reason=proxy.ABSENT)


class Model(BaseHTTPRequestHandler):
    """Answers with its number and what it was asked; a `late` one after that many seconds."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        time.sleep(self.server.late)  # type: ignore[attr-defined]
        answer = json.dumps({"model": self.server.number, "asked": asked}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@dataclass
class Place:
    proxy: Any
    target: NginxServing
    shadow: NginxShadow
    models: list[ThreadingHTTPServer]
    world: World

    def ask(self, text: str, connection: http.client.HTTPConnection | None = None) -> tuple[int, str, str]:
        """Status, body and request id of one request."""
        client = connection or http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=10)
        client.request("POST", "/invocations?customer=7", body=text.encode())
        answer = client.getresponse()
        found = answer.status, answer.read().decode(), answer.headers["X-Request-ID"]
        if connection is None:
            client.close()
        return found

    def stored(self, request: str, most_s: float = 5) -> dict[str, str]:
        """What is stored under a request id, by kind and upstream, once there are two or the time is up."""
        until = time.monotonic() + most_s
        while True:
            found = {path.name.partition(".")[2]: path.read_text() for path in self.proxy.log.glob(f"{request}.*")}
            if len(found) > 1 or time.monotonic() > until:
                return found
            time.sleep(0.02)

    def until_shadowed(self) -> None:
        """A reload returns before the new workers answer."""
        for _ in range(100):
            if len(self.stored(self.ask("?")[2], 0.1)) == 2:
                return
        pytest.fail("nothing is copied")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="shadow-"))  # short: a socket's path has at most 107 bytes
    models = [ThreadingHTTPServer(("127.0.0.1", 0), Model) for _ in range(2)]
    for number, server in enumerate(models, start=1):
        server.number, server.late, server.daemon_threads = number, 0.0, True  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    found = proxy.configure(NGINX, folder, [server.server_port for server in models])
    run = found.command
    words = NginxWords("$arg_customer", "model_{version}", f"{run} -t", f"{run} -s reload", found.status)
    world = World(folder / "world")
    assert NginxServing(found.split, words).read() == ServesNothing()
    one = release_of("production", (world.version(1), 100))
    NginxServing(found.split, NginxWords(words.key, words.upstream, "true", "true")).write(one)
    with found.running():
        yield Place(found, NginxServing(found.split, words), NginxShadow(found.shadow, words), models, world)
    for server in models:
        server.shutdown()
        server.server_close()
    shutil.rmtree(folder)


def served(text: str) -> str:
    return json.dumps({"model": 1, "asked": text})


def test_both_answers_are_stored_under_one_request_id_and_the_user_sees_one(place: Place) -> None:
    assert place.target.traffic() == Followed()
    status, body, request = place.ask('{"x": 1}')
    assert (status, body) == (200, served('{"x": 1}'))
    assert place.stored(request, 0.3) == {"served.model_1": body}
    place.shadow.write(place.world.version(2))
    assert place.shadow.read() == place.world.version(2)
    place.until_shadowed()
    answers = [place.ask(f"é {number}") for number in range(20)]
    assert len({request for _, _, request in answers}) == 20
    for number, (status, body, request) in enumerate(answers):
        assert (status, body) == (200, served(f"é {number}"))
        assert place.stored(request) == {
            "served.model_1": body,
            "shadow.model_2": json.dumps({"model": 2, "asked": f"é {number}"}),
        }
    place.shadow.write(None)
    assert place.shadow.read() is None
    for _ in range(100):
        if len(place.stored(place.ask("?")[2], 0.1)) == 1:
            return
    pytest.fail("the shadow goes on")


def test_a_late_shadow_holds_nobody_up_and_its_answer_is_stored_all_the_same(place: Place) -> None:
    place.shadow.write(place.world.version(2))
    place.until_shadowed()
    place.models[1].late = 0.6  # type: ignore[attr-defined]
    connection = http.client.HTTPConnection("127.0.0.1", place.proxy.port, timeout=10)
    started = time.monotonic()
    answers = [place.ask(str(number), connection) for number in range(4)]
    assert time.monotonic() - started < 4 * 0.6
    connection.close()
    assert [body for _, body, _ in answers] == [served(str(number)) for number in range(4)]
    assert all(len(place.stored(request)) == 2 for _, _, request in answers)
    place.models[1].late = 0.0  # type: ignore[attr-defined]


def test_with_the_shadow_killed_the_user_sees_no_difference(place: Place) -> None:
    place.shadow.write(place.world.version(2))
    place.until_shadowed()
    before = place.ask("same")[:2]
    place.models[1].shutdown()
    place.models[1].server_close()
    for _ in range(5):
        status, body, request = place.ask("same")
        assert (status, body) == before == (200, served("same"))
        assert place.stored(request, 0.2) == {"served.model_1": body}


def test_what_is_edited_refused_or_no_name_is_found(place: Place) -> None:
    place.shadow.write(None)
    with pytest.raises(Refused) as wrong:
        place.shadow.write(place.world.version(2).model_copy(update={"version": "2;x"}))
    assert wrong.value.code == "nginx.upstream"
    text = place.proxy.shadow.read_text()
    refusing = NginxShadow(place.proxy.shadow, NginxWords("$k", "m_{version}", "false", "true"))
    with pytest.raises(EngineError):
        refusing.write(place.world.version(2))
    assert place.proxy.shadow.read_text() == text
    place.proxy.shadow.write_text(text.replace('""; }', "model_2; }"))
    with pytest.raises(EvidenceError) as edited:
        place.shadow.read()
    assert edited.value.code == "nginx.shadow"
