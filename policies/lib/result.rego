# The results of release rules: they concern the move as a whole, so they name no slice and no figure.
package gates.lib.result

denies(rule, code) := {"check": rule, "rule": "release", "verdict": "fail", "disposition": "denies", "code": code}

notes(rule, code) := {"check": rule, "rule": "release", "verdict": "fail", "disposition": "tolerated", "code": code}
