# METADATA
# description: How the candidate is to serve is a part of what is decided.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: ml-owner
#   supports:
#     iso-42001: [A.4.5, A.6.2.5]
#   evidence: [serving.configuration, serving.routes]
#   not_covered: Whether the platform does what its configuration says.
package gates.release.serving

import data.gates.lib.asked
import data.gates.lib.integers
import data.gates.lib.required
import data.gates.lib.result

_needed := data.release.environments[asked.environment].serving

_said := input.serving.configuration

# METADATA
# title: Serving configuration missing
# description: This environment needs to know how the candidate is to serve, and no file says so.
# custom:
#   code: serving.missing
#   remedy: Name the file under `serving.configuration` in gates.yaml; docs/metadata.md shows its form.
results contains result.denies("release.serving", "serving.missing") if {
	asked.strict
	_needed
	not _said
}

# METADATA
# title: Too few replicas
# description: Fewer replicas are to serve at least than this environment wants, or the configuration does not say how many.
# custom:
#   code: serving.replicas
#   remedy: Raise `replicas.minimum` in the serving configuration.
results contains result.denies("release.serving", "serving.replicas") if {
	asked.strict
	_said
	is_number(_needed.minimum_replicas)
	not _enough
}

_enough if _said.minimum_replicas >= _needed.minimum_replicas

# METADATA
# title: Requests are not captured
# description: A canary is asked for, and no configuration says that requests are captured to judge it by.
# custom:
#   code: serving.capture
#   remedy: Set `capture.percent` above 0 in the serving configuration before the first canary.
#   supports:
#     nist-ai-rmf: [MANAGE 4.1]
#     eu-ai-act: [Article 12(1)]
#     sr-11-7: [V.2 Ongoing Monitoring]
#     iso-42001: [A.6.2.6, A.6.2.8]
results contains result.denies("release.serving", "serving.capture") if {
	asked.strict
	input.request.percent < 100
	not _captured
}

_captured if _said.capture_percent > 0

# METADATA
# title: Shares that are no whole
# description: The percentages of the traffic, configured or served, do not add up to 100.
# custom:
#   code: serving.percent
#   remedy: Correct the shares, so that they add up to 100.
results contains result.denies("release.serving", "serving.percent") if {
	asked.strict
	_torn(_said.traffic)
}

results contains result.denies("release.serving", "serving.percent") if {
	asked.strict
	_torn([route.percent | some route in input.serving.routes])
}

_torn(shares) if {
	count(shares) > 0
	not integers.total(shares) == 100
}

# METADATA
# title: Size not allowed
# description: The configuration names no size, or one that the policy owners do not list.
# custom:
#   code: serving.size
#   remedy: Choose a listed size, or have the policy owners list it under `sizes` in models/<model>/data.yaml.
results contains result.denies("release.serving", "serving.size") if {
	asked.strict
	_said
	not _listed
}

_listed if _said.size in _sizes

_sizes := required.model(input.request.model).sizes if {
	count(required.model(input.request.model).sizes) > 0
} else := data.release.sizes

# METADATA
# title: Secret in a variable
# description: A variable of the serving configuration holds what looks like a secret, in plain text.
# custom:
#   code: serving.secret
#   remedy: Put the value into a secret store, refer to it with `from_secret`, and replace it, for it was written down.
#   supports:
#     nist-ai-rmf: [MEASURE 2.7]
#     eu-ai-act: [Article 15(5)]
results contains object.union(result.denies("release.serving", "serving.secret"), {"item": item}) if {
	asked.strict
	some variable in _said.variables
	variable.kind == "plain"
	count(variable.looks_like) > 0
	item := {"kind": "endpoint", "name": variable.name}
}
