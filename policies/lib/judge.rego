# METADATA
# description: One result for each required figure, and one for each that is absent.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MEASURE 1.1, MEASURE 2.1]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.4]
#   evidence: [plan.body.requirements, evidence.measurements]
#   not_covered: Whether what is required is enough for what the model is used for.
package gates.lib.judge

import data.gates.lib.accepted
import data.gates.lib.asked
import data.gates.lib.claims
import data.gates.lib.comparison
import data.gates.lib.families
import data.gates.lib.figures
import data.gates.lib.limits
import data.gates.lib.outcomes
import data.gates.lib.present
import data.gates.lib.required
import data.gates.lib.unmeasured

# Two figures at one place may show the same, which is said once.
_judgements := _judged_each if {
	figures.alone
} else := [judgement | some judgement in {judgement | some judgement in _judged_each}]

_judged_each := [object.union(_reference(figure), _outcome(claim, figure)) |
	some figure in claims.answers
	claim := {"check": figure.check, "slice": figure.slice, "role": claims.role(figure.check, figure.slice)}
]

_reference(figure) := object.union(
	{"check": figure.check, "subject": figure.subject, "slice": figure.slice, "rule": required.checks[figure.check].sense},
	{"item": item | item := figure.item},
)

_outcome(claim, figure) := unmeasured.outcome(claim, figure) if {
	figure.status != "measured"
} else := misfit if {
	misfit := _misfit(figure)
} else := _settled(figure, object.union(_measured(claim, figure, found), {"limit": found.path})) if {
	found := _limit(figure)
	not _other_unit(found.limit, figure)
} else := outcomes.unit_mismatch if {
	_limit(figure)
} else := _no_limit(claim.check)

# Where no limit is of a feature it is found once for a check.
_limit(figure) := _with_bar(limits.of_figure(asked.environment, asked.tier, figure)) if {
	limits.by_feature(asked.environment)
} else := _limits[figure.check]

_limits := {check: found |
	some check in {figure.check | some figure in claims.answers}
	found := _with_bar(limits.of(asked.environment, check, asked.tier))
}

_with_bar(found) := object.union(found, {"bar": limits.bar(found.limit)})

_other_unit(limit, figure) if limit.unit != figure.unit

_misfit(figure) := outcomes.unit_missing if {
	not _has_unit(figure)
} else := outcomes.champion_missing if {
	"champion" in required.checks[figure.check].needs
	not input.request.champion
} else := outcomes.range_missing if {
	required.checks[figure.check].bounded
	figure.method in {"student", "asymptotic_confidence_sequence"}
	not _has_range(figure)
}

# A mean of values whose range nobody knows.
_has_range(figure) if {
	some param in figure.params
	param == {"name": "range", "value": "declared"}
}

_has_unit(figure) if {
	is_string(figure.unit)
	figure.unit != ""
}

_no_limit(check) := outcomes.environment_missing if {
	not data.thresholds[asked.environment]
} else := outcomes.tier_missing if {
	data.thresholds[asked.environment].limits[check]
} else := outcomes.limit_missing

# The verdict stays; only a figure can be waived, never the absence of one.
_settled(figure, outcome) := object.union(outcome, {"disposition": "waived", "waiver": waiver}) if {
	outcome.disposition == "denies"
	outcome.verdict in {"fail", "inconclusive"}
	waiver := min(accepted.covering(figure))
} else := outcome

_measured(claim, figure, found) := outcomes.looks_exhausted if {
	not families.looks_left
} else := outcomes.family_too_large if {
	not families.rungs(figure)
} else := outcomes.family_too_small if {
	not families.large_enough(figure)
} else := outcomes.family_padded if {
	not families.small_enough(figure)
} else := _judged(word, claim, figure, found) if {
	word := comparison.verdict(_sense(claim), figure, found.bar, families.rungs(figure))
} else := outcomes.bounds_invalid

_sense(claim) := required.checks[claim.check].sense

_judged("pass", claim, _, _) := outcomes.passed(claim.check)

_judged("fail", claim, figure, _) := outcomes.failed(claim.check) if not _lenient(claim, figure)

_judged("fail", claim, figure, _) := outcomes.failed_leniently(claim.check) if _lenient(claim, figure)

_judged("inconclusive", claim, figure, found) := outcomes.undecided_harmless(claim.check) if {
	_tolerates(claim, figure)
} else := outcomes.by_point(claim.check) if {
	found.limit.point == true
	comparison.pointed(_sense(claim), figure, found.bar)
} else := outcomes.provisional(claim.check) if {
	_accepts(claim, figure, found)
} else := outcomes.undecided(claim.check)

_lenient(claim, _) if asked.tier in required.checks[claim.check].lenient_tiers

_lenient(claim, _) if required.checks[claim.check].advice

# Times that were taken beside other work are advice, whoever took them.
_lenient(claim, figure) if {
	some param in figure.params
	param.name == required.checks[claim.check].advice_where
	param.value == true
}

_tolerates(claim, _) if claim.role == "no-harm"

_tolerates(claim, figure) if _lenient(claim, figure)

_accepts(_, _, _) if not asked.strict

_accepts(claim, figure, found) if {
	asked.tier in data.release.environments[asked.environment].provisional
	comparison.bounded(_sense(claim), figure, found.bar, limits.ceiling(found.limit), families.looks)
}

# METADATA
# description: One result for each required figure, and one for each that is absent.
results := [result | some part in [_judgements, present.results]; some result in part]

# METADATA
# description: Something that is required was accepted without proof.
provisional if {
	some result in results
	result.disposition == "accepted"
}
