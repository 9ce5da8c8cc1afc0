# METADATA
# description: |
#   What became of waivers and baselines: why one does not count, and which are no longer needed. None of it denies; what
#   a waiver does not cover denies by itself.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: risk
#   supports:
#     nist-ai-rmf: [MANAGE 1.4]
#     eu-ai-act: [Article 9(5)]
#     sr-11-7: [VI Policies and Procedures]
#   evidence: [waivers.statement]
#   not_covered: Whether the risk that was accepted is acceptable.
package gates.release.waivers

import data.gates.lib.accepted
import data.gates.lib.judge
import data.gates.lib.result

_notes(code, waiver) := object.union(result.notes("release.waivers", code), {"waiver": waiver.digest})

# METADATA
# title: Waiver of something else
# description: A waiver is about another version, model or environment than this request.
# custom:
#   code: waiver.void
#   remedy: Ask for one about this version with `gates waive ask`.
results contains _notes("waiver.void", waiver) if {
	some waiver in input.waivers
	not accepted.binds(waiver.statement)
}

# METADATA
# title: Waiver not begun
# description: A waiver's time begins later than the time that the decision is for.
# custom:
#   code: waiver.early
#   remedy: Wait, or ask for one that begins earlier.
results contains _notes("waiver.early", waiver) if {
	some waiver in input.waivers
	not accepted.begun(waiver.statement)
}

# METADATA
# title: Waiver expired
# description: A waiver's or baseline's time is over; what it covered denies again.
# custom:
#   code: waiver.expired
#   remedy: Mend what it waived, or ask for a new one.
results contains _notes("waiver.expired", waiver) if {
	some waiver in input.waivers
	accepted.over(waiver.statement)
}

# METADATA
# title: Waiver too long
# description: A waiver lasts longer than this environment allows.
# custom:
#   code: waiver.too_long
#   remedy: Ask for a shorter one; longest_us in release/data.yaml says how long it may be.
results contains _notes("waiver.too_long", waiver) if {
	some waiver in input.waivers
	not accepted.short(waiver.statement)
}

# METADATA
# title: Not to be waived
# description: |
#   A waiver names something that no gate measures. Subject, trust, freshness, ladder, champion, approvals and whatever
#   else stands under release/ is waived by nobody.
# custom:
#   code: waiver.never
#   remedy: Do what the rule asks for.
results contains _notes("waiver.never", waiver) if {
	some waiver in input.waivers
	not accepted.of_gates(waiver.statement)
}

# METADATA
# title: Waiver by a stranger
# description: The trust data do not say who asked for a waiver, so nobody can tell that somebody else approved it.
# custom:
#   code: waiver.unlisted_key
#   remedy: Run `gates trust add` with the key of the one who asks, and activate the new trust data.
results contains _notes("waiver.unlisted_key", waiver) if {
	some waiver in input.waivers
	not accepted.listed(waiver)
}

# METADATA
# title: Waiver not approved
# description: Nobody with the role that approves waivers here has approved this one.
# custom:
#   code: waiver.unapproved
#   remedy: Have the role that release/data.yaml names run `gates waive approve` on it.
results contains _notes("waiver.unapproved", waiver) if {
	some waiver in input.waivers
	not accepted.approved(waiver)
}

# METADATA
# title: Waiver approved by the one who asks
# description: A waiver is approved only by the person who asked for it, or who asks for this decision.
# custom:
#   code: waiver.self_approved
#   remedy: Have somebody else approve it.
results contains _notes("waiver.self_approved", waiver) if {
	some waiver in input.waivers
	accepted.approved(waiver)
	not accepted.approved_by_others(waiver)
}

# METADATA
# title: Figure worse than the waiver accepts
# description: A waiver names this figure, and the figure is worse than the one that was accepted.
# custom:
#   code: waiver.exceeded
#   remedy: Mend it; a new waiver would have to accept the worse figure.
results contains _notes("waiver.exceeded", waiver) if {
	some waiver in accepted.in_force
	some item in waiver.statement.accepted
	_denying[accepted.place(item)]
}

_denying := {accepted.place(found) | some found in judge.results; found.disposition == "denies"}

# METADATA
# title: Waiver not needed
# description: Something that a waiver or baseline accepts does not deny any more.
# custom:
#   code: waiver.unused
#   remedy: Let it expire, and do not ask for it again.
results contains _notes("waiver.unused", waiver) if {
	some waiver in accepted.in_force
	some item in waiver.statement.accepted
	not _waived[accepted.place(item)]
	not _denying[accepted.place(item)]
}

# Where two cover one figure both are needed: the result names one of them.
_waived := {accepted.place(found) | some found in judge.results; found.waiver}
