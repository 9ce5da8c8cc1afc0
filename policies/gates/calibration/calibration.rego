# The calibration gate's checks: can the model's probabilities and prediction sets be believed?
package gates.checks.calibration

# METADATA
# title: Expected calibration error
# description: The mean gap between predicted probability and observed rate, over equal-mass bins.
# custom:
#   code: calibration.ece
#   remedy: Recalibrate (isotonic or Platt) on rows that neither training nor the holdout uses.
checks["calibration.ece"] := {
	"tasks": {"binary", "multiclass"},
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
	"tasks": {"binary", "multiclass"},
	"subject": "candidate",
	"sense": "within",
	"items": "any",
	"needs": set(),
	"scored": true,
}

# METADATA
# title: Expected calibration error, bins of equal width
# description: The mean gap between predicted probability and observed rate, over ten bins of equal width.
# custom:
#   code: calibration.ece_equal_width
#   remedy: Recalibrate (isotonic or Platt) on rows that neither training nor the holdout uses.
checks["calibration.ece_equal_width"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Slope within bins
# description: Errors that cancel within each bin, as a sawtooth's do; binned error cannot see them.
# custom:
#   code: calibration.slope
#   remedy: Look at the scores within the bins; a calibrator with few steps or a leaked threshold makes them jump.
checks["calibration.slope"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
}

# METADATA
# title: Calibration fitted on the holdout
# description: The share of rows in bins whose observed rate is the mean prediction to 1e-9, which chance does not do.
# custom:
#   code: calibration.fitted_share
#   remedy: Fit the calibrator on rows of its own, and measure on rows that it has not seen.
checks["calibration.fitted_share"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
}

# METADATA
# title: Calibration error of each class
# description: One class against the rest, on rows where its probability is at least 1/K; every class with enough events.
# custom:
#   code: calibration.classwise_worst
#   remedy: Recalibrate the named class on rows that neither training nor the holdout uses.
checks["calibration.classwise_worst"] := {
	"tasks": {"multiclass"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": set(),
	"scored": true,
	"optional": true,
}

# METADATA
# title: Calibration error summed over the classes
# description: The errors of all classes against the rest, each times the share of rows where it has at least 1/K.
# custom:
#   code: calibration.classwise_sum
#   remedy: Recalibrate on rows that neither training nor the holdout uses.
checks["calibration.classwise_sum"] := {
	"tasks": {"multiclass"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
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
