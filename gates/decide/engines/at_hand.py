"""Which engines this machine has for a policy set: the embedded one always, and OPA where it runs or can be started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gates.decide.engines.interface import Engine
from gates.errors import EngineError

if TYPE_CHECKING:
    from gates.decide.policies import PolicySet

OPA_URL_VARIABLE = "GATES_OPA_URL"
OPA_TOKEN_VARIABLE = "GATES_OPA_TOKEN"  # noqa: S105 (the name of a variable, not its value)
OPA_AUTHORITY_VARIABLE = "GATES_OPA_CA"
"""A running OPA that holds these policies, its bearer token, and the file of certificates that its own is checked by."""

_AWAY = ("engine.unavailable", "engine.start")
T = TypeVar("T")


@contextmanager
def server_at_hand(policies: PolicySet, *, start: bool = True) -> Iterator[Engine | None]:
    """Yield the OPA at GATES_OPA_URL, else one that is started for the call; None where this machine has none.

    Parameters
    ----------
    start: whether one may be started.

    Raises
    ------
    UsageError: `opa.*`: the address, the token or the certificates are not what they should be. EngineError: it does not
    start.
    """
    from gates.decide import opa_binary

    url = os.environ.get(OPA_URL_VARIABLE)
    opa = opa_binary.find_opa() if start and not url else None
    if not url and opa is None:
        yield None
        return
    from gates.decide.engines.opa_server import OpaServerEngine, started

    if opa is not None:
        with started(policies, opa) as server:
            yield server
        return
    authority = os.environ.get(OPA_AUTHORITY_VARIABLE)
    running = OpaServerEngine(
        str(url), token=os.environ.get(OPA_TOKEN_VARIABLE), authority=Path(authority) if authority else None
    )
    try:
        yield running
    finally:
        running.close()


def on_both(policies: PolicySet, ask: Callable[[Engine, Engine | None], T], *, alone: bool = False) -> T:
    """Ask by every engine at hand.

    Parameters
    ----------
    ask: takes the engine to ask, and the second one that must give the same bytes.
    alone: no OPA is started, which takes longer than all the rest, and one that runs and does not answer is done without;
        one that answers otherwise never is.

    Raises
    ------
    EngineError: an engine failed, or the two gave different bytes (`engine.disagree`).
    """
    from gates.decide.engines.embedded import EmbeddedEngine

    with EmbeddedEngine(policies) as embedded:
        try:
            with server_at_hand(policies, start=not alone) as server:
                return ask(embedded, None) if server is None else ask(server, embedded)
        except EngineError as error:
            if not alone or error.code not in _AWAY:
                raise
            return ask(embedded, None)
