# The backfill gate's checks: is a rewritten table what it was declared to be? All are claims about the rows read (a
# census). They are required wherever a spec names the tables `live` and `shadow`; some besides want another table, or a
# word of `backfill` in gates.yaml: lateness, known, ttl.
#
# A figure without an item is of the whole table; those of the worst partitions stand beside it.
#
# METADATA
# description: What each check shows of a rewritten table.
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MAP 2.3]
#     eu-ai-act: [Article 10(2)(c)]
#     sr-11-7: ["IV Model Development, Implementation, and Use"]
#     iso-42001: [A.7.6]
#   evidence: [evidence.measurements, evidence.tables]
#   not_covered: Whether what was declared of the rewriting is right.
package gates.checks.backfill

# METADATA
# title: Columns of a rewritten table
# description: "Columns that the rewrite drops or holds in another kind than the live table."
# custom:
#   code: backfill.columns
#   remedy: "Rewrite with every column of the live table; a column may be added, none may go."
checks["backfill.columns"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Rows by partition
# description: "Rows more or less in a partition of the rewrite than in the live table, over all partitions."
# custom:
#   code: backfill.row_difference
#   remedy: "Look at the named partitions; a run that stopped half-way leaves rows out, one that ran twice into the same table doubles them."
checks["backfill.row_difference"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Keys that the rewrite lost
# description: "Keys of the live table that the rewrite does not have."
# custom:
#   code: backfill.keys_missing
#   remedy: "Look at the named partitions; run the rewrite again for them, or say why the rows must go and delete them in a step of their own."
checks["backfill.keys_missing"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Keys that the rewrite added
# description: "Keys of the rewrite that the live table does not have, such as rows that were deleted, which came back."
# custom:
#   code: backfill.keys_added
#   remedy: "Look at the named partitions; add new rows in a step of their own."
checks["backfill.keys_added"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Rows counted twice
# description: "Rows of the rewrite beyond as many as the live table has of their key."
# custom:
#   code: backfill.keys_repeated
#   remedy: "Empty a partition before it is written again, or make the write replace rows by key."
checks["backfill.keys_repeated"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Changes outside the window
# description: "Rows of a time outside the declared window that the rewrite changed, added or left out."
# custom:
#   code: backfill.changed_outside_window
#   remedy: "Restrict the rewrite to the window, or declare the window that it needs in `backfill`, for people to see."
checks["backfill.changed_outside_window"] := _of_rewrite({"live", "shadow"})

# METADATA
# title: Another run gives another table
# description: "Partitions of which a second run of the rewrite gave other rows than the first."
# custom:
#   code: backfill.rerun_difference
#   remedy: "Look for the time of the run, random numbers, ties in an order, or a source that changed between the runs; a column that each run writes anew is named in `backfill.written`."
checks["backfill.rerun_difference"] := _of_rewrite({"live", "shadow", "rerun"})

# METADATA
# title: Rows past the watermark
# description: "Rows of the rewrite that arrived longer after their time than `backfill.lateness` allows, or no one knows when: the live table did not wait for them."
# custom:
#   code: backfill.late_rows
#   remedy: "Leave out what arrived past the watermark, as the live pipeline did."
checks["backfill.late_rows"] := _of_rewrite({"live", "shadow", "lateness"})

# METADATA
# title: Values from the future
# description: "Rows of the rewrite with a value that was known after the row's time, or no one knows when: a model that learns from them has seen the future."
# custom:
#   code: backfill.known_later
#   remedy: "Join each row with what was known by its time (an as-of join), not with what is known today."
checks["backfill.known_later"] := _of_rewrite({"live", "shadow", "known"})

# METADATA
# title: Values past their time to live
# description: "Rows of the rewrite with a value older at the row's time than `backfill.ttl` allows: serving would not have had it."
# custom:
#   code: backfill.expired_rows
#   remedy: "Bound the as-of join of the rewrite by the same time to live as serving."
checks["backfill.expired_rows"] := _of_rewrite({"live", "shadow", "known", "ttl"})

# METADATA
# title: Trained on two versions
# description: "Rows of the training table that are of another version than most, of the rows that the rewrite changed."
# custom:
#   code: backfill.mixed_training
#   remedy: "Make the training table anew, wholly from the live table or wholly from the rewrite."
checks["backfill.mixed_training"] := _of_rewrite({"live", "shadow", "training"})

_of_rewrite(tables) := {
	"tasks": {"binary", "multiclass", "numeric"},
	"subject": "data",
	"sense": "at_most",
	"items": "none",
	"optional": true,
	"needs": {"live", "shadow"},
	"when": tables,
}
