"""Studies: the promises of the figures, in worlds with a known truth, at length.

`make study` runs them all, writes docs/study and fails where an error rate exceeds its promise by more than its Monte
Carlo error. `test_study.py` runs the same code with fewer runs. A study is a module with `study(runner) -> Page`.
"""

STUDIES = (
    "calibration_error",
    "reliability_bins",
    "resolution",
    "bounded_rule",
    "small_slices",
    "unseen",
    "few",
    "scorers",
    "families",
    "clusters",
    "looks",
    "coverage",
    "curve",
    "champion",
    "erosion",
    "groups",
    "baseline",
    "alternatives",
    "causes",
    "reliability",
)
