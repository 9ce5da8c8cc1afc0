"""The package gate: do the registered bytes say what a table of predictions says for them?"""

from gates.measure.package.gate import PackageGate

__all__ = ["PackageGate"]
