# METADATA
# description: Who a key belongs to and what it may do, by the trust data; the input carries key ids only.
# schemas:
#   - input: schema["decision-input.v1"]
package gates.lib.keys

# METADATA
# description: The persons behind these keys who hold the role in the decision's environment.
holders(key_ids, role) := {person(key) |
	some key in data.trust.keys
	key.key_id in key_ids
	role in key.roles
	_here(key)
}

# METADATA
# description: The identities behind these keys, whatever their role.
identities(key_ids) := {name |
	some key in data.trust.keys
	key.key_id in key_ids
	some name in [key.identity, key.person]
}

# METADATA
# description: Everything that the persons behind these keys are called, by whichever key of theirs.
names(key_ids) := {name |
	mine := persons(key_ids)
	some key in data.trust.keys
	person(key) in mine
	some name in _called(key)
}

# METADATA
# description: Whose a key is; one person who is written in two ways is one.
person(key) := object.get(key, "who", key.person)

_called(key) := ({key.identity, key.person} | {name | some name in key.names}) | {name | some name in key.called}

# METADATA
# description: The persons behind these keys, whatever their role.
persons(key_ids) := {person(key) | some key in data.trust.keys; key.key_id in key_ids}

# METADATA
# description: |
#   Who asks: the name that the request gives, the accounts that started the job, and whoever the key that will sign the
#   decision belongs to, by all that the trust data call them.
asking := ({input.request.actor} | {account | some account in input.request.triggered_by}) | names([key_id |
	key_id := input.request.actor_key_id
])

_here(key) if count(object.get(key, "environments", [])) == 0

_here(key) if input.request.environment in key.environments
