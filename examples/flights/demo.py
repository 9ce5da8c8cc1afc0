"""The whole way, once: five real models of flight delays through all six stages. `make demo` runs it.

It starts from nothing each time, runs the same commands that a person would type, and stops at the first answer that is
not the expected one. Keys and tables lie in `work/`, the ledger outside the checkout, as a branch must not own it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
KEYS = WORK / "keys"
GATES = Path(sys.executable).with_name("gates")

PEOPLE = {
    "owner": ("Policy owners", ["policy"]),
    "measurer": ("Measuring job", ["measure"]),
    "ml-owner": ("ML owner", ["approve:ml-owner"]),
    "risk": ("Risk officer", ["approve:risk"]),
    "applier": ("Deploying job", ["decide", "apply"]),
}


@dataclass(frozen=True)
class Candidate:
    """A candidate, and the answer that it must get in staging."""

    name: str
    answer: str
    basis: str
    code: str | None
    story: str


CANDIDATES = (
    Candidate("overconfident", "deny", "none", "calibration.ece", "its probabilities are too extreme"),
    Candidate("skewed", "deny", "none", "parity.mismatch", "serving computes one feature in another unit"),
    Candidate("uncalibrated", "allow", "provisional", "calibration.ece.provisional", "nearly calibrated: undecided"),
    Candidate("good", "allow", "proven", None, "isotonic calibration on rows of its own"),
)


class Demo:
    """Runs commands and keeps what they answered."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.ledger = Path(tempfile.mkdtemp(prefix="model-gates-demo-")) / "ledger.db"
        # Whatever a shell has set for another ledger, key or engine is not this demonstration's.
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("GATES_") or name == "GATES_OPA"
        }
        self.environ = clean | {"GATES_LEDGER": f"sqlite:///{self.ledger}", "NO_COLOR": os.environ.get("NO_COLOR", "")}
        if not self.environ["NO_COLOR"]:
            del self.environ["NO_COLOR"]

    def heading(self, text: str) -> None:
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)

    def run(self, *arguments: str, expect: int = 0, show: bool = True, quiet: bool = False) -> str:
        """Run `gates ...`, print what it prints, and insist on its exit code."""
        if not quiet:
            print(f"$ gates {' '.join(shlex.quote(part) for part in arguments)}", flush=True)
        done = subprocess.run(
            [GATES, *arguments], cwd=HERE, env=self.environ, text=True, capture_output=True, check=False
        )
        if done.returncode != expect:
            sys.exit(f"{done.stdout}{done.stderr}\ndemo: exit code {done.returncode}, expected {expect}")
        if show:
            print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
        return done.stdout

    def python(self, script: str) -> None:
        print(f"$ python {script}", flush=True)
        subprocess.run([sys.executable, HERE / script], cwd=HERE, env=self.environ, check=True)


def versions() -> dict[str, str]:
    """Return candidate name -> version, as train.py registered them."""
    found: dict[str, str] = json.loads((WORK / "models.json").read_text(encoding="utf-8"))
    return found


def key(name: str) -> str:
    return str((KEYS / f"{name}.pem").relative_to(HERE))


def uri(version: str) -> str:
    return f"models:/flights-delay/{version}"


def people(demo: Demo) -> None:
    demo.heading("Who may do what: five keys, the trust policy, and the policies in force")
    for name, (person, roles) in PEOPLE.items():
        demo.run("keys", "new", key(name), "--identity", f"{name}@example.org", show=False)
        roles_given = [part for role in roles for part in ("--role", role)]
        demo.run("trust", "add", key(name) + ".pub", "--person", person, *roles_given, show=False, quiet=True)
    activate = (
        "policy",
        "activate",
        "-e",
        "staging",
        "-e",
        "production",
        "--reason",
        "first policies",
        "--key",
        key("owner"),
    )
    said = demo.run(*activate)
    demo.environ["GATES_LEDGER_ROOT"] = said.rsplit("GATES_LEDGER_ROOT=", 1)[1].strip()


def adopt(demo: Demo, champion: str) -> None:
    demo.heading("What serves today is entered into the ledger: version 1 is the champion")
    for environment in ("staging", "production"):
        reason = "served before there was a ledger"
        demo.run("adopt", uri(champion), "-e", environment, "--reason", reason, "--key", key("applier"))


