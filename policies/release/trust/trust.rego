# METADATA
# description: From staging on, who measured is listed, and the policy and trust data in force are the ledger's.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 1.4, GOVERN 2.1]
#     sr-11-7: [VI Policies and Procedures]
#     iso-42001: [A.3.2]
#   evidence: [ledger.policy_digest, ledger.trust_digest, evidence.key_ids]
#   not_covered: Who holds a key, beyond what the trust data say.
package gates.release.trust

import data.gates.lib.asked
import data.gates.lib.keys
import data.gates.lib.result

# METADATA
# title: No ledger
# description: Above development a decision needs the facts of the ledger.
# custom:
#   code: ledger.absent
#   remedy: Set the ledger and GATES_LEDGER_ROOT; `gates policy activate` begins one.
results contains result.denies("release.trust", "ledger.absent") if {
	asked.strict
	not input.ledger
}

# METADATA
# title: Policy not active
# description: The ledger names other policies as valid in this environment, or none.
# custom:
#   code: policy.inactive
#   remedy: Decide with the active policies, or have the policy owners run `gates policy activate`.
results contains result.denies("release.trust", "policy.inactive") if {
	asked.strict
	not _active_policy
}

_active_policy if input.ledger.policy_digest == input.policy.digest

# METADATA
# title: Trust data not active
# description: The ledger names other trust data as valid in this environment, or none.
# custom:
#   code: trust.inactive
#   remedy: Decide with the active trust data, or have the policy owners run `gates policy activate`.
results contains result.denies("release.trust", "trust.inactive") if {
	asked.strict
	not _active_trust
}

_active_trust if input.ledger.trust_digest == input.policy.trust_digest

# METADATA
# title: Unsigned evidence
# description: Some evidence, or the bundle, carries no signature that verified.
# custom:
#   code: evidence.unsigned
#   remedy: Seal the bundle with the measurer's key.
results contains result.denies("release.trust", "evidence.unsigned") if {
	asked.strict
	some key_ids in _signatures
	count(key_ids) == 0
}

# METADATA
# title: Key not listed
# description: No key that signed some evidence, or the bundle, is listed for measuring in this environment.
# custom:
#   code: evidence.unlisted_key
#   remedy: Run `gates trust add` with the measurer's public key, and activate the new trust data.
results contains result.denies("release.trust", "evidence.unlisted_key") if {
	asked.strict
	some key_ids in _signatures
	count(keys.holders(key_ids, "measure")) == 0
}

_signatures := {evidence.key_ids | some evidence in input.evidence} | {input.bundle.key_ids}
