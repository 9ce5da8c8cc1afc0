package gates.release.metadata_test

import data.gates.lib.integers
import data.gates.release.metadata
import data.gates.testing as t

_codes(said, environment) := {result.code |
	found := metadata.results with input as t.production
		with input.request.environment as environment
		with input.bundle.metadata as said
	some result in found
}

_without(word) := {key: value | some key, value in t.described; key != word}

test_one_code_a_field if {
	_codes(t.described, "production") == set()
	every word in {
		"training_snapshot", "validation_snapshot", "query_digest", "feature_definitions", "label_definition",
		"parameters", "environment", "tags", "vulnerability_scan",
	} {
		_codes(_without(word), "production") == {concat(".", ["metadata", word])}
	}
	_codes(_without("as_of_us"), "production") == {"metadata.as_of"}
	_codes(object.union(_without("tags"), {"tags": []}), "production") == {"metadata.tags"}
	_codes(object.union(t.described, {"label_definition": ""}), "production") == {"metadata.label_definition"}
}

test_blanks_say_nothing if {
	every word in {
		"training_snapshot", "validation_snapshot", "query_digest", "feature_definitions", "label_definition",
		"parameters", "environment", "vulnerability_scan",
	} {
		_codes(object.union(t.described, {word: "  "}), "production") == {concat(".", ["metadata", word])}
	}
	every word in {"what", "why", "impact"} {
		blank := object.union(t.described, {"changelog": {word: " "}})
		_codes(blank, "production") == {concat("_", ["metadata.changelog", word])}
	}
	every value in ["", " "] {
		tags := [{"name": "owner", "value": value}]
		_codes(object.union(t.described, {"tags": tags}), "production") == {"metadata.tags"}
		with_more := array_of(tags, {"name": "team", "value": "delays"})
		_codes(object.union(t.described, {"tags": with_more}), "production") == set()
		_codes(object.union(t.described, {"authors": [value]}), "production") == {"metadata.authors"}
		_codes(object.union(t.described, {"authors": [value, "tina@acme"]}), "production") == set()
	}
}

array_of(list, one) := [item | some item in ({item | some item in list} | {one})]

test_no_query_saw_what_is_yet_to_come if {
	_codes(object.union(t.described, {"as_of_us": t.now}), "production") == set()
	_codes(object.union(t.described, {"as_of_us": integers.add(t.now, 1)}), "production") == {"metadata.as_of"}
	_codes(object.union(t.described, {"as_of_us": "1"}), "production") == {"metadata.as_of"}
	_codes(object.union(t.described, {"as_of_us": null}), "production") == {"metadata.as_of"}
}

test_the_changelog_by_word if {
	every word in {"what", "why", "impact"} {
		less := {key: value | some key, value in t.described.changelog; key != word}
		said := object.union(_without("changelog"), {"changelog": less})
		_codes(said, "production") == {concat("_", ["metadata.changelog", word])}
		empty := object.union(t.described, {"changelog": {word: ""}})
		_codes(empty, "production") == {concat("_", ["metadata.changelog", word])}
		number := object.union(t.described, {"changelog": {word: 7}})
		_codes(number, "production") == {concat("_", ["metadata.changelog", word])}
	}
}

test_without_a_scan_production_only_denies if {
	_codes(_without("vulnerability_scan"), "staging") == set()
	_codes(_without("parameters"), "staging") == {"metadata.parameters"}
}

test_nothing_said_denies_by_every_code if {
	count(_codes({}, "production")) == count(metadata.fields)
	found := metadata.results with input as t.production
		with input.bundle as {key: value | some key, value in t.production.bundle; key != "metadata"}
	count(found) == count(metadata.fields)
}

test_authors if {
	every environment in ["staging", "production"] {
		every word in ["authors", "since_revision"] {
			_codes(_without(word), environment) == {"metadata.authors"}
		}
		_codes(object.union(t.described, {"authors": []}), environment) == {"metadata.authors"}
	}
}

test_where_nothing_serves_nobody_committed_since if {
	found := metadata.results with input as t.first
		with input.bundle.metadata as _without("since_revision")
	found == set()
	nobody := metadata.results with input as t.first with input.bundle.metadata as _without("authors")
	{result.code | some result in nobody} == {"metadata.authors"}
}

test_development_does_not_ask if {
	found := metadata.results with input as t.development with input.bundle.metadata as {}
	found == set()
}
