"""Contracts of tables (Open Data Contract Standard v3): what a table was promised to be, counted against what it is.

`rules` reads what a contract asks, `conditions` and `sql` say it in the engine's words, `scan` counts, `terms` looks for
what every contract must name, `changes` compares with the champion's, and `figures` makes measurements of it all.
"""

from gates.measure.data.contract.figures import contracts

__all__ = ["contracts"]
