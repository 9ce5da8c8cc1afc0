"""Mutation test of the policies: each comparison flipped, each condition dropped, each default inverted, one at a time.

`python tools/mutate_policies.py [--only PATH] [--every 1] [--jobs 2] [--write]` makes every mutant of the Rego that is no test,
runs `opa test` on it, and fails where fewer than 99 % are killed or a survivor has no reason. `--write` writes
docs/study/mutants.md. A mutant that OPA refuses to compile is none: no decision could come of it.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gates.decide.opa_binary import OpaBinary, get_opa

POLICIES = Path("policies")
PAGE = Path("docs/study/mutants.md")
LEAST = 0.99

_FLIPS = {
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
}
_OPERATORS = {"equal", "neq", "lt", "lte", "gt", "gte"}

REASONS: dict[str, str] = {
    "lib/accepted.rego: covering(figure) := {waiver.digest | .. _places[place(figure)] [_places[place(figure)] -> true]": (
        "it only spares going through all waivers; the same place is demanded again below"
    ),
    "lib/facts.rego: as_strict(name, was, now) if { .. now <= was [<= -> <]": "what is the same is as strict by the first rule",
    "lib/facts.rego: as_strict(name, was, now) if { .. now >= was [>= -> >]": "what is the same is as strict by the first rule",
    "lib/figures.rego: conflict if { .. not alone [not alone -> true]": (
        "it spares two sets of all figures; where a subject has one figure at each place, no identity is there twice"
    ),
    "lib/integers.rego: total(numbers) := min([_most, sum(numbers)]) if { .. not is_object(numbers) [not is_object(numbers) -> true]": (
        "the sum of an object is undefined too; the condition spares an engine that is strict with it an error"
    ),
    "lib/judge.rego: _limit(figure) := _with_bar(limits.of_figure(asked.environment, asked.tier, figure)) if {"
    " .. limits.by_feature(asked.environment) [limits.by_feature(asked.environment) -> true]": (
        "it only spares finding the limit of a check again for each figure (4 % of a decision on 1,000)"
    ),
    'lib/families.rego: _families := {figure.family.name | some figure in claims.answers; not figure.scope == "census"}'
    ' [not figure.scope == "census" -> true]': (
        "it only spares counting the families of censuses, whose size nobody asks for (5 % of a decision on 1,000)"
    ),
    "lib/families.rego: large_enough(figure) if { .. figure.family.size >= _looked_at[figure.family.name] [>= -> >]": (
        "it only spares the count of the next line, and what is as large as all that was looked at passes that too"
    ),
    "lib/present.rego: _binned := {[figure.check, figure.slice] | .. required.checks[figure.check].bins"
    " [required.checks[figure.check].bins -> true]": (
        "it only spares a set of all claims; of a check without bins none is looked for (2 % of a decision on 1,000)"
    ),
    "lib/present.rego: _of_several := [part | some part in _parts; part[2] != 1] [part[2] != 1 -> true]": (
        "no claim has fewer figures than one; it spares comparing all figures with all (twice the time on 4,000)"
    ),
    "lib/present.rego: _disagreed := {[check, slice] | .. count(_numbered) != count(_numbers)"
    " [count(_numbered) != count(_numbers) -> true]": (
        "where they are as many, no claim has two numbers; it spares comparing all claims with all"
    ),
    "lib/limits.rego: by_feature(environment) if data.overrides[environment].models [data.overrides[environment].models -> true]": (
        "where no model has overrides, the limit for each figure is that of its check, found once"
    ),
    "lib/said.rego: something(text) if { .. is_string(text) [is_string(text) -> true]": (
        "trim_space of what is no text is undefined too; the condition spares an engine that is strict with it an error"
    ),
    "lib/shares.rego: contradicted := {column | .. count(_parts) != count(said) [count(_parts) != count(said) -> true]": (
        "where they are as many, no slice has two shares; it spares comparing all shares with all"
    ),
}
"""A survivor's name, and why no test can tell the two apart."""


