"""What a command works on: the spec, and everything that it names, opened when first used."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.bundle.keys import KeySigner, Signer, find_signer
from gates.bundle.store import Store
from gates.bundle.trust import Trust, load_trust
from gates.errors import UsageError
from gates.records import DecisionInput, Digest, Environment, Evaluation, Micros, Slot
from gates.records.names import as_called

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain
    from gates.apply.ledger.interface import Ledger
    from gates.apply.serving.interface import Serving
    from gates.apply.writer import LedgerWriter
    from gates.decide.engines.embedded import EmbeddedEngine
    from gates.decide.policies import PolicySet
    from gates.inputs.registry import Registry
    from gates.plan.spec import Spec

DEVELOPMENT: Environment = "development"
"""The one rung without a ledger."""

_ACCOUNTS = ("GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR")

OPA_URL_VARIABLE = "GATES_OPA_URL"
OPA_TOKEN_VARIABLE = "GATES_OPA_TOKEN"  # noqa: S105 (the name of a variable, not its value)
OPA_AUTHORITY_VARIABLE = "GATES_OPA_CA"
"""A running OPA that holds these policies, its bearer token, and the file of certificates that its own is checked by."""

LEDGER_VARIABLE = "GATES_LEDGER"
"""Where the ledger is, from outside the branch; goes before the spec's word."""


def now_us() -> int:
    """Return the time in UTC microseconds; read once a command, and passed on."""
    return time.time_ns() // 1000


def key_home() -> Path:
    """Return the folder of the development key."""
    import platformdirs

    return platformdirs.user_config_path("model-gates")


class Engines:
    """The policies and what evaluates them: in process always, and by OPA too where it is on this machine."""

    def __init__(self, folder: Path | None = None, trust: Trust | None = None) -> None:
        from gates.decide.policies import PolicySet

        self.policies: PolicySet = PolicySet.load(folder, trust)

    @cached_property
    def engine(self) -> EmbeddedEngine:
        """The embedded engine, loaded once a command."""
        from gates.decide.engines.embedded import EmbeddedEngine

        return EmbeddedEngine(self.policies)

    def decide(self, document: DecisionInput) -> tuple[dict[str, Any], Evaluation]:
        """Evaluate a decision; other bytes from OPA are no decision.

        Raises
        ------
        EngineError: an engine failed, or the two gave different bytes (`engine.disagree`).
        """
        from gates.decide.engines.at_hand import server_at_hand
        from gates.decide.engines.interface import DECISION
        from gates.decide.evaluate import evaluate

        body = document.document()
        with server_at_hand(self.policies) as server:
            first, second = (server, self.engine) if server else (self.engine, None)
            answer = evaluate(first, DECISION, body, confirming=second)
        return answer.document, answer.evaluation


