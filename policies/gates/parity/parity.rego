# The parity gate's checks: does serving compute the features that training saw? A census of the paired keys.
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
	"needs": {"offline", "online"},
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
	"needs": {"offline", "online"},
}
