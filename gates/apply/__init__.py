"""APPLY: carry a decision out, and take it back. The ledger first, then the surfaces that are its shadow.

promote, rollback, adopt   the moves of a slot; policy, sealed: the entries that move none
saga                       steps 3 to 7 of a move, from its open intent to its outcome
writer                     read, verify, build, sign, compare-and-swap
ledger/                    the port, sqlite, and the chain that a reader may believe
surfaces, aliases, serving/  what is moved and read back: registry aliases, serving target
pack                       what a rollback needs besides the target
"""
