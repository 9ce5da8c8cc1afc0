"""Pure statistics under the gates: sums in, figures with one-sided bounds at each rung of LADDER out.

No tables, no IO, no limits. Every function returns a `Figure`, or the `Reason` why there is none. The engine's part
(sums by GROUP BY) stands in the gates; what stands here depends on numpy and scipy.special only.
"""
