"""What differs between two policy sets, and whether the tests of policy owners pass."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.decide.opa_binary import OpaBinary
from gates.decide.policies import PolicySet
from gates.errors import EngineError, UsageError

_SECONDS = 300.0


@dataclass(frozen=True)
class Change:
    """A datum or a file that is not in both, or not the same in both."""

    path: str
    before: str | None
    after: str | None


def diff(one: PolicySet, other: PolicySet) -> list[Change]:
    """Data leaf by leaf, Rego file by file; trust is no part of it."""
    before, after = ({**_leaves(side.data), **_sources(side)} for side in (one, other))
    paths = sorted(before.keys() | after.keys())
    return [Change(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)]


def _leaves(node: Any, path: str = "") -> dict[str, str]:
    if isinstance(node, Mapping) and node:
        found: dict[str, str] = {}
        for key, value in node.items():
            if path or key != "trust":
                found |= _leaves(value, f"{path}/{key}" if path else str(key))
        return found
    return {path: json.dumps(node, ensure_ascii=False)}


def _sources(policies: PolicySet) -> dict[str, str]:
    return {file.path: file.digest[:19] for file in policies.manifest.files if file.path.endswith(".rego")}


@dataclass(frozen=True)
class Tested:
    """What `opa test` ran. failed: tests that failed or ended in an error; lost: tests that are defined and did not run."""

    ran: int
    failed: tuple[str, ...]
    lost: tuple[str, ...]
    uncovered: tuple[str, ...]


def test(policies: PolicySet, owners: Path, opa: OpaBinary) -> Tested:
    """Run the owners' tests on the whole set.

    Raises
    ------
    UsageError: `policy.no_tests`: nothing that ran would be nothing that failed.
    """
    tests = {path.relative_to(owners): path.read_bytes() for path in sorted(owners.glob("custom/*/*_test.rego"))}
    defined = {
        (_package(content), name) for content in tests.values() for name in re.findall(rb"(?m)^(test_\w+)", content)
    }
    if not defined:
        raise UsageError(
            "no tests", code="policy.no_tests", where=str(owners), remedy="write custom/<name>/<name>_test.rego"
        )
    with tempfile.TemporaryDirectory(prefix="gates-test-") as folder:
        policies.write_bundle(Path(folder))
        for path, content in tests.items():
            (Path(folder) / path).write_bytes(content)
        # By package, or the tests of another bundle in the way would count too.
        chosen = ["--run", r"^data\.custom\."]
        results = _results(opa, folder, *chosen)
        covered = _ran(opa, folder, "--coverage", *chosen)
    ran = {(result["package"].removeprefix("data.").encode(), result["name"].encode()) for result in results}
    bad = [r for r in results if r.get("fail") or r.get("error") or r.get("skip")]
    return Tested(
        ran=len(ran),
        failed=tuple(f"{r['package']}.{r['name']}" for r in bad),
        lost=tuple(sorted(b".".join(lost).decode() for lost in defined - ran)),
        uncovered=tuple(_uncovered(covered)),
    )


def _package(content: bytes) -> bytes:
    found = re.search(rb"(?m)^package (\S+)", content)
    return found[1] if found else b""


def _results(opa: OpaBinary, folder: str, *more: str) -> list[dict[str, Any]]:
    found = _ran(opa, folder, *more)
    return found if isinstance(found, list) else []


def _ran(opa: OpaBinary, folder: str, *more: str) -> Any:
    try:
        done = subprocess.run(  # noqa: S603 - OPA itself, no shell
            [opa.path, "test", *more, "--format", "json", "--bundle", folder],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise EngineError(f"opa test: {error}", code="policy.test") from error


def _uncovered(covered: Any) -> Iterator[str]:
    files = covered.get("files", {}) if isinstance(covered, dict) else {}
    for name, report in files.items():
        if "custom/" in name and not name.endswith("_test.rego"):
            for part in report.get("not_covered", ()):
                place = name[name.index("custom/") :]
                yield f"{place}:{part['start']['row']}: no test reaches this"
