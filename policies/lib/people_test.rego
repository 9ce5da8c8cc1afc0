package gates.lib.people_test

import data.gates.lib.people

test_distinct if {
	people.distinct({})
	people.distinct({"a": {"x"}, "b": {"y"}})
	people.distinct({"a": {"x", "y"}, "b": {"x"}, "c": {"z"}})
	not people.distinct({"a": {"x"}, "b": {"x"}})
	not people.distinct({"a": {"x"}, "b": {"x"}, "c": {"y", "z"}})
	not people.distinct({"a": set()})
	not people.distinct({"a": set(), "b": {"x", "y"}})
	not people.distinct({"a": {"x", "y"}, "b": {"x", "y"}, "c": {"x", "y"}})
	not people.distinct({"a": {"w"}, "b": {"x"}, "c": {"y"}, "d": {"z"}})
}