class Project:
    """A spec and its environment variables.

    Every property raises UsageError where the spec lacks what it needs, and says which word to add.
    """

    def __init__(self, spec: Spec, environ: Mapping[str, str] | None = None) -> None:
        self.spec = spec
        self.environ = os.environ if environ is None else environ
        self.failures: list[str] = []
        """What went wrong on the way and became an unmeasured: said after the answer."""

    @cached_property
    def store(self) -> Store:
        """GATES_STORE goes before the spec's word, as jobs on several machines share one."""
        where = self.environ.get("GATES_STORE") or self.spec.store
        if "://" in where and not where.startswith("file:"):
            from gates.bundle.store_remote import RemoteStore

            return RemoteStore(where)
        return Store(self.spec.path(where))

    @property
    def trust_path(self) -> Path | None:
        return self.spec.path(self.spec.trust) if self.spec.trust else None

    @cached_property
    def trust(self) -> Trust:
        path = self.trust_path
        return load_trust(path if path and path.exists() else None)

    @cached_property
    def engines(self) -> Engines:
        return Engines(self.spec.path(self.spec.policies) if self.spec.policies else None, self.trust)

    @property
    def policies(self) -> PolicySet:
        return self.engines.policies

    @cached_property
    def environments(self) -> tuple[Environment, ...]:
        """Every rung of the ladder, from the lowest to the highest."""
        return tuple(self.policies.data["release"]["environments"])

    @cached_property
    def registry(self) -> Registry:
        from gates.inputs.mlflow_registry import MlflowRegistry

        return MlflowRegistry(self.spec.uri(self._named("registry")))

    @cached_property
    def ledger(self) -> Ledger:
        from gates.apply.ledger.opening import check_place, open_ledger

        uri = self.spec.uri(self.environ.get(LEDGER_VARIABLE) or self._named("ledger"))
        check_place(uri, self.environ, self.workspace)
        return open_ledger(uri, self.environ, folder=self.spec.base)

    @property
    def workspace(self) -> Path:
        """The checkout around the spec; where there is none, the spec's folder."""
        base = self.spec.base.resolve()
        return next((folder for folder in (base, *base.parents) if (folder / ".git").exists()), base)

    @property
    def has_ledger(self) -> bool:
        return bool(self.environ.get(LEDGER_VARIABLE) or self.spec.ledger)

    @property
    def ledger_root(self) -> Digest:
        from gates.apply.ledger.opening import ledger_root

        return ledger_root(self.environ)

    def chain(self) -> Chain:
        """Read and check the whole ledger, as it is now."""
        from gates.apply.writer import read_ledger

        root = self.ledger_root
        return read_ledger(self.ledger, self.store, root)

    def writer(self, signer: Signer, now_us: Micros) -> LedgerWriter:
        from gates.apply.writer import LedgerWriter

        root = self.ledger_root
        return LedgerWriter(self.ledger, root, self.store, signer, signer.public.identity, now_us)

    def serving(self, environment: Environment) -> Serving | None:
        """Return the serving target of an environment; None where the spec names none."""
        from gates.apply.serving.opening import open_serving

        return open_serving(self.spec, environment) if self.spec.serving else None

    def slot(self, environment: Environment) -> Slot:
        """Return the model's slot in an environment.

        Raises
        ------
        UsageError: the policies know no such environment.
        """
        self.check_environment(environment)
        return Slot(model=self.spec.model, environment=environment)

    def check_environment(self, environment: Environment) -> None:
        if environment not in self.environments:
            from gates.plan.nearest import nearest

            near = nearest(environment, self.environments)
            raise UsageError(
                f'there is no environment "{environment}"',
                code="environment.unknown",
                remedy=f'did you mean "{near}"?' if near else f"there are: {', '.join(self.environments)}",
            )

    def first_step(self, environment: Environment) -> int:
        """Percent of the traffic that a promotion moves at once: the spec's first step, else the policies' largest."""
        steps = self.spec.rollout.get(environment)
        most: int = self.policies.data["release"]["environments"][environment]["first_step_percent"]
        return steps[0] if steps else most

    @property
    def actor(self) -> str:
        """On whose behalf this runs: the workflow's actor, else the user of this machine."""
        return next(iter(self.accounts), "unknown")

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Who started this: the workflow's actor, and who ran it again; else the user of this machine, if it names one.

        Each as it is said, and folded where that differs: see `as_called`.
        """
        import getpass

        if named := [name for word in _ACCOUNTS if (name := self.environ.get(word))]:
            return as_called(named)
        try:
            return as_called([getpass.getuser()])
        except (KeyError, OSError):
            return ()

    def signer(self, key: str | None, environment: Environment) -> KeySigner:
        return find_signer(self.environ, key, environment=environment, home=key_home())

    def _named(self, word: str) -> str:
        value: str | None = getattr(self.spec, word)
        if value is None:
            raise UsageError(
                f"gates.yaml names no {word}", code=f"spec.{word}_missing", remedy=f"add `{word}:` to gates.yaml"
            )
        return value
