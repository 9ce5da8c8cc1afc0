# The calibration gate's checks: can the model's probabilities and prediction sets be believed?
#
# METADATA
# description: What each check shows of the model by itself.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MEASURE 2.3, MEASURE 2.5]
#     eu-ai-act: [Article 9(8), Article 15(1)]
#     sr-11-7: [V.3 Outcomes Analysis]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements]
#   not_covered: Whether acting on a calibrated probability is right, and rows unlike those of the holdout.
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
	"bins": {"decision"},
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
# description: The errors of all classes against the rest, each times the share of rows where it has at least 1/K. Chance adds to it with each class, so that a perfect model proves .05 by about 4,000 rows of 3 classes, and by 5,000 for each class of 10 and more; with many, owners give it a limit of their own, or ask for the worst class alone.
# custom:
#   code: calibration.classwise_sum
#   remedy: Recalibrate on rows that neither training nor the holdout uses; where it is undecided, the rows may be too few for so many classes.
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
	"tasks": {"binary", "multiclass", "numeric"},
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
#   remedy: Look at calibration.width and its ratios to champion and baseline, for sets that hold too often could be narrower; then conformalize again. Sets over-cover by construction where scores have many ties.
checks["calibration.over_coverage"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": {"sets"},
	"scored": true,
	"lenient_tiers": {"medium", "low"},
}

# METADATA
# title: Coverage by level
# description: Observed minus nominal coverage at each level for which the model gives intervals or sets.
# custom:
#   code: calibration.level_coverage
#   remedy: Conformalize each level by itself; the level named is off.
checks["calibration.level_coverage"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "candidate",
	"sense": "within",
	"items": "any",
	"needs": {"sets"},
	"scored": true,
}

# METADATA
# title: Under-coverage of a stratum
# description: Nominal minus observed coverage among intervals of about one width, sets of one size, or rows predicted alike.
# custom:
#   code: calibration.stratum_under_coverage
#   remedy: The model knows too little of where it is unsure; use scores that adapt (normalised residuals, quantile regression) and conformalize again.
checks["calibration.stratum_under_coverage"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": {"sets"},
	"scored": true,
}

# METADATA
# title: Width against the champion
# description: The candidate's mean interval or set size divided by the champion's, on the same rows at the same level.
# custom:
#   code: calibration.width_vs_champion
#   remedy: Wider intervals say less; compare coverage of the two, and the models' errors.
checks["calibration.width_vs_champion"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion", "sets"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Width against no model
# description: The mean interval divided by the narrowest that holds as many labels and is the same for all rows, or set size by that of the commonest classes; 1 and more means no gain.
# custom:
#   code: calibration.width_vs_baseline
#   remedy: The intervals say no more than the label's own spread; check features, labels and how the intervals are made.
checks["calibration.width_vs_baseline"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"sets"},
	"scored": true,
}

# METADATA
# title: Rows of calibration
# description: How many rows the prediction sets were calibrated on, at most.
# custom:
#   code: calibration.calibration_rows
#   remedy: Calibrate on 2,000 rows or more; with fewer, coverage is off by chance and no holdout shows it.
checks["calibration.calibration_rows"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "candidate",
	"sense": "at_least",
	"items": "none",
	"needs": {"calibration"},
	"lenient_tiers": {"high", "medium", "low"},
}

# METADATA
# title: Coverage left to chance
# description: How far coverage is off its level by the chance of which rows calibrated it, even with endless test rows.
# custom:
#   code: calibration.coverage_spread
#   remedy: Calibrate on more rows; 2,000 keep coverage of .9 within 2 points.
checks["calibration.coverage_spread"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": {"calibration"},
}

# METADATA
# title: Calibration of the distribution
# description: The largest distance between a predicted quantile's level and the share of rows at or under it, and of intervals at two levels or more between level and coverage. One of the two must have the levels that policy wants.
# custom:
#   code: calibration.pit
#   remedy: Recalibrate the quantiles (conformalized quantile regression, isotonic on the levels) on rows that neither training nor the holdout uses.
checks["calibration.pit"] := {
	"tasks": {"numeric"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": {"quantiles"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Predicted quantiles
# description: The share of rows at or under a predicted quantile, minus its level.
# custom:
#   code: calibration.quantile
#   remedy: The named level is where the predicted distribution and the outcomes part; recalibrate it.
checks["calibration.quantile"] := {
	"tasks": {"numeric"},
	"optional": true,
	"subject": "candidate",
	"sense": "within",
	"items": "any",
	"needs": {"quantiles"},
	"scored": true,
}
