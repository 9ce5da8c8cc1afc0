# METADATA
# description: |
#   What the model's author may write by himself has a bound in policy. Rollout plans have theirs in release/rollout, limits
#   and margins in release/limits; cost matrices and parameters are the policy owners' alone.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MAP 1.5]
#     eu-ai-act: [Article 10(3)]
#     sr-11-7: [VI Policies and Procedures]
#     iso-42001: [A.7.4]
#   evidence: [evidence.measurements.params]
#   not_covered: Rules that a contract does not have; what it must name at least is data.contract_incomplete.
package gates.release.bounds

import data.gates.lib.asked
import data.gates.lib.figures
import data.gates.lib.required
import data.gates.lib.result

# METADATA
# title: Contract too loose
# description: A rule of a data contract lets more bad rows, or an older table, pass than policy allows here.
# custom:
#   code: contract.loose
#   remedy: Tighten the rule that is named; or have the policy owners write a wider `contract` into models/<model>/data.yaml.
results contains object.union(result.denies("release.bounds", "contract.loose"), {"item": figure.item}) if {
	asked.strict
	some figure in figures.all
	figure.check == "data.contract"
	some param in figure.params
	word := _tolerances[param.name]
	not _within(param, word)
}

_tolerances := {"tolerated_percent": "percent", "tolerated_rows": "rows", "seconds": "seconds"}

# Text is no number, whatever the order of things says.
_within(param, word) if {
	value := param.value
	is_number(value)
	most := _most(word)
	is_number(most)
	value <= most
}

_most(word) := most if {
	most := required.model(input.request.model).contract[word]
} else := data.release.environments[asked.environment].contract[word]

# METADATA
# title: Tool not accepted
# description: What a tool found of personal data counts here only if policy names the tool, for anybody can write its report.
# custom:
#   code: personal_data.tool
#   remedy: Install the extra `pii` where it is measured; or have the policy owners name the tool under `recognisers` in models/<model>/data.yaml.
results contains object.union(result.denies("release.bounds", "personal_data.tool"), {"item": figure.item}) if {
	asked.strict
	some figure in figures.all
	figure.check == "data.untagged_personal_data"
	figure.status == "measured"
	not _accepted(figure)
}

_accepted(figure) if {
	some param in figure.params
	param.name == "recognisers"
	param.value in _recognisers
}

_recognisers := {tool | some tool in data.release.recognisers} | {tool |
	some tool in required.model(input.request.model).recognisers
}
