"""Model code that looks for what it was not given, or does not want to end, gains nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from scorer_models import probabilities, told, write_features, write_model

from gates.inputs import sandbox
from gates.inputs.sandbox import isolation
from gates.inputs.scorer import Asked, ScorerFailed, ScoreRun, score

pytestmark = pytest.mark.namespaces

MARKER = "labels-5c1f0a"
ROWS = 4000


def _namespaces() -> bool:
    return shutil.which("unshare") is not None and (
        subprocess.run(["unshare", "-Urmnp", "-f", "true"], capture_output=True, check=False).returncode == 0
    )


needs_namespaces = pytest.mark.skipif(not _namespaces(), reason="this system gives no user namespaces")


def findings(tmp_path: Path, body: str, timeout_s: float = 60) -> tuple[ScoreRun, dict[str, Any]]:
    """Score with a model whose predict_proba fills a dict `found`, and return the dict."""
    lines = "\n".join(f"        {line}" for line in body.strip().splitlines())
    source = f"""
import ctypes, gc, os, pathlib, socket, subprocess, sys
MARKER = {MARKER[::-1]!r}[::-1]

class Model:
    def predict_proba(self, X):
        found = {{}}
{lines}
        p = tell(found, len(X))
        return np.column_stack([1 - p, p])
"""
    out = tmp_path / "out.parquet"
    run = score(
        write_model(tmp_path / "model", source),
        write_features(tmp_path / "features.parquet", ROWS),
        out,
        asked=Asked("binary"),
        timeout_s=timeout_s,
    )
    return run, json.loads(told(out))


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Labels in a variable of the caller, its environment, beside the features, in /tmp and in the checkout."""
    monkeypatch.setenv("LABELS", MARKER)
    (tmp_path / "labels.csv").write_text(MARKER)
    return {"y": MARKER, "rows": [MARKER] * ROWS}


@needs_namespaces
def test_it_runs_in_namespaces_here(tmp_path: Path) -> None:
    run, _ = findings(tmp_path, "pass")
    assert (run.isolation, run.open_because) == ("namespace", "")


def test_call_stack_and_objects(tmp_path: Path, labels: dict[str, Any]) -> None:
    y = labels["y"]
    _, found = findings(
        tmp_path,
        """
seen, frame = [], sys._getframe()
while frame is not None:
    seen += [f"{name}={value!r}" for name, value in {**frame.f_locals, **frame.f_globals}.items() if name != "seen"]
    frame = frame.f_back
found["stack"] = sum(MARKER in text for text in seen if not text.startswith("MARKER"))
found["arrays"] = sorted({len(each) for each in gc.get_objects() if isinstance(each, np.ndarray) and each.ndim == 1
                          and len(each) == len(X) and each.dtype.kind in "OUSb"})
found["modules"] = [name for name in sys.modules if name.split(".")[0] in {"gates", "mlflow", "pytest"}]
found["argv"] = sys.argv
""",
    )
    assert y == MARKER
    assert (found["stack"], found["arrays"], found["modules"]) == (0, [], [])
    assert found["argv"][:2] == ["/scorer/child.py", "/scorer/model"]


@needs_namespaces
def test_environment_files_and_writes(tmp_path: Path, labels: dict[str, Any]) -> None:
    _, found = findings(
        tmp_path,
        """
found["environment"] = sorted(name for name in os.environ if MARKER in os.environ[name] or name in {"PATH", "LABELS", "USER", "PWD"})
found["initial"] = pathlib.Path("/proc/self/environ").read_bytes().decode()
found["cwd"] = os.listdir(".")
found["root"] = sorted(os.listdir("/"))
found["tmp"] = os.listdir("/tmp")
found["home"] = [name for name in ("/home", "/root/.ssh", "/etc/passwd") if os.path.exists(name)]
hits = []
for top in ("/scorer", "/work", "/tmp", "/dev", "/etc", "/root", "/home", "/var", "/run", "/mnt", "/opt", "/srv"):
    for parent, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in {"site-packages", "lib", "lib64"}]
        for name in files:
            try:
                with open(os.path.join(parent, name), "rb") as file:
                    if parent != "/dev" and MARKER.encode() in file.read(10**7):
                        hits.append(name)
            except OSError:
                pass
found["hits"] = hits
written = []
for name in ("/scorer/model/MLmodel", "/scorer/work/features.parquet", "/scorer/work/new", "/new", "/usr/lib/new", "/scorer/child.py",
             sys.executable, os.path.join(sys.prefix, "lib", "new"), "/etc/ld.so.preload"):
    try:
        open(name, "ab").close()
        written.append(name)
    except OSError:
        pass
found["written"] = written
open("/tmp/mine", "w").write("allowed")
""",
    )
    assert found["environment"] == []
    assert found["initial"] == ""
    assert found["cwd"] == ["features.parquet"]
    assert set(found["root"]) <= {
        *("dev", "etc", "lib", "lib32", "lib64", "proc", "scorer", "tmp", "usr"),
        *(Path(sys.prefix).parts[1], Path(sys.base_prefix).parts[1]),
    }
    interpreters = [Path(prefix) for prefix in (sys.prefix, sys.base_prefix)]
    assert set(found["tmp"]) <= {path.parts[2] for path in interpreters if path.parts[1] == "tmp"}
    assert (found["hits"], found["written"]) == ([], [])
    assert found["home"] == []


