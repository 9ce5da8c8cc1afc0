# The fairness gate's checks: are groups treated alike? None of them is of the floor: which groups there are, and which
# of these figures should be alike, is for the policy owners to say (models/<model>/data.yaml, `required`).
#
# Each figure is of a group beside every larger one, so that all of them hold only where every pair of groups does. The
# largest difference is what fairlearn calls demographic parity (of the selection rate) and, of both the true and the false
# positive rate, equalized odds.
#
# METADATA
# description: What each check shows of groups beside each other.
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MEASURE 2.11]
#     eu-ai-act: [Article 9(8)]
#     sr-11-7: [V.3 Outcomes Analysis]
#     iso-42001: [A.5.4]
#   evidence: [evidence.measurements]
#   not_covered: Groups that no column names, harm that no error rate shows, and whether unlike treatment is unlawful.
package gates.checks.fairness

# METADATA
# title: Selection rates apart
# description: The difference between the shares of a group and of a larger one that the model selects.
# custom:
#   code: fairness.selection_rate_difference
#   remedy: Look at the named group's scores and base rate; a threshold that suits one group may not suit the other.
checks["fairness.selection_rate_difference"] := _between("at_most")

# METADATA
# title: Selection rates in proportion
# description: The lower of two groups' selection rates divided by the higher; the four-fifths rule asks for .8.
# custom:
#   code: fairness.selection_rate_ratio
#   remedy: Look at the named group's scores and base rate; a threshold that suits one group may not suit the other.
checks["fairness.selection_rate_ratio"] := _between("at_least")

# METADATA
# title: True positive rates apart
# description: The difference between the shares of events that the model finds in a group and in a larger one.
# custom:
#   code: fairness.true_positive_rate_difference
#   remedy: The model misses more of one group's events; look at its features and rows in training.
checks["fairness.true_positive_rate_difference"] := _between("at_most")

# METADATA
# title: True positive rates in proportion
# description: The lower of two groups' true positive rates divided by the higher.
# custom:
#   code: fairness.true_positive_rate_ratio
#   remedy: The model misses more of one group's events; look at its features and rows in training.
checks["fairness.true_positive_rate_ratio"] := _between("at_least")

# METADATA
# title: False positive rates apart
# description: The difference between the shares of non-events that the model selects in a group and in a larger one.
# custom:
#   code: fairness.false_positive_rate_difference
#   remedy: One group is selected wrongly more often; look at its scores among rows without the event.
checks["fairness.false_positive_rate_difference"] := _between("at_most")

# METADATA
# title: False positive rates in proportion
# description: The lower of two groups' false positive rates divided by the higher.
# custom:
#   code: fairness.false_positive_rate_ratio
#   remedy: One group is selected wrongly more often; look at its scores among rows without the event.
checks["fairness.false_positive_rate_ratio"] := _between("at_least")

# METADATA
# title: Calibration within the group
# description: The expected calibration error of the rows of one group.
# custom:
#   code: fairness.ece
#   remedy: Recalibrate on rows of every group, or with the group among the features where that is allowed.
checks["fairness.ece"] := _between("at_most")

_between(sense) := {
	"tasks": {"binary"},
	"subject": "candidate",
	"sense": sense,
	"items": "any",
	"needs": set(),
	"scored": true,
	"optional": true,
}
