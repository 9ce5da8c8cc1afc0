package gates.actions.monitor_test

import data.gates.main
import data.gates.testing.acts as t

_asked(changed) := object.union(t.monitor, {"request": object.union(t.monitor.request, changed)})

_saw(changed) := object.union(t.monitor, {"alarm": object.union(t.monitor.alarm, changed)})

_pause := object.union(
	{key: value | some key, value in t.monitor; key != "request"},
	{"request": object.union(
		{word: said | some word, said in t.monitor.request; word != "release"},
		{"demand": "pause", "percent": 5},
	)},
)

test_each_demand if {
	t.denied == set() with input as t.monitor
	t.denied == set() with input as _asked({"demand": "back", "percent": 1})
	t.denied == set() with input as _pause
}

test_only_less_traffic if {
	every changed in [
		{"percent": 1}, {"percent": 5}, {"percent": 100}, {"demand": "back"}, {"demand": "back", "percent": 5},
		{"demand": "back", "percent": 6}, {"version": {"name": "m", "version": "9", "digest": "sha256:v9"}},
	] {
		t.denied == {"monitor.reduces"} with input as _asked(changed)
	}
	t.denied == {"monitor.reduces"} with input as t.monitor with input.present.percent as 0
	every percent in [0, 4, 6] {
		t.denied == {"monitor.reduces"} with input as _pause with input.request.percent as percent
	}
	t.denied == {"monitor.reduces"} with input as _pause with input.request.percent as 100 with input.present.percent as 100
	t.denied == {"monitor.reduces"} with input as _pause with input.request.percent as 0 with input.present.percent as 0
	t.denied == {"monitor.reduces", "monitor.target"} with input as _asked({"demand": "anything"})
}

test_to_what_a_rollback_may_go_to if {
	t.denied == {"monitor.target"} with input as _asked({"release": "sha256:bad"})
	t.denied == {"monitor.target"} with input as t.monitor with input.bytes as []
	t.denied == {"monitor.target"} with input as _pause with input.request.release as "sha256:good"
}

test_what_was_seen if {
	every changed in [{"rows": 0}, {"value": "NaN"}, {"check": " "}, {"monitor": ""}] {
		t.denied == {"monitor.figure"} with input as _saw(changed)
	}
	without := {key: value | some key, value in t.monitor; key != "alarm"}
	t.denied == {"monitor.figure", "monitor.recent"} with input as without
}

test_seen_now if {
	every changed in [
		{"until_us": 1790000000000001}, {"until_us": 1789996399999999, "from_us": 1}, {"from_us": 1789999999000000},
	] {
		t.denied == {"monitor.recent"} with input as _saw(changed)
	}
	t.denied == set() with input as _saw({"until_us": 1789996400000000, "from_us": 1})
	t.denied == {"monitor.recent"} with input as t.monitor with data.release.actions.environments.production.monitor as {}
}

test_by_a_monitor_or_who_may_apply if {
	t.denied == set() with input as _asked({"actor": "watch@acme", "actor_key_id": "k5"})
	t.denied == {"action.authority"} with input as _asked({"actor": "mira@acme", "actor_key_id": "k2"})
	every good in [t.rollback, t.retire, t.archive, t.rollout] {
		asked := object.union(good, {"request": object.union(good.request, {"actor": "watch@acme", "actor_key_id": "k5"})})
		"action.authority" in t.denied with input as asked
	}
	main.action.allow == false with input as t.monitor with data.trust as {"keys": []}
}

test_a_figure_up_to_this_moment_is_of_now_and_one_of_no_time_is_none if {
	t.denied == set() with input as _saw({"until_us": 1790000000000000})
	t.denied == {"monitor.recent"} with input as _saw({"from_us": 1789999000000000})
}

test_each_demand_is_about_what_serves if {
	other := {"version": {"name": "m", "version": "2", "digest": "sha256:v2"}}
	every demand in [{"demand": "pause", "percent": 5}, {"demand": "back", "percent": 1}, {"demand": "rollback", "percent": 0}] {
		asked := object.union(t.monitor, {"request": object.union(t.monitor.request, object.union(other, demand))})
		"monitor.reduces" in t.denied with input as asked
	}
}

test_a_demand_to_go_back_needs_somewhere_to_go if {
	gone := object.union(t.monitor, {"request": {key: value | some key, value in t.monitor.request; key != "release"}})
	"monitor.target" in t.denied with input as object.union(
		{key: value | some key, value in gone; key != "request"},
		{"request": {key: value | some key, value in t.monitor.request; key != "release"}},
	)
}
