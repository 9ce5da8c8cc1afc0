# The drift gate's checks: are the judged rows of the population that the model learned from? None of them is of the floor:
# a holdout of next month differs for good reasons too, and which features must not is for the policy owners to say
# (models/<model>/data.yaml, `required`).
#
# METADATA
# description: How far the holdout's features are from those of the training table.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MEASURE 2.3]
#     eu-ai-act: [Article 15(1)]
#     sr-11-7: [V.2 Ongoing Monitoring]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements, evidence.tables]
#   not_covered: Features together, drift after the holdout was drawn, and whether what drifted matters to the model.
package gates.checks.drift

# METADATA
# title: Population stability
# description: The population stability index of a feature's cells, holdout beside training, less what chance alone would make.
# custom:
#   code: drift.psi
#   remedy: Look at the feature's values and gaps in both tables; train on rows of the population that is judged, or mend the feature.
checks["drift.psi"] := _of_features

# METADATA
# title: Divergence from training
# description: The Jensen-Shannon divergence of a feature's cells, in bits and not its root, less what chance alone would make.
# custom:
#   code: drift.js
#   remedy: Look at the feature's values and gaps in both tables; train on rows of the population that is judged, or mend the feature.
checks["drift.js"] := _of_features

# METADATA
# title: Largest gap to training
# description: The largest difference between the shares of rows up to a value (Kolmogorov-Smirnov); a missing value is above all others.
# custom:
#   code: drift.ks
#   remedy: Look at the feature's values and gaps in both tables; train on rows of the population that is judged, or mend the feature.
checks["drift.ks"] := _of_features

_of_features := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"optional": true,
	"needs": {"training", "holdout"},
}
