# METADATA
# description: |
#   Overrides of the policy owners tighten freely. What loosens counts only where the ledger's policy entry names it.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MAP 1.5, GOVERN 1.4]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [VI Policies and Procedures]
#   evidence: [ledger.loosened, ledger.policy_digest]
#   not_covered: Whether a limit is the right one for the use.
package gates.release.limits

import data.gates.lib.asked
import data.gates.lib.enforcement
import data.gates.lib.figures
import data.gates.lib.limits
import data.gates.lib.required
import data.gates.lib.result

# METADATA
# title: Override that loosens
# description: |
#   An override for this environment is wider than the limit that it replaces, replaces none, or holds a check less
#   strictly, and the ledger's policy entry does not name it.
# custom:
#   code: override.loosened
#   remedy: Take it out; or have the policy owners name it with `gates policy activate --loosen PATH`.
results contains result.denies("release.limits", "override.loosened") if {
	some path in limits.loosened(asked.environment)
	not limits.named(path)
}

results contains result.denies("release.limits", "override.loosened") if {
	asked.strict
	some path in enforcement.loosened(asked.environment)
	not limits.named(path)
}

# METADATA
# title: Override of something unknown
# description: |
#   An override for this environment, or a share in the model's facts, names a check or gate that no policy has, or a model
#   that models/<model>/data.yaml says nothing of; rules of trust are not held milder by any.
# custom:
#   code: override.unknown
#   remedy: Correct the name; `gates explain` lists the checks. A model has a folder under models.
results contains result.denies("release.limits", "override.unknown") if {
	count(limits.unknown(asked.environment) | enforcement.unknown(asked.environment)) > 0
}

results contains result.denies("release.limits", "override.unknown") if {
	some check, _ in required.model(input.request.model).inconclusive_share_ppm
	not required.checks[check]
}

# METADATA
# title: Override of an unknown feature
# description: An override of this model's features names one that the plan does not have.
# custom:
#   code: override.feature
#   remedy: Correct the name, or take the override of a feature that is gone out.
results contains result.denies("release.limits", "override.feature") if {
	some feature in limits.named_features(asked.environment)
	not feature in input.plan.body.columns.features
}

# METADATA
# title: Override of an unknown slice
# description: An override of a feature in a slice names a value that no figure is about.
# custom:
#   code: override.slice
#   remedy: Correct column and value; the column is to be one of the model's slices.
results contains result.denies("release.limits", "override.slice") if {
	some [column, value] in limits.named_slices(asked.environment)
	not _measured(column, value)
}

_measured(column, value) if {
	some slice in figures.slices[column]
	slice.value == value
}