@needs_namespaces
def test_the_checkout_is_not_seen_even_when_it_holds_the_virtual_environment(tmp_path: Path) -> None:
    checkout = Path(__file__).parents[2]
    _, found = findings(
        tmp_path, f"found['seen'] = os.listdir({str(checkout)!r}) if os.path.exists({str(checkout)!r}) else []"
    )
    assert set(found["seen"]) <= {".venv"}


@needs_namespaces
def test_an_interpreter_below_tmp_is_seen_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bin", "beside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    paths = sandbox._interpreter()
    monkeypatch.setattr(sandbox, "_interpreter", lambda *_: [*paths, str(tmp_path / "bin")])
    _, found = findings(tmp_path, f"found['seen'] = sorted(os.listdir({str(tmp_path)!r}))")
    assert found["seen"] == ["bin"]


@needs_namespaces
def test_no_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        name = f"\0{MARKER}{os.getpid()}"
        abstract.bind(name)
        abstract.listen()
        _, found = findings(
            tmp_path,
            f"""
def tried(family, address):
    try:
        with socket.socket(family) as connection:
            connection.settimeout(2)
            connection.connect(address)
            return "connected"
    except OSError as error:
        return type(error).__name__
found["tcp"] = tried(socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]}))
found["abstract"] = tried(socket.AF_UNIX, {name!r})
found["interfaces"] = [name for _, name in socket.if_nameindex()]
""",
        )
    assert found["tcp"] == "OSError"
    assert found["abstract"] == "ConnectionRefusedError"
    assert found["interfaces"] == ["lo"]


@needs_namespaces
def test_no_other_processes_and_no_privileges(tmp_path: Path) -> None:
    _, found = findings(
        tmp_path,
        f"""
found["pids"] = [name for name in os.listdir("/proc") if name.isdigit()]
try:
    os.kill({os.getpid()}, 0)
    found["caller"] = "reached"
except OSError as error:
    found["caller"] = type(error).__name__
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
found["capabilities"] = sorted({{status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}})
found["new_privileges"] = status["NoNewPrivs"]
found["ids"] = [os.getuid(), os.getgid()]
libc = ctypes.CDLL(None)
found["mount"] = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
found["remount"] = libc.mount(b"none", b"/scorer/model", None, 0x20 | 0x1000, None)
found["namespaces"] = libc.unshare(0x10000000)
found["host"] = socket.gethostname()
try:
    os.chroot("/tmp")
    found["chroot"] = "done"
except OSError as error:
    found["chroot"] = type(error).__name__
try:
    found["through proc"] = os.path.samestat(os.stat("/proc/1/root"), os.stat("/"))
except OSError:
    found["through proc"] = True
""",
    )
    assert found["pids"] == ["1"]
    assert found["caller"] == "ProcessLookupError"
    assert found["capabilities"] == ["0" * 16]
    assert found["new_privileges"] == "1"
    assert found["ids"] == [65534, 65534]
    assert (found["mount"], found["remount"], found["namespaces"]) == (-1, -1, -1)
    assert (found["host"], found["chroot"]) == ("scorer", "PermissionError")
    assert found["through proc"]


def processes(marker: str) -> list[int]:
    """Processes of this machine with the marker in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def gone(marker: str, within_s: float = 3) -> bool:
    """Whether no such process is left."""
    deadline = time.monotonic() + within_s
    while processes(marker):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


DAEMON = """
import os, sys, time
class Model:
    def predict_proba(self, X):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)  # MARK"])
            os._exit(0)
        time.sleep(.5)
        END
