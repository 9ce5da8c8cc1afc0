"""A real nginx splits the traffic by a stable key between two upstreams, and one command takes it back."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from simulators.apply_world import World
from simulators.entries import release_of

from gates.apply.serving.interface import Followed, Serves, Unreadable
from gates.apply.serving.nginx import NginxServing, NginxWords
from gates.errors import EngineError

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None and not os.environ.get("GATES_REQUIRE_ALL"), reason="nginx is not installed"
)


class Model(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = str(self.server.server_port).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def models() -> Iterator[list[int]]:
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Model) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def nginx(tmp_path: Path, models: list[int]) -> Iterator[tuple[NginxServing, int]]:
    port, split = free_port(), tmp_path / "split.conf"
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"""daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;
events {{}}
http {{
  access_log off;
  upstream model_1 {{ server 127.0.0.1:{models[0]}; }}
  upstream model_2 {{ server 127.0.0.1:{models[1]}; }}
  include {split};
  server {{
    listen 127.0.0.1:{port};
    location = /release {{ return 200 $model_gates_release; }}
    location / {{ proxy_pass http://$model_gates_upstream; }}
  }}
}}
"""
    )
    run = f"{NGINX} -p {tmp_path} -c {config}"
    words = NginxWords(
        "$arg_customer", "model_{version}", f"{run} -t", f"{run} -s reload", f"http://127.0.0.1:{port}/release"
    )
    world = World(tmp_path / "world")
    NginxServing(split, NginxWords(words.key, words.upstream, "true", "true")).write(
        release_of("staging", (world.version(1), 100))
    )
    server = subprocess.Popen(run.split(), stderr=subprocess.DEVNULL)
    try:
        target = NginxServing(split, words)
        wait(target)
        yield target, port
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait(target: NginxServing) -> None:
    for _ in range(200):
        try:
            if target.traffic() == Followed():
                return
        except EngineError:
            pass
        time.sleep(0.05)
    pytest.fail("nginx does not follow")


def answers(port: int, customers: range) -> list[str]:
    return [urllib.request.urlopen(f"http://127.0.0.1:{port}/?customer={c}").read().decode() for c in customers]


def test_a_canary_takes_its_share_by_a_stable_key_and_is_taken_back(
    nginx: tuple[NginxServing, int], models: list[int], tmp_path: Path
) -> None:
    target, port = nginx
    world = World(tmp_path / "world")
    split = release_of("staging", (world.version(1), 75), (world.version(2), 25))
    target.write(split)
    wait(target)
    first, again = answers(port, range(400)), answers(port, range(400))
    assert first == again
    share = Counter(first)[str(models[1])] / 400
    assert abs(share - 0.25) < 3 * (0.25 * 0.75 / 400) ** 0.5
    sole = release_of("staging", (world.version(1), 100))
    target.write(sole)
    wait(target)
    assert set(answers(port, range(20))) == {str(models[0])}
    observed = target.read()
    assert isinstance(observed, Serves)
    assert observed.release == sole


def test_what_nginx_refuses_or_a_hand_edits_is_not_left_or_found(
    nginx: tuple[NginxServing, int], tmp_path: Path
) -> None:
    target, _ = nginx
    world, before = World(tmp_path / "world"), target.bytes_now()
    refusing = NginxServing(
        target.path, NginxWords("$no_such_variable_", "model_{version}", target.words.test, "false")
    )
    with pytest.raises(EngineError) as caught:
        refusing.write(release_of("staging", (world.version(2), 100)))
    assert caught.value.code == "serving.unavailable"
    assert target.bytes_now() == before
    text = target.path.read_text()
    target.path.write_text(text.replace("* model_1", "* model_2"))
    assert isinstance(target.read(), Unreadable)
