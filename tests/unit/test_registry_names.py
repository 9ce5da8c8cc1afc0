"""URIs, the nearest name, and aliases that differ by case."""

from __future__ import annotations

import pytest

from gates.errors import UsageError
from gates.inputs.registry import ModelReference, nearest, parse_uri, refuse_case_variant


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("models:/flights-delay/7", ModelReference("flights-delay", version="7")),
        ("models:/flights-delay/007", ModelReference("flights-delay", version="7")),
        ("models:/cat.sch.m@approved-staging", ModelReference("cat.sch.m", alias="approved-staging")),
        ("models:/prévision été/1", ModelReference("prévision été", version="1")),
    ],
)
def test_uris(uri: str, wanted: ModelReference) -> None:
    assert parse_uri(uri) == wanted


@pytest.mark.parametrize(
    "uri",
    [
        *("", "models:/", "models:/m", "models:/m/", "models:/m@", "models:/@champion", "models:/m/latest", "m/7"),
        *("models:/../7", "models:/a/../7", "models:/a/b/7", "models:/m/-1", "models:/m/1.0", "models:/m/²"),
        *(
            "models:/m@a/b",
            "models:/a@b@c",
            "runs:/m/7",
            "models:/m\n/7",
            "xmodels:/m/7",
            "models:/m@..",
            "models:/a\\b/7",
        ),
    ],
)
def test_what_is_no_model_version_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_uri(uri)
    assert caught.value.code == "registry.uri"


@pytest.mark.parametrize(
    ("wanted", "known", "said"),
    [
        ("chmpion", ["champion", "challenger"], "did you mean champion?"),
        ("CHAMPION", ["champion", "challenger"], "did you mean champion?"),
        ("zzz", ["champion", "challenger"], "there are: challenger, champion"),
        ("zzz", [], "there are none"),
    ],
)
def test_the_nearest_name_is_said(wanted: str, known: list[str], said: str) -> None:
    assert nearest(wanted, known) == said


def test_a_case_variant_of_an_alias_is_refused() -> None:
    refuse_case_variant("champion", ["champion", "challenger"])
    refuse_case_variant("champion2", ["champion"])
    for alias, known in (("Champion", "champion"), ("STRASSE", "straße")):
        with pytest.raises(UsageError, match=f"existing {known}"):
            refuse_case_variant(alias, ["challenger", known])
