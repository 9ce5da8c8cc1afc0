"""`python -m study.both_engines [--inputs 5000] [--seed 1]`: do both engines answer alike? Writes docs/study/engines.md.

The same cases as tests/properties/test_engines_agree.py, many of them, with a count of what they were.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from contextlib import ExitStack

from engine_inputs import generated, golden_inputs, worlds
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from simulators.policy_world import Document, codes

from gates.bundle.canonical import canonical_bytes
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, Engine
from gates.decide.engines.opa_server import started
from gates.decide.opa_binary import get_opa
from study.rules import ROOT

_PAGE = """# Two engines, one answer

OPA {opa} and the module that it compiled of the same policies were asked the same {inputs:,} decision inputs: good ones of
two policy owners (tier high; tier medium with overrides, own checks and a slice to be proven) after up to five changes
each. Figures were put at limits and one unit in the last place beside them, bounds turned at every rung, families and
looks at the ends of their tables, times a microsecond apart, digests, keys, approvals, slices and plans exchanged.
`{command}` makes this page again. Policies {digest}, module {module}.

| what was seen | |
|---|---|
| inputs, all different | {different:,} |
| answers whose canonical bytes differ | **{differ}** |
| errors of one engine and not of the other | **{lonely}** |
| allowed, proven | {proven:,} |
| allowed, provisional | {provisional:,} |
| denied | {denied:,} |
| codes of results that occurred | {codes:,} |

The most frequent reasons of a denial: {frequent}.
"""


def _asked(engines: tuple[Engine, ...], document: Document) -> tuple[list[bytes], Document | None]:
    """What each engine says, in bytes or by the name of its error; and the last one's answer."""
    answers, last = [], None
    for engine in engines:
        try:
            last = engine.evaluate(DECISION, document)
            answers.append(canonical_bytes(last))
        except Exception as error:  # noqa: BLE001 - whatever one engine does, the other must do
            answers.append(type(error).__name__.encode())
            last = None
    return answers, last


def main() -> None:
    parser = argparse.ArgumentParser(prog="study.both_engines", description=__doc__)
    parser.add_argument("--inputs", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seen, reasons, every, different = Counter[str](), Counter[str](), set[str](), set[bytes]()
    begin, opa = time.monotonic(), get_opa()
    with ExitStack() as stack:
        pairs = [(stack.enter_context(started(w, opa)), stack.enter_context(EmbeddedEngine(w))) for w in worlds()]

        def ask(world: int, document: Document) -> None:
            name = canonical_bytes([world, document])
            if name in different:
                # Hypothesis comes back to small examples; the page counts each input once.
                return
            different.add(name)
            if len(different) % 500 == 0:
                print(f"{len(different)} different inputs, {time.monotonic() - begin:.0f} s", flush=True)
            answers, last = _asked(pairs[world], document)
            if answers[0] != answers[1]:
                lonely = sum(not answer.startswith(b"{") for answer in answers) == 1
                seen["lonely" if lonely else "differ"] += 1
                (ROOT / f"differs-{seen.total()}.json").write_bytes(name)
            if last is not None:
                seen[last["basis"]] += 1
                reasons.update(codes(last))
                every.update(result["code"] for result in last["results"])

        for world, document in golden_inputs():
            ask(world, document)

        @seeded(options.seed)
        @settings(
            max_examples=options.inputs,
            database=None,
            derandomize=False,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(generated())
        def search(case: tuple[int, Document]) -> None:
            ask(*case)

        # Hypothesis draws the same inputs again where they are few; another seed brings others.
        while len(different) < options.inputs:
            seeded(random.Random(len(different)).randrange(10**6))(search)()
    (ROOT / "docs/study/engines.md").write_text(
        _PAGE.format(
            opa=opa.version,
            inputs=len(different),
            command=f"PYTHONPATH=.:tests python -m study.both_engines --inputs {options.inputs}",
            digest=worlds()[0].digest[:23],
            module=worlds()[0].manifest.module[:23],
            different=len(different),
            differ=seen["differ"],
            lonely=seen["lonely"],
            proven=seen["proven"],
            provisional=seen["provisional"],
            denied=seen["none"],
            codes=len(every),
            frequent=", ".join(f"`{code}` {count:,}" for code, count in reasons.most_common(12)),
        ),
        encoding="utf-8",
    )
    if seen["differ"] or seen["lonely"]:
        raise SystemExit("the engines differ; the inputs stand in differs-*.json")


if __name__ == "__main__":
    main()
