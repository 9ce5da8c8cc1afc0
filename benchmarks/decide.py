"""A decision on 10 to 100,000 measurements: warm and as a whole process, on both engines; and 10,000 past ones again.

The input is the good one of the tests, with whole slices added or taken out until it has as many figures as are wanted.
`python benchmarks/decide.py [SIZE...]` prints; BENCH_OUT=docs/bench keeps the table. Seconds of the processor, of the
server too where OPA answers; on a machine with other work, the fastest of three says most.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

SIZES = (10, 200, 1_000, 10_000, 100_000)
PAST = int(os.environ.get("PAST", "10000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def sized(size: int) -> Any:
    """A good decision input of about so many measurements."""
    from simulators.policy_world import golden, measurements, plan_request, policy_set, value_of

    from gates.decide.engines.embedded import EmbeddedEngine
    from gates.decide.engines.interface import PLAN

    with EmbeddedEngine(policy_set()) as engine:
        document = golden("production", engine.evaluate(PLAN, plan_request()))
    united = value_of("carrier", "UA")
    places = [(e["measurements"], m) for e in document["evidence"] for m in e["measurements"] if m["slice"] == united]
    number = sum(1 for _ in measurements(document))
    if size < number:
        for evidence in document["evidence"]:
            evidence["measurements"] = evidence["measurements"][: max(1, size // len(document["evidence"]))]
    for extra in range(max(0, size - number) // len(places)):
        for found, figure in places:
            found.append({**figure, "slice": value_of("carrier", f"v{extra}")})
    figures = list(measurements(document))
    sizes = Counter(figure["family"]["name"] for figure in figures)
    for figure in figures:
        # As the gates declare them; of a smaller family no bound would be compared.
        figure["family"] = {**figure["family"], "size": max(figure["family"]["size"], sizes[figure["family"]["name"]])}
    return document


def processor() -> float:
    """Seconds of this process, and of those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def fastest(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Seconds of the clock and of the processor, the least of each."""
    clock, used = [], []
    for _ in range(rounds):
        begin, before = time.perf_counter(), processor()
        work()
        clock.append(time.perf_counter() - begin)
        used.append(processor() - before)
    return min(clock), min(used)


def warm(size: int) -> dict[str, tuple[float, float]]:
    from simulators.policy_world import policy_set

    from gates.decide.engines.embedded import EmbeddedEngine
    from gates.decide.engines.interface import DECISION, prepared
    from gates.decide.engines.opa_server import started
    from gates.decide.opa_binary import get_opa

    document = sized(size)
    content = prepared(DECISION, document)
    found = {"checked and in bytes": fastest(lambda: prepared(DECISION, document))}
    with EmbeddedEngine(policy_set()) as engine:
        engine.evaluate(DECISION, document)
        found["policies in wasm"] = fastest(lambda: engine._policy.evaluate(content, DECISION))  # noqa: SLF001
        found["embedded, in all"] = fastest(lambda: engine.evaluate(DECISION, document))
    with started(policy_set(), get_opa()) as server:
        server.evaluate(DECISION, document)
        found["OPA, in all"] = fastest(lambda: server.evaluate(DECISION, document))
    return found


_WHOLE = """
import json, sys
from gates.cli.starting import prepare
prepare()
from pathlib import Path
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION
from gates.decide.policies import PolicySet
document = json.loads(Path(sys.argv[1]).read_bytes())
print(EmbeddedEngine(PolicySet.load(Path(sys.argv[2]))).evaluate(DECISION, document)["basis"])
"""


def whole(size: int) -> tuple[float, float]:
    """A process that begins, loads the policies, decides in process, and ends."""
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "policies/models/flights-delay/data.yaml"
        facts.parent.mkdir(parents=True)
        facts.write_text("tier: high\ncluster: day\nslices: [carrier, origin]\n", encoding="utf-8")
        file = Path(folder) / "input.json"
        file.write_text(json.dumps(sized(size)), encoding="utf-8")
        command = [sys.executable, "-c", _WHOLE, str(file), f"{folder}/policies"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}

        def run() -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)

        run()
        return fastest(run)


def past(count: int) -> tuple[float, float]:
    """`gates simulate` over so many stored decisions, each its own input, two processes."""
    from audit_world import promoted

    from gates.audit.simulate import simulate, with_limit
    from gates.bundle.canonical import digest_document, parse_json
    from gates.bundle.decisions import load_decision, put_decision
    from gates.records import DecisionInput

    with tempfile.TemporaryDirectory() as folder:
        made = promoted(Path(folder))
        world, opened = made.world, load_decision(made.world.store, made.decision)
        document = DecisionInput.parse(parse_json(world.store.get(opened.decision.input_digest)))
        key = world.key("decider")
        for number in range(count - 1):
            request = document.request.model_copy(
                update={"effective_time_us": document.request.effective_time_us + number}
            )
            other = document.model_copy(update={"request": request})
            digest = digest_document(other.document())
            decision = opened.decision.model_copy(update={"request": request, "input_digest": digest})
            put_decision(world.store, key, other, decision, opened.evaluation)
        tight = with_limit(world.policies, "calibration.ece", 0.0001)
        clock, used = fastest(lambda: len(simulate(world.store, tight).outcomes), 1)
    return clock, used


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    rows, head = [], ["measurements"]
    for size in sizes:
        found = {**warm(size), "whole process": whole(size)}
        head = ["measurements", *found]
        cells = [f"{1000 * used:,.1f} ({1000 * clock:,.1f})" for clock, used in found.values()]
        rows.append([f"{size:,}", *cells])
        print(dict(zip(head, rows[-1], strict=True)), flush=True)
    lines = ["milliseconds of the processor (of the clock), the fastest of three", ""]
    lines += [" | ".join(["", *row, ""]).strip() for row in (head, ["---"] * len(head), *rows)]
    if PAST:
        clock, used = past(PAST)
        lines += [
            "",
            f"{PAST:,} past decisions judged again: {clock:.0f} s on the clock, {used:.0f} s of the processor.",
        ]
    text = "\n".join(lines)
    print(text)
    if "BENCH_OUT" in os.environ:
        (Path(os.environ["BENCH_OUT"]) / "decide.md").write_text(
            f"# How long a decision takes\n\n{text}\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
