# The calibration gate's checks: can the model's probabilities and prediction sets be believed?
package gates.checks.calibration

# METADATA
# title: Expected calibration error
# description: The mean gap between predicted probability and observed rate, over equal-mass bins.
# custom:
#   code: calibration.ece
#   remedy: Recalibrate (isotonic or Platt) on rows that neither training nor the holdout uses.
checks["calibration.ece"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Reliability bins
# description: Observed rate minus mean prediction in each bin, and in the region above the operating threshold.
# custom:
#   code: calibration.bin
#   remedy: Recalibrate; the named bin is where predictions and outcomes part.
checks["calibration.bin"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "within",
	"items": "any",
	"needs": set(),
	"scored": true,
}

# METADATA
# title: Under-coverage
# description: Nominal minus observed coverage of the prediction sets; positive means that the sets miss too often.
# custom:
#   code: calibration.under_coverage
#   remedy: Conformalize again on fresh rows (2,000 or more), exchangeable with what is served.
checks["calibration.under_coverage"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": {"sets"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Over-coverage
# description: Observed minus nominal coverage; positive means that the sets are wider than promised.
# custom:
#   code: calibration.over_coverage
#   remedy: Conformalize again; sets over-cover by construction where scores have many ties.
checks["calibration.over_coverage"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": {"sets"},
	"scored": true,
	"lenient_tiers": {"medium", "low"},
}