@dataclass(frozen=True)
class Mutant:
    """A change of one place of one file."""

    path: str
    row: int
    start: int
    old: str
    new: str
    line: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.path}: {self.line} [{self.old.splitlines()[0]} -> {self.new}]"


def mutants(opa: OpaBinary, path: Path) -> Iterator[Mutant]:
    """Every mutant of a file, from its syntax tree."""
    text = path.read_text(encoding="utf-8")
    command = [opa.path, "parse", "--format", "json", "--json-include", "locations", path]
    tree = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    seen = set()
    for kind, row, column, old, new in [*_of_tree(tree), *_defaults(text)]:
        start = starts[row - 1] + column - 1
        if text.encode()[start : start + len(old.encode())].decode() != old:
            continue
        lines = text.splitlines()
        head = next(one for one in reversed(lines[:row]) if one and one[0] not in "\t }#")
        line = " ".join(head.split())
        if head != lines[row - 1]:
            line = f"{line} .. {' '.join(lines[row - 1].split())}"
        found = Mutant(path.relative_to(POLICIES).as_posix(), row, start, old, new, line, kind)
        if (start, old, new) not in seen:
            seen.add((start, old, new))
            yield found


def _of_tree(node: Any) -> Iterator[tuple[str, int, int, str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _of_tree(item)
    elif isinstance(node, dict):
        if "terms" in node and "location" in node and not _is_no_condition(node["terms"]):
            yield "condition dropped", *_at(node), _said(node), "true"
        operator = _operator(node)
        if operator is not None:
            old = _said(operator)
            for new in _FLIPS.get(old, ()):
                yield "comparison flipped", *_at(operator), old, new
        for value in node.values():
            yield from _of_tree(value)


def _operator(node: dict[str, Any]) -> dict[str, Any] | None:
    """The operator of a comparison, as an expression or within one."""
    terms = node.get("terms") if "terms" in node else node.get("value") if node.get("type") == "call" else None
    if not isinstance(terms, list) or len(terms) != 3 or not isinstance(terms[0], dict):
        return None
    words = terms[0].get("value")
    named = isinstance(words, list) and len(words) == 1 and words[0].get("value") in _OPERATORS
    return terms[0] if named else None


def _is_no_condition(terms: Any) -> bool:
    """A rule without a body has the body `true`; a declaration, once dropped, leaves its variables unsafe."""
    return isinstance(terms, dict) and (terms.get("value") is True or "symbols" in terms)


def _at(node: dict[str, Any]) -> tuple[int, int]:
    return node["location"]["row"], node["location"]["col"]


def _said(node: dict[str, Any]) -> str:
    return base64.b64decode(node["location"].get("text", "")).decode()


def _defaults(text: str) -> Iterator[tuple[str, int, int, str, str]]:
    inverted = {"true": "false", "false": "true"}
    for row, line in enumerate(text.splitlines(), 1):
        found = re.match(r"(default \w+ := |\} else := |.*? := )(true|false)\b", line)
        if found:
            yield "default inverted", row, len(found[1].encode()) + 1, found[2], inverted[found[2]]


class Judge:
    """A copy of the policies in which mutants are tried one after another."""

    def __init__(self, opa: OpaBinary, root: Path, tests: list[Test], killers: Killers) -> None:
        self.opa, self.folder, self.tests, self.killers = opa, root / "policies", tests, killers
        shutil.copytree(POLICIES, self.folder)

    def try_(self, mutant: Mutant) -> str:
        """`killed`, `survived`, or `none` where it does not compile."""
        path = self.folder / mutant.path
        before = path.read_bytes()
        end = mutant.start + len(mutant.old.encode())
        path.write_bytes(before[: mutant.start] + mutant.new.encode() + before[end:])
        try:
            rounds = _rounds(mutant, self.tests, self.killers)
            words = (self._test(mutant, chosen) for chosen in rounds)
            return next((word for word in words if word != "survived"), "survived")
        finally:
            path.write_bytes(before)

    def _test(self, mutant: Mutant, chosen: list[Test]) -> str:
        results = _opa_test(self.opa, self.folder, chosen)
        if not results:
            return "none"
        failed = [result for result in results if result.get("fail") or result.get("error")]
        self.killers.update((mutant.path, result["package"], result["name"]) for result in failed)
        return "killed" if failed else "survived"


def _rounds(mutant: Mutant, tests: list[Test], killers: Killers) -> Iterator[list[Test]]:
    """First a few quick tests that evaluate the place, then ever more that do, then whole packages of such tests.

    What stands beside the file is the most likely to kill it, then what killed others of the file. The packages, since a rule that OPA's index passes
    over is evaluated by no test and may be by a mutant's.
    """
    place, beside = (mutant.path, mutant.row), f".{Path(mutant.path).stem}_test"

    def likely(test: Test) -> tuple[bool, int, float]:
        kills = killers[mutant.path, f"data.{test.package}", test.name]
        return not test.package.endswith(beside), -kills.bit_length(), test.seconds

    able = sorted((test for test in tests if place in test.lines), key=likely)
    packages = {test.package for test in able} or {test.package for test in tests}
    rest = [test for test in tests if test.package in packages and place not in test.lines]
    most, spent, some = _QUICK_SECONDS, 0.0, list[Test]()
    for test in able + rest:
        if some and spent + test.seconds > most:
            yield some
            most, spent, some = 2 * most, 0.0, []
        some.append(test)
        spent += test.seconds
    yield some


_QUICK_SECONDS = 0.4
_WORLD = "testing"
"""The folder of no tests, but of what they begin with."""

Killers = Counter[tuple[str, str, str]]
"""(file, package, test) -> mutants of the file that the test killed."""


@dataclass(frozen=True)
class Test:
    """A test, the lines that it evaluates, and how long that takes."""

    package: str
    name: str
    file: str
    lines: frozenset[tuple[str, int]] = frozenset()
    seconds: float = 0.0

    @property
    def pattern(self) -> str:
        return re.escape(f"data.{self.package}.{self.name}")


def _opa_test(opa: OpaBinary, folder: Path, chosen: list[Test], *more: str) -> Any:
    """What `opa test` says of some tests; nothing where the policies do not compile.

    Not as a bundle, which OPA compiles twice; without the tests of others, which are half of what there is to compile;
    and the collector of a process of half a second need not run.
    """
    needed = {test.file for test in chosen} | {path.name for path in (folder / _WORLD).iterdir()}
    others = {path.name for path in folder.rglob("*_test.rego")} - needed
    ignored = [word for name in sorted(others) for word in ("--ignore", name)]
    run = "^(" + "|".join(test.pattern for test in chosen) + ")$"
    command = [
        opa.path,
        "test",
        "--timeout",
        "300s",
        "--parallel",
        "1",
        "--format",
        "json",
        "--run",
        run,
        *ignored,
        *more,
        folder,
    ]
    environment = {**os.environ, "GOGC": "800", "GOMEMLIMIT": "1GiB", "GOMAXPROCS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    try:
        return json.loads(done.stdout or "null")
    except ValueError:
        return None


def _tests(opa: OpaBinary, jobs: int) -> list[Test]:
    """All tests, each run alone: no other test than one that evaluates a line can tell its mutant from the policies."""
    named = [
        Test(package, name, path.name)
        for path in sorted(POLICIES.rglob("*_test.rego"))
        for text in [path.read_text(encoding="utf-8")]
        for package in re.findall(r"(?m)^package (\S+)", text)
        for name in re.findall(r"(?m)^(test_\w+)", text)
    ]

    def reach(test: Test) -> Test:
        began = time.monotonic()
        said = _opa_test(opa, POLICIES, [test], "--coverage")
        if not said:
            raise SystemExit(f"{test.file}: {test.name} does not run alone")
        lines = frozenset(
            (Path(name).relative_to(POLICIES).as_posix(), row)
            for name, report in said["files"].items()
            for part in report.get("covered", ())
            for row in range(part["start"]["row"], part["end"]["row"] + 1)
        )
        return replace(test, lines=lines, seconds=time.monotonic() - began)

    with ThreadPoolExecutor(jobs) as executor:
        found = list(executor.map(reach, named))
    # What every run costs, compiling, is no test's.
    least = min(test.seconds for test in found)
    return [replace(test, seconds=test.seconds - least) for test in found]


def _run(opa: OpaBinary, found: list[Mutant], jobs: int) -> dict[Mutant, str]:
    began = time.monotonic()
    tests = _tests(opa, jobs)
    print(f"{len(tests)} tests, looked at in {time.monotonic() - began:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="gates-mutants-") as folder, ThreadPoolExecutor(jobs) as executor:
        free: SimpleQueue[Judge] = SimpleQueue()
        killers: Killers = Counter()
        for number in range(jobs):
            free.put(Judge(opa, Path(folder) / str(number), tests, killers))

        def one(mutant: Mutant) -> str:
            judge = free.get()
            try:
                return judge.try_(mutant)
            finally:
                free.put(judge)

        words = {}
        for mutant, word in zip(found, executor.map(one, found), strict=True):
            words[mutant] = word
            if word == "survived":
                print(f"survived: {mutant.path}:{mutant.row} {mutant.kind}: {mutant.name}", flush=True)
        print(f"tried in {time.monotonic() - began:.0f} s", flush=True)
        return words


def _page(words: dict[Mutant, str], opa: OpaBinary) -> str:
    kinds = sorted({mutant.kind for mutant in words})
    count = Counter((mutant.kind, word) for mutant, word in words.items())
    killed, survived = (sum(word == one for word in words.values()) for one in ("killed", "survived"))
    rows = [
        f"| {kind} | {count[kind, 'killed']} | {count[kind, 'survived']} | {count[kind, 'none']} |" for kind in kinds
    ]
    lines = [
        "# Policies with one thing wrong: do their tests notice?",
        "",
        f"Of {killed + survived} mutants that compile, `opa test` kills {killed}: {killed / (killed + survived):.2%}.",
        f"OPA {opa.version}; `python tools/mutate_policies.py --write` makes this page.",
        "",
        "| one thing wrong | killed | survived | does not compile |",
        "|---|---|---|---|",
        *rows,
        "",
        "## Survivors",
        "",
        *(f"- `{m.name}`: {REASONS.get(m.name, 'no reason yet')}" for m, word in words.items() if word == "survived"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="files whose path contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="try one in so many")
    parser.add_argument("--list", action="store_true", help="say how many there are, and run none")
    options = parser.parse_args()
    opa = get_opa()
    sources = [p for p in sorted(POLICIES.rglob("*.rego")) if not p.name.endswith("_test.rego")]
    chosen = [p for p in sources if not options.only or any(word in p.as_posix() for word in options.only)]
    found = [mutant for path in chosen for mutant in mutants(opa, path)][:: options.every]
    print(f"{len(found)} mutants of {len(chosen)} files", flush=True)
    if options.list:
        return 0
    words = _run(opa, found, options.jobs)
    killed, survived = (sum(word == one for word in words.values()) for one in ("killed", "survived"))
    unexplained = [m.name for m, word in words.items() if word == "survived" and m.name not in REASONS]
    print(f"{killed} killed, {survived} survived, {len(unexplained)} of them without a reason")
    if options.write:
        PAGE.write_text(_page(words, opa), encoding="utf-8")
    return int(bool(unexplained) or killed < LEAST * (killed + survived))


if __name__ == "__main__":
    sys.exit(main())
