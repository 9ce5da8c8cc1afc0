# Checks of the data gate on tables that have a contract: all are claims about the rows read (a census).
package gates.checks.data

# METADATA
# title: Data contract
# description: What of a table is not as its contract says, by rule; rows beyond those that the contract itself allows.
# custom:
#   code: data.contract
#   remedy: Mend the table, or agree on another contract with its owner; contract.json says what was measured and expected.
checks["data.contract"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"when": {"contract"},
}

# METADATA
# title: Terms of a data contract
# description: The contract does not name its owner, authoritative timestamp, availability window, allowed lag or entity key.
# custom:
#   code: data.contract_incomplete
#   remedy: Name it in the contract; docs/contracts.md says in which field of the standard.
checks["data.contract_incomplete"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"when": {"contract"},
}

# METADATA
# title: Breaking changes of a data contract
# description: A change against the champion's contract that breaks rows that were good, or those who read the table.
# custom:
#   code: data.contract_breaking
#   remedy: Take the change back, or agree on it with the consumers that the advice names.
checks["data.contract_breaking"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"when": {"champion_contract"},
}
