"""Model Gates: may this model version serve in this environment? With evidence that can be re-checked years later.

The way through the house, one folder a stage, each stage running alone from its predecessor's record:

    plan      policy asks what to measure, gates.yaml says where          -> Plan
    measure   gate runners turn tables into sums, sums into intervals     -> Measurement
    bundle    canonical bytes, statements, signatures, the store          -> Bundle
    decide    Rego policies judge, in two engines with the same bytes     -> Decision
    apply     the ledger first, then registry aliases and serving targets -> Entry
    audit     verify, replay and the page: read all of it, change nothing

`records` holds what passes between them, `flow` the stages as short functions, `cli` only parses and prints.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gates.api import check

__version__ = "0.1.0"

__all__ = ["__version__", "check"]


def __getattr__(name: str) -> object:
    """Import `gates.check` when it is first used: the command line needs none of what it needs."""
    if name == "check":
        from gates.api import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
