# METADATA
# description: |
#   What a monitor demands: that a rollout goes no further, a step back, or to what served before. It can only take traffic
#   away, so no limit is asked about; who demanded it, for what reason and by which figure is kept.
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [MANAGE 2.4, MANAGE 4.1]
#     eu-ai-act: [Article 20(1)]
#     iso-42001: [A.6.2.6]
#   evidence: [alarm, request.demand, request.percent, present.percent]
#   not_covered: Whether the alarm is right; a false one costs a rollout its time.
package gates.actions.monitor

import data.gates.actions.rollback
import data.gates.lib.integers
import data.gates.lib.said

asks := {"monitor.reduces", "monitor.target", "monitor.figure", "monitor.recent"}

roles := {"apply", "monitor"}

# METADATA
# title: No less traffic
# description: The demand does not leave less traffic to the version than it has, or is none of pause, back and rollback.
# custom:
#   code: monitor.reduces
#   remedy: A monitor takes traffic away; more of it is a step, with `gates rollout step`.
holds contains "monitor.reduces" if {
	input.request.demand == "pause"
	input.request.percent == input.present.percent
	input.present.percent > 0
	input.present.percent < 100
	_of_what_serves
}

holds contains "monitor.reduces" if {
	input.request.demand == "back"
	input.request.percent > 0
	input.request.percent < input.present.percent
	_of_what_serves
}

holds contains "monitor.reduces" if {
	input.request.demand == "rollback"
	input.request.percent == 0
	input.present.percent > 0
	_of_what_serves
}

_of_what_serves if input.request.version.digest == input.present.version_digest

# METADATA
# title: Nothing to go back to
# description: What the demand leads to is no release that a rollback could go to; or a pause that names one.
# custom:
#   code: monitor.target
#   remedy: Go back to a release that this environment knows as good, with unchanged bytes.
holds contains "monitor.target" if {
	input.request.demand == "pause"
	count({release | release := input.request.release}) == 0
}

holds contains "monitor.target" if {
	input.request.demand in {"back", "rollback"}
	count(rollback.asks & rollback.holds) == count(rollback.asks)
}

# METADATA
# title: No figure
# description: The demand does not say what was seen, by whom, and in how many rows.
# custom:
#   code: monitor.figure
#   remedy: Name the figure with --alarm FILE.
holds contains "monitor.figure" if {
	said.something(input.alarm.monitor)
	said.something(input.alarm.check)
	is_number(input.alarm.value)
	input.alarm.rows > 0
}

# METADATA
# title: Not seen now
# description: What was seen is older than this environment listens to, or lies in the future.
# custom:
#   code: monitor.recent
#   remedy: Look again, and demand it by what is seen now.
holds contains "monitor.recent" if {
	longest := data.release.actions.environments[input.request.environment].monitor.recent_us
	input.alarm.from_us < input.alarm.until_us
	input.alarm.until_us <= input.request.effective_time_us
	integers.add(input.alarm.until_us, longest) >= input.request.effective_time_us
}
