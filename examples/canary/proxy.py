"""nginx.conf of this folder on free ports of this machine, started and stopped without root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOTHING = """\
# Written by gates; an edit is found and refused.
map "" $model_gates_release { default "nothing"; }
split_clients "$arg_customer" $model_gates_upstream {
    * model_gates_nothing;
}
"""
"""Before the first release: nginx starts, and answers nobody."""
ABSENT = "nginx is not here. Debian, Ubuntu: apt-get install nginx-light; macOS: brew install nginx"


def find_nginx() -> str | None:
    """Return the program; Debian keeps it where a user's PATH does not look."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Proxy:
    """Where it runs.

    Attributes
    ----------
    command: nginx with its configuration; `-t` and `-s reload` are added to it. split, shadow: the files of gates.
    log: folder of the stored answers.
    """

    folder: Path
    command: str
    port: int
    environment: str

    @property
    def split(self) -> Path:
        return self.folder / f"model-gates-{self.environment}.conf"

    @property
    def shadow(self) -> Path:
        return self.folder / f"model-gates-{self.environment}-shadow.conf"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def status(self) -> str:
        return f"http://127.0.0.1:{self.port}/release"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for a while; both files of gates must be there."""
        server = subprocess.Popen([*self.command.split(), "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(400):
                try:
                    urllib.request.urlopen(self.status, timeout=2).close()  # noqa: S310
                    break
                except OSError:
                    if server.poll() is not None:
                        raise RuntimeError((self.folder / "error.log").read_text()) from None
                    time.sleep(0.05)
            yield
        finally:
            server.terminate()
            server.wait(timeout=20)


def configure(nginx: str, folder: Path, models: Sequence[int], environment: str = "production") -> Proxy:
    """Write the configuration into a folder; a short one, as a socket's path has at most 107 bytes."""
    port = free_port()
    # Started by root, its workers would be nobody, who may not write into this folder.
    user = "user root; " if os.geteuid() == 0 else ""
    text = (HERE / "nginx.conf").read_text(encoding="utf-8")
    for old, new in {
        "127.0.0.1:5001": f"127.0.0.1:{models[0]}",
        "127.0.0.1:5002": f"127.0.0.1:{models[1]}",
        "127.0.0.1:8080": f"127.0.0.1:{port}",
        "/etc/nginx/model-gates-production": f"{folder}/model-gates-{environment}",
        "/var/log/model-gates": f"{folder}/log",
        "/run/model-gates": f"{folder}/gates",
        "http {": f"http {{\n  access_log off;\n{_scratch(folder)}",
        "events {}": f"{user}pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;\nevents {{}}",
    }.items():
        text = text.replace(old, new)
    (folder / "log").mkdir(parents=True)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    found = Proxy(folder, f"{nginx} -p {folder} -c {folder}/nginx.conf", port, environment)
    found.shadow.write_text('map "" $model_gates_shadow { default ""; }\n', encoding="utf-8")
    found.split.write_text(NOTHING, encoding="utf-8")
    return found


def _scratch(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"  {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
