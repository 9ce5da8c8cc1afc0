"""A canary on this machine: nginx, two `mlflow models serve`, 5 % of the customers, and back. `make demo-serving` runs it.

Two versions are registered and measured, the newer one is promoted to 5 %, stepped to 25 % and rolled back, by the
commands that a person would type, while customers ask all the time. What each customer was answered by is counted, and
the time from the command to the last answer of the version that leaves.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from proxy import ABSENT, Proxy, configure, find_nginx, free_port
from world import make

CUSTOMERS = 400
ROW = json.dumps({"dataframe_split": {"columns": ["x", "w"], "data": [[0.4, -0.2]]}})
MODEL_SERVER_S = 120
"""How long the two model servers may take to start; each imports MLflow."""


class Demo:
    """Runs commands and says what they answered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # An installed package has its byte code: a command that compiles itself anew measures the compiler.
        strange = ("GATES_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        self.environ = clean | {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_LOGGING_LEVEL": "ERROR",
            # MLflow starts uvicorn by its name.
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "NO_COLOR": "1",
            "CI": "",
            "GATES_LEDGER": f"sqlite:///{folder}/ledger.db",
        }

    def say(self, text: str) -> None:
        print(text, flush=True)

    def run(self, *arguments: str, show: bool = True) -> str:
        """Run `gates ...`, print it, and stop where it fails."""
        if show:
            self.say(f"$ gates {shlex.join(arguments)}")
        command = [sys.executable, "-m", "gates.cli.main", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}\ndemo-serving: gates {arguments[0]} ended with {done.returncode}")
        return done.stdout


class Customers:
    """Ask without a pause, each with a key of his own, and note who answered when."""

    def __init__(self, port: int) -> None:
        self.port, self.stop = port, threading.Event()
        self.answers: list[tuple[float, int, str]] = []
        self.failed: list[str] = []
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Customers:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()

    def _ask(self) -> None:
        customer = 0
        while not self.stop.is_set():
            customer = (customer + 1) % CUSTOMERS
            began = time.monotonic()
            try:
                self.answers.append((began, customer, ask(self.port, customer)))
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failed.append(repr(error))
            time.sleep(0.002)

    def last_of(self, version: str, since: float) -> float:
        """Seconds from a moment to the last request that this version answered."""
        return max((began - since for began, _, answered in self.answers if answered == version), default=0.0)


def ask(port: int, customer: int) -> str:
    """Ask for a prediction; return the version that gave it."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations?customer={customer}", ROW.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        if "predictions" not in json.load(answer):
            raise ValueError("no prediction")
        return str(answer.headers["X-Served-By"]).removeprefix("model_")


def served_by(port: int) -> dict[int, str]:
    """Ask once for every customer."""
    return {customer: ask(port, customer) for customer in range(CUSTOMERS)}


def serve(demo: Demo, stack: ExitStack, number: int, port: int) -> subprocess.Popen[bytes]:
    """Start `mlflow models serve` of a registered version; it is stopped at the end."""
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/approval/{number}"]
    environ = demo.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{demo.folder}/mlflow.db"}
    with (demo.folder / f"model-{number}.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "-p", str(port), "--env-manager", "local"],
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    stack.callback(end, server)
    return server


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop a server and what it started."""
    if server.poll() is None:
        os.killpg(server.pid, 15)
    server.wait(timeout=20)


def wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + MODEL_SERVER_S
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit(f"demo-serving: a model server did not start:\n{log.read_text()[-2000:]}")


def describe(split: dict[int, str], before: dict[int, str] | None = None) -> str:
    counts = Counter(split.values())
    said = ", ".join(f"{counts[version]} by version {version}" for version in sorted(counts))
    if before is None:
        return f"  {CUSTOMERS} customers are answered: {said}"
    stayed = all(split[customer] == "2" for customer, version in before.items() if version == "2")
    kept = "all who had version 2 kept it" if stayed else "SOME WHO HAD VERSION 2 LOST IT"
    return f"  {CUSTOMERS} customers are answered: {said}; {kept}"


def move(demo: Demo, *arguments: str) -> tuple[float, float]:
    """Type a command; return when it was typed, and how long it ran."""
    typed = time.monotonic()
    demo.run(*arguments)
    return typed, time.monotonic() - typed


def canary(demo: Demo, proxy: Proxy, started: float) -> dict[str, float]:
    """The whole way, while customers ask; return the seconds that were measured."""
    by = ("-e", "staging", "--key", "applier.pem")
    before = served_by(proxy.port)
    demo.say(describe(before))
    with urllib.request.urlopen(proxy.status, timeout=10) as answer:  # noqa: S310
        whole = answer.read().decode()
    if set(before.values()) != {"1"}:
        sys.exit("demo-serving: version 1 does not have all of the traffic")
    with Customers(proxy.port) as customers:
        promoted, _ = move(demo, "promote", "--percent", "5", "--reason", "canary", *by)
        five = served_by(proxy.port)
        demo.say(describe(five))
        first = min(began for began, _, version in customers.answers if version == "2") - promoted
        move(demo, "promote", "--percent", "25", "--reason", "next step", *by)
        more = served_by(proxy.port)
        demo.say(describe(more, five))
        typed, ran = move(demo, "rollback", "--to", whole, "--reason", "an alert at night", *by)
        after = served_by(proxy.port)
        demo.say(describe(after))
    last = customers.last_of("2", typed)
    asked, failed = len(customers.answers) + len(customers.failed), len(customers.failed)
    if set(after.values()) != {"1"} or not 0 < Counter(five.values())["2"] < Counter(more.values())["2"]:
        sys.exit("demo-serving: the traffic is not where the commands put it")
    if failed:
        sys.exit(f"demo-serving: {failed} of {asked} requests failed: {customers.failed[0]}")
    demo.say(
        f"\nrollback: all customers on version 1 after {last:.2f} s (target: under 2 s); the command ran {ran:.2f} s\n"
        f"promote to 5 %: the first customer on version 2 after {first:.2f} s\n"
        f"{asked} requests in between, none failed; {time.monotonic() - started:.0f} s in all"
    )
    return {"rollback_routed_s": last, "rollback_command_s": ran, "promote_routed_s": first, "requests": asked}


def main() -> None:
    started = time.monotonic()
    nginx = find_nginx()
    if nginx is None:
        print(f"demo-serving: {ABSENT}", file=sys.stderr)
        sys.exit(2)
    # A short path: that of a socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="gates-canary-"))
    try:
        with ExitStack() as stack:
            demo = Demo(folder)
            ports = [free_port(), free_port()]
            proxy = configure(nginx, folder / "nginx", ports, "staging")
            demo.say(
                "Two versions of a model are registered, each gets a server (mlflow models serve), nginx is in front"
            )
            servers: list[subprocess.Popen[bytes]] = []
            start = lambda number: servers.append(serve(demo, stack, number, ports[number - 1]))  # noqa: E731
            make(folder, proxy, demo.run, start, demo.environ)
            for number, (server, port) in enumerate(zip(servers, ports, strict=True), start=1):
                wait_for(server, port, folder / f"model-{number}.log")
            stack.enter_context(proxy.running())
            demo.run("adopt", "models:/approval/1", "-e", "staging", "--reason", "it serves", "--key", "applier.pem")
            demo.run("check", "-e", "staging", "--key", "measurer.pem")
            demo.say(f"  after {time.monotonic() - started:.0f} s all of it runs, and version 1 serves")
            figures = canary(demo, proxy, started)
            if out := os.environ.get("DEMO_SERVING_JSON"):
                with Path(out).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(figures) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
