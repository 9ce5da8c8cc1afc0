# Where a limit stands, and how an override of the policy owners may tighten it, or loosen it where the ledger names it.
package gates.lib.limits

import data.gates.lib.required

# METADATA
# description: |
#   The limit of a check in an environment at a tier, with the path where it stands. Undefined where there is none: a
#   missing limit never passes.
of(environment, check, tier) := _override(environment, check, tier) if {
	_tightens(environment, check, tier)
} else := _override(environment, check, tier) if {
	named(_path(environment, check, tier))
	not _override(environment, check, tier).limit.point
} else := _shipped(environment, check, tier)

# METADATA
# description: The ledger's policy entry names this path as one that loosens; signed by the policy owners.
named(path) if path in input.ledger.loosened

_path(environment, check, tier) := concat("/", ["overrides", environment, "limits", check, tier])

_shipped(environment, check, tier) := {"path": path, "limit": limit} if {
	limit := data.thresholds[environment].limits[check][tier]
	_usable(required.checks[check].sense, limit)
	path := concat("/", ["thresholds", environment, "limits", check, tier])
} else := {"path": path, "limit": limit} if {
	# A check that the policy owners defined brings its limits, whatever the tier.
	limit := required.checks[check].limits[environment]
	_usable(required.checks[check].sense, limit)
	path := concat("/", [required.checks[check].at, environment])
}

_override(environment, check, tier) := {"path": path, "limit": limit} if {
	limit := data.overrides[environment].limits[check][tier]
	_usable(required.checks[check].sense, limit)
	path := _path(environment, check, tier)
}

_usable(sense, limit) if {
	is_number(limit.limit)
	is_boolean(limit.inclusive)
	_two_sided(sense, limit)
}

_two_sided(sense, _) if sense in {"at_most", "at_least"}

_two_sided("within", limit) if is_number(limit.mirror.limit)

# METADATA
# description: Paths of overrides of known checks that do not tighten.
loosened(environment) := {_path(environment, check, tier) |
	some check, tiers in data.overrides[environment].limits
	some tier, _ in tiers
	required.checks[check]
	not _tightens(environment, check, tier)
}

# METADATA
# description: Paths of overrides of what no policy knows.
unknown(environment) := {_path(environment, check, tier) |
	some check, tiers in data.overrides[environment].limits
	some tier, _ in tiers
	not required.checks[check]
}

_tightens(environment, check, tier) if {
	override := _override(environment, check, tier).limit
	shipped := _shipped(environment, check, tier).limit
	sense := required.checks[check].sense
	not override.point
	_inside(sense, bar(override), bar(shipped))
	_ceiling_inside(sense, override, shipped)
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
