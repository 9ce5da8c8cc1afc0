# What the policy owners say of their models, against what is in force: each word that asks less than before. Rules of their
# own are looked at as a whole: one that is gone or is another may deny less, and nobody can tell from its text.
#
# Where nothing is in force, or nothing of the kind was said, it is held against what we ship. Slices, requirements, keys and
# tables of a model are not looked at here: a decision that asks less than the last one did is narrowed.
#
# METADATA
# description: Paths of the words of models/<model>/data.yaml that ask less than what is in force.
# schemas:
#   - input: schema["activation-request.v1"]
package gates.lib.facts

import data.gates.lib.limits
import data.gates.lib.required

_less_is_stricter := {"parity_tolerance", "near_digits", "rescored_tolerance"}

_more_is_stricter := {
	"anchors", "bins", "coverage_level", "latency_pairs", "max_rows", "maturation_seconds", "micro_bins",
	"minimum_clusters", "minimum_events", "personal_rows", "rescored_rows", "strata",
}

# METADATA
# description: |
#   A parameter asks no less than it did. Of those that have no direction, such as the operating threshold, every change may
#   ask less.
as_strict(_, was, was)

as_strict(name, was, now) if {
	_less_is_stricter[name]
	is_number(was)
	is_number(now)
	now <= was
}

as_strict(name, was, now) if {
	_more_is_stricter[name]
	is_number(was)
	is_number(now)
	now >= was
}

# METADATA
# description: Paths in an environment; those of parameters without a direction only where something is in force.
loosened(environment) := {path |
	some model in _models
	some word in _words(environment, model)
	path := concat("/", ["models", model, word])
}

# METADATA
# description: Rules of the owners' own that are in force and would be so no more, or not as they are.
own_rules := {path |
	some name, digest in input.custom.in_force
	not input.custom.coming[name] == digest
	path := concat("/", ["custom", name])
}

_models := {model | some model, _ in data.models} | {model | some model, _ in input.in_force}

_was(model) := input.in_force[model] if {
	is_object(input.in_force[model])
} else := {}

_words(environment, model) := ((_said(model) | _parameters(model)) | _contract(environment, model)) | _own(environment, model)

_rank := {"high": 2, "medium": 1, "low": 0}

_said(model) := (({"tier" |
	input.in_force
	_rank[required.tier(model)] < _rank[object.get(_was(model), "tier", "high")]
} | {word |
	some word in {"solo", "first_release"}
	_is(required.model(model), word)
	not _is(_was(model), word)
}) | ({"business_owner" |
	_owned(_was(model))
	not _owned(required.model(model))
} | {"sizes" |
	before := _sizes(_was(model))
	some size in _sizes(required.model(model))
	not before[size]
})) | (({"recognisers" |
	some tool in required.model(model).recognisers
	not tool in object.get(_was(model), "recognisers", [])
	not tool in data.release.recognisers
} | {"holdouts" |
	some _ in _was(model).holdouts
	not _no_other_holdout(model)
}) | {word |
	some word in {"target", "gold"}
	before := _was(model)[word]
	not required.model(model)[word] == before
})

# None named means any.
_no_other_holdout(model) if {
	some _ in required.model(model).holdouts
	every digest in required.model(model).holdouts {
		digest in _was(model).holdouts
	}
}

# Helpers, for a negated expression over something undefined is itself undefined.
_is(said, word) if said[word] == true

_owned(said) if is_string(said.business_owner)

_sizes(said) := {size | some size in said.sizes} if {
	count(said.sizes) > 0
} else := {size | some size in data.release.sizes}

_parameters(model) := {concat("/", ["parameters", name]) |
	was := object.union(data.parameters, object.get(_was(model), "parameters", {}))
	now := object.union(data.parameters, object.get(required.model(model), "parameters", {}))
	some name in (object.keys(was) | {"parity_features"})
	_compared(name)
	not _no_less(name, was, now)
}

_compared("parity_features")

_compared(name) if (_less_is_stricter | _more_is_stricter)[name]

_compared(_) if input.in_force

_no_less(name, was, now) if as_strict(name, was[name], now[name])

# Rules that come may only be tighter than the tolerance in whose place they stand; none may go.
_no_less("parity_features", was, now) if {
	before := {rule | some rule in was.parity_features}
	after := {rule | some rule in now.parity_features}
	count({rule | some rule in before; not after[rule]}) == 0
	count({rule | some rule in after; not before[rule]; not _tight(rule, was.parity_tolerance)}) == 0
}

_tight(rule, tolerance) if {
	rule.absolute <= tolerance
	object.keys(rule) == {"feature", "absolute"}
}

_contract(environment, model) := {concat("/", ["contract", word]) |
	some word in {"percent", "rows", "seconds"}
	_bound(environment, required.model(model), word) > _bound(environment, _was(model), word)
}

_bound(environment, said, word) := said.contract[word] if {
	is_number(said.contract[word])
} else := data.release.environments[environment].contract[word]

_own(environment, model) := ({concat("/", ["own", check]) |
	some check, said in _was(model).own
	limit := said.limits[environment]
	not _held(said, limit, object.get(required.model(model), ["own", check], {}), environment)
} | {concat("/", ["scorers", scorer]) |
	some scorer, said in _was(model).scorers
	limit := said.limits[environment]
	now := object.get(required.model(model), ["scorers", scorer, "limits", environment], {})
	not _no_wider("at_least", limit, now)
}) | {concat("/", ["inconclusive_share_ppm", check]) |
	some check, most in _was(model).inconclusive_share_ppm
	not _no_more(required.model(model), check, most)
}

_no_more(said, check, most) if said.inconclusive_share_ppm[check] <= most

_held(was, limit, now, environment) if {
	now.sense == was.sense
	_as_bounded(was, now)
	_no_wider(was.sense, limit, now.limits[environment])
}

# A mean of which nobody knows how far a value can lie may only be taken where it was.
_as_bounded(_, now) if not now.range

_as_bounded(was, _) if was.range

_no_wider(_, limit, limit)

_no_wider(sense, limit, now) if limits.no_wider(sense, now, limit)
