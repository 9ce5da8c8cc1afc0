# The package gate's checks: do the registered bytes say what was judged? Only a table of predictions can differ from them;
# what the scorer process computed is what they say.
#
# METADATA
# description: What each check shows of the registered model beside what was handed in for it.
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MEASURE 2.1, MEASURE 2.3]
#     eu-ai-act: [Article 15(1)]
#     sr-11-7: [V Model Validation]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements, evidence.isolation, evidence.tables]
#   not_covered: Rows that were not drawn, where whoever supplies the table makes so many that one agrees on those that are.
package gates.checks.package

# METADATA
# title: Predictions that the registered model does not make
# description: The share of rows in which a supplied table says something else than the registered model, on rows drawn by its own digest.
# custom:
#   code: package.mismatch
#   remedy: Supply what this registered version says of these rows, at full precision; or leave the table out, so that the scorer makes the predictions.
checks["package.mismatch"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"hostile": true,
	"when": {"predictions"},
	"subject": "candidate",
	"sense": "at_most",
	"scored": true,
	"needs": {"predictions"},
}
