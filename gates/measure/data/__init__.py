"""The data gate: is the holdout fit to judge a model by? Schema, rows, nulls, keys, ranges and age; a census."""

from gates.measure.data.gate import DataGate

__all__ = ["DataGate"]
