# METADATA
# description: The evidence is about this candidate, by this plan, and does not contradict itself.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MEASURE 2.1]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.4]
#   evidence: [bundle, plan.body, evidence.subject_digest]
#   not_covered: Whether the plan asks for enough.
package gates.release.subject

import data.gates.lib.asked
import data.gates.lib.figures
import data.gates.lib.required
import data.gates.lib.result

# METADATA
# title: Another subject
# description: Some evidence, or the bundle, is about another model or other bytes than the candidate.
# custom:
#   code: subject.mismatch
#   remedy: Measure this candidate and seal a bundle of its own.
results contains result.denies("release.subject", "subject.mismatch") if not _one_subject

_one_subject if {
	input.request.candidate.name == input.request.model
	subjects := {evidence.subject_digest | some evidence in input.evidence} | {input.bundle.candidate_digest}
	subjects == {input.request.candidate.digest}
}

# METADATA
# title: No holdout
# description: The bundle names no holdout, so nobody could count how often its rows were looked at.
# custom:
#   code: holdout.missing
#   remedy: Name the holdout under `tables` in gates.yaml, measure on it and seal that.
results contains result.denies("release.subject", "holdout.missing") if {
	asked.strict
	not input.bundle.holdout_digest
}

# METADATA
# title: Rows of the holdout unknown
# description: The bundle has no sketch of its holdout's rows, so nobody could count earlier looks at a part of them.
# custom:
#   code: holdout.sketch
#   remedy: Measure and seal again; an older version of Model Gates made no sketch.
results contains result.denies("release.subject", "holdout.sketch") if {
	asked.strict
	input.bundle.holdout_digest
	not input.bundle.holdout_sketch_digest
}

# METADATA
# title: Another plan
# description: Evidence, bundle or plan document do not agree with what this policy asks to be measured here.
# custom:
#   code: plan.mismatch
#   remedy: Make the plan again with the active policy, and measure by it.
results contains result.denies("release.subject", "plan.mismatch") if not _one_plan

_one_plan if {
	plans := {evidence.plan_digest | some evidence in input.evidence} | {input.bundle.plan_digest}
	plans == {input.plan.digest}
	input.plan.body.model == input.request.model
	input.plan.body.tier == asked.tier
	asked.environment in input.plan.body.environments
	_as_required
	_as_parametrised
}

_as_required if {
	planned := {r | some r in input.plan.body.requirements}
	count({r | some r in asked.by_policy; not planned[r]}) == 0
}

_as_parametrised if {
	wanted := required.parameters(input.request.model)
	found := input.plan.body.parameters
	count({name | some name, value in wanted; not _same(name, object.get(found, name, null), value)}) == 0
	slices := required.slices(input.request.model, [])
	count({column | some column in slices; not column in object.get(found, "slices", [])}) == 0
	_rows_as_clustered(wanted)
	_rows_as_timed(wanted)
}

_same(_, one, other) if one == other

_same(name, one, other) if {
	name in _lists
	{item | some item in one} == {item | some item in other}
}

# Parameters that say several things in no order.
_lists := {"curve_levels", "parity_features"}

# Rows are declared independent by the model's author; where the policy names a cluster key they are not.
_rows_as_clustered(wanted) if not wanted.cluster

_rows_as_clustered(_) if not input.plan.body.independent_rows

# Who names a time has clusters: those that somebody named, or days; unless he declares independence.
_rows_as_timed(_) if {
	not input.plan.body.parameters.cluster_by
	_named_or_untimed
}

_rows_as_timed(wanted) if {
	not wanted.cluster
	input.plan.body.parameters.cluster_by == "day"
	input.plan.body.parameters.cluster == input.plan.body.columns.time
}

_named_or_untimed if input.plan.body.parameters.cluster

_named_or_untimed if input.plan.body.independent_rows

_named_or_untimed if {
	not asked.strict
	input.plan.body.built_in
}

_named_or_untimed if not input.plan.body.columns.time

# METADATA
# title: Unknown environment
# description: The policy has no limits for this environment.
# custom:
#   code: environment.unknown
#   remedy: Use an environment of the ladder, or add thresholds/<environment>/data.yaml.
results contains result.denies("release.subject", "environment.unknown") if {
	not data.thresholds[input.request.environment].limits
}

# METADATA
# title: Unknown task
# description: The policy requires nothing of a model of this task type, and nothing required is never a pass.
# custom:
#   code: task.unsupported
#   remedy: Use a task type that the policy knows.
results contains result.denies("release.subject", "task.unsupported") if count(asked.by_policy) == 0

# METADATA
# title: Two figures for one thing
# description: The evidence holds different figures under one check, subject, slice, item and parameters.
# custom:
#   code: evidence.conflict
#   remedy: Find out which run is right, and seal a bundle with that one only.
results contains result.denies("release.subject", "evidence.conflict") if figures.conflict

# METADATA
# title: Another gold table
# description: The evidence names another gold table than the one that the policy owners pin for this model, or they pin none.
# custom:
#   code: gold.mismatch
#   remedy: Measure on the pinned table, or have the policy owners write its digest under `gold` in models/<model>/data.yaml.
results contains result.denies("release.subject", "gold.mismatch") if {
	some evidence in input.evidence
	some table in evidence.tables
	table.role == "gold"
	_gold != "none"
	table.digest != _gold
}

results contains result.denies("release.subject", "gold.mismatch") if {
	some requirement in asked.requirements
	required.checks[requirement.check].gold
	_gold == "none"
}

_gold := required.model(input.request.model).gold.digest if {
	is_string(required.model(input.request.model).gold.digest)
} else := "none"
