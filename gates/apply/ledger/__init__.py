"""The ledger: `interface` the port, `sqlite_ledger` an adapter, `chain` what its bytes say once verified.

Around the chain, all pure: `shape` the form of entries, `authority` who may sign, `promotion` what a decision may do,
`slots` how entries move a slot, `facts` what a decision gets to know.
"""
