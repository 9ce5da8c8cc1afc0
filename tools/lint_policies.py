"""Rego: formatted, typed by the records' schemas, tested with every line covered, and no test lost on the way.

`opa test` is content with no tests at all, so what ran is compared with what the sources define.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from gates.decide.build_module import inspect
from gates.decide.controls import collect
from gates.decide.opa_binary import OPA_VERSION, OpaBinary, find_opa
from gates.decide.policies import shipped_rego
from gates.errors import GatesError

POLICIES = Path("policies")
TESTED = ("actions", "gates", "release")
"""Folders in which each rule folder has its test beside it."""


def _opa(opa: OpaBinary, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Go's collector takes a quarter of the time of a run that never holds more than some hundred megabytes.
    environment = {"GOGC": "400", **os.environ}
    command = [str(opa.path), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )


def _formatted(opa: OpaBinary) -> list[str]:
    run = _opa(opa, "fmt", "--fail", "--diff", str(POLICIES))
    return [] if run.returncode == 0 else [f"opa fmt:\n{run.stdout}{run.stderr}"]


def _typed(opa: OpaBinary) -> list[str]:
    capabilities = str(POLICIES / "capabilities.json")
    run = _opa(
        opa,
        "check",
        "--strict",
        "--schema",
        "evidence/schema",
        "--capabilities",
        capabilities,
        "--bundle",
        str(POLICIES),
    )
    return [] if run.returncode == 0 else [f"opa check:\n{run.stdout}{run.stderr}"]


def _defined() -> set[tuple[str, str]]:
    """(file, rule) of every test in the sources."""
    return {
        (path.as_posix(), name)
        for path in POLICIES.rglob("*_test.rego")
        for name in re.findall(r"^(test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }


def _test(opa: OpaBinary, *more: str) -> subprocess.CompletedProcess[str]:
    return _opa(opa, "test", "--timeout", "120s", *more, "--format", "json", "--bundle", str(POLICIES))


def _passed(opa: OpaBinary) -> list[str]:
    run = _test(opa)
    if not run.stdout.strip():
        return [f"opa test said nothing: {run.stderr}"]
    results: list[dict[str, Any]] = json.loads(run.stdout) or []
    bad = [
        f"{result['location']['file']}:{result['location']['row']}: {result['name']}"
        for result in results
        if result.get("fail") or result.get("error") or result.get("skip")
    ]
    ran = {(result["location"]["file"].lstrip("/"), result["name"]) for result in results}
    defined = _defined()
    lost = sorted(f"{file}: {name} did not run" for file, name in defined - ran)
    none = [] if defined else ["no policy test is defined"]
    if not (bad or lost or none):
        print(f"opa test: {len(ran)} passed")
    return [*none, *lost, *(f"failed: {line}" for line in bad)]


def _covered(opa: OpaBinary) -> list[str]:
    run = _test(opa, "--coverage", "--threshold", "100")
    if run.returncode == 0:
        return []
    try:
        files = json.loads(run.stdout)["files"]
    except (ValueError, KeyError):
        return [f"opa test --coverage: {run.stdout}{run.stderr}"]
    return [
        f"{name}:{part['start']['row']}-{part['end']['row']}: not covered"
        for name, report in files.items()
        for part in report.get("not_covered", ())
    ]


def _supported(opa: OpaBinary) -> list[str]:
    try:
        collect(inspect(opa, shipped_rego(POLICIES)))
    except GatesError as error:
        return [f"METADATA of {error.message}"]
    return []


def _tested() -> list[str]:
    folders = {path.parent for top in TESTED for path in (POLICIES / top).rglob("*.rego")}
    return [f"{folder}: no test beside the rules" for folder in sorted(folders) if not [*folder.glob("*_test.rego")]]


def main() -> int:
    try:
        opa = find_opa()
    except GatesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if opa is None:
        print(f"no OPA {OPA_VERSION} here; python -m gates.decide.opa_binary builds one", file=sys.stderr)
        return 2
    findings = [*_formatted(opa), *_typed(opa), *_supported(opa), *_tested(), *_passed(opa), *_covered(opa)]
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
