"""A replay in another process, folder, locale, time zone and hash order gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from audit_world import promoted

from gates.bundle.decisions import load_decision

SCRIPT = """
import locale, sys, time
from pathlib import Path
from gates.apply.ledger.chain import trust_in
from gates.apply.ledger.sqlite_ledger import SqliteLedger
from gates.audit.positions import Positions
from gates.audit.replay import replay
from gates.bundle.canonical import digest_document
from gates.bundle.decisions import load_decision
from gates.bundle.store import Store

locale.setlocale(locale.LC_ALL, "")
folder, root, decision = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
store = Store(folder / "store")
ledger = Positions(SqliteLedger(folder / "ledger.db").entries(), root=root, trust=trust_in(store))
done = replay(store, load_decision(store, decision), positions=ledger)
print(done.same, digest_document(done.again.document()), digest_document(done.document.document()), time.tzname[0])
"""


def _elsewhere(folder: Path, root: str, decision: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), root, decision],
        cwd="/",
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    made = promoted(tmp_path)
    decision = load_decision(made.world.store, made.decision)
    here = [decision.decision_id, decision.decision.input_digest]
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    for zone, tongue, order in (("Pacific/Kiritimati", "C.UTF-8", "1"), ("America/St_Johns", "C", "77")):
        same, *digests, seen = _elsewhere(
            tmp_path, made.root, made.decision, TZ=zone, LC_ALL=tongue, PYTHONHASHSEED=order, **paths
        )
        assert same == "True"
        assert digests == here
        assert seen not in ("UTC", "GMT")
