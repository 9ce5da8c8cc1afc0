"""Why a feature differs between offline and online: named with evidence, or `unknown`. See docs/parity-causes.md."""

from gates.measure.parity.causes.find import Explanation, Sources, explain, find_causes
from gates.measure.parity.causes.hypotheses import Cause, Code

__all__ = ["Cause", "Code", "Explanation", "Sources", "explain", "find_causes"]
