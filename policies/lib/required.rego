# What an environment requires of a model, from the policy's own data; never from the plan document.
#
# An `ask` is {environment, model, task, roles, has_champion, has_sets, columns, documents, slices, first_release, backfill}.
package gates.lib.required

# METADATA
# description: Every check that some gate's policy defines.
checks[name] := check if some name, check in data.gates.checks[_].checks

# METADATA
# description: |
#   Gate and check of each check. Of one gate, whose name is known, its checks are looked up here: of
#   `data.gates.checks[gate].checks` the compiled policies find none then, while OPA does.
of_gates := {[gate, check] |
	some gate, check
	data.gates.checks[gate].checks[check]
}

# The floor of a task: data can add to it and never take from it. A check that is `optional` is none of it; the policy
# owners' facts about a model, or a spec, ask for it.
_floor[task] := {name |
	some name, check in checks
	task in check.tasks
	not check.optional
} if {
	some task in {"binary", "multiclass", "numeric"}
}

# METADATA
# description: Checks that compare the candidate with a champion.
against_champion := {name | some name, check in checks; "champion" in check.needs}

# METADATA
# description: The policy owners' facts about a model; an unknown model has none.
model(name) := data.models[name] if {
	is_object(data.models[name])
} else := {}

_tiers := {"high", "medium", "low"}

tier(name) := model(name).tier if {
	model(name).tier in _tiers
} else := "high"

# METADATA
# description: Columns whose values are slices, those of the policy and those asked for.
slices(name, asked) := {column | some column in object.get(model(name), "slices", [])} | {column | some column in asked}

# METADATA
# description: How figures are to be computed; the policy's cluster key and weight go before the spec's.
parameters(name) := object.union(_model_parameters(name), _columns(name))

_model_parameters(name) := object.union(data.parameters, object.get(model(name), "parameters", {}))

_columns(name) := {word: column |
	some word in {"cluster", "weight"}
	column := model(name)[word]
	is_string(column)
}

# METADATA
# description: Environments that require only what can be answered there; nowhere else may a check be left out.
lenient := {"development"}

# What is there is found once, and not for each check: compiled policies keep no answer of a function.
_asked(ask) := found if {
	available := _available(ask)
	found := {name |
		some name in object.get(_floor, ask.task, set())
		_answerable(ask, name, available)
	} | {name |
		some name, check in checks
		ask.task in check.tasks
		_given(check, available)
		_held(ask.environment, check)
	}
}

# What a spec brings a table for is required, in every environment; or in each that holds model code to be hostile.
_given(check, available) if {
	count(check.when) > 0
	count({word | some word in check.when; not available[word]}) == 0
}

_held(_, check) if not check.hostile

_held(environment, _) if data.release.environments[environment].hostile_model

_answerable(ask, _, _) if not ask.environment in lenient

_answerable(_, name, available) if count({need | some need in checks[name].needs; not available[need]}) == 0

_available(ask) := ((_things(ask) | {word | some word in _of_backfill; _declares(ask, word)}) | {word |
	some column in ask.columns
	word := concat(".", ["columns", column])
}) | {word |
	some name, _ in parameters(ask.model)
	word := concat(".", ["parameters", name])
}

_things(ask) := ((({role | some role in ask.roles} | {word | some word in ask.documents}) | {word |
	ask.has_champion
	word := "champion"
}) | {word |
	ask.has_sets
	word := "sets"
}) | {word |
	_compared(ask)
	word := "reference"
}

# What online is compared with where there are no pairs: an earlier run's fingerprint, or a table without keys.
_compared(ask) if "fingerprint" in ask.roles

_compared(ask) if {
	"offline" in ask.roles
	not "key" in ask.columns
}

_of_backfill := {"lateness", "known", "ttl"}

# What a spec declares of a backfill, which then must hold.
_declares(ask, "lateness") if ask.backfill.lateness_s >= 0

_declares(ask, "known") if count(ask.backfill.known) > 0

_declares(ask, "ttl") if ask.backfill.ttl_s >= 0

_wanted(ask) := {name |
	some name in _asked(ask)
	not _excused(ask, name)
}

_excused(ask, name) if {
	ask.first_release
	name in against_champion
}

_whole(ask, wanted) := {r |
	some name in wanted
	r := {"environment": ask.environment, "check": name, "role": "prove", "slice": {"kind": "whole"}}
}

_each(ask, wanted) := {r |
	some name in wanted
	checks[name].sliced
	some column in slices(ask.model, ask.slices)
	r := {"environment": ask.environment, "check": name, "role": "no-harm", "each": column}
}

# Where some slices are to be proven by name, all others are to be proven as one.
_rest(ask, wanted) := {r |
	some named in _of_model(ask)
	named.role == "prove"
	named.slice.kind == "value"
	some name in wanted
	checks[name].sliced
	r := {"environment": ask.environment, "check": name, "role": "prove", "slice": {"kind": "rest"}}
}

# What the policy owners require besides: of this model, and by rules of their own of any.
_of_model(ask) := {r |
	some wish in ({wish | some wish in object.get(model(ask.model), "required", [])} | _of_rules)
	not _excused(ask, wish.check)
	some r in added(ask.environment, wish)
}

_of_rules := {wish | some wish in data.custom[_].required}

# METADATA
# description: A wish {check, role?, slice?, each?, environments?} as a requirement of this environment, or nothing.
added(environment, wish) := {r |
	environment in object.get(wish, "environments", [environment])
	r := object.union({"environment": environment, "check": wish.check, "role": _role(wish)}, _where(wish))
}

_role(wish) := wish.role if {
	wish.role in {"prove", "no-harm"}
} else := "no-harm" if {
	wish.each
} else := "prove"

_where(wish) := {"each": each} if {
	each := wish.each
} else := {"slice": slice} if {
	slice := wish.slice
} else := {"slice": {"kind": "whole"}}

# METADATA
# description: All requirements of the policy for this ask.
requirements(ask) := found if {
	wanted := _wanted(ask)
	found := ((_whole(ask, wanted) | _rest(ask, wanted)) | _each(ask, wanted)) | _of_model(ask)
}

# METADATA
# description: Checks that a first release need not pass, with the reason.
not_applicable(ask) := {r |
	some name in object.get(_floor, ask.task, set())
	_excused(ask, name)
	r := {
		"environment": ask.environment,
		"check": name,
		"reason": "first release: nothing serves yet, and the policy names this model's first release",
	}
}
