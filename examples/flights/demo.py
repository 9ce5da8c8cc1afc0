"""The whole way, once: five real models of flight delays through all six stages. `make demo` runs it.

It starts from nothing each time, runs the same commands that a person would type, and stops at the first answer that is
not the expected one. Keys and tables lie in `work/`, the ledger outside the checkout, as a branch must not own it.

Each command runs in a process of its own, forked from one that has imported MLflow: typed in a shell each takes the
three seconds of that import longer.
"""

from __future__ import annotations

import copy
import io
import json
import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
KEYS = WORK / "keys"
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        *("gates.flow.check", "gates.flow.move", "gates.flow.audit", "gates.inputs.tables", "ibis.backends.duckdb"),
        *("mlflow.tracking._model_registry.client", "mlflow.store.model_registry.sqlalchemy_store"),
    ]
)

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
        self.out: TextIO = sys.stdout

    def aside(self, part: Callable[[Demo], Any]) -> tuple[str, Any]:
        """Return what a part would have printed, and its answer: for parts that run side by side."""
        quiet = copy.copy(self)
        quiet.out = io.StringIO()
        answer = part(quiet)
        return quiet.out.getvalue(), answer

    def say(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    def heading(self, text: str) -> None:
        self.say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")

    def run(self, *arguments: str, expect: int = 0, show: bool = True, quiet: bool = False) -> str:
        """Run `gates ...`, print what it prints, and insist on its exit code."""
        if not quiet:
            self.say(f"$ gates {' '.join(shlex.quote(part) for part in arguments)}")
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = FORKED.Process(target=typed, args=(arguments, self.environ, out, err))
            process.start()
            process.join()
            said = out.read_text(encoding="utf-8")
            if process.exitcode != expect:
                sys.exit(f"{said}{err.read_text('utf-8')}\ndemo: exit code {process.exitcode}, expected {expect}")
        if show:
            self.say("\n".join(f"  {line}".rstrip() for line in said.splitlines()))
        return said

    def python(self, script: str) -> None:
        self.say(f"$ python {script}")
        subprocess.run([sys.executable, HERE / script], cwd=HERE, env=self.environ, check=True)


def typed(arguments: tuple[str, ...], environ: dict[str, str], out: Path, err: Path) -> None:
    """Be the process of `gates ...`."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(HERE)
    for path, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = ["gates", *arguments]
    from gates.cli.main import main

    main()


def versions() -> dict[str, str]:
    """Return candidate name -> version, as train.py registered them."""
    found: dict[str, str] = json.loads((WORK / "models.json").read_text(encoding="utf-8"))
    return found


def key(name: str) -> str:
    return str((KEYS / f"{name}.pem").relative_to(HERE))


def uri(version: str) -> str:
    return f"models:/flights-delay/{version}"


def begin_history(demo: Demo) -> None:
    """Authors are read from the history of a checkout; where the example lies in none, it gets one of a single commit."""
    git = shutil.which("git") or sys.exit("demo: needs git")
    here = subprocess.run([git, "rev-parse", "HEAD"], cwd=HERE, capture_output=True, check=False)
    if here.returncode == 0:
        return
    demo.environ["GIT_DIR"] = str(WORK / "history")
    environ = demo.environ | {"GIT_WORK_TREE": str(HERE)}
    by = ("-c", "user.name=demo", "-c", "user.email=demo@example.org")
    for arguments in (("init", "--quiet"), (*by, "commit", "--quiet", "--allow-empty", "-m", "the example")):
        subprocess.run([git, *arguments], cwd=HERE, env=environ, check=True)


def people(demo: Demo) -> None:
    demo.heading("Who may do what: five keys, the trust policy, and the policies in force")
    for name, (person, roles) in PEOPLE.items():
        demo.run("keys", "new", key(name), "--identity", f"{name}@example.org", show=False)
        roles_given = [part for role in roles for part in ("--role", role)]
        demo.run("trust", "add", key(name) + ".pub", "--person", person, *roles_given, show=False, quiet=True)
    where = ("-e", "staging", "-e", "production")
    said = demo.run("policy", "activate", *where, "--reason", "first policies", "--key", key("owner"))
    demo.environ["GATES_LEDGER_ROOT"] = said.rsplit("GATES_LEDGER_ROOT=", 1)[1].strip()


def adopt(demo: Demo, champion: str) -> None:
    demo.heading("What serves today is entered into the ledger: version 1 is the champion")
    for environment in ("staging", "production"):
        reason = "served before there was a ledger"
        demo.run("adopt", uri(champion), "-e", environment, "--reason", reason, "--key", key("applier"))


def check(demo: Demo, candidate: Candidate, version: str) -> str:
    demo.heading(f"{candidate.name}: {candidate.story}")
    if candidate.basis == "provisional":
        demo.say("  if each flight were independent of the others of its day, it would look proven:")
        alone = f"work/data/predictions-{version}.parquet"
        judged = json.loads(demo.run("check", alone, "--label", "late", "--score", "p", "-o", "json", show=False))
        if judged["basis"] != "proven":
            sys.exit(f"demo: {alone}: {judged['answer']} ({judged['basis']})")
        ece = next(row for row in judged["rows"] if row["check"] == "calibration.ece")
        demo.say(f"  ECE {ece['figure']['estimate']:.3f}, at most {ece['judged_at']['upper']:.4f}: allow (proven)")
        demo.say("  flights of one day share its weather, and clustered by day it is undecided:")
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
    demo.say("  without approvals production says no:")
    denied = json.loads(demo.run(*promotion, "-e", "production", "-o", "json", expect=1, show=False))
    if {row["code"] for row in denied["rows"] if row["disposition"] == "denies"} != {"approval.missing"}:
        sys.exit("demo: production was denied for another reason than missing approvals")
    demo.say("  denied: approval.missing")
    for role in ("ml-owner", "risk"):
        bundle = denied["decision"]["bundle_digest"]
        demo.run("approve", "-e", "production", "--bundle", bundle, "--role", role, "--key", key(role))
    said = demo.run(*promotion, "-e", "production", "--reason", "first step of the ramp", "-o", "json", show=False)
    (WORK / "answers" / "production.json").write_text(said, encoding="utf-8")
    answer = json.loads(said)
    split = {route["version"]["version"]: route["percent"] for route in answer["applied"]["observed"]["routes"]}
    demo.say(f"  allowed: {split.get(version)} % of production's traffic on version {version}")
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
        view = report(project, decision, out, "gates.yaml").view
        table.append(
            Outcome(name.partition(" ")[0], view, after.get(name, ""), str(out.relative_to(HERE.parent.parent)))
        )
    demo.heading(f"What was decided ({time.monotonic() - demo.started:.0f} s)")
    print(outcomes(table, screen=Screen.of(sys.stdout)))


def main() -> None:
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    demo = Demo()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    begin_history(demo)
    with ThreadPoolExecutor(2) as pool:
        demo.heading("A real dataset and five models: 327,346 flights of 2013, registered in MLflow")
        enrolled = pool.submit(demo.aside, people)
        demo.python("train.py")
        demo.say(enrolled.result()[0].rstrip("\n"))
        registered = versions()
        adopt(demo, registered["champion"])
        decisions = {}
        checks = [lambda quiet, one=one: check(quiet, one, registered[one.name]) for one in CANDIDATES]
        for one, (said, decision) in zip(CANDIDATES, pool.map(demo.aside, checks), strict=True):
            demo.say(said.rstrip("\n"))
            decisions[one.name] = decision
    decisions |= promote(demo, registered["good"])
    roll_back(demo)
    audit(demo, decisions)
    last_screen(demo, decisions)
    shutil.rmtree(demo.ledger.parent)


if __name__ == "__main__":
    main()
