# Inputs of actions in which everything is good, for the tests beside the rules to spoil.
package gates.testing.acts

import data.gates.main

now := 1790000000000000

trust := {"keys": [
	{"key_id": "k1", "identity": "ops@acme", "person": "olga", "roles": ["apply"], "environments": ["production", "staging"]},
	{"key_id": "k2", "identity": "mira@acme", "person": "mira", "roles": ["approve:ml-owner", "approve:risk"]},
	{"key_id": "k3", "identity": "rolf@acme", "person": "rolf", "roles": ["approve:risk"]},
	{"key_id": "k4", "identity": "olga@acme", "person": "olga", "roles": ["approve:ml-owner"]},
	{"key_id": "k5", "identity": "watch@acme", "person": "watch", "roles": ["monitor"]},
	{"key_id": "k6", "identity": "pia@acme", "person": "pia", "roles": ["policy", "approve:risk"]},
	{"key_id": "k7", "identity": "pia@home", "person": "pia", "roles": ["approve:risk"]},
]}

request := {
	"environment": "production",
	"model": "m",
	"actor": "ops@acme",
	"actor_key_id": "k1",
	"reason": "complaints",
	"effective_time_us": now,
}

ledger := {
	"head": "sha256:head",
	"sequence": 9,
	"policy_digest": "sha256:policy",
	"trust_digest": "sha256:trust",
	"release_digest": "sha256:present",
	"served": [
		{"digest": "sha256:bad", "state": "suspect", "candidate_digest": "sha256:v2", "time_us": 1, "left_us": 1789999000000000},
		{"digest": "sha256:good", "state": "done", "candidate_digest": "sha256:v1", "time_us": 1, "left_us": 1789999000000000},
		{"digest": "sha256:present", "state": "done", "candidate_digest": "sha256:v3", "time_us": 1789999000000000},
	],
	"held": [{"environment": "production", "version_digest": "sha256:v3", "why": "serves"}],
	"archived": ["sha256:v0"],
}

approval(key, role, action, version) := {
	"digest": concat("/", [key, role]),
	"key_ids": [key],
	"statement": {
		"model": "m",
		"environment": "production",
		"action": action,
		"role": role,
		"candidate_digest": version,
		"policy_digest": "sha256:policy",
		"current_release_digest": "sha256:present",
		"time_us": 1789999900000000,
		"expires_us": 1790000100000000,
	},
}

_base := {
	"policy": {"digest": "sha256:policy", "trust_digest": "sha256:trust"},
	"ledger": ledger,
	"approvals": [],
	"bytes": [],
	"journal": [],
}

rollback := object.union(_base, {
	"request": object.union(request, {
		"action": "rollback",
		"release": "sha256:good",
		"version": {"name": "m", "version": "1", "digest": "sha256:v1"},
	}),
	"bytes": [{"wanted": "sha256:v1", "found": "sha256:v1"}],
})

retire := object.union(_base, {
	"request": object.union(request, {
		"action": "retire",
		"release": "sha256:present",
		"version": {"name": "m", "version": "3", "digest": "sha256:v3"},
	}),
	"approvals": [approval("k2", "ml-owner", "retire", "sha256:v3"), approval("k3", "risk", "retire", "sha256:v3")],
	"traffic": {"requests": 0, "earlier": 7, "from_us": 1789395199999999, "until_us": 1789999999999999},
})

archive := object.union(_base, {"request": object.union(request, {
	"action": "archive",
	"version": {"name": "m", "version": "2", "digest": "sha256:v2"},
})})

present := {
	"version_digest": "sha256:v3",
	"percent": 5,
	"since_us": 1789990000000000,
	"alarms": 0,
	"decision_id": "sha256:decision",
	"observed": "sha256:present",
}

rollout := object.union(_base, {
	"request": object.union(request, {
		"action": "rollout",
		"release": "sha256:next",
		"version": {"name": "m", "version": "3", "digest": "sha256:v3"},
		"percent": 25,
	}),
	"present": present,
	"rollout": {
		"decision_id": "sha256:decision",
		"basis": "proven",
		"allow": true,
		"decided_us": 1789999900000000,
		"valid_until_us": 1790009900000000,
		"policy_digest": "sha256:policy",
		"trust_digest": "sha256:trust",
		"plan_digest": "sha256:plan",
		"steps": [5, 25, 100],
		"suspects": [],
	},
})

monitor := object.union(_base, {
	"request": object.union(request, {
		"action": "monitor",
		"demand": "rollback",
		"release": "sha256:good",
		"version": {"name": "m", "version": "3", "digest": "sha256:v3"},
		"percent": 0,
	}),
	"bytes": [{"wanted": "sha256:v1", "found": "sha256:v1"}],
	"present": present,
	"alarm": {
		"monitor": "canary",
		"check": "errors",
		"value": 0.08,
		"rows": 4000,
		"from_us": 1789998000000000,
		"until_us": 1789999000000000,
	},
})

change := {
	"request": {
		"environment": "production",
		"action": "policy",
		"actor": "pia@acme",
		"actor_key_id": "k6",
		"reason": "a wider limit for this spring",
		"effective_time_us": now,
	},
	"policy": {"digest": "sha256:policy", "trust_digest": "sha256:trust"},
	"ledger": {
		"head": "sha256:head",
		"sequence": 9,
		"policy_digest": "sha256:policy",
		"trust_digest": "sha256:trust",
		"owners": ["k0"],
	},
	"change": {
		"policy_digest": "sha256:new",
		"trust_digest": "sha256:trust",
		"loosened": ["a"],
		"named": ["a"],
		"unknown": [],
	},
	"approvals": [{
		"digest": "a1",
		"key_ids": ["k3"],
		"statement": {
			"environment": "production",
			"role": "risk",
			"policy_digest": "sha256:new",
			"trust_digest": "sha256:trust",
			"current_policy_digest": "sha256:policy",
			"current_trust_digest": "sha256:trust",
			"time_us": 1789999900000000,
			"expires_us": 1790000100000000,
		},
	}],
	"simulation": {
		"digest": "sha256:simulated",
		"policy_digest": "sha256:new",
		"decisions": 7,
		"to_allow": 0,
		"to_deny": 0,
	},
}

# METADATA
# description: Codes that deny, where trust, policies and a tier are in force.
denied := codes if {
	codes := {result.code | some result in main.action.results; result.disposition == "denies"} with data.trust as trust
}
