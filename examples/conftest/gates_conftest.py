"""Ask conftest for a decision, and believe it only where it says that it asked one question of one document.

conftest ends with 0 where its namespace does not exist, where it knows no `deny` rule, and where the input is `[]`. So
this looks at what it counted: exactly one document, one namespace, and one rule that was evaluated.

`python gates_conftest.py BUNDLE INPUT.json`: BUNDLE is the folder `bundle` that `gates policy build --out` wrote.
Exits 0 allowed, 1 denied, 4 no decision, as `gates` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

NAMESPACE = "conftest_gates"


def decide(bundle: str, document: str, *, namespace: str = NAMESPACE, wrapper: str | None = None) -> tuple[int, str]:
    """Return the exit code and what is to be said."""
    rules = wrapper or str(Path(__file__).parent)
    command = [os.environ.get("CONFTEST", "conftest"), "test", "--output", "json", "--no-color"]
    where = ["--policy", bundle, "--policy", rules, "--data", f"{bundle}/data.json", "--namespace", namespace]
    done = subprocess.run([*command, *where, document], capture_output=True, text=True, check=False)
    try:
        [asked] = json.loads(done.stdout)
        passed, failures = asked.get("successes", 0), asked.get("failures", [])
        evaluated = passed + len(failures)
    except (ValueError, AttributeError, TypeError) as error:
        return 4, f"no decision: conftest: {error}: {(done.stderr or done.stdout).strip()[:300]}"
    if asked.get("namespace") != namespace or asked.get("filename") != document or evaluated != RULES:
        return 4, f"no decision: conftest evaluated {evaluated} rules, not {RULES}"
    said = [failure["msg"] for failure in failures]
    if any(line.startswith("no decision") for line in said):
        return 4, said[0]
    return (1, said[0]) if said else (0, "allowed")


RULES = 2
"""How many `deny` rules deny.rego has; conftest counts each that it evaluated."""


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    code, text = decide(sys.argv[1], sys.argv[2])
    print(text)
    sys.exit(code)
