# Persons, and the roles that they hold: each role needs a person of its own.
package gates.lib.people

# METADATA
# description: |
#   Role -> persons, for three roles at most: whether each role can have a person of its own. For so few these are exactly
#   Hall's conditions.
distinct(by_role) if {
	count(by_role) <= 3
	count({person | some persons in by_role; some person in persons}) >= count(by_role)
	count({[a, b] | some a, _ in by_role; some b, _ in by_role; not _apart(by_role, a, b)}) == 0
}

_apart(by_role, role, role) if count(by_role[role]) >= 1

_apart(by_role, a, b) if count(by_role[a] | by_role[b]) >= 2
