# Where a limit stands, and how an override of the policy owners may tighten it, or loosen it where the ledger names it.
#
# The narrowest that counts wins, and the result names its path: of a feature in a slice, of a feature, of the tier, of the
# environment (`any`, whatever the tier); then what we ship, of the tier and of the environment. An override counts where it
# tightens what we ship, or is named.
package gates.lib.limits

import data.gates.lib.required

# METADATA
# description: |
#   The limit of a figure's check in an environment at a tier, with the path where it stands. Undefined where there is
#   none: a missing limit never passes.
of_figure(environment, tier, figure) := found if {
	found := _in_slice(environment, figure)
	_counts(environment, figure.check, tier, found)
} else := found if {
	found := _in_feature(environment, figure)
	_counts(environment, figure.check, tier, found)
} else := of(environment, figure.check, tier)

# METADATA
# description: Some limit in this environment may be of a feature.
by_feature(environment) if data.overrides[environment].models

_in_slice(environment, figure) := found if {
	feature := _feature(environment, figure)
	found := _found(
		figure.check,
		feature.said.slices[figure.slice.column][figure.slice.value][figure.check],
		concat("/", [feature.at, "slices", figure.slice.column, figure.slice.value, figure.check]),
	)
}

_in_feature(environment, figure) := found if {
	feature := _feature(environment, figure)
	found := _found(
		figure.check,
		feature.said.limits[figure.check],
		concat("/", [feature.at, "limits", figure.check]),
	)
}

_feature(environment, figure) := {
	"said": said,
	"at": _at(environment, input.request.model, figure.item.name),
} if {
	figure.item.kind == "feature"
	said := data.overrides[environment].models[input.request.model].features[figure.item.name]
}

_found(check, limit, path) := {"path": path, "limit": limit} if _usable(required.checks[check].sense, limit)

# METADATA
# description: The same for whatever is of no feature.
of(environment, check, tier) := found if {
	found := _override(environment, check, tier)
	_counts(environment, check, tier, found)
} else := found if {
	found := _override(environment, check, "any")
	_counts(environment, check, tier, found)
} else := _shipped(environment, check, tier)

_counts(environment, check, tier, found) if _tightens(environment, check, tier, found.limit)

_counts(_, _, _, found) if {
	named(found.path)
	not found.limit.point
}

# METADATA
# description: The ledger's policy entry names this path as one that loosens; signed by the policy owners.
named(path) if path in input.ledger.loosened

_shipped(environment, check, tier) := found if {
	found := _thresholds(environment, check, tier)
} else := found if {
	found := _thresholds(environment, check, "any")
} else := _found(check, limit, path) if {
	# A check that the policy owners defined brings its limits, whatever the tier.
	limit := required.checks[check].limits[environment]
	path := concat("/", [required.checks[check].at, environment])
}

_thresholds(environment, check, tier) := _found(
	check,
	data.thresholds[environment].limits[check][tier],
	concat("/", ["thresholds", environment, "limits", check, tier]),
)

_override(environment, check, tier) := _found(
	check,
	data.overrides[environment].limits[check][tier],
	concat("/", ["overrides", environment, "limits", check, tier]),
)

_usable(sense, limit) if {
	is_number(limit.limit)
	is_boolean(limit.inclusive)
	_two_sided(sense, limit)
}

_two_sided(sense, _) if sense in {"at_most", "at_least"}

_two_sided("within", limit) if is_number(limit.mirror.limit)

# Every override that says a limit: where, of which check, at which tiers, and what.
_overrides(environment) := ({[path, check, _tiers(key), limit] |
	some check, keys in data.overrides[environment].limits
	some key, limit in keys
	path := concat("/", ["overrides", environment, "limits", check, key])
} | {[path, check, _all_tiers, limit] |
	some model, features in _features(environment)
	some feature, said in features
	some check, limit in said.limits
	path := concat("/", [_at(environment, model, feature), "limits", check])
}) | {[path, check, _all_tiers, limit] |
	some model, features in _features(environment)
	some feature, said in features
	some column, values in said.slices
	some value, checks in values
	some check, limit in checks
	path := concat("/", [_at(environment, model, feature), "slices", column, value, check])
}

_features(environment) := {model: said.features | some model, said in data.overrides[environment].models}

_at(environment, model, feature) := concat("/", ["overrides", environment, "models", model, "features", feature])

_all_tiers := {"high", "medium", "low"}

_tiers(key) := _all_tiers if {
	key == "any"
} else := {key}

# METADATA
# description: Paths of overrides of known checks that do not tighten, at one tier at least of those that they are for.
loosened(environment) := {path |
	some [path, check, tiers, limit] in _overrides(environment)
	required.checks[check]
	some tier in tiers
	not _tightens(environment, check, tier, limit)
}

# METADATA
# description: Paths of overrides of what no policy knows, and of models that the owners have no facts about.
unknown(environment) := {path |
	some [path, check, _, _] in _overrides(environment)
	not required.checks[check]
} | {path |
	some model, _ in data.overrides[environment].models
	not data.models[model]
	path := concat("/", ["overrides", environment, "models", model])
}

# METADATA
# description: Features of the request's model that overrides of this environment name.
named_features(environment) := {feature | some feature, _ in _of_model(environment)}

# METADATA
# description: Slices, as column and value, that they name.
named_slices(environment) := {[column, value] |
	some _, said in _of_model(environment)
	some column, values in said.slices
	some value, _ in values
}

_of_model(environment) := object.get(_features(environment), input.request.model, {})

_tightens(environment, check, tier, override) if {
	no_wider(required.checks[check].sense, override, _shipped(environment, check, tier).limit)
}

# METADATA
# description: A limit lets nothing pass that another one does not, nor its ceiling; one that takes points for proof is never so.
no_wider(sense, limit, than) if {
	_usable(sense, limit)
	not limit.point
	_inside(sense, bar(limit), bar(than))
	_ceiling_inside(sense, limit, than)
}

_ceiling_inside(_, override, _) if not "ceiling" in object.keys(override)

_ceiling_inside(sense, override, shipped) if _inside(sense, ceiling(override), ceiling(shipped))

_inside("at_most", override, shipped) if _closer(override.value, shipped.value, override, shipped)

_inside("at_least", override, shipped) if _closer(shipped.value, override.value, override, shipped)

_inside("within", override, shipped) if {
	_closer(override.value, shipped.value, override, shipped)
	_closer(shipped.mirror, override.mirror, override, shipped)
}

_closer(a, b, _, _) if {
	is_number(a)
	is_number(b)
	a < b
}

_closer(a, b, override, shipped) if {
	a == b
	_no_wider(override.inclusive, shipped.inclusive)
}

_no_wider(false, _)

_no_wider(true, true)

# METADATA
# description: What figures are compared with.
bar(limit) := object.union(
	{"value": limit.limit, "inclusive": limit.inclusive},
	{"mirror": mirror | mirror := limit.mirror.limit},
)

# METADATA
# description: The wider ceiling of the bounded rule; undefined where the limit has none.
ceiling(limit) := object.union(
	{"value": limit.ceiling, "inclusive": limit.inclusive},
	{"mirror": mirror | mirror := limit.mirror.ceiling},
)
