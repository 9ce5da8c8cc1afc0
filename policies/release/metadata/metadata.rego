# METADATA
# description: From staging on a candidate says where it comes from and what it changes; the bundle carries it, signed.
# schemas:
#   - input: schema["decision-input.v1"]
# custom:
#   owner: ml-owner
#   supports:
#     nist-ai-rmf: [MAP 2.3]
#     eu-ai-act: [Article 11(1)]
#     sr-11-7: [VI Documentation]
#     iso-42001: [A.6.2.3, A.7.5]
#   evidence: [bundle.metadata]
#   not_covered: Whether what is said is true and complete; that it was said, by whom and when, is shown.
package gates.release.metadata

import data.gates.lib.asked
import data.gates.lib.result
import data.gates.lib.said

results contains result.denies("release.metadata", concat(".", ["metadata", name])) if {
	asked.strict
	some name, field in fields
	not _spared(field)
	not _said(name, field)
}

_spared(field) if data.release.environments[asked.environment].metadata_optional[field.at]

_said(name, field) if {
	name != "as_of"
	said.something(input.bundle.metadata[field.at])
}

# A query that saw what is yet to come was none.
_said("as_of", _) if {
	is_number(input.bundle.metadata.as_of_us)
	input.bundle.metadata.as_of_us <= input.request.effective_time_us
}

_said("authors", _) if {
	some author in input.bundle.metadata.authors
	said.something(author)
	_since
}

# Where nothing serves, there is nobody to have committed since.
_since if not input.request.champion

_since if is_string(input.bundle.metadata.since_revision)

_said("tags", _) if {
	some tag in input.bundle.metadata.tags
	said.something(tag.value)
}

_said(_, field) if said.something(input.bundle.metadata.changelog[field.word])

# METADATA
# title: Training snapshot
# description: Nobody says which rows the candidate was fitted on.
# custom:
#   code: metadata.training_snapshot
#   remedy: Log the training table with `mlflow.log_input`, or tag the version `gates.lineage.training_digest`.
#   supports:
#     nist-ai-rmf: [MAP 2.3]
#     eu-ai-act: [Article 11(1)]
#     sr-11-7: [VI Documentation]
#     iso-42001: [A.7.2, A.7.5]
fields["training_snapshot"] := {"at": "training_snapshot"}

# METADATA
# title: Validation snapshot
# description: Nobody says which rows it was stopped, chosen or calibrated on.
# custom:
#   code: metadata.validation_snapshot
#   remedy: Tag the version `gates.lineage.validation_digest` (or `calibration_digest`).
fields["validation_snapshot"] := {"at": "validation_snapshot"}

# METADATA
# title: Query digest
# description: Nobody says which query made the training rows.
# custom:
#   code: metadata.query_digest
#   remedy: Tag the version `gates.lineage.query_digest`, or give the training table as a query in gates.yaml.
fields["query_digest"] := {"at": "query_digest"}

# METADATA
# title: As-of time
# description: Nobody says up to which time the training query saw, or it is one that is yet to come.
# custom:
#   code: metadata.as_of
#   remedy: Tag the version `gates.lineage.as_of` with an ISO 8601 time and its zone.
fields["as_of"] := {"at": "as_of_us"}

# METADATA
# title: Feature definitions
# description: Nobody says how its features are computed.
# custom:
#   code: metadata.feature_definitions
#   remedy: Name `definitions` beside a table in gates.yaml, or tag the version `gates.lineage.feature_definitions_digest`.
fields["feature_definitions"] := {"at": "feature_definitions"}

# METADATA
# title: Label definition
# description: Nobody says what its label means.
# custom:
#   code: metadata.label_definition
#   remedy: Tag the version `gates.lineage.label_definition`.
fields["label_definition"] := {"at": "label_definition"}

# METADATA
# title: Parameters
# description: Nobody says with which parameters it was trained.
# custom:
#   code: metadata.parameters
#   remedy: Log them with `mlflow.log_params`, or tag the version `gates.lineage.parameters`.
fields["parameters"] := {"at": "parameters"}

# METADATA
# title: Environment or image
# description: Nobody says in which packages or image it was trained.
# custom:
#   code: metadata.environment
#   remedy: Tag the version `gates.lineage.environment_digest` or `gates.lineage.image_digest`.
fields["environment"] := {"at": "environment"}

# METADATA
# title: Tags
# description: Nobody says whose it is and what it is for; a tag without a value says nothing.
# custom:
#   code: metadata.tags
#   remedy: Tag the version, such as with `owner`.
fields["tags"] := {"at": "tags"}

# METADATA
# title: "Changelog: what"
# description: Nobody says what was changed.
# custom:
#   code: metadata.changelog_what
#   remedy: Tag the version `gates.changelog.what`.
fields["changelog_what"] := {"at": "changelog_what", "word": "what"}

# METADATA
# title: "Changelog: why"
# description: Nobody says why it was changed.
# custom:
#   code: metadata.changelog_why
#   remedy: Tag the version `gates.changelog.why`.
fields["changelog_why"] := {"at": "changelog_why", "word": "why"}

# METADATA
# title: "Changelog: expected impact"
# description: Nobody says what is expected of the change.
# custom:
#   code: metadata.changelog_impact
#   remedy: Tag the version `gates.changelog.impact`.
fields["changelog_impact"] := {"at": "changelog_impact", "word": "impact"}

# METADATA
# title: Vulnerability scan
# description: Nobody names the report of a scan of its packages for vulnerabilities by its digest.
# custom:
#   code: metadata.vulnerability_scan
#   remedy: Scan the environment or image and tag the version `gates.lineage.vulnerability_scan` with the report's digest.
#   supports:
#     nist-ai-rmf: [MEASURE 2.7]
#     eu-ai-act: [Article 15(5)]
fields["vulnerability_scan"] := {"at": "vulnerability_scan"}

# METADATA
# title: Authors
# description: Nobody says who triggered it, or who committed since the champion's revision, so that authors may approve.
# custom:
#   code: metadata.authors
#   remedy: Measure in a checkout with its whole history (fetch-depth 0); tag candidate and champion `gates.lineage.code_revision`.
#   supports:
#     nist-ai-rmf: [GOVERN 2.1]
#     sr-11-7: [VI Roles and Responsibilities]
#     iso-42001: [A.3.2]
fields["authors"] := {"at": "authors"}
