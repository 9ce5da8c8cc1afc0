"""The backfill gate: is a rewritten table what it was declared to be, and nothing else? A census of both tables."""

from gates.measure.backfill.gate import BackfillGate

__all__ = ["BackfillGate"]