def check(demo: Demo, candidate: Candidate, version: str) -> str:
    demo.heading(f"{candidate.name}: {candidate.story}")
    answer_file = WORK / "answers" / f"{candidate.name}.json"
    answer_file.parent.mkdir(exist_ok=True)
    demo.run(
        *("check", "-e", "staging", "--candidate", uri(version), "--key", key("measurer")),
        *("--json", str(answer_file.relative_to(HERE))),
        expect=0 if candidate.answer == "allow" else 1,
    )
    answer = json.loads(answer_file.read_text(encoding="utf-8"))
    insist(candidate, answer)
    decision: str = answer["decision_id"]
    return decision


def insist(candidate: Candidate, answer: dict[str, Any]) -> None:
    """Stop unless the answer is the expected one, for the expected reason."""
    deciding = {"deny": "denies", "allow": "accepted"}[candidate.answer]
    codes = {row["code"] for row in answer["rows"] if row["disposition"] == deciding}
    wrong = (answer["answer"], answer["basis"]) != (candidate.answer, candidate.basis)
    if wrong or (candidate.code is not None and candidate.code not in codes) or (candidate.code is None and codes):
        sys.exit(f"demo: {candidate.name}: {answer['answer']} ({answer['basis']}) by {sorted(codes)}")


def promote(demo: Demo, version: str) -> dict[str, str]:
    demo.heading("The good one moves: staging first, production by two approvals and 5 % of the traffic")
    promotion = ("promote", "--candidate", uri(version), "--key", key("applier"))
    demo.run(*promotion, "-e", "staging", "--reason", "proven on the holdout")
    print("  without approvals production says no:")
    denied = demo.run(*promotion, "-e", "production", "-o", "json", expect=1, show=False)
    if "approval.missing" not in {row["code"] for row in json.loads(denied)["rows"]}:
        sys.exit("demo: production was denied for another reason than missing approvals")
    print("  denied: approval.missing")
    for role in ("ml-owner", "risk"):
        demo.run("approve", "-e", "production", "--candidate", uri(version), "--role", role, "--key", key(role))
    said = demo.run(*promotion, "-e", "production", "--reason", "first step of the ramp", "-o", "json", show=False)
    (WORK / "answers" / "production.json").write_text(said, encoding="utf-8")
    answer = json.loads(said)
    split = {route["version"]["version"]: route["percent"] for route in answer["applied"]["observed"]["routes"]}
    print(f"  allowed: {split.get(version)} % of production's traffic on version {version}")
    if split.get(version) != 5:
        sys.exit(f"demo: the canary's traffic is {split}")
    demo.run("status")
    return {"good in production": answer["decision_id"]}


def roll_back(demo: Demo) -> None:
    demo.heading("And back: one command brings the whole earlier release")
    demo.run("rollback", "-e", "production", "--reason", "demonstration: an alert at night", "--key", key("applier"))
    demo.run("log")


def audit(demo: Demo, decisions: dict[str, str]) -> None:
    demo.heading("Years later: everything is checked again, and each decision replayed to the byte")
    demo.run("verify", *decisions.values())
    demo.run("replay", decisions["good in production"])


def last_screen(demo: Demo, decisions: dict[str, str]) -> None:
    """One page for each decision, and the table of all of them."""
    from gates.flow.audit import report
    from gates.plan.spec import load_spec
    from gates.project import Project
    from gates.render.outcomes import Outcome, outcomes
    from gates.render.screen import Screen

    after = {"uncalibrated": "not promoted", "good": "promoted", "good in production": "5 %, then rolled back"}
    project = Project(load_spec(HERE), demo.environ)
    table = []
    for name, decision in decisions.items():
        out = WORK / "pages" / f"{name.replace(' ', '-')}.html"
        view = report(project, decision, out, "gates.yaml")
        table.append(
            Outcome(name.partition(" ")[0], view, after.get(name, ""), str(out.relative_to(HERE.parent.parent)))
        )
    demo.heading(f"What was decided ({time.monotonic() - demo.started:.0f} s)")
    print(outcomes(table, screen=Screen.of(sys.stdout)))


def main() -> None:
    demo = Demo()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    demo.heading("A real dataset and five models: 327,346 flights of 2013, registered in MLflow")
    demo.python("train.py")
    registered = versions()
    people(demo)
    adopt(demo, registered["champion"])
    decisions = {one.name: check(demo, one, registered[one.name]) for one in CANDIDATES}
    decisions |= promote(demo, registered["good"])
    roll_back(demo)
    audit(demo, decisions)
    last_screen(demo, decisions)
    shutil.rmtree(demo.ledger.parent)


if __name__ == "__main__":
    main()
