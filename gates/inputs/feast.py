"""Features of a Feast store, by a process of Feast's own environment: it needs other packages than this one. Part of `tables`.

Feast runs with the rights of its caller, network included, since stores are where they are; code of views that are
computed on demand runs in it. What comes back is a Parquet table and an answer, and no code of it runs here.
`python -m gates.inputs.feast` makes the environment.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.errors import GatesError, UsageError, without_values
from gates.inputs.opened import Definition
from gates.inputs.packages import environment, kept_environment
from gates.inputs.sandbox import last_line
from gates.records import Table
from gates.records.sources import Feast

FEAST_VERSION = "0.67.0"
PYTHON = "GATES_FEAST_PYTHON"
"""Names the interpreter of an environment that has Feast."""
TIMEOUT_S = 7_200.0
TS, STATUS = "__ts", "__status"
_CHILD = Path(__file__).with_name("feast_child.py")
_REQUIREMENTS = [f"feast=={FEAST_VERSION}"]
_REMEDY = f"python -m gates.inputs.feast makes an environment for it, or name a Python that has it: {PYTHON}"


@dataclass(frozen=True)
class Answer:
    """What a store said.

    Attributes
    ----------
    path: Parquet: the rows that were asked about, with features; of the online store also `x__ts` and `x__status`.
    document: Feast's version, digests of registry and views, statuses as the store gave them.
    definitions: by feature. statuses, written: columns, by feature; of the online store.
    """

    path: Path
    document: dict[str, Any]
    definitions: dict[str, Definition]
    statuses: dict[str, str]
    written: dict[str, str]


def feast_python() -> Path:
    """Return the Python that has Feast: the one of $GATES_FEAST_PYTHON, this one, or that of the environment made for it.

    Raises
    ------
    UsageError: there is none, with the command that makes one.
    """
    named = os.environ.get(PYTHON)
    if named:
        path = Path(named).expanduser()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise UsageError("is no Python that can be started", code="feast.missing", where=f"{PYTHON}={named}")
        return path.absolute()
    if importlib.util.find_spec("feast") is not None:
        return Path(sys.executable)
    kept = kept_environment(_REQUIREMENTS, Path(sys.executable))
    if not kept.exists():
        raise UsageError("Feast is not installed", code="feast.missing", remedy=_REMEDY)
    return kept


def ask(table: Table, feast: Feast, repo: Path, rows: Path, folder: Path) -> Answer:
    """Ask a store for the features of rows.

    Parameters
    ----------
    table: its role says which store, and its as_of_us, where it has one, the time that rows without a time are of.
    repo: folder of feature_store.yaml. rows: Parquet. folder: where the answer is written.

    Raises
    ------
    UsageError: no Feast, no store there, or what Feast says, without the values in it.
    """
    where = feast.repo
    if not (repo / "feature_store.yaml").is_file():
        raise UsageError("has no feature_store.yaml", code="feast.repo", where=where)
    out = folder / f"feast-{table.role}.parquet"
    request = {
        **feast.model_dump(mode="json"),
        "repo": str(repo),
        "side": table.role,
        "rows": str(rows),
        "out": str(out),
        "answer": str(out.with_suffix(".answer.json")),
        "moment_us": table.as_of_us if table.as_of_us is not None else time.time_ns() // 1_000,
    }
    said = _run(feast_python(), request, repo, where)
    names = [definition["name"] for definition in said["definitions"]]
    online = table.role == "online"
    return Answer(
        path=out,
        document={
            "feast": said["feast"],
            "project": said["project"],
            "asked": feast.document(),
            "moment_us": request["moment_us"],
            "registry": said["registry"],
            "views": said["views"],
            "statuses": said["by_store"],
        },
        definitions={each["name"]: Definition(**{**each, "keys": tuple(each["keys"])}) for each in said["definitions"]},
        statuses={name: name + STATUS for name in names} if online else {},
        written={name: name + TS for name in names} if online else {},
    )


def _run(python: Path, request: dict[str, Any], repo: Path, where: str) -> dict[str, Any]:
    asked, answer = Path(request["answer"]).with_suffix(".request.json"), Path(request["answer"])
    asked.write_text(json.dumps(request), encoding="utf-8")
    # Keys of this program's own are nothing that a store needs.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GATES_", "PYTHON"))}
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own Python, no shell
            [str(python), "-I", str(_CHILD), str(asked)],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=repo,
            env=environ | {"FEAST_USAGE": "False"},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"Feast did not answer within {TIMEOUT_S:g} s", code="feast.failed", where=where) from error
    except OSError as error:
        raise UsageError(f"cannot be started: {error.strerror}", code="feast.missing", where=str(python)) from error
    if ended.returncode != 0 or not answer.is_file():
        raise _failed(last_line(ended.stderr.decode(errors="replace")), where)
    said: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "wrong" in said:
        raise UsageError(said["wrong"], code="feast.asked", where=where)
    if "failed" in said:
        raise _failed(said["failed"], where)
    return said


def _failed(said: str, where: str) -> UsageError:
    if "No module named 'feast'" in said:
        return UsageError(
            "this Python has no Feast", code="feast.missing", where=os.environ.get(PYTHON), remedy=_REMEDY
        )
    remedy = "created: false, if late values may count" if "filter_by_created_timestamp" in said else None
    return UsageError(f"Feast: {without_values(said)[:300]}", code="feast.failed", where=where, remedy=remedy)


def main() -> int:
    try:
        python = environment(_REQUIREMENTS, Path(sys.executable), "feast")
    except GatesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"Feast {FEAST_VERSION}: {python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
