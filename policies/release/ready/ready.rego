# METADATA
# description: Before something new is let in, the way back is looked at.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     iso-42001: [A.6.2.5]
#     nist-ai-rmf: [MANAGE 2.4]
#   evidence: [rollback.parts, rollback.release_digest, rollback.kept_s]
#   not_covered: Whether the previous release is still good; only that it is there and answers.
package gates.release.ready

import data.gates.lib.asked
import data.gates.lib.result

_check := "rollback.ready"

_needed := data.release.environments[asked.environment].rollback

# What serves now is what a rollback would go back to.
_due if {
	asked.strict
	_needed
	input.ledger.release
}

# METADATA
# title: Nothing to go back to yet
# description: Nothing serves here by the ledger, so whether a rollback is ready cannot be asked.
# custom:
#   code: rollback.first
#   remedy: Nothing has to be done; from the second release on it is asked.
results contains result.notes(_check, "rollback.first") if {
	asked.strict
	_needed
	not input.ledger.release
}

# METADATA
# title: Way back not looked at
# description: This environment wants to know that what serves now can be brought back, and nobody looked at it, or at another release.
# custom:
#   code: rollback.unread
#   remedy: Decide again with the registry and the serving target at hand.
results contains result.denies(_check, "rollback.unread") if {
	_due
	not _read
}

_read if input.rollback.release_digest == input.ledger.release_digest

# METADATA
# title: Way back is broken
# description: A part of the release that serves now does not resolve any more, is another than it was, or does not answer.
# custom:
#   code: rollback.gone
#   remedy: Bring that part back before something new is let in; the decision's input says what was found.
results contains object.union(result.denies(_check, "rollback.gone"), {"item": _item(part)}) if {
	_due
	some part in _needed.parts
	some said in input.rollback.parts
	said.part == part
	said.state in _lost
}

_lost := {"gone", "changed"}

# METADATA
# title: Part of the way back not said
# description: The release that serves now does not say which it has of this part, nor that it has none, or gates.yaml does not say where it is.
# custom:
#   code: rollback.unsaid
#   remedy: Name where the part is under `rollback` in gates.yaml, or say `none` of it under `release`; docs/rollback.md shows both.
results contains object.union(result.denies(_check, "rollback.unsaid"), {"item": _item(part)}) if {
	_due
	_read
	some part in _needed.parts
	not _told(part)
}

_told(part) if {
	some said in input.rollback.parts
	said.part == part
	_known(said)
}

_known(said) if said.state in ({"there"} | _lost)

# A release may have no image of its own; bytes and an answer it must have.
_known(said) if {
	said.state == "lacked"
	said.part in {"image", "feature_views", "data_snapshot"}
}

# METADATA
# title: Previous release kept too short
# description: What served before must stay up at 0 percent for as long as this environment wants, and gates.yaml states less or nothing.
# custom:
#   code: rollback.window
#   remedy: State `rollback.kept_hours` in gates.yaml, as long as release/data.yaml wants, and keep to it.
results contains result.denies(_check, "rollback.window") if {
	_due
	is_number(_needed.kept_s)
	not _kept
}

_kept if input.rollback.kept_s >= _needed.kept_s

_item(part) := {"kind": "endpoint", "name": part}
