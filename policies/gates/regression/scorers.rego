# Scorers of scikit-learn besides those that we ship limits for: the policy owners name them in models/<model>/data.yaml
# under `scorers`, each with its limits by environment. Of every scorer more is better, so that a limit is the largest loss
# against the champion that is still good. Which scorers there are stands in release/data.yaml; another one is unknown.
package gates.checks.regression

default _model := null

_model := model if {
	model := input.request.model
} else := input.model

# METADATA
# title: Scorer of scikit-learn against the champion
# description: The candidate's score minus the champion's by a scorer that the policy owners named, on the same rows.
# custom:
#   code: regression.scorer_vs_champion
#   remedy: Compare with what serves, slice by slice; its limits stand in models/<model>/data.yaml under `scorers`.
checks[name] := check if {
	some scorer, definition in object.get(data.models[_model], "scorers", {})
	tasks := {task | some task, known in data.release.scorers; scorer in known}
	count(tasks) > 0
	name := concat("", ["regression.", scorer, "_vs_champion"])
	check := {
		"tasks": tasks,
		"subject": "pair",
		"sense": "at_least",
		"items": "none",
		"needs": {"champion"},
		"sliced": true,
		"scored": true,
		"optional": true,
		"limits": object.get(definition, "limits", {}),
		"at": concat("/", ["models", _model, "scorers", scorer, "limits"]),
	}
}
