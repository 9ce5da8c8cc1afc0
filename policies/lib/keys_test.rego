package gates.lib.keys_test

import data.gates.lib.keys

_trust := {"keys": [
	{"key_id": "k1", "identity": "ada@acme", "person": "ada", "names": ["a.l"], "roles": ["decide"]},
	{"key_id": "k2", "identity": "bo@acme", "person": "bo", "names": ["b.o"], "roles": ["decide"], "environments": ["staging"]},
	{"key_id": "k4", "identity": "ada-deploys@acme", "person": "ada", "roles": ["apply"]},
	{"key_id": "k3", "identity": "cy@acme", "person": "cy", "roles": ["measure"], "environments": []},
]}

test_each_key_has_its_own_identities_and_each_person_all_names if {
	keys.identities(["k1"]) == {"ada", "ada@acme"} with data.trust as _trust
	ada := {"ada", "ada@acme", "ada-deploys@acme", "a.l"}
	keys.names(["k1"]) == ada with data.trust as _trust
	keys.names(["k4"]) == ada with data.trust as _trust
	keys.names(["k1", "k3"]) == ada | {"cy", "cy@acme"} with data.trust as _trust
	keys.names(["k9"]) == set() with data.trust as _trust
	keys.persons(["k2", "k9"]) == {"bo"} with data.trust as _trust
}

# As Python gives them: folded beside what is said.
_written_twice := {"keys": [
	{
		"key_id": "k1", "identity": "Ada@Acme", "person": "Ada", "who": "ada", "called": ["Ada", "Ada@Acme", "ada", "ada@acme"],
		"roles": ["approve:risk"],
	},
	{
		"key_id": "k2", "identity": "ada2@acme", "person": "ada", "who": "ada", "called": ["ada", "ada2@acme"],
		"roles": ["approve:ml-owner"],
	},
]}

test_one_person_written_in_two_ways_is_one if {
	keys.persons(["k1", "k2"]) == {"ada"} with data.trust as _written_twice
	both := ({"Ada", "Ada@Acme", "ada"} | {"ada@acme"}) | {"ada2@acme"}
	keys.names(["k1"]) == both with data.trust as _written_twice
	keys.names(["k2"]) == both with data.trust as _written_twice
	keys.holders(["k1"], "approve:risk") == {"ada"} with data.trust as _written_twice with input.request.environment as "x"
}

_holders(key_ids, role, environment) := found if {
	found := keys.holders(key_ids, role) with data.trust as _trust with input.request.environment as environment
}

test_who_holds_a_role_and_where if {
	all := ["k1", "k2", "k3"]
	_holders(all, "decide", "staging") == {"ada", "bo"}
	_holders(all, "decide", "production") == {"ada"}
	_holders(all, "measure", "production") == {"cy"}
	_holders(["k2", "k3"], "decide", "production") == set()
	_holders([], "decide", "staging") == set()
}

test_who_asks_is_who_says_so_and_whose_key_signs if {
	asking := keys.asking with data.trust as _trust
		with input.request as {"actor": "somebody", "actor_key_id": "k2"}
	asking == {"somebody", "bo", "bo@acme", "b.o"}
	started := keys.asking with data.trust as _trust
		with input.request as {"actor": "ada@acme", "actor_key_id": "k3", "triggered_by": ["octo", "b.o"]}
	started == {"ada@acme", "cy", "cy@acme", "octo", "b.o"}
	keyless := keys.asking with data.trust as _trust with input.request as {"actor": "somebody"}
	keyless == {"somebody"}
}
