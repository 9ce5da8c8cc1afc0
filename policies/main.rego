# The entry points. `plan` says what must be measured, `decision` judges what was, `action` judges every move that is no
# promotion, `change` other policies in force, `activation` says what a set of policies loosens.
#
# Rules are found by folder: every package gates.checks.<gate> defines checks, every package gates.release.<name> gives
# results of its own; adding one is adding a folder.
#
# METADATA
# description: What decides, and what policy owners add to it.
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 1.4]
#     sr-11-7: ["VI Governance, Policies, and Controls"]
#   evidence: [policy.digest]
#   not_covered: Whether the rules of the policy owners are the right ones.
package gates.main

import data.gates.actions.policy as changed
import data.gates.lib.acts
import data.gates.lib.asked
import data.gates.lib.assent
import data.gates.lib.claims
import data.gates.lib.enforcement
import data.gates.lib.facts
import data.gates.lib.hotfix
import data.gates.lib.integers
import data.gates.lib.judge
import data.gates.lib.limits
import data.gates.lib.present
import data.gates.lib.required
import data.gates.release.approvals
import data.gates.release.risk

# METADATA
# scope: document
# entrypoint: true
# schemas:
#   - input: schema["plan-request.v1"]
plan := {
	"tier": required.tier(input.model),
	"requirements": {r | some environment in input.environments; some r in _planned(environment)},
	"not_applicable": {r | some environment in input.environments; some r in required.not_applicable(_ask(environment))},
	"parameters": _plan_parameters,
}

# METADATA
# schemas:
#   - input: schema["plan-request.v1"]
_ask(environment) := {
	"environment": environment,
	"model": input.model,
	"task": input.task,
	"roles": input.roles,
	"documents": object.get(input, "documents", []),
	"has_champion": input.has_champion,
	"has_sets": input.has_sets,
	"columns": input.columns,
	"slices": input.slices,
	"first_release": _first_release(environment),
	"backfill": object.get(input, "backfill", {}),
}

_first_release(environment) if {
	not environment in required.lenient
	not input.has_champion
	required.model(input.model).first_release == true
} else := false

# METADATA
# schemas:
#   - input: schema["plan-request.v1"]
_planned(environment) := required.requirements(_ask(environment)) | {r |
	some wish in input.extra
	some r in required.added(environment, wish)
}

# METADATA
# schemas:
#   - input: schema["plan-request.v1"]
_plan_parameters := object.union_n([
	{"slices": required.slices(input.model, input.slices)},
	{"cluster": cluster | cluster := input.cluster},
	{"cluster_by": "day" | _by_day},
	required.parameters(input.model),
])

# Rows of one day share what happened on it: who names a time, and neither a cluster nor that his rows are independent, has
# days. Of a bare file the time is only guessed.
#
# METADATA
# schemas:
#   - input: schema["plan-request.v1"]
_by_day if {
	"time" in input.columns
	not input.built_in
	not input.cluster
	not input.independent_rows
	not required.parameters(input.model).cluster
}

# METADATA
# scope: document
# entrypoint: true
decision := object.union(_decision, {"risk": summary | asked.strict; summary := risk.summary})

_decision := {
	"allow": allow,
	"basis": basis,
	"required": asked.requirements,
	"missing": present.missing,
	"results": results,
	"valid_until_us": _valid_until_us,
	"approvals": approvals.counted,
	"waivers": _waivers,
	"bypasses": {"self-approved" | approvals.self_approved},
}

# Each once, and yet a list: a member of a set is looked up by all that it says, when it is put in and again when it is
# written. Only rules of the policy owners' own can say what another one says.
results := [result | some part in [_of_rules, {r | some r in _of_owners; not r in _of_rules}]; some result in part]

_of_rules := [result | some part in [_of_figures, _of_release]; some result in part]

_of_release := {hotfix.applied(result) |
	some name
	some result in data.gates.release[name].results
	not name in enforcement.of_figures
}

# What figures say is held as strictly as the environment says; what is not there, and all else, always denies.
_of_figures := [enforcement.applied(result) | some part in [judge.results, _of_gates]; some result in part]

_of_gates := {result | some name in enforcement.of_figures; some result in data.gates.release[name].results}

# Rules of the policy owners' own, each a package custom.<name>: they deny or note, and can take nothing away. What is
# neither good nor a note denies, so that a misspelt word lets nothing through.
_of_owners := {_of_owner(name, result) |
	some name
	some result in data.custom[name].results
	not _good(result)
} | {_invalid(name) |
	some name
	some wish in data.custom[name].required
	not _named(wish)
}

