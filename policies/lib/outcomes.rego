# METADATA
# description: What is said of a figure. A verdict, what it does to the decision, and its code.
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
package gates.lib.outcomes

# METADATA
# description: What a result of a check is called.
code(check, suffix) := concat(".", [check, suffix])

# METADATA
# title: proven
# description: The bound that a pass needs is within the limit.
# custom:
#   suffix: passed
passed(check) := {"verdict": "pass", "disposition": "satisfied", "code": code(check, "passed")}

# METADATA
# description: Proven bad.
failed(check) := {"verdict": "fail", "disposition": "denies", "code": check}

# METADATA
# title: proven bad, tolerated at this tier
# description: The figure is outside its limit; at this tier that is reported and does not deny.
# custom:
#   suffix: tolerated
failed_leniently(check) := {"verdict": "fail", "disposition": "tolerated", "code": code(check, "tolerated")}

# METADATA
# title: undecided, accepted within a wider ceiling
# description: Not proven good and not proven bad; this environment accepts it for a limited time, as provisional.
# custom:
#   suffix: provisional
#   remedy: More rows in the holdout would decide it.
provisional(check) := {"verdict": "inconclusive", "disposition": "accepted", "code": code(check, "provisional")}

# METADATA
# title: a number without bounds, accepted by its point
# description: Nothing is known of how far the number may be off; the policy owners accept it here by its point alone.
# custom:
#   suffix: point
#   remedy: Record counts, sums or rows, from which bounds are computed, and take `point` out of the limit.
by_point(check) := {"verdict": "inconclusive", "disposition": "accepted", "code": code(check, "point")}

# METADATA
# title: undecided
# description: Not proven good and not proven bad; where proof is required this denies.
# custom:
#   suffix: inconclusive
#   remedy: Measure on more rows; the advice says how many.
undecided(check) := {"verdict": "inconclusive", "disposition": "denies", "code": code(check, "inconclusive")}

# METADATA
# description: Undecided where nothing had to be proven.
undecided_harmless(check) := {
	"verdict": "inconclusive",
	"disposition": "tolerated",
	"code": code(check, "inconclusive"),
}

# METADATA
# description: Nothing that could be judged.
error(code) := {"verdict": "error", "disposition": "denies", "code": code}

# METADATA
# title: No limit
# description: The check is required, and the policy has no limit for it in this environment at this tier.
# custom:
#   code: limit.missing
#   remedy: Add the limit under thresholds/<environment>/data.yaml.
limit_missing := error("limit.missing")

# METADATA
# title: No limit at this tier
# description: The check has limits in this environment, and none for the model's tier.
# custom:
#   code: limit.tier
#   remedy: Add the tier under thresholds/<environment>/data.yaml.
tier_missing := error("limit.tier")

# METADATA
# title: No limits in this environment
# description: The policy has no limits at all in this environment.
# custom:
#   code: limit.environment
#   remedy: Add thresholds/<environment>/data.yaml, or ask for an environment that has one.
environment_missing := error("limit.environment")

# METADATA
# title: Figure without a unit
# description: The figure does not say what it is measured in, so that no limit means anything for it.
# custom:
#   code: unit.missing
#   remedy: Measure again; the gate that made this figure is broken.
unit_missing := error("unit.missing")

# METADATA
# title: Range of values unknown
# description: The figure is a mean of values of which nobody declared the least and the largest; a few that are very large, of which no row is, would change it, and its bounds cannot allow for them.
# custom:
#   code: range.undeclared
#   remedy: Record it with `--range LOW HIGH`, or as a share; policy owners who accept such a mean say so in models/<model>/data.yaml (docs/own-measurements.md).
range_missing := error("range.undeclared")

# METADATA
# title: Another unit
# description: The limit names a unit, and the figure is measured in another one.
# custom:
#   code: unit.mismatch
#   remedy: Say the limit in the figure's unit, or record the figure in the limit's.
unit_mismatch := error("unit.mismatch")

# METADATA
# title: Compared with nobody
# description: The figure is against a champion, and the request names none.
# custom:
#   code: champion.missing
#   remedy: Decide where the champion serves, or measure without one.
champion_missing := error("champion.missing")

# METADATA
# title: Too many looks
# description: This holdout was looked at more often than the ladder of confidences can correct for.
# custom:
#   code: looks.exhausted
#   remedy: Measure on fresh rows; they start a new count.
looks_exhausted := error("looks.exhausted")

# METADATA
# title: Too many claims
# description: The family of claims is larger than the ladder of confidences can correct for.
# custom:
#   code: family.too_large
#   remedy: Name fewer slices or items.
family_too_large := error("family.too_large")

# METADATA
# title: Fewer claims than were judged
# description: The family that the figure declares is smaller than the set of its figures, so that some would fail by chance.
# custom:
#   code: family.too_small
#   remedy: Measure again; what wrote this figure counted wrongly, or only a part of the figures is of this run.
family_too_small := error("family.too_small")

# METADATA
# title: More claims than there are figures
# description: The family that the figure declares is far larger than what the evidence holds of it, so that hardly anything could fail.
# custom:
#   code: family.padded
#   remedy: Measure again, and seal all that the gates wrote; the size of a family is the number of its claims.
family_padded := error("family.padded")

# METADATA
# title: Bounds that contradict themselves
# description: A bound at the needed confidence is absent, doubled or crossed, or says good and bad at once.
# custom:
#   code: bounds.invalid
#   remedy: Measure again; the gate that made this figure is broken.
bounds_invalid := error("bounds.invalid")
