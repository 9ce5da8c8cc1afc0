# The regression gate's checks: is the candidate no worse than the champion by more than a margin, and better than a
# constant? Differences and ratios are measured on the same rows; "not below the champion" would refuse equals.
#
# METADATA
# description: What each check shows of the model beside another one.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MEASURE 2.3, MEASURE 2.5]
#     eu-ai-act: [Article 9(8), Article 15(1)]
#     sr-11-7: [V.2 Ongoing Monitoring, V.3 Outcomes Analysis]
#     iso-42001: [A.6.2.4]
#   evidence: [evidence.measurements]
#   not_covered: Whether the champion was good enough, and rows unlike those of the holdout.
package gates.checks.regression

# METADATA
# title: AUC against the champion
# description: The candidate's AUC minus the champion's, on the same rows.
# custom:
#   code: regression.auc_vs_champion
#   remedy: The candidate ranks worse than what serves; compare features and training data.
checks["regression.auc_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Log loss against the champion
# description: The candidate's log loss divided by the champion's, on the same rows.
# custom:
#   code: regression.log_loss_vs_champion
#   remedy: Look for confident mistakes, which log loss punishes most.
checks["regression.log_loss_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Brier score against the champion
# description: The candidate's Brier score divided by the champion's, on the same rows.
# custom:
#   code: regression.brier_vs_champion
#   remedy: Compare calibration and ranking of the two, to see which of them was lost.
checks["regression.brier_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Skill against a constant
# description: The candidate's Brier score divided by that of the base rate; 1 and more means no skill.
# custom:
#   code: regression.brier_vs_baseline
#   remedy: The model knows no more than the base rate; check labels, join and features.
checks["regression.brier_vs_baseline"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
}

# METADATA
# title: Mean absolute error against the champion
# description: The candidate's mean absolute error over the champion's, on the same rows.
# custom:
#   code: regression.mae_vs_champion
#   remedy: The candidate is worse than what serves; look at the slices where.
checks["regression.mae_vs_champion"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
}

# METADATA
# title: Mean absolute error against a constant
# description: The candidate's mean absolute error over that of one number for all rows, their own median.
# custom:
#   code: regression.mae_vs_baseline
#   remedy: The model is no better than a constant; there is nothing to serve.
checks["regression.mae_vs_baseline"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
}

# METADATA
# title: Average precision against the champion
# description: The candidate's average precision minus the champion's, on the same rows.
# custom:
#   code: regression.average_precision_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.average_precision_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Precision at the threshold against the champion
# description: The candidate's precision at the threshold minus the champion's, on the same rows.
# custom:
#   code: regression.precision_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.precision_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Recall at the threshold against the champion
# description: The candidate's recall at the threshold minus the champion's, on the same rows.
# custom:
#   code: regression.recall_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.recall_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: F1 at the threshold against the champion
# description: The candidate's F1 at the threshold minus the champion's, on the same rows.
# custom:
#   code: regression.f1_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.f1_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Matthews correlation at the threshold against the champion
# description: The candidate's Matthews correlation at the threshold minus the champion's, on the same rows.
# custom:
#   code: regression.mcc_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.mcc_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Root mean squared error against the champion
# description: The candidate's root mean squared error divided by the champion's, on the same rows.
# custom:
#   code: regression.rmse_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.rmse_vs_champion"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Pinball loss against the champion
# description: The mean pinball loss of the candidate's predicted quantiles over that of the champion's, on the same rows and at the same levels.
# custom:
#   code: regression.pinball_vs_champion
#   remedy: Compare with what serves, slice by slice; calibration.quantile says which levels are off.
checks["regression.pinball_vs_champion"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion", "quantiles"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Pinball loss against constants
# description: The mean pinball loss of the candidate's predicted quantiles over that of the same for all rows, the label's own quantiles.
# custom:
#   code: regression.pinball_vs_baseline
#   remedy: The predicted quantiles are no better than constants; they say nothing of the single row.
checks["regression.pinball_vs_baseline"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"quantiles"},
	"scored": true,
	"optional": true,
}

# METADATA
# title: Share of variance explained against the champion
# description: The candidate's share of variance explained minus the champion's, on the same rows.
# custom:
#   code: regression.r2_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.r2_vs_champion"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: F1 of scikit-learn, mean over classes against the champion
# description: The candidate's F1 of scikit-learn, mean over classes minus the champion's, on the same rows.
# custom:
#   code: regression.f1_macro_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.f1_macro_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Balanced accuracy of scikit-learn against the champion
# description: The candidate's balanced accuracy of scikit-learn minus the champion's, on the same rows.
# custom:
#   code: regression.balanced_accuracy_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.balanced_accuracy_vs_champion"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: One-vs-rest AUC of scikit-learn against the champion
# description: The candidate's one-vs-rest AUC of scikit-learn minus the champion's, on the same rows.
# custom:
#   code: regression.roc_auc_ovr_vs_champion
#   remedy: Compare with what serves, slice by slice; look at features and training rows first.
checks["regression.roc_auc_ovr_vs_champion"] := {
	"tasks": {"multiclass"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: AUC better than the champion's
# description: The candidate's AUC minus the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.auc_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.auc_superiority"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Average precision better than the champion's
# description: The candidate's average precision minus the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.average_precision_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.average_precision_superiority"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Log loss better than the champion's
# description: The candidate's log loss divided by the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.log_loss_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.log_loss_superiority"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Brier score better than the champion's
# description: The candidate's Brier score divided by the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.brier_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.brier_superiority"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Mean absolute error better than the champion's
# description: The candidate's mean absolute error divided by the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.mae_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.mae_superiority"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Root mean squared error better than the champion's
# description: The candidate's root mean squared error divided by the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.rmse_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.rmse_superiority"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Share of variance explained better than the champion's
# description: The candidate's share of variance explained minus the champion's, on the same rows. Required where a release must be proven better.
# custom:
#   code: regression.r2_superiority
#   remedy: Proven equal is not enough here; more rows prove a smaller gain.
checks["regression.r2_superiority"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: AUC against the anchor
# description: The candidate's AUC minus the anchor's, on the same rows. The anchor is the best version that served in the last 12 months.
# custom:
#   code: regression.auc_vs_anchor
#   remedy: Many small losses in a row add up; go back to what was lost since the anchor.
checks["regression.auc_vs_anchor"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion", "anchor"},
	"scored": true,
}

# METADATA
# title: Log loss against the anchor
# description: The candidate's log loss divided by the anchor's, on the same rows. The anchor is the best version that served in the last 12 months.
# custom:
#   code: regression.log_loss_vs_anchor
#   remedy: Many small losses in a row add up; go back to what was lost since the anchor.
checks["regression.log_loss_vs_anchor"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion", "anchor"},
	"scored": true,
}

# METADATA
# title: Brier score against the anchor
# description: The candidate's Brier score divided by the anchor's, on the same rows. The anchor is the best version that served in the last 12 months.
# custom:
#   code: regression.brier_vs_anchor
#   remedy: Many small losses in a row add up; go back to what was lost since the anchor.
checks["regression.brier_vs_anchor"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion", "anchor"},
	"scored": true,
}

# METADATA
# title: Mean absolute error against the anchor
# description: The candidate's mean absolute error divided by the anchor's, on the same rows. The anchor is the best version that served in the last 12 months.
# custom:
#   code: regression.mae_vs_anchor
#   remedy: Many small losses in a row add up; go back to what was lost since the anchor.
checks["regression.mae_vs_anchor"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion", "anchor"},
	"scored": true,
}

# METADATA
# title: Root mean squared error against the anchor
# description: The candidate's root mean squared error divided by the anchor's, on the same rows. The anchor is the best version that served in the last 12 months.
# custom:
#   code: regression.rmse_vs_anchor
#   remedy: Many small losses in a row add up; go back to what was lost since the anchor.
checks["regression.rmse_vs_anchor"] := {
	"tasks": {"numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
}

# METADATA
# title: Expected cost against the champion
# description: The candidate's cost per 1,000 decisions minus the champion's, by the cost matrix of the policy owners.
# custom:
#   code: regression.cost_vs_champion
#   remedy: Look at the operating threshold; the dearer kind of error has grown.
checks["regression.cost_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: Value against the champion
# description: What the candidate's decisions are worth minus what the champion's are, by the payoff matrix of the policy owners.
# custom:
#   code: regression.value_vs_champion
#   remedy: Look at the operating threshold, and at the rows with the largest payoff.
checks["regression.value_vs_champion"] := {
	"tasks": {"binary"},
	"subject": "pair",
	"sense": "at_least",
	"items": "none",
	"needs": {"champion"},
	"sliced": true,
	"scored": true,
	"optional": true,
}

# METADATA
# title: AUC on the gold table
# description: The candidate's AUC on the rows that the policy owners pin by digest.
# custom:
#   code: regression.gold_auc
#   remedy: The model is not good enough by itself, whatever serves; look at the gold rows that it misses.
checks["regression.gold_auc"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_least",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
	"gold": true,
}

# METADATA
# title: Brier score on the gold table
# description: The candidate's Brier score on the rows that the policy owners pin by digest.
# custom:
#   code: regression.gold_brier
#   remedy: The model is not good enough by itself, whatever serves; look at the gold rows that it misses.
checks["regression.gold_brier"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
	"gold": true,
}

# METADATA
# title: Log loss on the gold table
# description: The candidate's log loss on the rows that the policy owners pin by digest.
# custom:
#   code: regression.gold_log_loss
#   remedy: The model is not good enough by itself, whatever serves; look at the gold rows that it misses.
checks["regression.gold_log_loss"] := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
	"gold": true,
}

# METADATA
# title: Skill against a constant on the gold table
# description: The candidate's Brier score divided by that of the classes' shares, on the rows that the policy owners pin by digest; 1 and more means no skill.
# custom:
#   code: regression.gold_brier_vs_baseline
#   remedy: The model is not good enough by itself, whatever serves; look at the gold rows that it misses.
checks["regression.gold_brier_vs_baseline"] := {
	"tasks": {"binary", "multiclass"},
	"subject": "pair",
	"sense": "at_most",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
	"gold": true,
}

# METADATA
# title: Share of variance explained on the gold table
# description: The candidate's share of variance explained on the rows that the policy owners pin by digest.
# custom:
#   code: regression.gold_r2
#   remedy: The model is not good enough by itself, whatever serves; look at the gold rows that it misses.
checks["regression.gold_r2"] := {
	"tasks": {"numeric"},
	"subject": "candidate",
	"sense": "at_least",
	"items": "none",
	"needs": set(),
	"scored": true,
	"optional": true,
	"gold": true,
}

# METADATA
# title: Time of a call
# description: Median and 95th percentile of the candidate's time for one row, in seconds.
# custom:
#   code: regression.latency
#   remedy: Profile the model on one row; on a shared runner measure again where nothing else runs.
#   supports:
#     iso-42001: [A.6.2.2, A.6.2.4]
checks["regression.latency"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "candidate",
	"sense": "at_most",
	"items": "any",
	"needs": set(),
	"optional": true,
	"advice_where": "shared_runner",
}

# METADATA
# title: Time of a call against the champion
# description: The candidate's median and 95th percentile divided by the champion's, on calls in turn.
# custom:
#   code: regression.latency_vs_champion
#   remedy: Profile both models on one row; on a shared runner measure again where nothing else runs.
#   supports:
#     iso-42001: [A.6.2.2, A.6.2.4]
checks["regression.latency_vs_champion"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "pair",
	"sense": "at_most",
	"items": "any",
	"needs": {"champion"},
	"optional": true,
	"advice_where": "shared_runner",
}
