"""Why a feature differs between offline and online: named with evidence, or `unknown`. See docs/parity-causes.md."""

from gates.measure.parity.causes.explain import Explanation, explain, explain_keys, explain_pair

__all__ = ["Explanation", "explain", "explain_keys", "explain_pair"]