"""


@needs_namespaces
@pytest.mark.parametrize("end", ["return np.full((len(X), 2), .5)", "os._exit(1)", "time.sleep(600)"])
def test_a_daemon_does_not_outlive_the_run(tmp_path: Path, end: str) -> None:
    marker = f"daemon-{os.getpid()}-{time.monotonic_ns()}"
    model = write_model(tmp_path / "model", DAEMON.replace("MARK", marker).replace("END", end))
    features = write_features(tmp_path / "f.parquet")
    try:
        score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=4 if "600" in end else 30)
    except ScorerFailed:
        assert "return" not in end
    assert gone(marker)


def test_a_model_that_sleeps_for_ever_runs_out_of_time(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", "import time\nclass Model:\n    def __init__(self): time.sleep(600)\n")
    features = write_features(tmp_path / "f.parquet")
    started = time.monotonic()
    with pytest.raises(ScorerFailed, match=r"within 1\.5 s") as caught:
        score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=1.5)
    assert caught.value.code == "scorer.timeout"
    assert time.monotonic() - started < 6


def test_a_model_that_prints_a_lot(tmp_path: Path) -> None:
    noise = "[print('x' * 10**6, file=stream) for _ in range(100) for stream in (sys.stdout, sys.stderr)] and X['a']"
    model = write_model(tmp_path / "model", "import sys\n" + probabilities(noise))
    features = write_features(tmp_path / "f.parquet")
    assert score(model, features, tmp_path / "out.parquet", asked=Asked("binary"), timeout_s=60).rows == 50


@needs_namespaces
def test_it_dies_with_a_caller_that_is_killed(tmp_path: Path) -> None:
    marker = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
import os, sys, time
class Model:
    def __init__(self):
        if os.fork() == 0:
            os.setsid()
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)  # {marker}"])
        time.sleep(600)
"""
    model, features = write_model(tmp_path / "model", source), write_features(tmp_path / "f.parquet")
    call = f"from pathlib import Path; from gates.inputs.scorer import Asked, score; score(Path({str(model)!r}), "
    call += f"Path({str(features)!r}), Path({str(tmp_path / 'o')!r}), asked=Asked('binary'), timeout_s=500)"
    with subprocess.Popen([sys.executable, "-c", call], cwd=Path(__file__).parents[2]) as caller:
        while not processes(f"sleep(600)  # {marker}"):
            assert caller.poll() is None
            time.sleep(0.05)
        caller.send_signal(signal.SIGKILL)
    assert gone(marker)


WITHOUT_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
COVERED_PROC = 'mount -t tmpfs none /proc/sys && mount -t tmpfs none /proc/bus && exec "$@"'
RUN = """
import json, sys
from pathlib import Path
from gates.inputs.scorer import Asked, ScorerFailed, score
model, features, out = map(Path, sys.argv[1:])
run = score(model, features, out, asked=Asked("binary"), timeout_s=60)
print(json.dumps([run.isolation, run.open_because]))
"""


def score_inside(tmp_path: Path, shell: str, source: str) -> tuple[str, str]:
    """Score in a user namespace that the shell line has prepared."""
    model, features = write_model(tmp_path / "model", source), write_features(tmp_path / "f.parquet", ROWS)
    command = ["unshare", "-Urmpf", "--mount-proc", "sh", "-c", shell, "_", sys.executable, "-c", RUN]
    answer = subprocess.run(
        [*command, str(model), str(features), str(tmp_path / "out.parquet")],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "LABELS": MARKER},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    isolation, reason = json.loads(answer.stdout)
    return isolation, reason


@needs_namespaces
def test_where_there_are_no_namespaces_it_is_a_process_and_says_so(tmp_path: Path) -> None:
    marker = f"plain-{os.getpid()}-{time.monotonic_ns()}"
    source = DAEMON.replace("MARK", marker).replace(
        "END",
        """found = {"cwd": os.listdir("."), "environment": "LABELS" in open("/proc/self/environ").read()}
        open("features.parquet", "wb").close()
        open(sys.argv[1] + "/MLmodel", "wb").close()
        p = tell(found, len(X))
        return np.column_stack([1 - p, p])""",
    )
    isolation, reason = score_inside(tmp_path, WITHOUT_NAMESPACES, source)
    assert isolation == "process"
    assert reason.startswith("namespaces: ")
    assert json.loads(told(tmp_path / "out.parquet")) == {"cwd": ["features.parquet"], "environment": False}
    assert (tmp_path / "f.parquet").stat().st_size > 0
    assert (tmp_path / "model" / "MLmodel").stat().st_size > 0
    assert gone(marker)


@needs_namespaces
def test_a_container_that_covers_its_proc_still_gives_namespaces(tmp_path: Path) -> None:
    assert score_inside(tmp_path, COVERED_PROC, probabilities("X['a']")) == ("namespace", "")


@needs_namespaces
def test_what_the_system_gives_can_be_asked() -> None:
    assert isolation() == ("namespace", "")
