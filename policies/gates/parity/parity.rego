# The parity gate's checks: does serving compute the features that training saw? A census of the paired keys, or where the
# spec says that a table is a sample, a claim about all traffic; without keys, a comparison of distributions.
#
# METADATA
# description: What each check shows of the features that serving computes.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MEASURE 2.3]
#     eu-ai-act: [Article 15(1)]
#     sr-11-7: [V.2 Ongoing Monitoring]
#     iso-42001: [A.6.2.4, A.7.6]
#   evidence: [evidence.measurements, evidence.tables]
#   not_covered: Features that no table holds, and whether a feature that agrees is a good one.
package gates.checks.parity

# METADATA
# title: Train/serve mismatch
# description: The share of paired rows in which a feature differs between the offline and the online table.
# custom:
#   code: parity.mismatch
#   remedy: Compare units, time zones and defaults of the two paths that compute this feature.
checks["parity.mismatch"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: Rows missing on one side
# description: The share of keys that only the offline or only the online table has.
# custom:
#   code: parity.missing
#   remedy: Find out which requests are not logged, or which rows the offline table drops.
checks["parity.missing"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: Rows that were paired
# description: Keys that both tables have; few pairs say little of what serving computes, however well they agree.
# custom:
#   code: parity.pairs
#   remedy: Log more requests, and keep the same rows of the offline table.
checks["parity.pairs"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_least",
	"items": "any",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: One table for both
# description: 1 where the online table is, or is read from, the very bytes that the offline table is; else 0.
# custom:
#   code: parity.one_table
#   remedy: Give as online what serving computed or logged; a table that is compared with itself always agrees.
checks["parity.one_table"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"offline", "online"},
}

# METADATA
# title: Requests that nobody could read
# description: The share of a log's answered requests, of their rows, whose features could not be read.
# custom:
#   code: parity.unread
#   remedy: Look at `forms` of the attachment source-ROLE.json; `columns` under `log` names values that are given by place.
checks["parity.unread"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"when": {"log"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"log"},
}

# METADATA
# title: Values missing online
# description: The share of pairs in which a feature has a value offline and a null or NaN online.
# custom:
#   code: parity.null
#   remedy: Find out why serving has no value where training had one; a default in its place would be a mismatch too.
checks["parity.null"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: Values that the online store does not know
# description: The share of pairs in which a feature has a value offline and the online store has no such entity.
# custom:
#   code: parity.not_found
#   remedy: Look at the job that fills the online store, and at how serving forms the key that it asks for.
checks["parity.not_found"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: Values too old online
# description: The share of pairs whose online value was written longer before the event than the allowed lag, or than its view in the online store allows.
# custom:
#   code: parity.too_old
#   remedy: Look at the job that writes this feature to the online store, or at its time to live.
checks["parity.too_old"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"needs": {"offline", "online", "columns.key"},
}

# METADATA
# title: Shift between training and serving
# description: The mean of a feature online minus that offline, in standard deviations; of a text, of the bucket of its values that moved most.
# custom:
#   code: parity.smd
#   remedy: Compare units, defaults and filters of the two paths that compute this feature.
checks["parity.smd"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"when": {"online", "reference"},
	"subject": "data",
	"sense": "within",
	"items": "any",
	"needs": {"online"},
}

# METADATA
# title: Spread between training and serving
# description: The variance of a feature online over that offline.
# custom:
#   code: parity.variance_ratio
#   remedy: Compare units, clipping and defaults of the two paths that compute this feature.
checks["parity.variance_ratio"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"when": {"online", "reference"},
	"subject": "data",
	"sense": "within",
	"items": "any",
	"needs": {"online"},
}

# METADATA
# title: Missing values between training and serving
# description: The share of rows without a finite value of a feature online minus that offline.
# custom:
#   code: parity.missing_rate_difference
#   remedy: Find out why the feature is filled differently on the two paths.
checks["parity.missing_rate_difference"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"optional": true,
	"when": {"online", "reference"},
	"subject": "data",
	"sense": "within",
	"items": "features",
	"needs": {"online"},
}

# METADATA
# title: Values that differ from those of the row's time
# description: The share of training rows in which a feature is not what the events known at the row's time say.
# custom:
#   code: parity.asof_mismatch
#   remedy: Join each row with the newest event known at its time (an as-of join), and compare defaults and aggregations.
checks["parity.asof_mismatch"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"events"},
	"when": {"events"},
}

# METADATA
# title: Values from after the row's time
# description: The share of training rows in which a feature has a value that happened, or was ingested, only later.
# custom:
#   code: parity.known_later
#   remedy: Join each row with what was known by its time, by ingestion too; a model that has seen the future looks better than it will be.
checks["parity.known_later"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "any",
	"optional": true,
	"needs": {"events"},
	"when": {"events"},
}

# METADATA
# title: Feature that changed under one version
# description: Whether a feature's code, window, default or keys changed since the champion, and its version did not.
# custom:
#   code: parity.definition_changed
#   remedy: Give the changed feature another version, or take the change back.
checks["parity.definition_changed"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"optional": true,
	"needs": {"definitions", "champion_definitions"},
	"when": {"definitions", "champion_definitions"},
}

# METADATA
# title: Feature that serving defines otherwise
# description: Whether serving has another version, code, window, default or keys of a feature than training, or none.
# custom:
#   code: parity.definition_differs
#   remedy: Serve the definition that the model was trained with, or train with the one that is served.
checks["parity.definition_differs"] := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "features",
	"optional": true,
	"needs": {"definitions", "serving_definitions"},
	"when": {"definitions", "serving_definitions"},
}
