# METADATA
# description: |
#   A model leaves an environment, and nothing follows it there: with a reason, approvals, and traffic that was shown to be
#   zero. What has a successor is promoted over, not retired.
# schemas:
#   - input: schema["action-input.v1"]
# custom:
#   owner: policy
#   supports:
#     nist-ai-rmf: [GOVERN 1.7, MANAGE 2.4]
#     sr-11-7: [VI Model Inventory]
#     iso-42001: [A.6.2.6]
#   evidence: [ledger.release_digest, approvals, traffic]
#   not_covered: Callers that the log of requests does not see, or that ask once a year.
package gates.actions.retire

import data.gates.lib.assent
import data.gates.lib.integers

asks := {"retire.nothing", "retire.approvals", "retire.traffic", "retire.window", "retire.log"}

# METADATA
# title: Not what serves
# description: What is to be retired is not the release that serves here.
# custom:
#   code: retire.nothing
#   remedy: Look at `gates status`; only what serves can be retired.
holds contains "retire.nothing" if input.ledger.release_digest == input.request.release

# METADATA
# title: Approvals missing
# description: Fewer different persons than this environment wants have approved that this release is retired.
# custom:
#   code: retire.approvals
#   remedy: Have each role that is missing run `gates approve --action retire`.
holds contains "retire.approvals" if assent.enough

# METADATA
# title: Traffic
# description: Requests still arrive, or nobody counted them.
# custom:
#   code: retire.traffic
#   remedy: Have the callers go elsewhere first; name the log of requests with --requests FILE.
holds contains "retire.traffic" if input.traffic.requests == 0

# METADATA
# title: Not looked at for long enough
# description: The time in which requests were counted is shorter than this environment asks, or does not end now.
# custom:
#   code: retire.window
#   remedy: Count from earlier on, up to now.
holds contains "retire.window" if {
	wanted := data.release.actions.environments[input.request.environment].retire.quiet_us
	integers.add(input.traffic.from_us, wanted) <= input.traffic.until_us
	input.traffic.until_us <= input.request.effective_time_us
	integers.add(input.traffic.until_us, data.release.actions.valid_us) >= input.request.effective_time_us
}

# METADATA
# title: A log that never saw a request
# description: The log holds no request before the time in which none was to arrive, so that its silence says nothing.
# custom:
#   code: retire.log
#   remedy: Name the log that the requests of this release were written to.
holds contains "retire.log" if input.traffic.earlier > 0
