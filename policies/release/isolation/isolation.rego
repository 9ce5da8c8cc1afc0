# METADATA
# description: |
#   Where model code is held to be hostile, it ran in namespaces, on rows that we scored ourselves; or we scored a sample of
#   the supplied ones again, and it agrees.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MEASURE 2.7]
#     eu-ai-act: [Article 15(5)]
#     sr-11-7: [V Model Validation]
#   evidence: [evidence.isolation, evidence.measurements.predictions]
#   not_covered: What the model does where it serves, and attacks by its inputs.
package gates.release.isolation

import data.gates.lib.asked
import data.gates.lib.judge
import data.gates.lib.required
import data.gates.lib.result

_hostile if data.release.environments[asked.environment].hostile_model

# METADATA
# title: Model not isolated
# description: The model's code ran as a bare process, where it could see more than its features.
# custom:
#   code: isolation.process
#   remedy: Measure on a machine with Linux user namespaces.
results contains result.denies("release.isolation", "isolation.process") if {
	_hostile
	some evidence in input.evidence
	_exposed(evidence)
}

_exposed(evidence) if evidence.isolation == "process"

_exposed(evidence) if {
	evidence.isolation != "namespace"
	some figure in evidence.measurements
	figure.predictions == "scored"
}

# METADATA
# title: Predictions supplied
# description: |
#   A figure about the model comes from a table of predictions, not from its registered bytes, and no sample that was scored
#   again from these is proven to agree with it; with a champion, both models' predictions must.
# custom:
#   code: predictions.supplied
#   remedy: Name the registered model as candidate, so that the scorer makes the predictions; or measure where it can score a sample of the table's rows (package.mismatch).
results contains result.denies("release.isolation", "predictions.supplied") if {
	_hostile
	some evidence in input.evidence
	some figure in evidence.measurements
	not _scored(figure)
	figure.status == "measured"
	required.checks[figure.check].scored
	not _agrees(figure)
}

_scored(figure) if figure.predictions == "scored"

_agrees(figure) if {
	figure.predictions == "supplied"
	every name in _compared {
		name in _agreeing
	}
}

# Whose predictions a table may have supplied: figures of pairs rest on both.
_compared := {"predictions"} | {"champion_predictions" | input.request.champion}

# Proven by figures that are the scorer's own: a waiver or an undecided figure shows no agreement.
_agreeing := {name | some [name, _] in _again; not _doubted[name]}

_doubted := {name | some [name, verdict] in _again; verdict != "pass"} | {figure.item.name |
	some evidence in input.evidence
	some figure in evidence.measurements
	figure.check == "package.mismatch"
	not _scored(figure)
}

_again := {[verdict.item.name, verdict.verdict] |
	some verdict in judge.results
	verdict.check == "package.mismatch"
}