_named(wish) if {
	is_string(wish.check)
	_in_known_environments(wish)
	object.get(wish, "role", "prove") in {"prove", "no-harm"}
}

_in_known_environments(wish) if not "environments" in object.keys(wish)

# A text holds no environment, and a name of none is a requirement that is never asked.
_in_known_environments(wish) if {
	named := {environment | some environment in wish.environments}
	count(named) > 0
	every environment in named {
		data.release.environments[environment]
	}
}

_good(result) if {
	_whole(result)
	result.disposition == "satisfied"
	result.verdict == "pass"
}

_of_owner(name, result) := result if {
	_whole(result)
	result.disposition == "tolerated"
} else := object.union(result, {"disposition": "denies"}) if {
	_whole(result)
} else := _invalid(name)

_whole(result) if {
	every word in ["check", "rule", "verdict", "code"] {
		is_string(result[word])
	}
}

# METADATA
# title: Rule of your own that says nothing
# description: A rule of the policy owners gave a result without check, rule, verdict or code, or requires a check in no environment that there is, or in an unknown role.
# custom:
#   code: custom.invalid
#   remedy: Give each result these four words and a disposition, and each requirement a check and a list of environments; docs/policies.md shows both.
_invalid(name) := {
	"check": concat(".", ["custom", name]),
	"rule": "release",
	"verdict": "error",
	"disposition": "denies",
	"code": "custom.invalid",
}

default allow := false

# Everything that is required was found and none of it denies; and there was something to find.
allow if {
	count(asked.by_policy) > 0
	count(present.missing) == 0
	count(claims.all) > 0
	count([1 | some claim in claims.all; not _answered[claim]]) == 0
	count([1 | some result in results; not _harms_nobody(result)]) == 0
}

# A helper, for a negated expression over something undefined is itself undefined.
_harms_nobody(result) if result.disposition in _harmless

_harmless := {"satisfied", "accepted", "tolerated", "waived", "shortened"} | _unenforced

_unenforced := {"observed", "warned"}

_answered := {[result.check, result.slice] | some result in _of_figures}

default basis := "none"

basis := "unenforced" if {
	allow
	some result in results
	result.disposition in _unenforced
} else := "hotfix" if {
	allow
	_hurried
} else := "provisional" if {
	allow
	_unproven
} else := "proven" if {
	allow
}

# What is provisional is kept for a shorter time, but in development.
_kept := basis if asked.strict

else := "proven"

_hurried if {
	some result in _of_release
	result.disposition == "shortened"
}

_unproven if {
	some result in results
	result.disposition in {"accepted", "waived"}
}

_waivers := {result.waiver | some result in judge.results}

# What rests on a waiver ends with it, what leaves rules for later after a day, and one hotfix does not prolong another.
_valid_until_us := min([time | some times in [_ends, _waived_until, _hotfix_until]; some time in times]) if {
	allow
} else := input.request.effective_time_us

_ends := {integers.add(input.request.effective_time_us, data.release.validity_us[word]) |
	some word in ({_kept} | {"hotfix" | _hurried})
}

_hotfix_until := {input.ledger.hotfix_until_us | _hurried}

_waived_until := {waiver.statement.until_us | some waiver in input.waivers; _waivers[waiver.digest]}

# METADATA
# description: Rollback, retire, archive, a step of a rollout, a monitor's demand; each has its rules under policies/actions.
# scope: document
# entrypoint: true
# schemas:
#   - input: schema["action-input.v1"]
action := {
	"allow": acts.allow,
	"results": acts.results,
	"approvals": assent.counted,
	"valid_until_us": acts.valid_until_us,
}

# METADATA
# description: Other policies or trust data in force; its rules stand in policies/actions/policy.
# scope: document
# entrypoint: true
# schemas:
#   - input: schema["change-input.v1"]
change := {
	"allow": acts.allow,
	"results": acts.results,
	"approvals": changed.counted,
	"valid_until_us": acts.valid_until_us,
}

# METADATA
# description: |
#   What the policy owners' overrides loosen in an environment, which of their facts about a model ask less than those in
#   force, and which of their own rules are gone or are others; its activation must name each.
# scope: document
# entrypoint: true
# schemas:
#   - input: schema["activation-request.v1"]
activation := {
	"loosened": (((limits.loosened(input.environment) | enforcement.loosened(input.environment)) | facts.loosened(input.environment)) | facts.own_rules),
	"unknown": (limits.unknown(input.environment) | enforcement.unknown(input.environment)),
}
