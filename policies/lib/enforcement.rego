# How strictly a check is held in an environment: `observe` and `warn` compute and report what would deny, `deny` denies.
#
# The policy owners say so in overrides/<environment>/data.yaml, for a check, a gate or all; what is said of the smallest
# counts, and without a word it is `deny`. Above development a milder level counts only where the ledger's policy entry
# names it. Only what a gate's figures say is asked here: what is absent or not to be believed (a missing check, a look too
# many, a family or bounds that are wrong, no limit) always denies, and so does whatever else stands under data.gates.release.
package gates.lib.enforcement

import data.gates.lib.limits
import data.gates.lib.required
import data.gates.lib.unmeasured

# METADATA
# description: Packages under data.gates.release whose rules judge figures of gates, by the name of their check.
of_figures := {"slices"}

_dispositions := {"observe": "observed", "warn": "warned", "deny": "denies"}

# METADATA
# description: A result of a gate's check, held as strictly as this environment holds that check.
applied(result) := object.union(result, {"disposition": _dispositions[level(result.check)]}) if {
	result.disposition == "denies"
	_says(result)
} else := result

# A figure, or the reason that stands in its place.
_says(result) if result.verdict in {"fail", "inconclusive"}

_says(result) if _reasons[result.code]

_reasons := {concat(".", ["unmeasured", word]) | some word, _ in unmeasured.reasons}

# METADATA
# description: observe, warn or deny.
level(check) := _at(found.said) if {
	found := _said(input.request.environment, check)
	_counts(input.request.environment, found.path)
} else := "deny"

_counts(environment, _) if environment in required.lenient

_counts(_, path) if limits.named(path)

# Before its time a rule is at the milder level.
_at(said) := said.before if {
	is_number(said.enforce_from_us)
	input.request.effective_time_us < said.enforce_from_us
	_dispositions[said.before]
} else := said.level if {
	_dispositions[said.level]
} else := "deny"

_said(environment, check) := {"path": concat("/", [_root(environment), "rules", check]), "said": said} if {
	said := data.overrides[environment].enforcement.rules[check]
} else := {"path": concat("/", [_root(environment), "rules", gate]), "said": said} if {
	some gate, said in data.overrides[environment].enforcement.rules
	required.of_gates[[gate, check]]
} else := {"path": concat("/", [_root(environment), "all"]), "said": said} if {
	said := data.overrides[environment].enforcement.all
}

_root(environment) := concat("/", ["overrides", environment, "enforcement"])

_entries(environment) := {[concat("/", [_root(environment), "rules", name]), said] |
	some name, said in data.overrides[environment].enforcement.rules
} | {[path, said] |
	said := data.overrides[environment].enforcement.all
	path := concat("/", [_root(environment), "all"])
}

# METADATA
# description: Paths of what is held less strictly than `deny`, for whatever time.
loosened(environment) := {path | some [path, said] in _entries(environment); not _always(said)}

_always(said) if {
	said.level == "deny"
	not said.before
}

# METADATA
# description: Paths of levels of what is neither a check nor a gate; rules of trust are neither.
unknown(environment) := {path |
	some name, _ in data.overrides[environment].enforcement.rules
	not _known(name)
	path := concat("/", [_root(environment), "rules", name])
}

_known(name) if required.checks[name]

_known(name) if _gates[name]

_gates := {gate | some [gate, _] in required.of_gates}
