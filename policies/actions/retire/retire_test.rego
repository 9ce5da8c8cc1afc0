package gates.actions.retire_test

import data.gates.testing.acts as t

test_only_what_serves if {
	t.denied == {"retire.nothing"} with input as t.retire with input.request.release as "sha256:good"
}

test_traffic_is_shown if {
	t.denied == {"retire.traffic"} with input as t.retire with input.traffic.requests as 1
	t.denied == {"retire.log"} with input as t.retire with input.traffic.earlier as 0
	without := {key: value | some key, value in t.retire; key != "traffic"}
	t.denied == {"retire.traffic", "retire.window", "retire.log"} with input as without
}

test_the_window if {
	t.denied == {"retire.window"} with input as t.retire with input.traffic.from_us as 1789395200000000
	t.denied == {"retire.window"} with input as t.retire with input.traffic.until_us as 1790000000000001
	t.denied == set() with input as t.retire
		with input.traffic.until_us as 1789996400000000
		with input.traffic.from_us as 1
	t.denied == {"retire.window"} with input as t.retire
		with input.traffic.until_us as 1789996399999999
		with input.traffic.from_us as 1
	t.denied == {"retire.window"} with input as t.retire with data.release.actions.environments.production.retire.quiet_us as null
}

test_a_log_up_to_this_moment if {
	t.denied == set() with input as t.retire with input.traffic.until_us as 1790000000000000
}
