# METADATA
# description: The registry's aliases are the ledger's shadow.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [GOVERN 1.6]
#     sr-11-7: [VI Model Inventory]
#     iso-42001: [A.6.2.5]
#   evidence: [registry.aliases, ledger.expected_aliases]
#   not_covered: Models that stand in no registry.
package gates.release.aliases

import data.gates.lib.asked
import data.gates.lib.result

# METADATA
# title: Alias without an entry
# description: An alias points at another version than the ledger explains; somebody moved it by hand.
# custom:
#   code: alias.mismatch
#   remedy: Find out who moved it; `gates log` shows what the ledger knows. Put it back, or adopt what serves.
results contains result.denies("release.aliases", "alias.mismatch") if {
	asked.strict
	aliases := {alias | some alias in input.registry.aliases}
	some expected in input.ledger.expected_aliases
	not _agrees(aliases, expected)
}

_agrees(aliases, expected) if {
	versions := {alias.version | some alias in aliases; alias.alias == expected.alias}
	versions == {expected.version}
}
