# The comparison with uncertainty, once: a figure with bounds against a limit, for a family of claims and a number of
# looks. Sources: reference statistics, section 0 (intersection-union test for a pass, Bonferroni for a fail, and
# 1 - .05/(k(k-1)) at the k-th look, both rounded up on the ladder as tables of integers).
package gates.lib.comparison

_confidences := [0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999]

_largest_family := [1, 2, 5, 10, 50, 100, 500, 5000, 50000]

_largest_look := [1, 2, 2, 3, 7, 10, 22, 71, 224]

# The first rung whose table value is at least n; undefined beyond the table.
_rung(table, n) := min([i | some i, largest in table; n <= largest]) if is_number(n)

# METADATA
# description: Whether a test at this look exists on the ladder.
looks_left(looks) if _rung(_largest_look, looks) >= 0

# METADATA
# description: |
#   Where a pass and a fail are read, in a family of this size and at this look; undefined beyond the tables. A pass needs every
#   claim to hold, each at its unadjusted level; only repeated looks raise it. A fail says that some claim of the family is
#   bad: the stricter of the rungs for family and looks.
rungs(size, looks) := {"pass": look, "fail": max([_rung(_largest_family, size), look])} if {
	look := _rung(_largest_look, looks)
}

# To compare two fractions takes longer than all else here, in the compiled policies. So the bounds are compared with the
# ladder once, and looked for one by one only where they are not as every gate writes them.
_on_ladder(figure) if {
	[bound.confidence | some bound in figure.bounds] == _confidences
} else := false

# Exactly one bound at that confidence, or undefined.
_at(figure, rung, true) := figure.bounds[rung]

_at(figure, rung, false) := figure.bounds[places[0]] if {
	places := [place | some place, bound in figure.bounds; bound.confidence == _confidences[rung]]
	count(places) == 1
}

_crossed(bound) if {
	is_number(bound.lower)
	is_number(bound.upper)
	bound.lower > bound.upper
}

# METADATA
# description: |
#   pass, fail or inconclusive of a figure under a sense: at_most, at_least or within (two-sided). `bar` is
#   {value, inclusive, mirror?}, `at` the rungs. Undefined where the estimate or bounds are missing, bounds doubled or
#   crossed.
verdict(sense, figure, bar, at) := word if {
	_comparable(sense, bar)
	is_number(figure.estimate)
	on_ladder := _on_ladder(figure)
	pass_bound := _at(figure, at.pass, on_ladder)
	fail_bound := _at(figure, at.fail, on_ladder)
	not _crossed(pass_bound)
	not _crossed(fail_bound)
	good := count({1 | _good(sense, pass_bound, bar)})
	bad := count({1 | _bad(sense, fail_bound, bar)})
	word := _words[[good, bad]]
}

# Good and bad at once contradict each other: no word, and so an error.
_words := {[1, 0]: "pass", [0, 1]: "fail", [0, 0]: "inconclusive"}

# METADATA
# description: |
#   The bounded rule: the point (less its known bias, where the method has one) is within the limit and the bound
#   within the wider ceiling. At the first look the bound stands at .95, at later looks where a pass would need it.
bounded(sense, figure, bar, ceiling, looks) if {
	point := object.get(figure, "debiased", figure.estimate)
	_good(sense, {"lower": point, "upper": point}, bar)
	bound := _at(figure, _rung(_largest_look, looks), _on_ladder(figure))
	not _crossed(bound)
	_good(sense, bound, ceiling)
}

# METADATA
# description: |
#   A number without bounds whose point is within the limit: no verdict, and accepted only where a limit says `point: true`.
#   A figure with any bound at all is no such number.
pointed(sense, figure, bar) if {
	count({1 | some bound in figure.bounds; _bounded(bound)}) == 0
	_good(sense, {"lower": figure.estimate, "upper": figure.estimate}, bar)
}

_bounded(bound) if bound.lower != "unbounded"

_bounded(bound) if bound.upper != "unbounded"

_comparable(sense, bar) if {
	sense in {"at_most", "at_least"}
	is_number(bar.value)
}

_comparable("within", bar) if {
	is_number(bar.value)
	is_number(bar.mirror)
}

_good("at_most", bound, bar) if _below(bound.upper, bar.value, bar.inclusive)

_good("at_least", bound, bar) if _below(bar.value, bound.lower, bar.inclusive)

_good("within", bound, bar) if {
	_below(bound.upper, bar.value, bar.inclusive)
	_below(bar.mirror, bound.lower, bar.inclusive)
}

_bad("at_most", bound, bar) if _beyond(bound.lower, bar.value, bar.inclusive)

_bad("at_least", bound, bar) if _beyond(bar.value, bound.upper, bar.inclusive)

_bad("within", bound, bar) if _beyond(bound.lower, bar.value, bar.inclusive)

_bad("within", bound, bar) if _beyond(bar.mirror, bound.upper, bar.inclusive)

# An unbounded side is no number: it is neither below nor beyond anything.
_below(a, b, true) if {
	is_number(a)
	is_number(b)
	a <= b
}

_below(a, b, false) if {
	is_number(a)
	is_number(b)
	a < b
}

_beyond(a, b, true) if {
	is_number(a)
	is_number(b)
	a > b
}

_beyond(a, b, false) if {
	is_number(a)
	is_number(b)
	a >= b
}
